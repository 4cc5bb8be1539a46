#include "harness/sweep/knee.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/run/run_files.h"

namespace parley::harness {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kPercentiles[] = {"p50", "p90", "p99", "p999"};
constexpr int kEnough = 2;            // tries of three that agree
constexpr double kServed = 0.98;      // share of what was offered that has to be done
constexpr double kMaxFailed = 0.001;  // share that may be refused, unknown or unsent

[[noreturn]] void refuse_objective(std::string_view text) {
  throw ConfigError(
      fmt::format("objective: \"{}\" is not a percentile and a time, such as \"p99<=10ms\" (p50, "
                  "p90, p99 or p999; "
                  "us, ms or s)",
                  text));
}

Json summary_of(const std::filesystem::path& folder) {
  std::ifstream in(folder / "summary.json");
  return Json::parse(in);
}

// Infinite where it is above the time-out.
double latency_of(const Json& summary, const Objective& objective) {
  const Json& value = summary.at("latency_us").at(objective.percentile);
  return value.is_number() ? value.get<double>() : HUGE_VAL;
}

bool meets(const Json& summary, const Objective& objective) {
  const double offered = summary.at("offered_ops_per_s");
  const double achieved = summary.at("achieved_ops_per_s");
  const double completed = summary.at("completed");
  double failed = 0;
  for (const char* name : {"refused", "unknown", "unsent"})
    failed += summary.at(name).get<double>();
  return latency_of(summary, objective) <= objective.limit_us && achieved >= kServed * offered &&
         failed <= kMaxFailed * (completed + failed);
}

// One search, with what it has found so far.
class Search {
 public:
  Search(const RunSpec& spec, const std::filesystem::path& folder, const RunFunction& run,
         const PhaseCallback& on_phase)
      : spec_(spec),
        folder_(folder),
        aside_(folder.string() + ".probes"),
        run_(run),
        on_phase_(on_phase),
        objective_(parse_objective(spec.objective)) {}

  RunOutcome run() {
    std::filesystem::remove_all(aside_);
    RunOutcome outcome = search();
    // What was tried is kept, also of a search that failed; a stopped one is begun again.
    if (outcome.state != RunState::stopped && std::filesystem::exists(aside_)) {
      std::filesystem::create_directories(folder_);
      std::filesystem::rename(aside_, folder_ / "probes");
    }
    std::filesystem::remove_all(aside_);
    return outcome;
  }

 private:
  RunOutcome search() {
    RunSpec full = spec_;
    full.closed_loop = true;
    RunOutcome outcome = probe(full, "saturation");
    if (outcome.state != RunState::done) return outcome;
    saturation_ = summary_.at("achieved_ops_per_s");
    if (!(saturation_ > 0)) return {RunState::failed, "nothing was done at saturation", false};
    KneeSearch knee(saturation_);
    while (const auto rate = knee.next()) {
      outcome = try_rate(*rate);
      if (outcome.state != RunState::done) return outcome;
      knee.tell(probes_.back().at("met"));
    }
    if (knee.low() == 0) {
      return {RunState::failed,
              fmt::format("no rate down to {:.0f} a second meets {}", knee.high(), spec_.objective),
              false};
    }
    return confirm(knee);
  }

  RunOutcome try_rate(double rate) {
    RunSpec at = spec_;
    at.rate = rate;
    RunOutcome outcome = probe(at, fmt::format("{:02}-r{:.0f}", probes_.size() + 1, rate));
    if (outcome.state == RunState::done) {
      probes_.push_back({{"rate", rate},
                         {"achieved_ops_per_s", summary_.at("achieved_ops_per_s")},
                         {"latency_us", summary_.at("latency_us").at(objective_.percentile)},
                         {"met", meets(summary_, objective_)}});
      limited_ = limited_ || summary_.at("generator").at("limited").get<bool>();
    }
    return outcome;
  }

  // The figures of the search are those of a run of its own, which may disagree: that is said.
  RunOutcome confirm(const KneeSearch& knee) {
    RunSpec at = spec_;
    at.rate = knee.low();
    RunOutcome outcome = run_(at, folder_, on_phase_);
    if (outcome.state != RunState::done) return outcome;
    Json summary = summary_of(folder_);
    summary["search"] = {{"objective", spec_.objective},
                         {"saturation_ops_per_s", saturation_},
                         {"rate_low", knee.low()},
                         {"rate_high", knee.high()},
                         {"confirmed", meets(summary, objective_)},
                         {"limited", limited_},
                         {"probes", probes_}};
    write_text(folder_ / "summary.json", summary.dump(1) + "\n");
    return outcome;
  }

  RunOutcome probe(RunSpec spec, const std::string& name) {
    spec.record = "none";
    const std::filesystem::path folder = aside_ / name;
    std::filesystem::create_directories(aside_);
    RunOutcome outcome = run_(spec, folder, [this, &name](std::string_view phase) {
      on_phase_(fmt::format("{}: {}", name, phase));
    });
    if (outcome.state == RunState::failed) outcome.reason = name + ": " + outcome.reason;
    if (outcome.state == RunState::done) summary_ = summary_of(folder);
    return outcome;
  }

  const RunSpec& spec_;
  const std::filesystem::path& folder_;
  std::filesystem::path aside_;
  const RunFunction& run_;
  const PhaseCallback& on_phase_;
  Objective objective_;
  double saturation_ = 0;
  Json summary_;  // of the latest probe
  Json probes_ = Json::array();
  bool limited_ = false;  // the load generator limited a try
};

}  // namespace

Objective parse_objective(std::string_view text) {
  const std::size_t at = text.find("<=");
  if (at == std::string_view::npos) refuse_objective(text);
  const std::string_view percentile = text.substr(0, at);
  const std::string_view limit = text.substr(at + 2);
  if (std::ranges::find(kPercentiles, percentile) == std::end(kPercentiles)) refuse_objective(text);
  double value = 0;
  const auto [end, error] = std::from_chars(limit.data(), limit.data() + limit.size(), value);
  const std::string_view unit(end, static_cast<std::size_t>(limit.data() + limit.size() - end));
  const double scale = unit == "us" ? 1 : unit == "ms" ? 1e3 : unit == "s" ? 1e6 : 0;
  if (error != std::errc{} || !(value * scale > 0) || !std::isfinite(value)) refuse_objective(text);
  return {std::string(percentile), value * scale};
}

std::optional<double> KneeSearch::next() const {
  if (over_) return {};
  return rate_;
}

void KneeSearch::tell(bool met) {
  ++(met ? met_ : missed_);
  if (met_ == kEnough || missed_ == kEnough) decide(met_ == kEnough);
}

void KneeSearch::decide(bool met) {
  (met ? low_ : high_) = rate_;
  met_ = 0;
  missed_ = 0;
  if (low_ == 0) {
    rate_ /= 2;
    over_ = rate_ < least_;
  } else {
    rate_ = std::sqrt(low_ * high_);
    over_ = high_ / low_ <= kKneeGap;
  }
}

RunFunction with_search(RunFunction run) {
  return [run = std::move(run)](const RunSpec& spec, const std::filesystem::path& folder,
                                const PhaseCallback& on_phase) {
    if (!searches(spec)) return run(spec, folder, on_phase);
    return Search(spec, folder, run, on_phase).run();
  };
}

}  // namespace parley::harness
