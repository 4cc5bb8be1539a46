// Checks a recorded run against what its strategy promises.
//
// Linearizability is decided per cell, by versions, without a search. The sequential specification
// is a register whose write returns a stamp above all earlier ones and whose read returns the
// current stamp, colour and writer; a write of unknown outcome may take effect at any time after
// its invocation, or never; a refused one never does. Because every write's place in the order of
// its cell is known, the history is linearizable exactly if no operation that completed before
// another was invoked has a higher stamp than that other (the union of a total preorder and an
// interval order has a cycle only if it has one of length two), and each read names a write with
// that stamp. Linearizability is local to objects: Herlihy & Wing, "Linearizability", TOPLAS 1990,
// section 3.1. Local reads are not held to real time, but what they saw had taken effect before
// they returned. Agreement with a brute-force search is tested in linearizable_test.cc.
//
// Exactly-once is decided on the applied journals: every acknowledged write once on every live
// replica, under its stamp and at its cell; refused ones never; unknown ones at most once; all
// journals in the order of the stamps, and each of a dead replica a prefix.
//
// The other definitions (lost, superseded, older_wins, stale, duplicates) are those that the
// project declares for its strategies; see Consistency.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/check/findings.h"
#include "harness/check/history.h"
#include "harness/check/journal.h"
#include "harness/check/staleness.h"

namespace parley::history {

enum class Verdict : std::uint8_t {
  pass,
  fail,
  not_promised,  // the model promises nothing: only counts
  not_checked,   // the record does not allow a verdict; the notes say why
};
std::string_view verdict_name(Verdict verdict);

// A fault took a node's state: the process was killed and not started again, or came back with an
// empty memory.
struct Departure {
  std::uint32_t node = 0;
  std::int64_t at_ns = 0;  // by the clock of the history
};

struct CheckOptions {
  Model model = Model::linearizable;
  // How far the clocks of the recorded times may be apart, in ns. An operation counts as completed
  // before another only if the gap is longer; a violation that rests on a shorter one makes the
  // verdict not_checked.
  std::int64_t clock_error_ns = 0;
  std::size_t max_examples = 5;  // explanations kept of each anomaly
  // Width of the canvas, which the journals' cell keys need. check_history takes it from the run's
  // manifest.json when it is not given.
  std::optional<std::uint32_t> canvas_width;
  // Whether the history holds a sample of the cells only: then journal entries of writes that it
  // does not know are passed over. check_history takes it from the manifest likewise.
  std::optional<bool> sampled;
  // Whether operations carry versions, as those of our own runs do; check_history looks. Without,
  // only the model linearizable can be checked, by a search for an order.
  bool versions = true;
  std::uint64_t max_search_states = 1'000'000;  // of each cell, besides some for each operation
  // Whether what replicas hold at the end is final. Where a majority of an ordered strategy's nodes
  // is gone it is not: then neither loss nor convergence is looked for. check_history takes it from
  // the manifest, too.
  bool quiescent = true;
  std::uint64_t seed = 1;  // of samples and of the model of staleness
  // Nodes alive at the end. When empty: those with final reads, or all if there are none.
  std::vector<std::uint32_t> live_nodes;
  // A strategy that merges acknowledges once `copies` nodes hold a write; where the one that
  // answered and as many departed before others had heard of it, nobody promised that it stays.
  // check_history takes both from the manifest when they are not given.
  std::vector<Departure> departures;
  std::optional<std::uint32_t> copies;
};

// The fields of `consistency` in summary.json. Empty where the record does not allow to compute it.
struct Consistency {
  // Acknowledged writes for which some live replica's final read has a lower stamp, or an equal one
  // by another writer. Needs final reads.
  std::optional<std::uint64_t> lost;
  // Acknowledged writes whose successor (the next higher stamp of the cell) was made at a node that
  // had not yet applied them when it took the client's command. Needs journals; of ordered
  // strategies ones that say what was known (JournalEntry::known).
  std::optional<std::uint64_t> superseded;
  // Cells whose final write had returned before some acknowledged write of the cell was invoked.
  std::optional<std::uint64_t> older_wins;
  // Reads (final ones aside) before whose invocation a higher stamp of the cell was acknowledged;
  // how long before, at most and on average, and how many such stamps.
  std::uint64_t stale_reads = 0;
  double stale_ms_max = 0;
  double stale_ms_mean = 0;
  std::uint64_t stale_versions_max = 0;
  // What 99 % of the reads did not exceed. Needs reads.
  std::optional<double> stale_ms_p99;
  std::optional<std::uint64_t> stale_versions_p99;
  // Writes known under two stamps, from reads and journals.
  std::uint64_t duplicates = 0;
  // Cells whose final reads differ between live replicas: a lower bound of divergent_cells_max,
  // which also looks at the time before quiescence.
  std::optional<std::uint64_t> divergent_cells_final;
};

struct CheckResult {
  Model model = Model::linearizable;
  Verdict verdict = Verdict::not_checked;
  std::uint64_t operations = 0;
  std::uint64_t places_ok = 0;
  std::uint64_t places_refused = 0;
  std::uint64_t places_unknown = 0;
  std::uint64_t reads = 0;        // with outcome ok, final ones aside
  std::uint64_t final_reads = 0;  // with outcome ok
  std::uint64_t cells = 0;
  std::uint64_t journals = 0;
  std::uint64_t applied = 0;              // journal entries
  std::vector<std::uint32_t> live_nodes;  // as taken for the checks
  Findings findings{0};
  Consistency consistency;
  Staleness staleness;
  // Of local reads; the prediction is there if journals tell when writes were applied. Empty
  // without local reads that came after a write of their cell.
  std::vector<VisibilityBin> visibility;
  bool predicted = false;
  std::uint64_t malformed = 0;                  // lines left out
  std::vector<std::string> malformed_examples;  // file, line, field
  std::vector<std::string> notes;               // what was not checked, and why

