#include "harness/sweep/sweep_spec.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "algorithms/contract/random.h"
#include "algorithms/registry/registry.h"
#include "harness/cluster/node_config.h"
#include "harness/run/bare_path.h"
#include "harness/sweep/baseline.h"
#include "harness/sweep/knee.h"

namespace parley::harness {
namespace {

constexpr std::string_view kReadModes[] = {"local", "linearizable"};
constexpr std::string_view kRoutings[] = {"any", "leader"};
constexpr std::string_view kLoops[] = {"open", "closed"};
constexpr double kMaxRate = 1e8;
constexpr double kMaxSeconds = 7 * 24 * 3600;
constexpr std::size_t kMaxRuns = 10'000;
constexpr std::int64_t kMaxSeed = 1'000'000'000'000'000;

// Reads the keys of one spec.
class SpecReader {
 public:
  SpecReader(ConfigReader& reader, std::string file, std::filesystem::path folder)
      : reader_(reader), file_(std::move(file)), folder_(std::move(folder)) {}

  SweepSpec read() {
    read_algorithms();
    reader_.require("nodes", fmt::format("whole numbers from 1 to {}", kMaxNodes));
    integers("nodes", 1, kMaxNodes, spec_.nodes);
    read_rates();
    read_durability();
    paths("links", spec_.links, [](const std::string&) { return true; });
    paths("faults", spec_.faults, [](const std::string& text) {
      return text.find('/') != std::string::npos || text.ends_with(".toml");
    });
    texts("workload", spec_.workload);
    reals("read_share", 0, 1, spec_.read_share);
    choices("read_mode", kReadModes, spec_.read_mode);
    choices("routing", kRoutings, spec_.routing);
    integers("window", 1, 1 << 20, spec_.window);
    integers("batch", 1, 64, spec_.batch);
    read_scalars();
    read_options_tables();
    reader_.finish();
    resolve_replays();
    check_axes();
    return std::move(spec_);
  }

 private:
  void read_algorithms() {
    reader_.require("algorithms", "names of algorithms");
    for (const ConfigValue& value : reader_.elements("algorithms")) {
      const std::string& name = reader_.text_of("algorithms", value);
      if (name == bare_path().name) {
        spec_.algorithms.push_back(&bare_path());
        continue;
      }
      spec_.algorithms.push_back(&algorithm_named(name, fmt::format("{}:{}: ", file_, value.line)));
    }
  }

  void read_rates() {
    for (const ConfigValue& value : reader_.elements("rate")) {
      if (value.kind == ConfigValue::Kind::text && value.text == "search") {
        spec_.rate.push_back(kSearchedRate);
        continue;
      }
      spec_.rate.push_back(reader_.real_of("rate", value, 0.001, kMaxRate));
    }
  }

  void read_durability() {
    const auto values = reader_.elements("durability");
    if (!values.empty()) spec_.durability.clear();
    for (const ConfigValue& value : values) {
      spec_.durability.push_back(reader_.choice_of("durability", value, kDurabilities));
    }
  }

  void read_scalars() {
    std::string loop = "open";
    reader_.choice("loop", kLoops, loop);
    spec_.closed_loop = loop == "closed";
    read_canvas_size(reader_, "canvas", spec_.canvas);
    reader_.integer("clients", 1, 65536, spec_.clients);
    reader_.integer("snapshot_bytes", 0, std::int64_t{1} << 50, spec_.snapshot_bytes);
    reader_.real("speed", 0.001, 1e6, spec_.speed);
    reader_.real("warmup_s", 0, kMaxSeconds, spec_.warmup_s);
    if (const ConfigValue* most = reader_.find("warmup_max_s")) {
      spec_.warmup_max_s = reader_.real_of("warmup_max_s", *most, spec_.warmup_s, kMaxSeconds);
    }
    reader_.real("duration_s", 0.1, kMaxSeconds, spec_.duration_s);
    reader_.integer("repetitions", 1, 1000, spec_.repetitions);
    reader_.integer("seed", 0, kMaxSeed, spec_.seed);
    reader_.boolean("baseline", spec_.baseline);
    if (const ConfigValue* objective = reader_.find("objective")) {
      spec_.objective = reader_.text_of("objective", *objective, "a text such as \"p99<=10ms\"");
      at_line("objective", *objective, [this] { parse_objective(spec_.objective); });
      if (std::ranges::find(spec_.rate, kSearchedRate) == spec_.rate.end()) {
        reader_.fail("objective", *objective, "is of use only with rate = \"search\"");
      }
    }
    if (const ConfigValue* record = reader_.find("record")) {
      spec_.record = reader_.text_of("record", *record, "none, all, or a share such as \"1%\"");
      at_line("record", *record, [this] { recorded_share(spec_.record); });
    }
  }

