#include "harness/sweep/sweep.h"
#include "harness/sweep/duration_text.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "harness/load/ceiling.h"
#include "harness/run/bare_path.h"
#include "harness/sweep/baseline.h"
#include "harness/sweep/fault_load.h"
#include "harness/sweep/knee.h"

namespace parley::harness {
namespace {

// One sweep with the place and the state of its runs.
struct Part {
  SweepSpec spec;
  std::filesystem::path folder;
  std::vector<SkippedRun> skipped;
  std::vector<ResultRow> rows;     // by their numbers
  std::vector<std::size_t> turns;  // their places, in the order in which they are carried out
};

bool ended(RecordState state) {
  return state == RecordState::done || state == RecordState::failed;
}

void save(const Part& part) {
  std::vector<RunRecord> records;
  for (const ResultRow& row : part.rows) records.push_back(row.record);
  std::vector<std::string> warnings;
  for (const LoadedRun& run : loaded_fault_runs(part.rows)) warnings.push_back(to_text(run));
  if (const auto spread = baseline_spread(part.rows)) {
    if (std::string warning = warning_of(*spread); !warning.empty())
      warnings.push_back(std::move(warning));
  }
  write_sweep_json(part.folder, part.spec, records, part.skipped, warnings);
  write_results_csv(part.folder, part.rows);
}

// By batch, measured once.
double ceiling_of(std::uint32_t batch, std::map<std::uint32_t, double>& known) {
  const auto [at, fresh] = known.try_emplace(batch, 0.0);
  if (fresh) at->second = load::measure_ceiling(batch);
  return at->second;
}

bool holds_a_sweep(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / "sweep.json");
}

Part prepare(const SweepSpec& spec, SweepPlan plan, const std::filesystem::path& folder,
             bool resume) {
  Part part{spec, folder, std::move(plan.skipped), {}, {}};
  part.rows.resize(plan.runs.size());
  std::map<std::string, EarlierRun> earlier;
  if (holds_a_sweep(folder)) {
    if (!resume) {
      throw ConfigError(fmt::format(
          "{} holds a sweep already; go on with it (--resume), or choose another folder "
          "(--out)",
          folder.string()));
    }
    earlier = read_sweep_json(folder, spec);
  }
  for (PlannedRun& run : plan.runs) {
    const std::size_t place = run.number - 1;
    part.turns.push_back(place);
    ResultRow row{{std::move(run), RecordState::pending, {}}, {}, {}};
    row.folder = folder / row.record.run.name;
    const auto known = earlier.find(row.record.run.name);
    if (known != earlier.end() && ended(known->second.state)) {
      row.record.state = known->second.state;
      row.record.reason = known->second.reason;
      row.figures = read_figures(row.folder);
    }
    part.rows[place] = std::move(row);
  }
  return part;
}

// Estimates what is left, and learns from the runs how far estimates are off.
class Clock {
 public:
  explicit Clock(const std::vector<Part>& parts) {
    for (const Part& part : parts) {
      for (const ResultRow& row : part.rows) {
        ++total_;
        if (ended(row.record.state)) {
          ++finished_;
        } else {
          left_ += estimated_seconds(row.record.run.spec);
        }
      }
    }
  }

  void run_begins(const RunSpec& spec) {
    estimate_ = estimated_seconds(spec);
    begin_ = std::chrono::steady_clock::now();
  }

  void run_ends() {
    taken_ += elapsed();
    estimated_ += estimate_;
    left_ -= estimate_;
    estimate_ = 0;
    ++finished_;
  }

  [[nodiscard]] SweepProgress progress(std::string_view run, std::string_view phase) const {
    const double factor = estimated_ > 0 ? taken_ / estimated_ : 1;
    const double under_way = estimate_ > 0 ? std::min(elapsed(), estimate_ * factor) : 0;
    return {finished_, total_, std::max(0.0, left_ * factor - under_way), run, phase};
  }

 private:
  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }

  std::size_t total_ = 0;
  std::size_t finished_ = 0;
  double left_ = 0;       // estimates of the runs that have not ended
  double estimate_ = 0;   // of the run at hand
  double taken_ = 0;      // by the runs that have ended
  double estimated_ = 0;  // for them
  std::chrono::steady_clock::time_point begin_{};
};

