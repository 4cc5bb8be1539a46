#include "harness/check/findings.h"

namespace parley::history {
namespace {

constexpr std::array<std::string_view, kAnomalies> kNames = {
    "operation_recorded_twice",
    "duplicate_stamp",
    "phantom_read",
    "read_of_refused_write",
    "read_from_future",
    "value_mismatch",
    "seen_under_two_stamps",
    "version_order_violates_real_time",
    "stale_linearizable_read",
    "duplicate_apply",
    "unknown_applied_twice",
    "refused_applied",
    "phantom_apply",
    "wrong_cell",
    "apply_stamp_mismatch",
    "missing_apply",
    "journal_out_of_order",
    "replicas_disagree",
    "lost_write",
    "lost_with_its_node",
    "final_reads_differ",
    "read_your_writes_violation",
    "monotonic_read_violation",
    "not_linearizable",
};
static_assert(static_cast<std::size_t>(Anomaly::not_linearizable) + 1 == kAnomalies);

constexpr std::array<std::string_view, 4> kModels = {"linearizable", "convergent", "session",
                                                     "none"};

}  // namespace

std::optional<Model> parse_model(std::string_view name) {
  for (std::size_t i = 0; i < kModels.size(); ++i) {
    if (kModels[i] == name) return static_cast<Model>(i);
  }
  return std::nullopt;
}

std::string_view model_name(Model model) {
  return kModels[static_cast<std::size_t>(model)];
}

std::string_view anomaly_name(Anomaly anomaly) {
  return kNames[static_cast<std::size_t>(anomaly)];
}

bool breaks_promise(Model model, Anomaly anomaly) {
  if (model == Model::none || anomaly == Anomaly::lost_with_its_node) return false;
  if (model == Model::linearizable) return true;
  // A merge strategy recognises a retry at the node that had it; elsewhere it is a new write, and
  // duplicates are counted.
  return anomaly != Anomaly::duplicate_apply && anomaly != Anomaly::unknown_applied_twice &&
         anomaly != Anomaly::seen_under_two_stamps && anomaly != Anomaly::apply_stamp_mismatch;
}

}  // namespace parley::history