  void read_options_tables() {
    std::optional<ConfigReader> tables = reader_.table("options");
    if (!tables) return;
    for (const std::string& name : tables->keys()) {
      const ConfigValue& value = *tables->find(name);
      const Algorithm& algorithm =
          algorithm_named(name, fmt::format("{}:{}: options: ", file_, value.line));
      std::optional<ConfigReader> table = tables->table(name);
      spec_.options[name] = read_option_lists(*table, algorithm);
    }
  }

  // Runs a check whose message has the key but not the place, and adds the place.
  template <class Check>
  void at_line(std::string_view /*key*/, const ConfigValue& value, const Check& check) const {
    try {
      check();
    } catch (const ConfigError& error) {
      throw ConfigError(fmt::format("{}:{}: {}", file_, value.line, error.what()));
    }
  }

  void integers(std::string_view key, std::int64_t min, std::int64_t max,
                std::vector<std::uint32_t>& values) {
    const auto elements = reader_.elements(key);
    if (!elements.empty()) values.clear();
    for (const ConfigValue& value : elements) {
      values.push_back(static_cast<std::uint32_t>(reader_.integer_of(key, value, min, max)));
    }
  }

  void reals(std::string_view key, double min, double max, std::vector<double>& values) {
    const auto elements = reader_.elements(key);
    if (!elements.empty()) values.clear();
    for (const ConfigValue& value : elements)
      values.push_back(reader_.real_of(key, value, min, max));
  }

  void texts(std::string_view key, std::vector<std::string>& values) {
    const auto elements = reader_.elements(key);
    if (!elements.empty()) values.clear();
    for (const ConfigValue& value : elements) values.push_back(reader_.text_of(key, value));
  }

  void choices(std::string_view key, std::span<const std::string_view> allowed,
               std::vector<std::string>& values) {
    const auto elements = reader_.elements(key);
    if (!elements.empty()) values.clear();
    for (const ConfigValue& value : elements)
      values.push_back(reader_.choice_of(key, value, allowed));
  }

  template <class IsPath>
  void paths(std::string_view key, std::vector<std::string>& values, const IsPath& is_path) {
    texts(key, values);
    for (std::string& value : values) {
      const bool file =
          is_path(value) && (value.find('/') != std::string::npos || value.ends_with(".toml"));
      if (file) value = (folder_ / value).string();
    }
  }

  void resolve_replays() {
    constexpr std::string_view kReplay = "replay:";
    for (std::string& workload : spec_.workload) {
      if (workload.starts_with(kReplay) && workload.size() > kReplay.size()) {
        workload = std::string(kReplay) + (folder_ / workload.substr(kReplay.size())).string();
      }
    }
  }

  void check_axes() const {
    const bool all_replays =
        std::all_of(spec_.workload.begin(), spec_.workload.end(),
                    [](const std::string& workload) { return workload.starts_with("replay:"); });
    if (!spec_.closed_loop && !all_replays && spec_.rate.empty()) {
      reader_.fail("rate", "is missing; it must be operations per second, such as [10000, 50000]");
    }
    if (spec_.closed_loop && spec_.rate.size() > 1) {
      reader_.fail("rate", "has several values, but loop = \"closed\" has no rate; use window");
    }
    if (!spec_.closed_loop && spec_.window.size() > 1) {
      reader_.fail("window",
                   "has several values, but only loop = \"closed\" has a window; use rate");
    }
  }

