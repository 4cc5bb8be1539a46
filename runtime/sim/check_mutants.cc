#include "runtime/sim/check_mutants.h"

#include <fmt/format.h>

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

}  // namespace

std::vector<const Guard*> guards_of(const Algorithm& algorithm) {
  std::vector<const Guard*> all(algorithm.guards.begin(), algorithm.guards.end());
  if (algorithm.guarantee.exactly_once) {
    all.insert(all.end(), std::begin(guards::kAll), std::end(guards::kAll));
  }
  return all;
}

MutantResult check_mutant(const Algorithm& algorithm, const OptionValues& values,
                          SeedsOptions options, const Guard& guard) {
  options.until_failure = true;
  OptionValues set = values;
  if (const std::size_t equals = guard.setting.find('='); equals != std::string_view::npos) {
    set_option(algorithm.options, guard.setting.substr(0, equals), guard.setting.substr(equals + 1),
               set);
  }
  leave_out(&guard);
  SeedsReport report = check_seeds(with_options(algorithm, set), set, options);
  leave_out(nullptr);
  MutantResult result;
  result.guard = &guard;
  result.seeds = report.seeds;
  if (report.failures.empty()) return result;
  result.caught = true;
  result.failure = std::move(report.failures.front());
  result.failure.replay += fmt::format(" --mutant {}", guard.name);
  if (result.failure.reduced)
    result.failure.replay_reduced += fmt::format(" --mutant {}", guard.name);
  result.seeds = result.failure.seed - options.each.seed + 1;
  result.check = check_of(result.failure.violations.front());
  return result;
}

}  // namespace parley::sim
