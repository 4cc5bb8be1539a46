#include "algorithms/raft/replica.h"

#include "algorithms/raft/codec.h"
#include "algorithms/raft/core.h"
#include "algorithms/raft/fields.h"
#include "algorithms/raft/guards.h"
#include "algorithms/raft/inspection.h"
#include "algorithms/raft/options.h"
#include "algorithms/raft/text.h"

namespace parley {
namespace raft {
namespace {

class RaftReplica final : public Replica {
 public:
  RaftReplica(const ReplicaConfig& config, const Recovered& recovered) : core_(config, recovered) {}

  void step(const Turn& turn, const Store&, Effects& effects) noexcept override {
    core_.step(turn, effects);
  }
  [[nodiscard]] Instant deadline() const noexcept override { return core_.deadline(); }
  [[nodiscard]] Status status() const noexcept override { return core_.status(); }
  [[nodiscard]] LogIndex held_by(NodeId member) const noexcept override {
    return core_.held_by(member);
  }
  [[nodiscard]] Instant lease_until() const noexcept override { return core_.lease_until(); }
  [[nodiscard]] const Membership* membership() const noexcept override {
    return &core_.membership();
  }

 private:
  Core core_;
};

std::unique_ptr<Replica> make(const ReplicaConfig& config, const Recovered& recovered) {
  return std::make_unique<RaftReplica>(config, recovered);
}

}  // namespace
}  // namespace raft

const Algorithm kRaft{
    .name = "raft",
    .summary = "an elected leader orders all writes; a majority keeps them",
    .guarantee = {.linearizable_writes = true,
                  .linearizable_reads = true,
                  .exactly_once = true,
                  .ordered = true,
                  .summary = "linearizable, exactly once per session; the majority side goes on"},
    .options = raft::option_specs(),
    .max_nodes = kMaxMembers,
    .changes_members = true,
    .hands_over = true,
    .check_options = raft::check_options,
    .max_clock_drift = raft::max_clock_drift,
    .verify = raft::verify,
    .describe = raft::describe,
    .fields = raft::fields,
    .inspection = &raft::kInspection,
    .guards = raft::guards::kAll,
    .make = raft::make,
};

}  // namespace parley
