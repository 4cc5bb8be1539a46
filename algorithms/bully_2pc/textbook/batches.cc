// Runs and batches (Gray and Lamport 2006, §2). A run is handed to the coordinator once; what
// becomes of it then is told by the outcome of its batch, or the client never hears of it.
#include <algorithm>
#include <bit>

#include "algorithms/bully_2pc/textbook/core.h"

namespace parley::bully_2pc::textbook {
namespace {

// Of a coordinator, for those that ask later. Who asks for an older one hears that it is aborted,
// and gets what it wrote with the state.
constexpr std::size_t kDecidedKept = 1024;
// In timeouts: a batch without its votes is aborted.
constexpr int kGiveUpBatch = 2;

}  // namespace

// --- runs ---

bool Core::is_own(const RunPart& run) const {
  return run.id.origin == self_ && run.id.incarnation == incarnation_;
}

void Core::submit(const CommandRun& run) {
  const auto refuse = [&](Refusal::Reason reason) {
    effects_->refused.push_back({Refusal::Kind::run, reason, run.id.number});
  };
  if (coordinator_ == kNoNode) return refuse(Refusal::Reason::no_leader);
  if (held_bytes_ + run.body.size() > options_.max_held_bytes) {
    return refuse(Refusal::Reason::overloaded);
  }
  held_.emplace(run.id.number, Held{run.body.size(), now_});
  held_bytes_ += run.body.size();
  forwarding_.push_back({run.id, run.count});
  forwarding_bodies_.push_back(run.body);
}

// To whom leads now: this node, or another one.
void Core::forward() {
  for (std::size_t first = 0; first < forwarding_.size();) {
    std::uint64_t bytes = 0;
    std::size_t end = first;
    const auto start = static_cast<std::uint32_t>(effects_->bodies.size());
    while (end < forwarding_.size() &&
           (end == first || bytes + forwarding_bodies_[end].size() <= options_.max_message_bytes)) {
      bytes += forwarding_bodies_[end].size();
      if (role_ == Role::coordinator) {
        gather(forwarding_[end], forwarding_bodies_[end]);
      } else if (coordinator_ == kNoNode) {
        refuse(forwarding_[end]);
      } else {
        effects_->bodies.push_back(forwarding_bodies_[end]);
      }
      ++end;
    }
    if (role_ != Role::coordinator && coordinator_ != kNoNode) {
      const std::span<const RunPart> runs(forwarding_.data() + first, end - first);
      effects_->send_now.push_back(
          {coordinator_,
           encoder_.forward(find_peer(coordinator_)->incarnation, runs, clock_.view()),
           {start, static_cast<std::uint32_t>(end - first)}});
    }
    first = end;
  }
  forwarding_.clear();
  forwarding_bodies_.clear();
}

// What the node knew where the runs come from, they know. Of a node only runs with rising numbers
// are taken, and none that were meant for this one before it crashed: a message may come twice, and
// nothing else tells.
void Core::on_forward(Peer& peer, const wire::Message& message, const Block& body) {
  observe(clock_of(message));
  if (message.number() != incarnation_.value) return;
  std::size_t offset = 0;
  for (const RunPart& run : runs_of(message)) {
    const std::size_t size = run.count * sizeof(CellWrite);
    const std::size_t at = offset;
    offset += size;
    if (run.id.origin != peer.id || run.id <= peer.last_run) continue;
    peer.last_run = run.id;
    if (role_ == Role::coordinator) {
      gather(run, body.part(at, size));
    } else {
      refuse(run);
    }
  }
}

void Core::gather(const RunPart& run, Block body) {
  if (gathered_bytes_ + body.size() > options_.max_undecided_bytes) return refuse(run);
  gathered_bytes_ += body.size();
  gathered_.push_back({run, std::move(body)});
}

// It was in no batch, and never will be.
void Core::refuse(const RunPart& run) {
  if (!is_own(run)) {
    send_now(run.id.origin, encoder_.refuse(run));
    return;
  }
  const auto reason =
      coordinator_ == kNoNode ? Refusal::Reason::no_leader : Refusal::Reason::overloaded;
  effects_->refused.push_back({Refusal::Kind::run, reason, run.id.number});
  settle_held(run);
}

void Core::on_refuse(const wire::Message& message) {
  for (const RunPart& run : runs_of(message)) {
    if (is_own(run)) refuse(run);
  }
}

void Core::settle_held(const RunPart& run) {
  const auto held = held_.find(run.id.number);
  if (held == held_.end()) return;
  held_bytes_ -= held->second.bytes;
  held_.erase(held);
}

void Core::give_up_held() {
  while (!held_.empty() && now_ >= held_.begin()->second.since + options_.forward_give_up) {
    held_bytes_ -= held_.begin()->second.bytes;
    held_.erase(held_.begin());
  }
}

// --- the coordinator's side ---

Instant Core::batch_deadline() const {
  if (gathered_.empty() || proposed_.size() >= options_.pipeline) return kNever;
  return gathered_bytes_ >= options_.batch_bytes ? now_ : batch_at_;
}

void Core::make_batches() {
  while (now_ >= batch_deadline()) {
    make_batch();
    batch_at_ = now_ + options_.batch_interval;
  }
}

// All that was gathered, as far as the bound on a batch allows; asked are those that seem to live.
void Core::make_batch() {
  Proposed batch;
  batch.id = {self_, incarnation_, ++batches_};
  batch.since = now_;
  std::size_t bytes = 0;
  std::size_t count = 0;
  while (count < gathered_.size() &&
         (count == 0 || bytes + gathered_[count].body.size() <= options_.batch_bytes)) {
    bytes += gathered_[count++].body.size();
  }
  batch.body = Block::make(bytes, [&](std::byte* to) {
    for (std::size_t i = 0; i < count; ++i) {
      std::memcpy(to, gathered_[i].body.data(), gathered_[i].body.size());
      to += gathered_[i].body.size();
    }
  });
  for (std::size_t i = 0; i < count; ++i) batch.runs.push_back(gathered_[i].run);
  gathered_.erase(gathered_.begin(), gathered_.begin() + static_cast<std::ptrdiff_t>(count));
  gathered_bytes_ -= bytes;
  for (const Peer& peer : peers_) {
    if (alive(peer)) batch.asked |= bit(peer);
  }
  ask_for_votes(batch);
  proposed_.push_back(std::move(batch));
}

// Those who have not voted.
void Core::ask_for_votes(Proposed& batch) {
  batch.sent = now_;
  const std::uint64_t missing = batch.asked & ~(batch.yes | batch.no);
  if (missing == 0) return;
  const Block header = encoder_.prepare(batch.id, batch.runs);
  const BodyRange body{static_cast<std::uint32_t>(effects_->bodies.size()), 1};
  effects_->bodies.push_back(batch.body);
  for (const Peer& peer : peers_) {
    if ((missing & bit(peer)) != 0) effects_->send_now.push_back({peer.id, header, body});
  }
}

void Core::on_vote(const Peer& peer, const wire::Batch& vote) {
  const auto batch = std::ranges::find(proposed_, decode(vote), &Proposed::id);
  if (batch == proposed_.end()) return;
  (vote.yes() == 1 ? batch->yes : batch->no) |= bit(peer);
}

// In their order. A majority is one of those that were asked and seem to live: of a coordinator
// that is cut off from everyone its own vote is enough.
void Core::decide() {
  while (!proposed_.empty()) {
    Proposed& batch = proposed_.front();
    std::uint64_t voters = 0;
    for (const Peer& peer : peers_) {
      if (alive(peer)) voters |= batch.asked & bit(peer);
    }
    const int electorate = 1 + std::popcount(voters);
    const int needed = options_.all_votes ? electorate : electorate / 2 + 1;
    if (1 + std::popcount(batch.yes) >= needed) {
      commit(batch);
    } else if (1 + std::popcount(voters & ~batch.no) < needed ||
               now_ >= batch.since + kGiveUpBatch * options_.timeout) {
      abort(batch);
    } else {
      break;
    }
    proposed_.pop_front();
  }
  for (Proposed& batch : proposed_) {
    if (now_ >= batch.sent + options_.heartbeat) ask_for_votes(batch);
  }
}

// The update's time is that of its last write. It is above all that this node knows of: what it
// knew of, it wins over.
VectorClock Core::next_clock(std::uint64_t writes) const {
  VectorClock clock = clock_;
  const UpdateTime known = holds(guards::kDominatingWins) ? clock.highest() : clock[place_];
  const UpdateTime least = known + (holds(guards::kClockIncremented) ? 1 : 0);
  clock.raise(place_, std::max<UpdateTime>(wall_, least) + writes - 1);
  return clock;
}

// It takes effect here at once; others hear of it when it is on the disk.
void Core::commit(Proposed& batch) {
  const std::uint64_t writes = writes_of(batch.body).size();
  const VectorClock clock = next_clock(writes);
  clock_.raise(place_, clock[place_]);
  append(LogRecord::Kind::committed, batch.id, clock.view(), batch.body);
  apply(batch.id, batch.body, clock.view());
  const Block outcome = encoder_.committed(batch.id, clock.view());
  for (const Peer& peer : peers_) {
    if ((batch.asked & bit(peer)) != 0) send_when_durable(peer.id, outcome);
  }
  for (const RunReply& reply : replies_to(batch.id, batch.runs, clock.view())) {
    replies_.push_back({last_ticket_, reply});
  }
  remember({batch.id, true, clock});
}

void Core::abort(const Proposed& batch) {
  const Block outcome = encoder_.aborted(batch.id);
  for (const Peer& peer : peers_) {
    if ((batch.asked & bit(peer)) != 0) send_now(peer.id, outcome);
  }
  remember({batch.id, false, {}});
}

// A coordinator that gives way.
void Core::resign() {
  for (const Proposed& batch : proposed_) abort(batch);
  proposed_.clear();
  for (const Gathered& gathered : gathered_) refuse(gathered.run);
  gathered_.clear();
  gathered_bytes_ = 0;
}

void Core::remember(Decided decided) {
  if (decided.id.coordinator != self_) return;
  decided_.push_back(std::move(decided));
  if (decided_.size() > kDecidedKept) decided_.pop_front();
}

void Core::on_inquire(const Peer& peer, const BatchId& id) {
  if (id.coordinator != self_ || std::ranges::find(proposed_, id, &Proposed::id) != proposed_.end())
    return;
  const auto decided = std::ranges::find(decided_, id, &Decided::id);
  const bool committed = decided != decided_.end() && decided->committed;
  send_when_durable(
      peer.id, committed ? encoder_.committed(id, decided->clock.view()) : encoder_.aborted(id));
}

// --- the participants' side ---

// Yes to whom it follows; no to a coordinator that another one outranks.
void Core::on_prepare(const Peer& peer, const wire::Message& message, const Block& body) {
  const BatchId id = decode(*message.batch());
  if (id.coordinator != peer.id) return;
  if (coordinator_ != peer.id && (coordinator_ == kNoNode || outranks(peer.id, coordinator_))) {
    follow(peer.id);
  }
  bool yes = std::ranges::find(prepared_, id, &Prepared::id) != prepared_.end();
  const bool room = prepared_bytes_ + body.size() <= options_.max_undecided_bytes;
  if (!yes && coordinator_ == peer.id && room) {
    const LogIndex record = append(LogRecord::Kind::prepared, id, {}, body);
    prepared_.push_back({id, runs_of(message), body, record, now_});
    prepared_bytes_ += body.size();
    yes = true;
  }
  send_when_durable(peer.id, encoder_.vote(id, yes));
}

void Core::on_outcome(const wire::Message& message) {
  const BatchId id = decode(*message.batch());
  const auto batch = std::ranges::find(prepared_, id, &Prepared::id);
  if (batch == prepared_.end()) return;  // what it wrote comes with the state
  if (message.batch()->yes() == 1) {
    const ClockView clock = clock_of(message);
    if (compare(clock, clock_.view()) == Relation::concurrent) concurrent_ += batch->runs.size();
    append(LogRecord::Kind::committed, id, clock, batch->body);
    apply(id, batch->body, clock);
    for (const RunReply& reply : replies_to(id, batch->runs, clock)) {
      effects_->replies.push_back(reply);
    }
  } else {
    append(LogRecord::Kind::aborted, id, {}, {});
  }
  prepared_bytes_ -= batch->body.size();
  prepared_.erase(batch);
}

// Who is in doubt asks the coordinator that it voted for, for as long as that takes.
void Core::ask_for_outcomes() {
  if (now_ < inquiry_deadline()) return;
  next_inquiry_ = now_ + options_.timeout;
  for (const Prepared& batch : prepared_) {
    if (now_ < batch.since + options_.timeout) break;
    send_now(batch.id.coordinator, encoder_.inquire(batch.id));
  }
}

// --- clients ---

std::vector<RunReply> Core::replies_to(const BatchId& batch, std::span<const RunPart> runs,
                                       ClockView clock) {
  std::uint64_t writes = 0;
  for (const RunPart& run : runs) writes += run.count;
  Stamp stamp = first_stamp(batch, clock, writes);
  std::vector<RunReply> replies;
  for (const RunPart& run : runs) {
    if (is_own(run)) {
      replies.push_back({run.id, stamp});
      settle_held(run);
    }
    stamp.major += run.count;
  }
  return replies;
}

void Core::send_replies(Ticket durable_through) {
  for (; !replies_.empty() && replies_.front().ticket <= durable_through; replies_.pop_front()) {
    effects_->replies.push_back(replies_.front().reply);
  }
}

Instant Core::inquiry_deadline() const {
  if (prepared_.empty()) return kNever;
  return std::max(next_inquiry_, prepared_.front().since + options_.timeout);
}

Instant Core::batches_deadline() const {
  Instant earliest = std::min(batch_deadline(), inquiry_deadline());
  if (!prepared_.empty() && blocked_since_ == kNever) {
    earliest = std::min(earliest, prepared_.front().since + options_.timeout);
  }
  if (!proposed_.empty()) {
    const Proposed& first = proposed_.front();
    earliest = std::min(
        {earliest, first.sent + options_.heartbeat, first.since + kGiveUpBatch * options_.timeout});
  }
  if (!held_.empty()) {
    earliest = std::min(earliest, held_.begin()->second.since + options_.forward_give_up);
  }
  return earliest;
}

}  // namespace parley::bully_2pc::textbook
