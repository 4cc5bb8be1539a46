// Linearizable reads without a log entry (dissertation §6.4).
//
// A leader that has committed an entry of its own term knows all that was acknowledged before a
// read arrived: its commit index. Before it says so, a majority must confirm, in a round that began
// after the read arrived, that there is no newer leader. All reads of a turn share a round. With
// reads=lease a round that began a short time before will do (§6.4.1).
#include <algorithm>

#include "algorithms/raft/core.h"

namespace parley::raft {
namespace {

constexpr std::size_t kMaxReads = 65536;  // waiting here, and as many at the leader
constexpr std::size_t kMaxRounds = 64;    // whose beginning is remembered

}  // namespace

// --- where the reads arrive, on any node ---

void Core::submit_read(const ReadRequest& read) {
  if (leader_missed()) {
    return refuse(Refusal::Kind::read, Refusal::Reason::no_leader, read.id);
  }
  if (reads_.size() >= kMaxReads) {
    return refuse(Refusal::Kind::read, Refusal::Reason::overloaded, read.id);
  }
  reads_.push_back({read.id, read_number_ + 1, now_});
  reads_unasked_ = true;
}

// Each request has a new number and stands for all reads that wait, also for those that an earlier
// request, now lost, stood for.
void Core::request_read_index() {
  if (!reads_unasked_ || leader_ == kNoNode) return;
  // Asked again when there is room; a follower's request would be lost, and repeated.
  if (role_ == Role::leader && leading_.reads.size() >= kMaxReads) return;
  reads_unasked_ = false;
  reads_asked_ = now_;
  const ReadIndexRequest request{incarnation_, ++read_number_};
  if (role_ == Role::leader) return on_read_request({self_, disk_}, request);
  send_now(leader_, encoder_.encode(request, following_.leader_disk));
}

void Core::on_read_reply(const ReadIndexReply& reply) {
  // An answer to an earlier life of this node says nothing about the reads of this one.
  const bool of_this_life = reply.incarnation == incarnation_ && reply.number <= read_number_;
  if (!of_this_life && holds(guards::kReadIncarnation)) return;
  const auto answers = [&reply](const WaitingRead& read) {
    return read.number <= reply.number || !holds(guards::kReadNumber);
  };
  while (!reads_.empty() && answers(reads_.front())) {
    effects_->reads_ready.push_back({reads_.front().id, reply.index});
    reads_.pop_front();
  }
}

void Core::tend_reads() {
  const auto refuse_oldest = [this] {
    refuse(Refusal::Kind::read, Refusal::Reason::no_leader, reads_.front().id);
    reads_.pop_front();
  };
  // A read changes nothing, so it can be refused at any time.
  while (!reads_.empty() &&
         (leader_missed() || reads_.front().since + options_.forward_give_up <= now_)) {
    refuse_oldest();
  }
  if (role_ != Role::leader && now_ >= reads_asked_ + options_.forward_retry) {
    reads_unasked_ = !reads_.empty();
  }
}

Instant Core::reads_deadline() const {
  if (reads_.empty()) return kNever;
  Instant earliest = reads_.front().since + options_.forward_give_up;
  if (leader_ == kNoNode) {
    earliest = std::min(earliest, no_leader_since_ + options_.election_timeout_max);
  } else if (role_ != Role::leader) {
    earliest = std::min(earliest, reads_asked_ + options_.forward_retry);
  }
  return earliest;
}

// --- at the leader ---

void Core::on_read_request(const Member& from, const ReadIndexRequest& request) {
  if (role_ != Role::leader || leading_.reads.size() >= kMaxReads) return;  // it will be repeated
  leading_.reads.push_back({from, request, 0, {}});
  ++leading_.reads_waiting;
}

// The number of a round is never used again, in no term of this leader's: a reply confirms the
// rounds up to its number, which it must have heard of after they began.
void Core::start_read_round() {
  if (leading_.reads_waiting == 0) return;
  if (commit_ < leading_.first && holds(guards::kReadOwnTerm)) return;
  if (holds(guards::kReadRoundFresh) && !lease_holds()) start_round();
  for (auto it = leading_.reads.end() - static_cast<std::ptrdiff_t>(leading_.reads_waiting);
       it != leading_.reads.end(); ++it) {
    it->round = round_;
    it->index = commit_;
  }
  leading_.reads_waiting = 0;
}

void Core::start_round() {
  ++round_;
  if (!options_.lease) return;
  // However many reads come, those that are remembered reach back as long as a lease lasts.
  std::deque<Leading::Round>& rounds = leading_.rounds;
  const Duration apart = options_.lease_time / kMaxRounds;
  if (!rounds.empty() && now_ - rounds.back().began < apart) return;
  rounds.push_back({round_, now_});
  if (rounds.size() > kMaxRounds) rounds.pop_front();
}

// §6.4.1: each heartbeat begins a round, so that a lease goes on as long as a majority answers. Not
// one that would not be remembered, or every turn until the next that is would begin another.
void Core::renew_lease() {
  if (!options_.lease) return;
  const std::deque<Leading::Round>& rounds = leading_.rounds;
  const Duration apart = std::max<Duration>(options_.heartbeat, options_.lease_time / kMaxRounds);
  if (rounds.empty() || now_ - rounds.back().began >= apart) start_round();
}

// A majority has heard this leader in a round that began so short a time ago that none of them
// helps another one to lead yet: nothing is committed but by this one.
Instant Core::lease_until() const {
  if (!options_.lease || role_ != Role::leader) return {};
  if (leading_.lease_over && holds(guards::kLeaseHandover)) return {};
  const std::deque<Leading::Round>& rounds = leading_.rounds;
  for (auto round = rounds.rbegin(); round != rounds.rend(); ++round) {
    const Instant end = round->began + options_.lease_time;
    if (end <= now_) break;
    if (round_confirmed(round->number)) return end;
  }
  return {};
}

bool Core::round_confirmed(std::uint64_t round) const {
  std::uint64_t confirmed = 0;
  for (std::size_t place = 0; place < peers_.size(); ++place) {
    if (peers_[place].round_acked >= round) confirmed |= std::uint64_t{1} << place;
  }
  return electorate_.majority(confirmed, /*own=*/true) || !holds(guards::kReadRound);
}

void Core::finish_read_rounds() {
  std::deque<Leading::Read>& reads = leading_.reads;
  if (reads.size() == leading_.reads_waiting) return;
  const bool lease = lease_holds();
  while (reads.size() > leading_.reads_waiting && (lease || round_confirmed(reads.front().round))) {
    const Leading::Read& read = reads.front();
    const ReadIndexReply reply{read.request.incarnation, read.request.number, read.index};
    if (read.from.node == self_) {
      on_read_reply(reply);
    } else {
      send_now(read.from.node, encoder_.encode(reply, read.from.disk));
      note_waiting(read.from.node, read.index);
    }
    reads.pop_front();
  }
}

}  // namespace parley::raft
