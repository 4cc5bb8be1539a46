// Linearizable reads without a log entry (Ongaro, "Consensus: Bridging Theory and
// Practice", 2014, §6.4).
//
// A coordinator that has committed an entry of its own epoch knows all that was acknowledged before
// a read arrived: its commit index. Before it says so, a majority must confirm, in a round that
// began after the read arrived, that there is no newer coordinator. All reads of a turn share a
// round.
#include <algorithm>

#include "algorithms/bully_2pc/core.h"

namespace parley::bully_2pc {
namespace {

constexpr std::size_t kMaxReads = 65536;  // waiting here, and as many at the coordinator

}  // namespace

// --- where the reads arrive, on any node ---

void Core::submit_read(const parley::ReadRequest& read) {
  if (coordinator_missed()) {
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
void Core::request_read() {
  if (!reads_unasked_ || coordinator_ == kNoNode) return;
  reads_unasked_ = false;
  reads_asked_ = now_;
  const ReadRequest request{incarnation_, ++read_number_};
  if (role_ == Role::coordinator) return on_read_request(self_, request);
  send_now(coordinator_, encoder_.encode(request));
}

void Core::on_read_reply(const ReadReply& reply) {
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
         (coordinator_missed() || reads_.front().since + options_.forward_give_up <= now_)) {
    refuse_oldest();
  }
  if (role_ != Role::coordinator && now_ >= reads_asked_ + options_.forward_retry) {
    reads_unasked_ = !reads_.empty();
  }
}

Instant Core::reads_deadline() const {
  if (reads_.empty()) return kNever;
  Instant earliest = reads_.front().since + options_.forward_give_up;
  if (coordinator_ == kNoNode) {
    earliest = std::min(earliest, no_coordinator_since_ + options_.timeout);
  } else if (role_ != Role::coordinator) {
    earliest = std::min(earliest, reads_asked_ + options_.forward_retry);
  }
  return earliest;
}

// --- at the coordinator ---

void Core::on_read_request(NodeId from, const ReadRequest& request) {
  if (role_ != Role::coordinator || coordinating_.reads.size() >= kMaxReads)
    return;  // it will be repeated
  coordinating_.reads.push_back({from, request, 0, {}});
  ++coordinating_.reads_waiting;
}

// The number of a round is never used again, in no epoch of this coordinator's: a reply confirms
// the rounds up to its number, which it must have heard of after they began.
void Core::start_read_round() {
  if (coordinating_.reads_waiting == 0) return;
  if (commit_ < coordinating_.first && holds(guards::kReadOwnEpoch)) return;
  if (holds(guards::kReadRoundFresh)) ++round_;
  for (auto it =
           coordinating_.reads.end() - static_cast<std::ptrdiff_t>(coordinating_.reads_waiting);
       it != coordinating_.reads.end(); ++it) {
    it->round = round_;
    it->index = commit_;
  }
  coordinating_.reads_waiting = 0;
}

bool Core::round_confirmed(std::uint64_t round) const {
  std::size_t count = 1;  // this coordinator
  for (const Peer& peer : peers_) {
    if (peer.round_confirmed >= round) ++count;
  }
  return count >= majority() || !holds(guards::kReadRound);
}

void Core::finish_read_rounds() {
  std::deque<Coordinating::Read>& reads = coordinating_.reads;
  while (reads.size() > coordinating_.reads_waiting && round_confirmed(reads.front().round)) {
    const Coordinating::Read& read = reads.front();
    const ReadReply reply{read.request.incarnation, read.request.number, read.index};
    if (read.from == self_) {
      on_read_reply(reply);
    } else {
      send_now(read.from, encoder_.encode(reply));
      note_waiting(read.from, read.index);
    }
    reads.pop_front();
  }
}

}  // namespace parley::bully_2pc
