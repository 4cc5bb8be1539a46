#include "harness/diff/diff.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace parley::diff {
namespace {

using nlohmann::json;

// What has to be the same for figures to be comparable at all (DESIGN: unlike things).
constexpr const char* kConditions[] = {"durability",
                                       "read_mode",
                                       "read_share",
                                       "routing",
                                       "batch",
                                       "workload",
                                       "links",
                                       "transport",
                                       "clients",
                                       "canvas",
                                       "record",
                                       "snapshot_bytes",
                                       "duration_s",
                                       "warmup_s",
                                       "load.retry",
                                       "load.operation_timeout_ms",
                                       "software.build_type",
                                       "host.name",
                                       "host.cpu",
                                       "host.cores",
                                       "host.memory_bytes",
                                       "host.kernel"};

std::string text_of(const json& value) {
  if (value.is_null()) return "(none)";
  return value.is_string() ? value.get<std::string>() : value.dump();
}

// Runs that differ only in repetition and seed.
struct Group {
  std::vector<const Run*> runs;
  [[nodiscard]] const json& manifest() const { return runs.front()->manifest; }
};

std::vector<Difference> differences(const json& a, const json& b,
                                    const std::vector<std::string>& names) {
  std::vector<Difference> found;
  for (const std::string& name : names) {
    const std::string left = text_of(value_at(a, name));
    const std::string right = text_of(value_at(b, name));
    if (left != right) found.push_back({name, left, right});
  }
  return found;
}

std::vector<std::string> condition_names() {
  return {std::begin(kConditions), std::end(kConditions)};
}

std::vector<std::string> treatment_names(const json& a, const json& b) {
  std::set<std::string> names;
  for (const json* manifest : {&a, &b}) {
    const json options = value_at(*manifest, "options");
    if (!options.is_object()) continue;
    for (const auto& [name, value] : options.items()) names.insert("options." + name);
  }
  std::vector<std::string> all = {"algorithm", "guarantee", "software.version", "software.commit",
                                  "software.compiler"};
  all.insert(all.end(), names.begin(), names.end());
  return all;
}

// Whether strategies are what is compared: one on each side.
bool one_strategy(const ResultSet& set) {
  return std::ranges::all_of(set.runs, [&set](const Run& run) {
    return value_at(run.manifest, "algorithm") == value_at(set.runs.front().manifest, "algorithm");
  });
}

std::string point_name(const json& manifest, bool with_strategy) {
  std::string name = with_strategy ? text_of(value_at(manifest, "algorithm")) + ", " : "";
  const std::string nodes = text_of(value_at(manifest, "nodes"));
  name += nodes + (nodes == "1" ? " node, " : " nodes, ");
  const json rate = value_at(manifest, "rate");
  const std::string offered =
      rate.is_number() ? fmt::format("{:g}", rate.get<double>()) : text_of(rate);
  name += value_at(manifest, "loop") == "closed"
              ? text_of(value_at(manifest, "window")) + " in flight"
              : offered + "/s offered";
  const std::string faults = text_of(value_at(manifest, "faults"));
  if (faults != "none" && faults != "(none)") name += ", " + faults;
  return name;
}

// All that tells groups of one name apart.
std::string setting_of(const json& manifest) {
  std::string setting;
  for (const char* name : kConditions) setting += text_of(value_at(manifest, name)) + "\n";
  return setting;
}

// Name -> setting -> options -> runs. Several groups of one setting differ in their options.
using Groups = std::map<std::string, std::map<std::string, std::map<std::string, Group>>>;

Groups group(const ResultSet& set, bool with_strategy) {
  Groups groups;
  for (const Run& run : set.runs) {
    groups[point_name(run.manifest, with_strategy)][setting_of(run.manifest)]
          [value_at(run.manifest, "options").dump()]
              .runs.push_back(&run);
  }
  return groups;
}

// The largest value over the faults of a run; infinite where one never came.
json recovery_value(const json& summary, const std::string& name) {
  const json recovery = value_at(summary, "recovery");
  if (!recovery.is_array() || recovery.empty()) return nullptr;
  double most = 0;
  for (const json& fault : recovery) {
    const json value = value_at(fault, name);
    most = std::max(most, value.is_number() ? value.get<double>() : HUGE_VAL);
  }
  return most;
}

json metric_value(const json& summary, const std::string& metric) {
  constexpr std::string_view kRecovery = "recovery.";
  if (metric.starts_with(kRecovery))
    return recovery_value(summary, metric.substr(kRecovery.size()));
  return value_at(summary, metric);
}

std::vector<std::string> usual_metrics(const json& manifest) {
  std::vector<std::string> metrics = {"achieved_ops_per_s", "latency_us.p50", "latency_us.p99",
                                      "cpu_s_per_mops.nodes"};
  const std::string faults = text_of(value_at(manifest, "faults"));
  if (faults != "none" && faults != "(none)") metrics.emplace_back("recovery.first_success_ms");
  return metrics;
}

Sample sample_of(const Group& group, const std::string& metric) {
  Sample sample;
  for (const Run* run : group.runs) {
    const json value = metric_value(run->summary, metric);
    if (value.is_number()) sample.values.push_back(value.get<double>());
  }
  if (sample.values.size() > kMaxSample) {
    throw ResultError(
        fmt::format("{}: more than {} repetitions", group.runs.front()->name, kMaxSample));
  }
  std::vector<double> sorted = sample.values;
  std::ranges::sort(sorted);
  const std::size_t middle = sorted.size() / 2;
  if (!sorted.empty()) {
    sample.median =
        sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }
  return sample;
}

void note_troubles(const Group& group, const char* side, Point& point) {
  const auto count = [&group](auto&& holds) { return std::ranges::count_if(group.runs, holds); };
  const auto limited = count([](const Run* run) {
    const json value = value_at(run->summary, "generator.limited");
    return value.is_boolean() && value.get<bool>();
  });
  const auto broken = count([](const Run* run) {
    return text_of(value_at(run->summary, "consistency.verdict")) == "fail";
  });
  if (limited > 0) {
    point.notes.push_back(fmt::format("{}: the load generator limited {} of {} runs", side, limited,
                                      group.runs.size()));
  }
  if (broken > 0) {
    point.notes.push_back(fmt::format("{}: {} of {} runs broke what the strategy promises", side,
                                      broken, group.runs.size()));
  }
}

Point compare_groups(const std::string& name, const Group& a, const Group& b,
                     const DiffOptions& options) {
  Point point;
  point.name = name;
  point.treatment =
      differences(a.manifest(), b.manifest(), treatment_names(a.manifest(), b.manifest()));
  note_troubles(a, "A", point);
  note_troubles(b, "B", point);
  for (const std::string& metric :
       options.metrics.empty() ? usual_metrics(a.manifest()) : options.metrics) {
    Comparison comparison{metric, sample_of(a, metric), sample_of(b, metric), {}, 1, Verdict::same};
    if (comparison.a.values.empty() || comparison.b.values.empty()) {
      point.notes.push_back(metric + ": not in all of these results");
      continue;
    }
    comparison.test = compare_samples(comparison.a.values, comparison.b.values, kConfidence);
    point.comparisons.push_back(std::move(comparison));
  }
  return point;
}

// Pairs what one setting holds on both sides. With several groups on a side only equal options
// pair.
void pair_options(const std::string& name, const std::map<std::string, Group>& a,
                  const std::map<std::string, Group>& b, const DiffOptions& options, Diff& diff) {
  if (a.size() == 1 && b.size() == 1) {
    diff.points.push_back(compare_groups(name, a.begin()->second, b.begin()->second, options));
    return;
  }
  for (const auto& [key, group] : a) {
    if (const auto it = b.find(key); it != b.end()) {
      diff.points.push_back(compare_groups(name, group, it->second, options));
    } else {
      diff.notes.push_back(name + ": options of A that B does not have");
    }
  }
  for (const auto& [key, group] : b) {
    if (!a.contains(key)) diff.notes.push_back(name + ": options of B that A does not have");
  }
}

void pair_settings(const std::string& name, const Groups::mapped_type& a,
                   const Groups::mapped_type& b, const DiffOptions& options, Diff& diff) {
  const Group* only_a = nullptr;
  const Group* only_b = nullptr;
  for (const auto& [setting, groups] : a) {
    if (const auto it = b.find(setting); it != b.end()) {
      pair_options(name, groups, it->second, options, diff);
    } else {
      only_a = &groups.begin()->second;
    }
  }
  for (const auto& [setting, groups] : b) {
    if (!a.contains(setting)) only_b = &groups.begin()->second;
  }
  if (only_a != nullptr && only_b != nullptr) {
    diff.unlike.push_back(
        {name, differences(only_a->manifest(), only_b->manifest(), condition_names())});
  } else if (only_a != nullptr || only_b != nullptr) {
    diff.notes.push_back(fmt::format("{}: a setting is only in {}", name, only_a ? "A" : "B"));
  }
}

// The step-down method of Holm (1979): the errors of all comparisons together stay below the bound.
void correct(std::vector<Comparison*>& all, double tolerance) {
  std::ranges::stable_sort(all, {}, [](const Comparison* one) { return one->test.p; });
  double largest = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    largest = std::max(largest, all[i]->test.p * static_cast<double>(all.size() - i));
    all[i]->p_holm = std::min(1.0, largest);
  }
  for (Comparison* one : all) {
    const double possible = smallest_p(one->a.values.size(), one->b.values.size());
    const double ratio = one->test.ratio ? one->test.ratio->estimate : HUGE_VAL;
    if (one->p_holm <= kFamilyError) {
      if (std::max(ratio, 1 / ratio) > 1 + tolerance) one->verdict = Verdict::differs;
    } else if (possible * static_cast<double>(all.size()) > kFamilyError) {
      one->verdict = Verdict::cannot_tell;
    }
  }
}

