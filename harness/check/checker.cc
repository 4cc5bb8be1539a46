#include "harness/check/checker.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "harness/check/checks.h"
#include "harness/check/records.h"

namespace parley::history {

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::pass:
      return "pass";
    case Verdict::fail:
      return "fail";
    case Verdict::not_promised:
      return "not_promised";
    case Verdict::not_checked:
      break;
  }
  return "not_checked";
}

struct Checker::State {
  explicit State(CheckOptions given)
      : options(std::move(given)),
        context{
            options,    table, result.findings, result.consistency, result.notes, result.staleness,
            visibility, {}},
        live_by_journals(options.live_nodes.empty()) {
    result.model = options.model;
    result.findings = Findings(options.max_examples);
    context.live_nodes = options.live_nodes;
  }

  // Ends the phase of operations: what journals are compared with must be known.
  void prepare();
  void add_live(std::uint32_t node);
  void count(const Operation& operation);
  void note_incomplete(std::string why) {
    incomplete = true;
    result.notes.push_back(std::move(why));
  }
  void check_journals();
  void check_staleness();
  void check_versions();
  void check_orders();
  Verdict verdict() const;

  CheckOptions options;
  CheckResult result;
  RecordTable table;
  VisibilityCurve visibility;
  CheckContext context;
  std::optional<JournalCheck> journals;
  bool live_by_journals;  // nobody has said who is alive: whoever has a journal
  bool prepared = false;
  bool incomplete = false;
};

void Checker::State::count(const Operation& operation) {
  ++result.operations;
  if (operation.kind == Kind::place) {
    ++(operation.outcome == Outcome::ok        ? result.places_ok
       : operation.outcome == Outcome::refused ? result.places_refused
                                               : result.places_unknown);
  } else if (operation.outcome == Outcome::ok) {
    ++(operation.read_mode == ReadMode::final ? result.final_reads : result.reads);
  }
}

void Checker::State::add_live(std::uint32_t node) {
  auto& live = context.live_nodes;
  const auto at = std::lower_bound(live.begin(), live.end(), node);
  if (at == live.end() || *at != node) live.insert(at, node);
}

void Checker::State::prepare() {
  if (prepared) return;
  prepared = true;
  std::sort(context.live_nodes.begin(), context.live_nodes.end());
  table.index(context.findings);
  result.cells = table.cells();
  if (options.versions) check_reads(context);
}

Verdict Checker::State::verdict() const {
  if (options.model == Model::none) return Verdict::not_promised;
  // Behind a line left out anything may hide, and anything found may be its fault.
  if (result.malformed > 0) return Verdict::not_checked;
  for (std::size_t i = 0; i < kAnomalies; ++i) {
    const auto anomaly = static_cast<Anomaly>(i);
    if (result.found(anomaly) && breaks_promise(options.model, anomaly)) return Verdict::fail;
  }
  return incomplete || context.uncertain > 0 ? Verdict::not_checked : Verdict::pass;
}

Checker::Checker(CheckOptions options) : state_(std::make_unique<State>(std::move(options))) {}
Checker::~Checker() = default;

void Checker::reserve(std::size_t operations) {
  state_->table.reserve(operations);
}

void Checker::add(const Operation& operation, std::uint64_t line) {
  if (state_->prepared) throw std::logic_error("operations come before journals");
  if (operation.x > kMaxCoordinate || operation.y > kMaxCoordinate) {
    throw std::invalid_argument(fmt::format("line {}: x and y reach to {}", line, kMaxCoordinate));
  }
  if (operation.node > kMaxNode) {
    throw std::invalid_argument(fmt::format("line {}: nodes reach to {}", line, kMaxNode));
  }
  if (std::max(std::abs(operation.invoke_ns), std::abs(operation.return_ns)) > kMaxTimeNs) {
    throw std::invalid_argument(fmt::format("line {}: times reach to {} ns", line, kMaxTimeNs));
  }
  if (state_->table.size() >= kMaxOperations || line > kMaxOperations) {
    throw std::invalid_argument(fmt::format("more than {} operations", kMaxOperations));
  }
  state_->count(operation);
  state_->table.add(operation, line);
  const bool final = operation.kind == Kind::read && operation.read_mode == ReadMode::final;
  if (final && operation.outcome == Outcome::ok && state_->options.live_nodes.empty()) {
    state_->add_live(operation.node);
    state_->live_by_journals = false;
  }
}

void Checker::begin_journal(std::uint32_t node) {
  state_->prepare();
  if (!state_->journals) state_->journals.emplace(state_->context);
  if (state_->live_by_journals) state_->add_live(node);
  state_->journals->begin(node);
}

void Checker::add_applied(const JournalEntry& entry, std::uint64_t line) {
  state_->journals->add(entry, line);
}

void Checker::note(std::string what) {
  state_->result.notes.push_back(std::move(what));
}

void Checker::note_incomplete(std::string why) {
  state_->note_incomplete(std::move(why));
}

void Checker::note_malformed(const std::string& file, const ReadReport& report) {
  state_->result.malformed += report.malformed;
  for (const MalformedLine& line : report.examples) {
    if (state_->result.malformed_examples.size() == ReadReport::kMaxExamples) break;
    state_->result.malformed_examples.push_back(fmt::format("{}: {}", file, line.text()));
  }
}