  bool found(Anomaly anomaly) const { return findings.of(anomaly).count > 0; }
};

// Holds a run's operations (about 80 bytes each, 100 with journals) and decides. Use: add every
// operation, then every journal (begin_journal, add_applied...), then finish once.
class Checker {
 public:
  static constexpr std::uint32_t kMaxOperations = 0xFFFFFFF0u;
  static constexpr std::uint32_t kMaxNode = 65535;
  static constexpr std::size_t kMaxJournals = 64;

  explicit Checker(CheckOptions options);
  ~Checker();
  Checker(const Checker&) = delete;
  Checker& operator=(const Checker&) = delete;

  // Expected number of operations; only saves copying.
  void reserve(std::size_t operations);
  // `line` is quoted in explanations. Throws std::invalid_argument when a limit is passed: x and y
  // up to kMaxCoordinate, node up to kMaxNode, times up to kMaxTimeNs, kMaxOperations.
  void add(const Operation& operation, std::uint64_t line);
  // Entries that follow are of this replica, in the order in which it applied them. Throws
  // std::invalid_argument beyond kMaxJournals, and for a node that had one.
  void begin_journal(std::uint32_t node);
  void add_applied(const JournalEntry& entry, std::uint64_t line);
  // Adds a note to the result.
  void note(std::string what);
  // Likewise, of a hole in the record: a pass becomes not_checked.
  void note_incomplete(std::string why);
  // Counts the lines that a reader left out; any of them makes the verdict not_checked.
  void note_malformed(const std::string& file, const ReadReport& report);
  CheckResult finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Checks a history.jsonl, or a run's folder with history.jsonl, nodes/<id>.applied.csv and
// manifest.json where they are. Throws std::system_error when a file cannot be read and
// std::invalid_argument when there is no history at `path` or a limit of Checker is passed.
CheckResult check_history(const std::filesystem::path& path, CheckOptions options);

// The result as one JSON object: {model, verdict, operations: {…}, anomalies: {name: {count,
// broken, examples}}, consistency: {…}, malformed: {count, examples}, notes}.
std::string to_json(const CheckResult& result);
// Only the `consistency` object, with the names of summary.json; `divergent_cells_max` is the
// final count, `lag_max` and `converged_ms`, which a history cannot tell, are null.
std::string consistency_json(const CheckResult& result);
// The result in lines for people.
std::string to_text(const CheckResult& result);

}  // namespace parley::history
