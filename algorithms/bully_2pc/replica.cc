#include "algorithms/bully_2pc/replica.h"

#include "algorithms/bully_2pc/codec.h"
#include "algorithms/bully_2pc/core.h"
#include "algorithms/bully_2pc/fields.h"
#include "algorithms/bully_2pc/guards.h"
#include "algorithms/bully_2pc/inspection.h"
#include "algorithms/bully_2pc/options.h"
#include "algorithms/bully_2pc/text.h"
#include "algorithms/bully_2pc/textbook/replica.h"

namespace parley {
namespace bully_2pc {
namespace {

class BullyReplica final : public Replica {
 public:
  BullyReplica(const ReplicaConfig& config, const Recovered& recovered)
      : core_(config, recovered) {}

  void step(const Turn& turn, const Store&, Effects& effects) noexcept override {
    core_.step(turn, effects);
  }
  [[nodiscard]] Instant deadline() const noexcept override { return core_.deadline(); }
  [[nodiscard]] Status status() const noexcept override { return core_.status(); }
  [[nodiscard]] LogIndex held_by(NodeId member) const noexcept override {
    return core_.held_by(member);
  }

 private:
  Core core_;
};

std::unique_ptr<Replica> make(const ReplicaConfig& config, const Recovered& recovered) {
  return std::make_unique<BullyReplica>(config, recovered);
}

}  // namespace
}  // namespace bully_2pc

namespace bully_2pc {
namespace {

constexpr Variant kVariants[] = {{"fencing", "none", &textbook::kTextbook}};

}  // namespace
}  // namespace bully_2pc

const Algorithm kBully2pc{
    .name = "bully_2pc",
    .summary = "the highest id coordinates; batches are prepared, voted for and committed",
    .guarantee = {.linearizable_writes = true,
                  .linearizable_reads = true,
                  .exactly_once = true,
                  .ordered = true,
                  .summary = "linearizable, in atomic batches, exactly once per session; the "
                             "majority side goes on, the other blocks visibly"},
    .options = bully_2pc::option_specs(),
    .max_nodes = bully_2pc::kMaxNodes,
    .check_options = bully_2pc::check_options,
    .variants = bully_2pc::kVariants,
    .recovery_time = bully_2pc::recovery_time,
    .verify = bully_2pc::verify,
    .describe = bully_2pc::describe,
    .fields = bully_2pc::fields,
    .inspection = &bully_2pc::kInspection,
    .guards = bully_2pc::guards::kAll,
    .make = bully_2pc::make,
};

}  // namespace parley
