#include "algorithms/bully_2pc/textbook/replica.h"

#include "algorithms/bully_2pc/codec.h"
#include "algorithms/bully_2pc/textbook/core.h"

namespace parley::bully_2pc::textbook {
namespace {

class TextbookReplica final : public Replica {
 public:
  TextbookReplica(const ReplicaConfig& config, const Recovered& recovered)
      : core_(config, recovered) {}

  void step(const Turn& turn, const Store& store, Effects& effects) noexcept override {
    core_.step(turn, store, effects);
  }
  [[nodiscard]] Instant deadline() const noexcept override { return core_.deadline(); }
  [[nodiscard]] Status status() const noexcept override { return core_.status(); }

 private:
  Core core_;
};

std::unique_ptr<Replica> make(const ReplicaConfig& config, const Recovered& recovered) {
  return std::make_unique<TextbookReplica>(config, recovered);
}

}  // namespace

const Algorithm kTextbook{
    .name = "bully_2pc",
    .summary = "the textbook: nothing keeps two coordinators from deciding side by side",
    .guarantee = {.ordered = false,
                  .keeps_acknowledged = false,
                  .summary = "atomic batches while timing holds; two coordinators may both commit: "
                             "what is lost and what conflicts is counted"},
    .options = option_specs(),
    .max_nodes = kMaxNodes,
    .check_options = check_options,
    .recovery_time = recovery_time,
    .verify = verify,
    .describe = describe,
    .fields = fields,
    .guards = guards::kAll,
    .make = make,
};

}  // namespace parley::bully_2pc::textbook