// Runs one row. False when the user wants to stop: then the row is pending again.
bool run_row(Part& part, ResultRow& row, const RunFunction& run, const PhaseCallback& on_phase) {
  RunRecord& record = row.record;
  record.state = RecordState::running;
  save(part);
  std::filesystem::remove_all(row.folder);
  const RunOutcome outcome = run(record.run.spec, row.folder, on_phase);
  if (outcome.state == RunState::stopped) {
    std::filesystem::remove_all(row.folder);
    record.state = RecordState::pending;
    save(part);
    return false;
  }
  record.state = outcome.state == RunState::done ? RecordState::done : RecordState::failed;
  record.reason = outcome.reason;
  row.figures = read_figures(row.folder);
  save(part);
  return true;
}

std::vector<Part> prepare_all(const std::vector<SweepSpec>& specs, const SweepOptions& options) {
  std::vector<SweepPlan> plans = plan_sweeps(specs);
  std::vector<Part> parts;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    parts.push_back(prepare(specs[i], std::move(plans[i]),
                            specs.size() == 1 ? options.out : options.out / specs[i].name,
                            options.resume));
  }
  return parts;
}

SweepResult gather(std::vector<Part> parts, bool stopped) {
  SweepResult result;
  result.stopped = stopped;
  for (Part& part : parts) {
    for (ResultRow& row : part.rows) {
      if (row.record.state == RecordState::failed) ++result.failed;
      const auto verdict = row.figures.find("consistency.verdict");
      if (verdict != row.figures.end() && verdict->second == "fail") ++result.checks_failed;
      result.rows.push_back(std::move(row));
    }
  }
  return result;
}

}  // namespace

RunFunction live_runs(RunEnvironment environment) {
  return with_search(
      [environment = std::move(environment), ceilings = std::map<std::uint32_t, double>()](
          const RunSpec& spec, const std::filesystem::path& folder,
          const PhaseCallback& on_phase) mutable {
        environment.on_phase = on_phase;
        environment.ceiling_ops_per_s = 0;
        if (spec.algorithm != &bare_path()) {
          on_phase("calibrating");
          environment.ceiling_ops_per_s = ceiling_of(spec.batch, ceilings);
        }
        return execute_run(spec, folder, environment);
      });
}

SweepResult run_sweeps(const std::vector<SweepSpec>& specs, const SweepOptions& options,
                       const RunFunction& run, const SweepCallbacks& callbacks) {
  // Everything is planned before anything is run: an error in the last spec shows at once.
  std::vector<Part> parts = prepare_all(specs, options);
  for (const Part& part : parts) {
    std::filesystem::create_directories(part.folder);
    save(part);
    for (const SkippedRun& skipped : part.skipped) {
      if (callbacks.on_skipped) callbacks.on_skipped(skipped);
    }
  }
  Clock clock(parts);
  for (Part& part : parts) {
    for (const std::size_t place : part.turns) {
      ResultRow& row = part.rows[place];
      if (ended(row.record.state)) continue;
      if (options.stop != nullptr && *options.stop) return gather(std::move(parts), true);
      const std::string& name = row.record.run.name;
      clock.run_begins(row.record.run.spec);
      const PhaseCallback on_phase = [&](std::string_view phase) {
        if (callbacks.on_phase) callbacks.on_phase(clock.progress(name, phase));
      };
      if (!run_row(part, row, run, on_phase)) return gather(std::move(parts), true);
      clock.run_ends();
      if (callbacks.on_run) callbacks.on_run(clock.progress(name, "done"), row);
    }
  }
  return gather(std::move(parts), false);
}

std::string price_list(const std::vector<SweepSpec>& specs) {
  std::string text;
  double total = 0;
  std::size_t runs = 0;
  for (const SweepPlan& plan : plan_sweeps(specs)) {
    for (const PlannedRun& run : plan.runs) {
      text += fmt::format("{:>6.0f} s  {}\n", estimated_seconds(run.spec), run.name);
    }
    for (const SkippedRun& skipped : plan.skipped) {
      text += "left out  " + skipped_line(skipped) + "\n";
    }
    total += estimated_seconds(plan);
    runs += plan.runs.size();
  }
  return text + fmt::format("{} runs, about {} ({:.0f} s)\n", runs, duration_text(total), total);
}

}  // namespace parley::harness
