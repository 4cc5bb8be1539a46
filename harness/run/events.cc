#include "harness/run/events.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>

namespace parley::harness {
namespace {

using Event = RunEvent::Kind;

constexpr std::size_t kMaxDifferences = 3;  // that a sentence tells of

// The changes of the leader whom most nodes name.
std::vector<RunEvent> leaders_of(const std::vector<load::LeaderSeen>& leaders) {
  std::vector<RunEvent> events;
  NodeId before;
  for (const load::LeaderSeen& seen : leaders) {
    if (seen.by_most == before) continue;
    if (before != kNoNode) events.push_back({seen.at, Event::leader_lost, before, {}, {}});
    if (seen.by_most != kNoNode)
      events.push_back({seen.at, Event::leader, seen.by_most, seen.epoch, {}});
    before = seen.by_most;
  }
  return events;
}

// The earliest answer to an operation that was sent after the fault, if it came before `until`.
const load::SuccessSeen* first_success(const std::vector<load::SuccessSeen>& successes,
                                       Duration begun, Duration until) {
  const load::SuccessSeen* first = nullptr;
  for (const load::SuccessSeen& seen : successes) {
    if (seen.sent <= begun || seen.answered >= until) continue;
    if (first == nullptr || seen.answered < first->answered) first = &seen;
  }
  return first;
}

const load::RefusalSeen* first_refusal(const std::vector<load::RefusalSeen>& refusals,
                                       Duration begun, Duration until) {
  const auto first = std::find_if(refusals.begin(), refusals.end(),
                                  [&](const auto& seen) { return seen.at > begun; });
  return first == refusals.end() || first->at >= until ? nullptr : &*first;
}

// Those who led when it succeeded were there at that moment, though they were seen later.
void move_leaders(std::vector<RunEvent>& leaders, const FaultSeen& fault, Duration success,
                  Duration late) {
  for (RunEvent& event : leaders) {
    const bool seen_late = event.at > success && event.at <= success + late;
    if (seen_late && success > fault.begun) event.at = success;
  }
}

int rank(const RunEvent& event) {
  return static_cast<int>(event.kind);
}

std::string steps_text(const Aftermath& aftermath) {
  return aftermath.steps.empty() ? "nothing" : fmt::format("{}", fmt::join(aftermath.steps, ", "));
}

// What `all` did, each thing once with the number of faults after which it happened.
std::string summary_text(const std::vector<Aftermath>& all) {
  std::vector<std::pair<std::string, int>> stories;
  for (const Aftermath& aftermath : all) {
    const std::string story = fmt::format("{}: {}{}", aftermath.fault, steps_text(aftermath),
                                          aftermath.refusals ? ", with refusals" : "");
    const auto known = std::find_if(stories.begin(), stories.end(),
                                    [&](const auto& entry) { return entry.first == story; });
    if (known == stories.end()) {
      stories.emplace_back(story, 1);
    } else {
      ++known->second;
    }
  }
  std::string text;
  for (const auto& [story, times] : stories) {
    text += fmt::format("{}{}{}", text.empty() ? "" : "; ", story,
                        times > 1 ? fmt::format(" ({} times)", times) : "");
  }
  return text;
}

std::string differences_text(const std::vector<Aftermath>& live,
                             const std::vector<Aftermath>& simulated) {
  std::string text;
  std::size_t differences = 0;
  for (std::size_t i = 0; i < live.size(); ++i) {
    if (live[i].steps == simulated[i].steps && live[i].fault == simulated[i].fault) continue;
    if (++differences > kMaxDifferences) continue;
    text += fmt::format("{}after {} (fault {}) live {}, simulated {}", text.empty() ? "" : "; ",
                        live[i].fault, i + 1, steps_text(live[i]), steps_text(simulated[i]));
  }
  if (differences > kMaxDifferences)
    text += fmt::format("; and {} more", differences - kMaxDifferences);
  return text;
}

}  // namespace

std::string_view to_text(Event kind) {
  constexpr std::string_view kNames[] = {"fault",   "leader_lost", "leader",
                                         "success", "refused",     "healed"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::vector<RunEvent> events_of(const Sightings& sightings) {
  // One that waited for a leader may have begun after a later one.
  std::vector<FaultSeen> faults = sightings.faults;
  std::stable_sort(faults.begin(), faults.end(),
                   [](const auto& a, const auto& b) { return a.begun < b.begun; });
  std::vector<RunEvent> leaders = leaders_of(sightings.leaders);
  std::vector<RunEvent> events;
  for (std::size_t i = 0; i < faults.size(); ++i) {
    const FaultSeen& fault = faults[i];
    const Duration until = i + 1 < faults.size() ? faults[i + 1].begun : sightings.window;
    events.push_back({fault.begun, Event::fault, fault.node, {}, fault.fault});
    if (fault.ended) events.push_back({*fault.ended, Event::healed, fault.node, {}, fault.fault});
    if (const auto* success = first_success(sightings.successes, fault.begun, until)) {
      events.push_back({success->answered, Event::success, success->node, {}, fault.fault});
      move_leaders(leaders, fault, success->answered, sightings.leaders_late);
    }
    if (const auto* refusal = first_refusal(sightings.refusals, fault.begun, until))
      events.push_back({refusal->at, Event::refused, refusal->node, {}, fault.fault});
  }
  events.insert(events.end(), leaders.begin(), leaders.end());
  std::erase_if(events, [&](const RunEvent& event) { return event.at >= sightings.window; });
  // Of one moment what causes comes before what it causes, as the kinds are listed.
  std::stable_sort(events.begin(), events.end(), [](const RunEvent& a, const RunEvent& b) {
    return a.at != b.at ? a.at < b.at : rank(a) < rank(b);
  });
  return events;
}

std::string events_csv(const std::vector<RunEvent>& events) {
  std::string text = "t_ms,event,node,epoch,fault\n";
  for (const RunEvent& event : events) {
    fmt::format_to(std::back_inserter(text), "{:.1f},{},{},{},{}\n",
                   std::chrono::duration<double, std::milli>(event.at).count(), to_text(event.kind),
                   event.node == kNoNode ? "" : std::to_string(event.node.value),
                   event.epoch == Epoch{} ? "" : std::to_string(event.epoch.value), event.fault);
  }
  return text;
}

std::vector<Aftermath> aftermaths_of(const std::vector<RunEvent>& events) {
  std::vector<Aftermath> all;
  NodeId leader;  // at present
  NodeId leader_at_fault;
  for (const RunEvent& event : events) {
    if (event.kind == Event::leader) leader = event.node;
    if (event.kind == Event::fault) {
      all.push_back({event.fault, {}, false});
      leader_at_fault = leader;
      continue;
    }
    if (all.empty()) continue;
    Aftermath& last = all.back();
    const auto step = [&last](const char* text) {
      if (std::find(last.steps.begin(), last.steps.end(), text) == last.steps.end())
        last.steps.emplace_back(text);
    };
    switch (event.kind) {
      case Event::leader_lost:
        step("leader lost");
        break;
      case Event::leader:
        step(event.node == leader_at_fault ? "same leader again" : "another leads");
        break;
      case Event::success:
        step("success");
        break;
      case Event::refused:
        last.refusals = true;
        break;
      default:
        if (event.fault == last.fault) step("healed");
        break;
    }
  }
  return all;
}

Comparison compare(const std::vector<Aftermath>& live, const std::vector<Aftermath>& simulated) {
  Comparison result;
  if (live.size() != simulated.size()) {
    result.text = fmt::format("no: {} faults live, {} simulated", live.size(), simulated.size());
    return result;
  }
  const auto all = [&](auto&& same) {
    return std::equal(live.begin(), live.end(), simulated.begin(), same);
  };
  result.same_order = all([](const Aftermath& a, const Aftermath& b) {
    return a.fault == b.fault && a.steps == b.steps;
  });
  result.same_refusals =
      all([](const Aftermath& a, const Aftermath& b) { return a.refusals == b.refusals; });
  if (!result.same_order) {
    result.text = "no: " + differences_text(live, simulated);
  } else if (result.same_refusals) {
    result.text = "yes: " + summary_text(live);
  } else {
    result.text = fmt::format("yes, but not the same refusals: live {}, simulated {}",
                              summary_text(live), summary_text(simulated));
  }
  return result;
}

}  // namespace parley::harness
