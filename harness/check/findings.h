// What a check can find, how it is told, and which finding breaks which model's promise.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::history {

// What a history is held to. A run's strategy declares it.
enum class Model : std::uint8_t {
  linearizable,  // one order of writes per cell that respects real time, exactly-once, nothing lost
  convergent,    // nothing lost but by a higher stamp, and replicas end equal; the rest is counted
  session,       // convergent, and a client at one node reads its own writes and never backwards
  none,          // nothing is promised: everything is counted
};

std::optional<Model> parse_model(std::string_view name);
std::string_view model_name(Model model);

enum class Anomaly : std::uint8_t {
  operation_recorded_twice,          // two placements of one (client, seq): the record is unsound
  duplicate_stamp,                   // two writes under one stamp
  phantom_read,                      // saw a write that nobody made at that cell
  read_of_refused_write,             // saw a write whose client was told that it was not done
  read_from_future,                  // saw a write that was invoked after the read had returned
  value_mismatch,                    // the colour read is not the one that its writer placed
  seen_under_two_stamps,             // one write read under another stamp than its own
  version_order_violates_real_time,  // a write got a lower stamp than one completed before it began
  stale_linearizable_read,           // missed what had completed, or had been seen, before it began
  duplicate_apply,                   // one replica applied an acknowledged write twice
  unknown_applied_twice,             // a write of unknown outcome was applied twice
  refused_applied,                   // a replica applied a refused write
  phantom_apply,                     // a replica applied a write that nobody made
  wrong_cell,                        // a replica applied a write to another cell than its own
  apply_stamp_mismatch,              // applied under another stamp than the acknowledged one
  missing_apply,                     // a live replica never applied an acknowledged write
  journal_out_of_order,              // a replica applied a lower stamp after a higher one
  replicas_disagree,                 // one replica applied what another, further on, did not
  lost_write,                        // acknowledged, and a live replica ends with an older stamp
  lost_with_its_node,          // the same, but nobody was to hold it except nodes that are gone
  final_reads_differ,          // replicas end with different cells
  read_your_writes_violation,  // a client missed its own earlier write
  monotonic_read_violation,    // a client read an older stamp than it had read before
  not_linearizable,            // no order explains a cell's operations, which lack versions
};
inline constexpr std::size_t kAnomalies = 24;

// The stable name used in results: the enumerator's.
std::string_view anomaly_name(Anomaly anomaly);

// Whether the finding breaks what the model promises; otherwise it is only counted.
bool breaks_promise(Model model, Anomaly anomaly);

// Counts findings and keeps the first explanations of each kind. Bounded.
class Findings {
 public:
  struct Entry {
    std::uint64_t count = 0;
    std::vector<std::string> examples;
  };

  explicit Findings(std::size_t max_examples) : max_examples_(max_examples) {}

  // `explain` returns the explanation as a std::string; it is only called while there is room.
  template <typename Explain>
  void add(Anomaly anomaly, Explain&& explain) {
    Entry& entry = entries_[static_cast<std::size_t>(anomaly)];
    if (entry.count++ < max_examples_) entry.examples.push_back(explain());
  }

  const Entry& of(Anomaly anomaly) const { return entries_[static_cast<std::size_t>(anomaly)]; }

 private:
  std::array<Entry, kAnomalies> entries_;
  std::size_t max_examples_;
};

}  // namespace parley::history
