#include "algorithms/gossip_lww/failure_detector.h"

#include <algorithm>
#include <bit>

#include "algorithms/gossip_lww/guards.h"

namespace parley::gossip_lww {

FailureDetector::FailureDetector(std::size_t members, std::size_t self,
                                 const DetectorTiming& timing, Instant now)
    : timing_(timing),
      self_(self),
      members_(members),
      ring_(members),
      helpers_(members),
      dead_ring_(members),
      next_period_(now),
      deadline_(members > 1 ? now : kNever) {
  for (Member& member : members_) member.heard = member.since = now;
}

void FailureDetector::heard(std::size_t peer, Instant now) {
  members_[peer].heard = now;
  heard_by_other(peer, now);
}

void FailureDetector::heard_by_other(std::size_t peer, Instant now) {
  Member& member = members_[peer];
  if (member.standing != Standing::alive) {
    member.standing = Standing::alive;
    member.since = now;
    // It should know what is said of it, so that it can contradict.
    member.to_tell = std::max(member.to_tell, 1U);
  }
  if (probe_ && probe_->peer == peer) {
    probe_.reset();
    plan();
  }
}

void FailureDetector::take(const Update& update, Instant now) {
  Member& member = members_[update.member];
  if (update.member == self_) {
    if (update.standing == Standing::alive || update.incarnation < member.incarnation) return;
    return change(self_, Standing::alive, update.incarnation + 1, now);  // refuted (§4.2)
  }
  const bool newer =
      update.incarnation > member.incarnation ||
      (update.incarnation == member.incarnation && update.standing > member.standing);
  if (!newer) return;
  // The own ears are more to be trusted than what others say: links may fail one by one.
  const bool heard_lately = now - member.heard < timing_.suspicion;
  if (update.standing != Standing::alive && heard_lately) return;
  change(update.member, update.standing, update.incarnation, now);
}

void FailureDetector::change(std::size_t place, Standing standing, std::uint32_t incarnation,
                             Instant now) {
  Member& member = members_[place];
  member.standing = standing;
  member.incarnation = incarnation;
  member.since = now;
  member.to_tell = 3 * static_cast<std::uint32_t>(std::bit_width(members_.size()));
  plan();
}

void FailureDetector::tick(Instant now, Random& random, std::vector<Action>& actions) {
  if (now < deadline_) return;
  if (probe_ && !probe_->others_asked && now >= probe_->sent + timing_.timeout) {
    ask_others(random, actions);
  }
  bury(now);
  if (now >= next_period_) {
    if (probe_) {
      const Member& member = members_[probe_->peer];
      if (member.standing == Standing::alive) {
        change(probe_->peer, Standing::suspect, member.incarnation, now);
      }
      probe_.reset();
    }
    const std::size_t pings = started_ ? 1 : std::min(kFirstPings, members_.size() - 1);
    for (std::size_t i = 0; i < pings; ++i) ping_next(now, random, actions);
    ping_dead(random, actions);
    started_ = true;
    next_period_ = now + timing_.period;
  }
  plan();
}

void FailureDetector::ask_others(Random& random, std::vector<Action>& actions) {
  probe_->others_asked = true;
  std::size_t first = members_.size();
  for (std::size_t i = 0; i < kHelpers; ++i) {
    const auto helper = helpers_.next(random, [this](std::size_t member) {
      return member != self_ && member != probe_->peer && standing(member) == Standing::alive;
    });
    if (!helper || *helper == first) return;
    if (i == 0) first = *helper;
    actions.push_back({*helper, probe_->peer});
  }
}

void FailureDetector::bury(Instant now) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Member& member = members_[i];
    if (member.standing != Standing::suspect || now < member.since + timing_.suspicion) continue;
    change(i, Standing::dead, member.incarnation, now);
  }
}

void FailureDetector::ping_next(Instant now, Random& random, std::vector<Action>& actions) {
  const auto peer =
      ring_.next(random, [this](std::size_t member) { return member != self_ && !dead(member); });
  if (!peer) return;
  actions.push_back({*peer, std::nullopt});
  probe_ = Probe{*peer, now, /*others_asked=*/false};
}

// Whoever was cut off and is back must not have to wait: one of the dead is asked every period, and
// nobody waits for its answer.
void FailureDetector::ping_dead(Random& random, std::vector<Action>& actions) {
  if (!holds(guards::kAskTheDead)) return;
  const auto peer = dead_ring_.next(
      random, [this](std::size_t member) { return member != self_ && dead(member); });
  if (peer) actions.push_back({*peer, std::nullopt});
}

void FailureDetector::plan() {
  deadline_ = next_period_;
  if (probe_ && !probe_->others_asked) {
    deadline_ = std::min(deadline_, probe_->sent + timing_.timeout);
  }
  for (const Member& member : members_) {
    if (member.standing != Standing::suspect) continue;
    deadline_ = std::min(deadline_, member.since + timing_.suspicion);
  }
}

void FailureDetector::tell(std::vector<Update>& updates) {
  updates.clear();
  for (std::size_t i = 0; i < members_.size() && updates.size() < kMaxUpdates; ++i) {
    Member& member = members_[i];
    if (member.to_tell == 0) continue;
    --member.to_tell;
    updates.push_back({i, member.standing, member.incarnation});
  }
}

}  // namespace parley::gossip_lww
