// Runs that are submitted here: held until they are committed, and handed to whoever coordinates.
#include <algorithm>

#include "algorithms/bully_2pc/core.h"

namespace parley::bully_2pc {

void Core::refuse(Refusal::Kind kind, Refusal::Reason reason, std::uint64_t number) {
  effects_->refused.push_back({kind, reason, number});
}

// None for so long that clients had better ask elsewhere.
bool Core::coordinator_missed() const {
  return coordinator_ == kNoNode && now_ >= no_coordinator_since_ + options_.timeout;
}

std::uint64_t Core::undecided_bytes() const {
  return log_.bytes_between(commit_, log_.last()) + coordinating_.gathered_bytes;
}

// A run is an event of this node: its clock says what this node knew of (Fidge 1988).
void Core::submit(const CommandRun& run) {
  if (coordinator_missed()) {
    return refuse(Refusal::Kind::run, Refusal::Reason::no_leader, run.id.number);
  }
  // A run larger than the whole bound may pass alone.
  if (!held_.empty() && held_.bytes() + cost(run) > options_.max_held_bytes) {
    return refuse(Refusal::Kind::run, Refusal::Reason::overloaded, run.id.number);
  }
  clock_.increment(place_);
  held_.add(run, now_, Block::copy_of(std::as_bytes(clock_.view())));
}

// A new coordinator may have some of its own runs in its log already: they need not go there again.
void Core::recognise_held_runs() {
  for (LogIndex i = commit_.next(); i <= log_.last(); i = i.next()) {
    const CommandRun& run = log_.at(i).run;
    if (is_own(run)) held_.skip(run.id.number);
  }
}

// A coordinator's own runs take the same way as forwarded ones, and are held until committed, so
// that a successor gets those that were lost with the epoch.
void Core::gather_held_runs() {
  held_.send_unsent(now_, [this](const HeldRun& held) { gather({held.run, held.note}); });
}

// A coordinator that has too much undecided takes no more: the runs stay held at their origin,
// which forwards them again.
void Core::on_forward(ForwardReader runs) {
  if (role_ != Role::coordinator) return;
  while (undecided_bytes() < options_.max_undecided_bytes) {
    auto run = runs.next();
    if (!run) return;
    gather(std::move(*run));
  }
}

// To the present coordinator, once; `tend_held_runs` repeats what gets lost.
void Core::forward_held_runs() {
  if (coordinator_ == kNoNode || held_.all_sent()) return;
  forwarding_.clear();
  held_.send_unsent(now_, [this](const HeldRun& held) { forwarding_.push_back(&held); });
  forward(forwarding_);
}

// In as few messages as the bound on their size allows.
void Core::forward(std::span<const HeldRun* const> runs) {
  while (!runs.empty()) {
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    BodyRange body{static_cast<std::uint32_t>(effects_->bodies.size()), 0};
    while (count < runs.size() &&
           (count == 0 || bytes + cost(runs[count]->run) <= options_.max_message_bytes)) {
      bytes += cost(runs[count]->run);
      encoder_.add_body(runs[count]->run.body, effects_->bodies);
      ++count;
    }
    body.count = static_cast<std::uint32_t>(effects_->bodies.size()) - body.first;
    send_now(coordinator_, encoder_.encode(Forward{incarnation_}, runs.first(count)), body);
    runs = runs.subspan(count);
  }
}

void Core::tend_held_runs() {
  if (held_.empty()) return;
  if (coordinator_missed()) {
    held_.refuse_unsent([this](const HeldRun& held) {
      refuse(Refusal::Kind::run, Refusal::Reason::no_leader, held.run.id.number);
    });
  }
  // These may have been carried out: their clients hear of no outcome.
  held_.give_up(now_ - options_.forward_give_up);
  // A coordinator needs no reminder; the way to another one loses messages.
  if (role_ == Role::coordinator || coordinator_ == kNoNode || held_.empty() ||
      !held_.oldest_is_sent())
    return;
  if (now_ < held_.oldest().sent + options_.forward_retry) return;
  forwarding_.clear();
  held_.send_again(now_ - options_.forward_retry, now_,
                   [this](const HeldRun& held) { forwarding_.push_back(&held); });
  forward(forwarding_);
}

Instant Core::held_deadline() const {
  if (held_.empty()) return kNever;
  Instant earliest = kNever;
  if (held_.oldest().ever_sent) earliest = held_.oldest().since + options_.forward_give_up;
  if (coordinator_ == kNoNode) {
    if (held_.newest_is_unsent()) {
      earliest = std::min(earliest, no_coordinator_since_ + options_.timeout);
    }
  } else if (role_ != Role::coordinator && held_.oldest_is_sent()) {
    earliest = std::min(earliest, held_.oldest().sent + options_.forward_retry);
  }
  return earliest;
}

}  // namespace parley::bully_2pc
