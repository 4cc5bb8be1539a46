// Runs that are submitted here: held until they are committed, and handed to whoever leads.
#include <algorithm>

#include "algorithms/raft/core.h"

namespace parley::raft {

void Core::refuse(Refusal::Kind kind, Refusal::Reason reason, std::uint64_t number) {
  effects_->refused.push_back({kind, reason, number});
}

// No leader for so long that clients had better ask elsewhere.
bool Core::leader_missed() const {
  return leader_ == kNoNode && now_ >= no_leader_since_ + options_.election_timeout_max;
}

std::uint64_t Core::uncommitted_bytes() const {
  return log_.bytes_between(commit_, log_.last());
}

void Core::submit(const CommandRun& run) {
  if (leader_missed()) {
    return refuse(Refusal::Kind::run, Refusal::Reason::no_leader, run.id.number);
  }
  // A run larger than the whole bound may pass alone.
  if (!held_.empty() && held_.bytes() + cost(run) > options_.max_held_bytes) {
    return refuse(Refusal::Kind::run, Refusal::Reason::overloaded, run.id.number);
  }
  held_.add(run, now_);
}

// A new leader may have some of its own runs in its log already: they need not go there again.
void Core::recognise_held_runs() {
  for (LogIndex i = commit_.next(); i <= log_.last(); i = i.next()) {
    const CommandRun& run = log_.at(i).run;
    if (is_own(run)) held_.skip(run.id.number);
  }
}

// A leader's own runs take the same way as forwarded ones: into the log, and held until committed,
// so that a successor gets those that were lost with the term.
void Core::append_held_runs() {
  if (leading_.handover.to != kNoNode) return;
  held_.send_unsent(now_, [this](const HeldRun& held) {
    append_entry(term_, held.run, encode_record(term_, held.run));
  });
}

// A leader that has too much uncommitted takes no more: the runs stay held at their origin, which
// forwards them again.
void Core::on_forward(ForwardReader runs) {
  if (role_ != Role::leader) return;
  while (uncommitted_bytes() + leading_.postponed_bytes < options_.max_uncommitted_bytes) {
    const auto run = runs.next();
    if (!run) return;
    if (postpone(*run)) continue;
    append_entry(term_, *run, encode_record(term_, *run));
  }
}

// To the present leader, once; `tend_held_runs` repeats what gets lost.
void Core::forward_held_runs() {
  if (leader_ == kNoNode || held_.all_sent()) return;
  forwarding_.clear();
  held_.send_unsent(now_, [this](const HeldRun& held) { forwarding_.push_back(&held.run); });
  forward(forwarding_);
}

// Hands runs to the leader, in as few messages as the bound on their size allows.
void Core::forward(std::span<const CommandRun* const> runs) {
  while (!runs.empty()) {
    std::size_t count = 0;
    std::uint64_t bytes = 0;
    BodyRange body{static_cast<std::uint32_t>(effects_->bodies.size()), 0};
    while (count < runs.size() &&
           (count == 0 || bytes + cost(*runs[count]) <= options_.max_append_bytes)) {
      bytes += cost(*runs[count]);
      encoder_.add_body(runs[count]->body, effects_->bodies);
      ++count;
    }
    body.count = static_cast<std::uint32_t>(effects_->bodies.size()) - body.first;
    const Forward message{incarnation_};
    send_now(leader_, encoder_.encode(message, runs.first(count), following_.leader_disk), body);
    runs = runs.subspan(count);
  }
}

void Core::tend_held_runs() {
  if (held_.empty()) return;
  if (leader_missed()) {
    held_.refuse_unsent([this](const HeldRun& held) {
      refuse(Refusal::Kind::run, Refusal::Reason::no_leader, held.run.id.number);
    });
  }
  // These may have been carried out: their clients hear of no outcome.
  held_.give_up(now_ - options_.forward_give_up);
  // A leader's log needs no reminder; the way to another leader loses messages.
  if (role_ == Role::leader || leader_ == kNoNode || held_.empty() || !held_.oldest_is_sent())
    return;
  if (now_ < held_.oldest().sent + options_.forward_retry) return;
  forwarding_.clear();
  held_.send_again(now_ - options_.forward_retry, now_,
                   [this](const HeldRun& held) { forwarding_.push_back(&held.run); });
  forward(forwarding_);
}

Instant Core::held_deadline() const {
  if (held_.empty()) return kNever;
  Instant earliest = kNever;
  if (held_.oldest().ever_sent) earliest = held_.oldest().since + options_.forward_give_up;
  if (leader_ == kNoNode) {
    if (held_.newest_is_unsent()) {
      earliest = std::min(earliest, no_leader_since_ + options_.election_timeout_max);
    }
  } else if (role_ != Role::leader && held_.oldest_is_sent()) {
    earliest = std::min(earliest, held_.oldest().sent + options_.forward_retry);
  }
  return earliest;
}

}  // namespace parley::raft
