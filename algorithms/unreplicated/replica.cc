#include "algorithms/unreplicated/replica.h"

#include "algorithms/unreplicated/core.h"

namespace parley {
namespace unreplicated {
namespace {

class UnreplicatedReplica final : public Replica {
 public:
  UnreplicatedReplica(const ReplicaConfig& config, const Recovered& recovered)
      : core_(config, recovered), started_(config.now) {}

  void step(const Turn& turn, const Store&, Effects& effects) noexcept override {
    core_.step(turn, effects);
  }
  [[nodiscard]] Instant deadline() const noexcept override {
    return core_.has_work() ? started_ : kNever;
  }
  [[nodiscard]] Status status() const noexcept override { return core_.status(); }

 private:
  Core core_;
  Instant started_;
};

// It has no peers, so no frame is a valid one.
bool verify(const Block&, const Block&) {
  return false;
}

std::unique_ptr<Replica> make(const ReplicaConfig& config, const Recovered& recovered) {
  return std::make_unique<UnreplicatedReplica>(config, recovered);
}

}  // namespace
}  // namespace unreplicated

const Algorithm kUnreplicated{
    .name = "unreplicated",
    .summary = "one node, no coordination: the control baseline",
    .guarantee = {.linearizable_writes = true,
                  .linearizable_reads = true,
                  .exactly_once = true,
                  .ordered = true,
                  .summary = "linearizable on its one node; unavailable while it is down"},
    .options = {},
    .max_nodes = 1,
    .check_options = nullptr,
    .verify = unreplicated::verify,
    .make = unreplicated::make,
};

}  // namespace parley
