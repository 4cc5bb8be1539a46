#include "runtime/sim/check_seeds.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <mutex>
#include <numeric>
#include <thread>

#include "runtime/sim/story.h"

namespace parley::sim {
namespace {

constexpr std::size_t kFailuresInFull = 10;

class Seeds {
 public:
  Seeds(const Algorithm& algorithm, const OptionValues& values, const SeedsOptions& options)
      : algorithm_(algorithm), values_(values), options_(options) {}

  SeedsReport run() {
    const std::uint32_t hardware = std::max(1U, std::thread::hardware_concurrency());
    const std::uint64_t wanted = options_.threads == 0 ? hardware : options_.threads;
    std::vector<std::thread> threads;
    for (std::uint64_t i = 1; i < std::min(wanted, options_.seeds); ++i) {
      threads.emplace_back([this] { work(); });
    }
    work();
    for (std::thread& thread : threads) thread.join();
    return finish();
  }

 private:
  using Clock = std::chrono::steady_clock;

  void work() {
    for (;;) {
      if (options_.stop != nullptr && options_.stop->load()) return;
      const std::uint64_t number = next_.fetch_add(1);
      if (number >= options_.seeds || number > first_failure_) return;
      SimOptions one = options_.each;
      one.seed += number;
      if (options_.seeds > 1) one.trace = nullptr;
      SimResult result = simulate(algorithm_, values_, one);
      const std::lock_guard lock(mutex_);
      add(one, std::move(result));
      tell_progress();
    }
  }

  void add(const SimOptions& one, SimResult result) {
    const auto faults =
        std::accumulate(result.faults.begin(), result.faults.end(), std::uint64_t{0});
    const bool first = report_.seeds == 0;
    const auto keep_least = [first](std::uint64_t& least, std::uint64_t value) {
      least = first ? value : std::min(least, value);
    };
    keep_least(report_.fewest_placements, result.clients.acknowledged);
    keep_least(report_.fewest_faults, faults);
    ++report_.seeds;
    report_.violations += result.violations.size();
    for (std::size_t i = 0; i < kFaultKinds; ++i) report_.faults[i] += result.faults[i];
    for (const std::string& missed : result.missed) {
      if (report_.missed.size() < kFailuresInFull) {
        report_.missed.push_back(fmt::format("{} (seed {})", missed, one.seed));
      }
    }
    report_.anomalies += result.anomalies;
    for (std::size_t i = 0; i < kFaultKinds; ++i) {
      if (result.faults[i] == 0) continue;
      AnomalyShare& share = report_.with_fault[i];
      ++share.seeds;
      share.acknowledged += result.clients.acknowledged;
      share.anomalies += result.anomalies;
    }
    if (result.agreed_after != kNotAgreed) add_agreement(result);
    report_.clients.acknowledged += result.clients.acknowledged;
    report_.clients.refused += result.clients.refused;
    report_.clients.unknown += result.clients.unknown;
    report_.clients.reads += result.clients.reads;
    report_.clients.expired += result.clients.expired;
    report_.events += result.events;
    report_.turns += result.turns;
    report_.messages += result.messages;
    report_.commits += result.commits;
    report_.snapshots += result.snapshots;
    report_.installs += result.installs;
    // A sum, which does not depend on the order of the seeds.
    report_.trace_hash += scatter(one.seed, result.trace_hash);
    virtual_time_s_ += static_cast<double>(result.virtual_time.count()) / 1e9;
    if (result.violations.empty()) return;
    if (options_.until_failure) {
      first_failure_ = std::min(first_failure_.load(), one.seed - options_.each.seed);
    }
    report_.failing_seeds.push_back(one.seed);
    Failure& failure = report_.failures.emplace_back();
    failure.seed = one.seed;
    failure.violations = std::move(result.violations);
    failure.replay = replay_command(algorithm_, values_, one);
    if (report_.failures.size() > kFailuresInFull) {
      sort_failures();
      report_.failures.pop_back();
    }
  }

  void add_agreement(const SimResult& result) {
    report_.agreed_after.push_back(result.agreed_after);
    if (result.promised_rounds == 0) return;
    report_.agreed_rounds.push_back(static_cast<double>(result.agreed_after.count()) /
                                    static_cast<double>(result.round.count()));
    if (result.agreed_after > result.promised_rounds * result.round) ++report_.agreed_late;
  }

  void sort_failures() {
    std::sort(report_.failures.begin(), report_.failures.end(),
              [](const Failure& a, const Failure& b) { return a.seed < b.seed; });
  }

  void tell_progress() {
    if (!options_.progress) return;
    const auto now = Clock::now();
    const bool last = report_.seeds == options_.seeds;
    if (!last && now - told_ < std::chrono::milliseconds(100)) return;
    told_ = now;
    options_.progress({report_.seeds, options_.seeds, report_.failing_seeds.size(),
                       std::chrono::duration<double>(now - began_).count()});
  }