  ConfigReader& reader_;
  std::string file_;
  std::filesystem::path folder_;
  SweepSpec spec_;
};

// Calls `visit` with every value of an axis set in `spec`.
template <class T, class Visit>
void along(const std::vector<T>& axis, T& field, const Visit& visit) {
  for (const T& value : axis) {
    field = value;
    visit();
  }
}

RunSpec common_part(const SweepSpec& sweep) {
  RunSpec run;
  run.closed_loop = sweep.closed_loop;
  run.clients = sweep.clients;
  run.snapshot_bytes = sweep.snapshot_bytes;
  run.speed = sweep.speed;
  run.canvas = sweep.canvas;
  run.warmup_s = sweep.warmup_s;
  run.warmup_max_s = sweep.warmup_max_s;
  run.duration_s = sweep.duration_s;
  run.record = sweep.record;
  return run;
}

std::vector<OptionValues> options_of(const SweepSpec& spec, const Algorithm& algorithm) {
  const auto own = spec.options.find(algorithm.name);
  return own == spec.options.end() ? std::vector{default_options(algorithm.options)} : own->second;
}

// Calls `visit` with every point of the cross product, in the order of the keys.
template <class Visit>
void every_point(const SweepSpec& s, RunSpec& run, const Visit& visit) {
  const std::vector<double> rates = s.rate.empty() ? std::vector{run.rate} : s.rate;
  const auto inner = [&] {
    along(s.workload, run.workload, [&] {
      along(s.read_share, run.read_share, [&] {
        along(s.read_mode, run.read_mode, [&] {
          along(s.routing, run.routing,
                [&] { along(s.window, run.window, [&] { along(s.batch, run.batch, visit); }); });
        });
      });
    });
  };
  along(s.algorithms, run.algorithm, [&] {
    const Algorithm& named = *run.algorithm;
    along(options_of(s, named), run.options, [&] {
      run.algorithm = &with_options(named, run.options);
      along(s.nodes, run.nodes, [&] {
        along(rates, run.rate, [&] {
          run.objective = run.rate == kSearchedRate ? s.objective : "";
          along(s.durability, run.durability,
                [&] { along(s.links, run.links, [&] { along(s.faults, run.faults, inner); }); });
        });
      });
    });
  });
}

void shuffle(std::span<PlannedRun> runs, Random& random) {
  for (std::size_t left = runs.size(); left > 1; --left) {
    std::swap(runs[left - 1], runs[random.below(left)]);
  }
}

bool told_already(const std::vector<SkippedRun>& skipped, const RunSpec& run,
                  const std::string& reason) {
  return std::any_of(skipped.begin(), skipped.end(), [&](const SkippedRun& other) {
    return other.spec.algorithm == run.algorithm && other.spec.nodes == run.nodes &&
           other.reason == reason;
  });
}

}  // namespace

SweepSpec parse_sweep_spec_text(std::string_view text, const std::string& name) {
  ConfigReader reader = ConfigReader::from_text(text, name);
  return SpecReader(reader, name, {}).read();
}

SweepSpec parse_sweep_spec(const std::filesystem::path& path) {
  ConfigReader reader = ConfigReader::from_file(path);
  SweepSpec spec = SpecReader(reader, path.string(), path.parent_path()).read();
  spec.name = path.stem().string();
  return spec;
}

SweepPlan plan_sweep(const SweepSpec& spec) {
  SweepPlan plan;
  RunSpec run = common_part(spec);
  Random random(spec.seed);
  for (std::uint32_t repetition = 1; repetition <= spec.repetitions; ++repetition) {
    run.repetition = repetition;
    run.seed = spec.seed + repetition - 1;
    const std::size_t first = plan.runs.size();
    every_point(spec, run, [&] {
      check_run(run);
      const std::string reason = impossible_because(run);
      if (reason.empty()) {
        if (plan.runs.size() == kMaxRuns) {
          throw ConfigError(fmt::format("the cross product has more than {} runs", kMaxRuns));
        }
        const auto number = static_cast<std::uint32_t>(plan.runs.size() + 1);
        plan.runs.push_back({run_name(run, number), run, number});
      } else if (!told_already(plan.skipped, run, reason)) {
        plan.skipped.push_back({run, reason});
      }
    });
    shuffle(std::span(plan.runs).subspan(first), random);
  }
  if (plan.runs.empty()) {
    throw ConfigError(fmt::format("nothing to run: {}", plan.skipped.front().reason));
  }
  return plan;
}

std::vector<SweepPlan> plan_sweeps(const std::vector<SweepSpec>& specs) {
  std::vector<SweepPlan> plans;
  std::vector<bool> wanted;
  for (const SweepSpec& spec : specs) {
    plans.push_back(plan_sweep(spec));
    wanted.push_back(spec.baseline);
  }
  interleave_baseline(plans, wanted);
  return plans;
}

double estimated_seconds(const SweepPlan& plan) {
  double seconds = 0;
  for (const PlannedRun& run : plan.runs) seconds += estimated_seconds(run.spec);
  return seconds;
}

}  // namespace parley::harness
