#include "runtime/sim/reduce.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <span>

namespace parley::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// At work all the time rather than in strikes.
constexpr FaultKind kWeather[] = {FaultKind::loss,        FaultKind::duplication,
                                  FaultKind::reordering,  FaultKind::slow_disk,
                                  FaultKind::failed_save, FaultKind::failed_sync};

std::uint64_t total(const FaultCounts& faults) {
  return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

// Reductions name whole milliseconds.
Duration whole_ms(Duration time) {
  return time - time % milliseconds(1);
}
Duration next_ms(Duration time) {
  return whole_ms(time) + milliseconds(1);
}

class Reducer {
 public:
  Reducer(const Algorithm& algorithm, const OptionValues& values, const SimOptions& options,
          const std::atomic<bool>* stop)
      : algorithm_(algorithm), values_(values), stop_(stop), best_{options, {}, {}, 0} {
    best_.options.trace = nullptr;
  }

  std::optional<Reduced> run() {
    best_.before = best_.after = simulate(algorithm_, values_, best_.options);
    if (best_.before.violations.empty() || !find_window()) return std::nullopt;
    for (bool smaller = true; smaller;) {
      smaller = false;
      smaller |= fewer_nodes();
      smaller |= calmer_weather();
      smaller |= fewer_strikes();
      smaller |= later_begin();
      smaller |= fewer_clients();
      smaller |= fewer_operations();
    }
    return std::move(best_);
  }

 private:
  [[nodiscard]] Reduction& reduction() { return *best_.options.reduction; }

  // Whether the same check fails, with no more faults; then this is the best so far.
  bool fails(SimOptions candidate) {
    const bool enough = best_.executions == kMaxReductions || events_ > kMaxReductionEvents;
    if (enough || (stop_ != nullptr && stop_->load())) return false;
    ++best_.executions;
    SimResult result = simulate(algorithm_, values_, candidate);
    events_ += result.events;
    if (result.violations.empty() || total(result.faults) > total(best_.after.faults) ||
        check_of(result.violations[0]) != check_of(best_.before.violations[0])) {
      return false;
    }
    // Nothing that comes after the violation is needed.
    Reduction& kept = *candidate.reduction;
    kept.until = std::min(kept.until, next_ms(result.broken));
    if (!kept.strikes || result.strikes.size() < kept.strikes->size()) {
      kept.strikes = result.strikes;
      std::ranges::sort(*kept.strikes);  // some of a schedule wait for a leader
    }
    best_.options = std::move(candidate);
    best_.after = std::move(result);
    return true;
  }
  template <class Change>
  bool fails_with(Change change) {
    SimOptions candidate = best_.options;
    change(candidate);
    return fails(std::move(candidate));
  }

  // The last part of phase one, at first the last second, with as much time again: a cluster that
  // begins there must find a leader first.
  bool find_window() {
    const Duration longest = whole_ms(best_.options.duration);
    const Duration until = std::min(longest, next_ms(best_.before.broken));
    for (Duration length = seconds(1);; length = length * 3 / 2) {
      Reduction window;
      window.from = std::max(Duration{}, whole_ms(until - length));
      window.until = std::min(longest, until + (until - window.from));
      if (fails_with([&](SimOptions& options) { options.reduction = window; })) return true;
      if (window.from == Duration{}) return false;
    }
  }

  bool fewer_nodes() {
    if (best_.options.schedule) return false;  // it may name them
    for (std::uint32_t nodes = 2; nodes < best_.after.nodes; ++nodes) {
      if (fails_with([&](SimOptions& options) { options.nodes = nodes; })) return true;
    }
    return false;
  }

  bool calmer_weather() {
    if (best_.options.schedule) return false;
    const auto without = [this](std::span<const FaultKind> kinds) {
      return fails_with([&](SimOptions& options) {
        for (const FaultKind kind : kinds) options.faults.remove(kind);
      });
    };
    if (std::ranges::none_of(kWeather, [&](FaultKind kind) { return counted(kind); })) return false;
    if (without(kWeather)) return true;
    bool calmer = false;
    for (const FaultKind kind : kWeather) {
      if (counted(kind)) calmer |= without({&kind, 1});
    }
    return calmer;
  }
  [[nodiscard]] bool counted(FaultKind kind) const {
    return best_.after.faults[static_cast<std::size_t>(kind)] > 0;
  }

  bool fewer_strikes() {
    const std::size_t before = reduction().strikes->size();
    const auto only = [this](Numbers& strikes) {
      if (!fails_with([&](SimOptions& options) { options.reduction->strikes = strikes; })) {
        return false;
      }
      strikes = *reduction().strikes;
      return true;
    };
    Numbers none;
    if (before == 0 || only(none)) return before > 0;
    leave_out(*reduction().strikes, only);
    return reduction().strikes->size() < before;
  }

  // Half of the time, again and again. Strikes before it are gone, too.
  bool later_begin() {
    bool later = false;
    for (Duration off = (reduction().until - reduction().from) / 2; off >= milliseconds(50);) {
      const bool still =
          fails_with([&](SimOptions& options) { options.reduction->from += whole_ms(off); });
      later |= still;
      off = still ? (reduction().until - reduction().from) / 2 : off / 2;
    }
    return later;
  }

  bool fewer_clients() {
    for (const std::uint32_t clients : {1U, 2U}) {
      if (reduction().clients != 0 && reduction().clients <= clients) return false;
      if (fails_with([&](SimOptions& options) { options.reduction->clients = clients; })) {
        return true;
      }
    }
    return false;
  }

  bool fewer_operations() {
    const auto most = [this] {
      return std::min(best_.after.clients.operations,
                      reduction().operations.value_or(std::numeric_limits<std::uint64_t>::max()));
    };
    const std::uint64_t before = most();
    for (std::uint64_t needed = 0; needed < most();) {
      const std::uint64_t next = needed == 0 ? 0 : (needed + most()) / 2;
      if (!fails_with([&](SimOptions& options) { options.reduction->operations = next; })) {
        needed = next + 1;
      }
    }
    return most() < before;
  }

  const Algorithm& algorithm_;
  const OptionValues& values_;
  const std::atomic<bool>* stop_;
  Reduced best_;
  std::uint64_t events_ = 0;
};

}  // namespace

std::string_view check_of(std::string_view violation) {
  return violation.substr(0, violation.find(':'));
}

Numbers leave_out(Numbers all, const std::function<bool(Numbers&)>& fails) {
  std::size_t parts = 2;
  while (all.size() >= 2) {
    bool smaller = false;
    for (std::size_t part = 0; part < parts && !smaller; ++part) {
      const auto begin = static_cast<std::ptrdiff_t>(all.size() * part / parts);
      const auto end = static_cast<std::ptrdiff_t>(all.size() * (part + 1) / parts);
      Numbers rest(all.begin(), all.begin() + begin);
      rest.insert(rest.end(), all.begin() + end, all.end());
      if (!fails(rest)) continue;
      all = std::move(rest);
      parts = std::clamp<std::size_t>(parts - 1, 2, std::max<std::size_t>(2, all.size()));
      smaller = true;
    }
    if (smaller) continue;
    if (parts == all.size()) break;
    parts = std::min(all.size(), 2 * parts);
  }
  return all;
}

std::optional<Reduced> reduce(const Algorithm& algorithm, const OptionValues& values,
                              const SimOptions& options, const std::atomic<bool>* stop) {
  return Reducer(algorithm, values, options, stop).run();
}

}  // namespace parley::sim