void Checker::State::check_journals() {
  if (!journals) {
    result.notes.emplace_back("no journals: exactly-once was not checked");
    return;
  }
  journals->finish();
  result.journals = journals->journals();
  result.applied = journals->entries();
  for (const std::uint32_t node : context.live_nodes) {
    if (journals->has(node)) continue;
    note_incomplete(fmt::format("node {} was alive at the end and has no journal", node));
  }
  if (!options.canvas_width) {
    note_incomplete("the canvas width is not known, so the journals' cells were not compared");
  }
}

void Checker::State::check_versions() {
  check_journals();
  check_stamps(context);
  if (options.model == Model::linearizable) check_real_time(context);
  if (options.model == Model::session) check_sessions(context);
  check_staleness();
  if (!options.quiescent) {
    note_incomplete("what replicas hold at the end is not final: loss was not looked for");
  } else if (result.final_reads > 0) {
    if (!check_final_reads(context, journals ? &*journals : nullptr)) incomplete = true;
  } else if (options.model == Model::linearizable) {
    result.notes.emplace_back("no final reads: lost writes were not looked for");
  } else {
    note_incomplete("no final reads: neither loss nor convergence was checked");
  }
  for (RecordIndex i = 0; i < table.size(); ++i) {
    if (table[i].two_stamps) ++result.consistency.duplicates;
  }
}

void Checker::State::check_staleness() {
  if (journals) {
    const WarsLegs legs = journals->propagation().legs(context.live_nodes);
    result.predicted = legs.complete();
    if (result.predicted) visibility = VisibilityCurve(Visibility(legs, options.seed));
  }
  count_stale(context);
  if (result.staleness.reads() > 0) {
    result.consistency.stale_ms_p99 = result.staleness.ms_at(0.99);
    result.consistency.stale_versions_p99 = result.staleness.versions_at(0.99);
  }
  if (visibility.reads() > 0) result.visibility = visibility.bins();
}

void Checker::State::check_orders() {
  if (options.model != Model::linearizable) {
    return note_incomplete("without versions only the model linearizable can be checked");
  }
  result.notes.emplace_back("no versions: an order of each cell's operations was searched for");
  if (!search_orders(context)) incomplete = true;
  std::uint64_t passed_over = result.final_reads;
  for (RecordIndex i = 0; i < table.size(); ++i) {
    if (table[i].is_ok_read() && table[i].read_mode == ReadMode::local) ++passed_over;
  }
  if (passed_over == 0) return;
  result.notes.push_back(
      fmt::format("{} local and final reads were not looked at: they need versions", passed_over));
}

CheckResult Checker::finish() {
  State& state = *state_;
  CheckContext& context = state.context;
  state.prepare();
  if (state.options.versions) {
    state.check_versions();
  } else {
    state.check_orders();
  }
  if (state.result.operations == 0) note_incomplete("no operations were recorded");
  if (context.uncertain > 0) {
    state.result.notes.push_back(fmt::format(
        "{} pairs of operations violate real time by less than the clocks' error, {} ns",
        context.uncertain, state.options.clock_error_ns));
  }
  state.result.live_nodes = context.live_nodes;
  state.result.verdict = state.verdict();
  return std::move(state.result);
}

namespace {

std::string counted(std::string_view name, const std::optional<std::uint64_t>& count) {
  return count ? fmt::format("{} {}", name, *count) : fmt::format("{} unknown", name);
}

}  // namespace

std::string to_text(const CheckResult& result) {
  std::string text = fmt::format(
      "verdict: {} (model {})\n"
      "{} operations on {} cells: placements {} ok, {} refused, {} unknown; {} reads, {} final; "
      "{} journals with {} entries\n",
      verdict_name(result.verdict), model_name(result.model), result.operations, result.cells,
      result.places_ok, result.places_refused, result.places_unknown, result.reads,
      result.final_reads, result.journals, result.applied);
  for (std::size_t i = 0; i < kAnomalies; ++i) {
    const auto anomaly = static_cast<Anomaly>(i);
    const Findings::Entry& entry = result.findings.of(anomaly);
    if (entry.count == 0) continue;
    text += fmt::format("{}: {}{}\n", anomaly_name(anomaly), entry.count,
                        breaks_promise(result.model, anomaly) ? "" : " (counted, not promised)");
    for (const std::string& example : entry.examples) text += "  " + example + "\n";
    if (entry.count > entry.examples.size()) {
      text += fmt::format("  and {} more\n", entry.count - entry.examples.size());
    }
  }
  const Consistency& c = result.consistency;
  text += fmt::format("{}, {}, {}, duplicates {}, {}\n", counted("lost", c.lost),
                      counted("superseded", c.superseded), counted("older wins", c.older_wins),
                      c.duplicates, counted("divergent cells", c.divergent_cells_final));
  text += fmt::format("stale reads {} (at most {:.3f} ms and {} versions behind)\n", c.stale_reads,
                      c.stale_ms_max, c.stale_versions_max);
  if (result.malformed > 0) text += fmt::format("malformed lines: {}\n", result.malformed);
  for (const std::string& example : result.malformed_examples) text += "  " + example + "\n";
  for (const std::string& note : result.notes) text += "note: " + note + "\n";
  return text;
}

}  // namespace parley::history