void note_failed(const ResultSet& set, const char* side, Diff& diff) {
  for (const std::string& name : set.failed) {
    diff.notes.push_back(fmt::format("{}: {} failed and is left out", side, name));
  }
}

void require_known(const ResultSet& set, const std::string& metric) {
  const bool known = std::ranges::any_of(set.runs, [&metric](const Run& run) {
    return metric_value(run.summary, metric).is_number();
  });
  if (!known) throw ResultError("metric: no run has a number \"" + metric + "\" in its summary");
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::same:
      return "no difference found";
    case Verdict::differs:
      return "differs";
    case Verdict::cannot_tell:
      return "cannot tell";
  }
  return "";
}

Diff compare_results(const ResultSet& a, const ResultSet& b, const DiffOptions& options) {
  for (const std::string& metric : options.metrics) require_known(a, metric);
  Diff diff;
  const bool with_strategy = !one_strategy(a) || !one_strategy(b);
  const Groups left = group(a, with_strategy);
  const Groups right = group(b, with_strategy);
  for (const auto& [name, settings] : left) {
    if (const auto it = right.find(name); it != right.end()) {
      pair_settings(name, settings, it->second, options, diff);
    } else {
      diff.notes.push_back(name + ": only in A");
    }
  }
  for (const auto& [name, settings] : right) {
    if (!left.contains(name)) diff.notes.push_back(name + ": only in B");
  }
  note_failed(a, "A", diff);
  note_failed(b, "B", diff);
  std::vector<Comparison*> all;
  for (Point& point : diff.points) {
    for (Comparison& comparison : point.comparisons) all.push_back(&comparison);
  }
  correct(all, options.tolerance);
  return diff;
}

Verdict verdict_of(const Diff& diff) {
  Verdict verdict = diff.points.empty() ? Verdict::cannot_tell : Verdict::same;
  for (const Point& point : diff.points) {
    for (const Comparison& comparison : point.comparisons) {
      if (comparison.verdict == Verdict::differs) return Verdict::differs;
      if (comparison.verdict == Verdict::cannot_tell) verdict = Verdict::cannot_tell;
    }
  }
  return verdict;
}

}  // namespace parley::diff
