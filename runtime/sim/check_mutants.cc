#include "runtime/sim/check_mutants.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "runtime/guards.h"

namespace parley::sim {
namespace {

void leave_out(const Guard* guard) {
#ifdef PARLEY_MUTANTS
  left_out = guard;
#else
  static_cast<void>(guard);
#endif
}

// The first seed that fails without the guard, and not with it; how many seeds were run until then.
std::optional<Failure> first_own_failure(const Algorithm& algorithm, const OptionValues& values,
                                         SeedsOptions options, const Guard& guard,
                                         std::uint64_t& seeds) {
  options.until_failure = true;
  const std::uint64_t end = options.each.seed + options.seeds;
  while (options.each.seed < end && !(options.stop != nullptr && options.stop->load())) {
    leave_out(&guard);
    SeedsReport report = check_seeds(algorithm, values, options);
    leave_out(nullptr);
    if (report.failures.empty()) {
      seeds += report.seeds;
      return std::nullopt;
    }
    Failure failure = std::move(report.failures.front());
    seeds += failure.seed - options.each.seed + 1;
    SeedsOptions with_guard = options;
    with_guard.each.seed = failure.seed;
    with_guard.seeds = 1;
    with_guard.reduce = false;
    with_guard.each.trace = nullptr;
    if (check_seeds(algorithm, values, with_guard).failures.empty()) return failure;
    options.each.seed = failure.seed + 1;
    options.seeds = end - options.each.seed;
  }
  return std::nullopt;
}

}  // namespace

std::vector<const Guard*> guards_of(const Algorithm& algorithm) {
  std::vector<const Guard*> all(algorithm.guards.begin(), algorithm.guards.end());
  if (algorithm.guarantee.exactly_once) {
    all.insert(all.end(), std::begin(guards::kAll), std::end(guards::kAll));
  }
  return all;
}

OptionValues with_setting(const Algorithm& algorithm, OptionValues values, const Guard& guard) {
  std::istringstream settings{std::string(guard.setting)};
  for (std::string one; settings >> one;) {
    const std::size_t equals = std::min(one.find('='), one.size());
    const std::string problem = set_option(algorithm.options, one.substr(0, equals),
                                           one.substr(std::min(equals + 1, one.size())), values);
    if (!problem.empty()) throw std::invalid_argument(fmt::format("{}: {}", guard.name, problem));
  }
  return values;
}

MutantResult check_mutant(const Algorithm& algorithm, const OptionValues& values,
                          SeedsOptions options, const Guard& guard) {
  const OptionValues set = with_setting(algorithm, values, guard);
  MutantResult result;
  result.guard = &guard;
  std::optional<Failure> failure =
      first_own_failure(with_options(algorithm, set), set, std::move(options), guard, result.seeds);
  if (!failure) return result;
  result.caught = true;
  result.failure = std::move(*failure);
  result.failure.replay += fmt::format(" --mutant {}", guard.name);
  if (result.failure.reduced)
    result.failure.replay_reduced += fmt::format(" --mutant {}", guard.name);
  result.check = check_of(result.failure.violations.front());
  return result;
}

}  // namespace parley::sim
