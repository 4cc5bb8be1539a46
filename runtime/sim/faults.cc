#include "runtime/sim/faults.h"

#include <algorithm>

namespace parley::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr std::array<std::string_view, kFaultKinds> kNames = {
    "loss",  "duplication", "reordering", "stall",       "one_way",     "partition", "pause",
    "crash", "clock",       "slow_disk",  "failed_save", "failed_sync", "members",   "handover"};

template <class T, std::size_t N>
T pick(const T (&choices)[N], Random& random) {
  return choices[random.below(N)];
}

struct Range {
  Duration min;
  Duration max;
};

}  // namespace

std::string_view fault_name(FaultKind kind) {
  return kNames[static_cast<std::size_t>(kind)];
}

bool needs_peers(FaultKind kind) {
  switch (kind) {
    case FaultKind::loss:
    case FaultKind::reordering:
    case FaultKind::stall:
    case FaultKind::one_way:
    case FaultKind::partition:
    case FaultKind::members:
    case FaultKind::handover:
      return true;
    default:
      return false;
  }
}

std::string parse_faults(std::string_view text, FaultSet& faults) {
  if (text == "all" || text == "none") {
    faults = text == "all" ? FaultSet::all() : FaultSet::none();
    return {};
  }
  FaultSet parsed = FaultSet::none();
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    text.remove_prefix(word.size() < text.size() ? word.size() + 1 : word.size());
    std::size_t kind = 0;
    while (kind < kFaultKinds && kNames[kind] != word) ++kind;
    if (kind == kFaultKinds) {
      std::string error = "faults: '" + std::string(word) + "' is none of all, none";
      for (const std::string_view name : kNames) error += ", " + std::string(name);
      return error;
    }
    parsed.add(static_cast<FaultKind>(kind));
  }
  if (parsed.empty()) return "faults: must be all, none or names separated by commas";
  faults = parsed;
  return {};
}

std::string to_text(FaultSet faults) {
  if (faults == FaultSet::all()) return "all";
  std::string names;
  for (std::size_t i = 0; i < kFaultKinds; ++i) {
    if (!faults.has(static_cast<FaultKind>(i))) continue;
    if (!names.empty()) names += ',';
    names += kNames[i];
  }
  return names.empty() ? "none" : names;
}

void draw_handovers(FaultSet allowed, Weather& weather, Random& random) {
  const bool at_work = random.chance(500'000);
  if (allowed.has(FaultKind::handover) && at_work) weather.faults.add(FaultKind::handover);
}

std::uint32_t draw_members(FaultSet allowed, std::uint32_t nodes, Weather& weather,
                           Random& random) {
  const bool at_work = random.chance(500'000);
  if (!allowed.has(FaultKind::members) || !at_work || nodes < 3) return nodes;
  weather.faults.add(FaultKind::members);
  return nodes - static_cast<std::uint32_t>(random.below(nodes / 2 + 1));
}

Weather draw_weather(FaultSet allowed, Random& random) {
  constexpr Range kDelays[] = {{microseconds(30), microseconds(200)},
                               {microseconds(100), milliseconds(2)},
                               {milliseconds(1), milliseconds(15)},
                               {milliseconds(10), milliseconds(100)}};
  constexpr Range kSyncs[] = {{microseconds(10), microseconds(100)},
                              {microseconds(100), milliseconds(2)},
                              {milliseconds(2), milliseconds(20)},
                              {milliseconds(5), milliseconds(100)}};
  constexpr Range kCalms[] = {{milliseconds(5), milliseconds(150)},
                              {milliseconds(50), milliseconds(500)},
                              {milliseconds(200), milliseconds(2500)},
                              {milliseconds(1000), milliseconds(5000)}};
  constexpr Duration kLateness[] = {microseconds(5), microseconds(50), milliseconds(1)};
  constexpr std::uint32_t kRates[] = {500, 5'000, 30'000, 150'000};
  constexpr std::uint32_t kWholeTurns[] = {100'000, 500'000, 900'000};

  Weather weather;
  for (std::size_t i = 0; i < static_cast<std::size_t>(FaultKind::members); ++i) {
    const auto kind = static_cast<FaultKind>(i);
    const bool at_work = random.chance(700'000);
    if (allowed.has(kind) && at_work) weather.faults.add(kind);
  }
  const Range delay = pick(kDelays, random);
  weather.delay_min = delay.min;
  weather.delay_max = delay.max;
  const Range sync = pick(kSyncs, random);
  weather.sync_min = sync.min;
  weather.sync_max = sync.max;
  const Range between_faults = pick(kCalms, random);
  weather.calm_min = between_faults.min;
  weather.calm_max = between_faults.max;
  weather.lateness_max = pick(kLateness, random);
  weather.whole_turn_per_million = pick(kWholeTurns, random);
  const std::uint32_t loss = pick(kRates, random);
  const std::uint32_t duplication = pick(kRates, random);
  const std::uint32_t reordering = pick(kRates, random);
  if (weather.faults.has(FaultKind::loss)) weather.loss_per_million = loss;
  if (weather.faults.has(FaultKind::duplication)) weather.duplication_per_million = duplication;
  if (weather.faults.has(FaultKind::reordering)) weather.reordering_per_million = reordering;
  if (weather.faults.has(FaultKind::slow_disk)) weather.slow_sync_per_million = 5'000;
  if (weather.faults.has(FaultKind::failed_save)) weather.failed_save_per_million = 100'000;
  if (weather.faults.has(FaultKind::failed_sync)) weather.failed_sync_per_million = 200;
  if (weather.faults.has(FaultKind::clock)) {
    weather.drift_per_million = 500;
    weather.skew_max = milliseconds(2000);
  }
  return weather;
}

Weather quick_weather() {
  Weather weather;
  weather.delay_min = microseconds(30);
  weather.delay_max = microseconds(200);
  weather.sync_min = microseconds(50);
  weather.sync_max = microseconds(500);
  weather.lateness_max = microseconds(50);
  weather.whole_turn_per_million = 900'000;
  return weather;
}

Weather calm(Weather weather) {
  weather.faults = FaultSet::none();
  weather.loss_per_million = 0;
  weather.duplication_per_million = 0;
  weather.reordering_per_million = 0;
  weather.slow_sync_per_million = 0;
  weather.failed_save_per_million = 0;
  weather.failed_sync_per_million = 0;
  weather.delay_min = std::min<Duration>(weather.delay_min, milliseconds(1));
  weather.delay_max = std::min<Duration>(weather.delay_max, milliseconds(15));
  weather.sync_min = std::min<Duration>(weather.sync_min, milliseconds(1));
  weather.sync_max = std::min<Duration>(weather.sync_max, milliseconds(2));
  return weather;
}

}  // namespace parley::sim