  SeedsReport finish() {
    sort_failures();
    std::sort(report_.failing_seeds.begin(), report_.failing_seeds.end());
    std::sort(report_.agreed_after.begin(), report_.agreed_after.end());
    std::sort(report_.agreed_rounds.begin(), report_.agreed_rounds.end());
    report_.elapsed_s =
        std::max(1e-9, std::chrono::duration<double>(Clock::now() - began_).count());
    report_.seeds_per_s = static_cast<double>(report_.seeds) / report_.elapsed_s;
    report_.events_per_s = static_cast<double>(report_.events) / report_.elapsed_s;
    report_.simulated_to_real = virtual_time_s_ / report_.elapsed_s;
    for (Failure& failure : report_.failures) explain(failure);
    return std::move(report_);
  }

  void explain(Failure& failure) const {
    SimOptions one = options_.each;
    one.seed = failure.seed;
    if (options_.reduce && failure.seed == report_.failing_seeds.front()) {
      failure.reduced = reduce(algorithm_, values_, one, options_.stop);
    }
    if (failure.reduced) {
      one = failure.reduced->options;
      failure.replay_reduced = replay_command(algorithm_, values_, one);
    }
    failure.story =
        tell_story(algorithm_, values_, one,
                   failure.reduced ? failure.reduced->after.violations : failure.violations);
  }

  const Algorithm& algorithm_;
  const OptionValues& values_;
  const SeedsOptions& options_;
  const Clock::time_point began_ = Clock::now();
  std::atomic<std::uint64_t> next_{0};
  // The number of the first seed that failed, if those after it do not matter.
  std::atomic<std::uint64_t> first_failure_{std::numeric_limits<std::uint64_t>::max()};
  std::mutex mutex_;  // guards what follows
  SeedsReport report_;
  double virtual_time_s_ = 0;  // a sum in no fixed order: not part of any hash
  Clock::time_point told_;
};

}  // namespace

SeedsReport check_seeds(const Algorithm& algorithm, const OptionValues& values,
                        const SeedsOptions& options) {
  return Seeds(algorithm, values, options).run();
}

std::string replay_command(const Algorithm& algorithm, const OptionValues& values,
                           const SimOptions& options) {
  const SimOptions usual;
  std::string command = fmt::format("./parley check --algorithm {} --seeds 1 --seed {}",
                                    algorithm.name, options.seed);
  if (options.nodes != usual.nodes) command += fmt::format(" --nodes {}", options.nodes);
  if (options.duration != usual.duration) {
    command += fmt::format(" --seconds {}", static_cast<double>(options.duration.count()) / 1e9);
  }
  if (options.application == ApplicationChoice::canvas) command += " --application canvas";
  if (options.application == ApplicationChoice::counter) command += " --application counter";
  const OptionValues usual_values = default_options(algorithm.options);
  for (const auto& [name, fallback] : usual_values.all()) {
    if (values.at(name) == fallback) continue;
    command += fmt::format(" --option {}={}", name, option_text(algorithm.options, name, values));
  }
  if (options.schedule) {
    command += " --faults " + options.schedule->name;
  } else if (options.faults != usual.faults) {
    command += " --faults " + to_text(options.faults);
  }
  if (options.links) command += " --links " + options.links->name;
  if (options.reduction) command += fmt::format(" --reduced \"{}\"", to_text(*options.reduction));
  return command;
}

namespace {

std::string size_of(const SimResult& result) {
  const auto faults = std::accumulate(result.faults.begin(), result.faults.end(), std::uint64_t{0});
  return fmt::format("{} nodes, {} faults, {} placements, {:.1f} s", result.nodes, faults,
                     result.clients.acknowledged,
                     static_cast<double>(result.virtual_time.count()) / 1e9);
}

}  // namespace

std::string describe(const Failure& failure) {
  std::string text = fmt::format("seed {} fails:\n", failure.seed);
  for (const std::string& violation : failure.violations) text += "  " + violation + "\n";
  if (failure.reduced) {
    const Reduced& reduced = *failure.reduced;
    text += fmt::format("reduced from {} to {} in {} executions:\n", size_of(reduced.before),
                        size_of(reduced.after), reduced.executions);
    for (const std::string& violation : reduced.after.violations) text += "  " + violation + "\n";
  }
  text += "how it came to it:\n";
  for (const std::string& line : failure.story) text += "  " + line + "\n";
  if (failure.reduced) {
    text += "to see it again: " + failure.replay_reduced + "\n";
    return text + "without the reduction: " + failure.replay + " --no-reduce\n";
  }
  return text + "to see it again: " + failure.replay + "\n";
}

}  // namespace parley::sim
