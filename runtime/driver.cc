#include "runtime/driver.h"

#include <algorithm>

namespace parley {
namespace {

// What an entry takes in a log besides its body, about.
constexpr std::uint64_t kEntryBytes = 128;

// Runs that were given up and are remembered.
constexpr std::size_t kMaxLate = 4096;

// Sessions of a merge strategy are opened by each node for itself, and are gone with its memory.
// Node and incarnation in the upper bits keep their ids apart: a client that goes on with a session
// of an earlier start must not be taken for another one's. An id comes back after 512 starts.
std::uint32_t first_session(const Algorithm& algorithm, const ReplicaConfig& config) {
  if (algorithm.guarantee.ordered) return 0;
  return (config.self.value << 25) |
         static_cast<std::uint32_t>((config.incarnation.value & 0x1ff) << 16);
}

// As many as first_session leaves room for.
std::uint32_t max_sessions(const Algorithm& algorithm, const DriverLimits& limits) {
  return algorithm.guarantee.ordered ? limits.max_sessions
                                     : std::min(limits.max_sessions, (1U << 16) - 1);
}

RefusedBecause reason_of(Refusal::Reason reason) {
  switch (reason) {
    case Refusal::Reason::no_leader:
      return RefusedBecause::no_leader;
    case Refusal::Reason::overloaded:
      return RefusedBecause::overloaded;
    case Refusal::Reason::stopping:
      return RefusedBecause::stopping;
    case Refusal::Reason::clock:
      return RefusedBecause::clock;
    case Refusal::Reason::not_offered:
      return RefusedBecause::not_offered;
    case Refusal::Reason::behind:
      return RefusedBecause::behind;
    case Refusal::Reason::unanswered:
      return RefusedBecause::unanswered;
  }
  return RefusedBecause::none;
}

StateShape shape_of(const Algorithm& algorithm, const Application& application,
                    const ReplicaConfig& config, const DriverLimits& limits) {
  return {application.key_count(), max_sessions(algorithm, limits),
          first_session(algorithm, config)};
}

}  // namespace

Driver::Driver(const Algorithm& algorithm, const Application& application, ReplicaConfig config,
               const Recovered& recovered, DriverLimits limits, Journal* journal,
               TraceOutput* trace)
    : algorithm_(algorithm),
      application_(application),
      config_(std::move(config)),
      limits_(limits),
      applier_(application, max_sessions(algorithm, limits), first_session(algorithm, config_),
               journal),
      replica_(algorithm.make(config_, recovered)),
      snapshots_(limits.snapshot_bytes, shape_of(algorithm, application, config_, limits)),
      session_watch_(algorithm.guarantee.ordered ? limits.session_idle : Duration{}),
      local_reads_ask_(algorithm.local_reads_ask != nullptr &&
                       algorithm.local_reads_ask(config_.options)),
      accept_max_bytes_(limits.max_waiting_bytes) {
  if (trace != nullptr) {
    trace_.emplace(algorithm, config_, *trace);
    trace_->started(recovered, *replica_);
  }
  if (recovered.snapshot.id.index == LogIndex{}) return;
  std::string error;
  auto state = decode_snapshot(recovered.snapshot.id, recovered.snapshot.parts,
                               shape_of(algorithm, application, config_, limits), error);
  if (state == nullptr) {
    broken_ = "the snapshot in storage cannot be used: " + error;
    return;
  }
  applier_.restore(std::move(*state));
  snapshots_.recovered(recovered.snapshot);
}

bool Driver::submit(RequestTag tag, Bytes body, std::uint32_t count) {
  const std::uint64_t allowed = std::min(accept_max_bytes_, limits_.max_waiting_bytes);
  if (waiting_bytes_ + body.size() > allowed) return false;
  if (open_.empty() || open_.back().body.size() + body.size() > limits_.max_run_bytes) {
    if (pending_.size() + open_.size() >= limits_.max_pending_runs) return false;
    open_.emplace_back();
  }
  OpenRun& run = open_.back();
  run.body.insert(run.body.end(), body.begin(), body.end());
  run.count += count;
  ++run.segments;
  open_segments_.push_back({tag, count});
  waiting_bytes_ += body.size();
  return true;
}

bool Driver::query(RequestTag tag, ReadMode mode, Bytes query, std::vector<Seen> seen) {
  if (mode == ReadMode::local && seen.empty() && !local_reads_ask_) {
    if (local_queries_.size() >= limits_.max_pending_reads) return false;
    if (!has_room_for(query)) return false;
    read_bytes_ += query.size();
    local_queries_.emplace_back(tag, std::vector<std::byte>(query.begin(), query.end()));
    return true;
  }
  if (pending_reads_.size() >= limits_.max_pending_reads || !has_room_for(query)) return false;
  read_bytes_ += query.size();
  PendingRead& read = pending_reads_[++last_read_];
  read.tag = tag;
  read.query.assign(query.begin(), query.end());
  ReadRequest& request = reads_.emplace_back(ReadRequest{last_read_, mode, {}, std::move(seen)});
  if (mode == ReadMode::local) application_.keys_of(query, request.keys);
  return true;
}

bool Driver::has_room_for(Bytes query) const {
  return read_bytes_ + query.size() <= limits_.max_pending_read_bytes;
}

void Driver::forget_read(std::map<std::uint64_t, PendingRead>::iterator read) {
  read_bytes_ -= read->second.query.size();
  pending_reads_.erase(read);
}

void Driver::change_members(std::uint64_t id, const MemberChange& change) {
  if (!algorithm_.changes_members) {
    not_offered_.push_back({id, ControlReply::Outcome::refused,
                            "the members of " + std::string(algorithm_.name) +
                                " do not change while it runs; raft's do"});
    return;
  }
  Control& wish = wishes_.emplace_back();
  wish.kind = Control::Kind::change_members;
  wish.id = id;
  wish.change = change;
}

void Driver::hand_over(std::uint64_t id, NodeId to) {
  if (!algorithm_.hands_over) {
    not_offered_.push_back({id, ControlReply::Outcome::refused,
                            std::string(algorithm_.name) + " has no leader that could hand over"});
    return;
  }
  Control& wish = wishes_.emplace_back();
  wish.kind = Control::Kind::hand_over;
  wish.id = id;
  wish.to = to;
}

bool Driver::has_input() const {
  return !wishes_.empty() || !not_offered_.empty() || !frames_.empty() || !open_.empty() ||
         !reads_.empty() || !local_queries_.empty() || durable_taken_ < durable_ ||
         snapshots_.has_controls();
}

Instant Driver::deadline() const {
  Instant earliest = replica_->deadline();
  if (applier_.sessions().slots() > 0) earliest = std::min(earliest, session_watch_.next());
  if (!pending_.empty()) {
    earliest = std::min(earliest, pending_.front().since + limits_.request_timeout);
  }
  if (!pending_reads_.empty()) {
    earliest = std::min(earliest, pending_reads_.begin()->second.since + limits_.request_timeout);
  }
  return earliest;
}

const Effects& Driver::decide(Instant now, WallTime wall) {
  now_ = now;
  settled_submits_.clear();
  results_.clear();
  settled_queries_.clear();
  answer_bytes_.clear();
  effects_.clear();
  expire_sessions(now);
  close_runs(now);
  for (const ReadRequest& read : reads_) pending_reads_[read.id].since = now;

  Turn turn;
  turn.now = now;
  turn.wall = wall;
  turn.durable_through = durable_;
  turn.applied_through = applier_.applied();
  turn.frames = frames_;
  turn.commands = runs_;
  turn.reads = reads_;
  controls_.assign(snapshots_.controls().begin(), snapshots_.controls().end());
  controls_.insert(controls_.end(), wishes_.begin(), wishes_.end());
  turn.controls = controls_;
  replica_->step(turn, applier_.store(), effects_);
  effects_.control_replies.insert(effects_.control_replies.end(), not_offered_.begin(),
                                  not_offered_.end());
  wishes_.clear();
  not_offered_.clear();
  std::string problem = snapshots_.take(effects_);
  if (effects_.broken_invariant.empty()) {
    effects_.broken_invariant = broken_.empty() ? std::move(problem) : broken_;
  }
  if (trace_) trace_->stepped(turn, effects_, *replica_);
  durable_taken_ = durable_;
  frames_.clear();
  runs_.clear();
  reads_.clear();
  accept_max_bytes_ = effects_.accept_max_bytes;
  return effects_;
}

void Driver::carry_out() {
  apply_commits();
  apply_merges();
  take_refusals();
  answer_reads();
  expire(now_);
  forget_settled();
  make_snapshot();
}

// The leader proposes; whether a session is still idle is decided where the proposal has its place
// in the log.
void Driver::expire_sessions(Instant now) {
  if (now < session_watch_.next()) return;
  idle_sessions_.clear();
  session_watch_.look(applier_.sessions(), now, idle_sessions_);
  if (idle_sessions_.empty() || replica_->status().leader != config_.self) return;
  if (pending_.size() + open_.size() >= limits_.max_pending_runs) return;
  OpenRun& run = open_.emplace_back();
  for (const SessionWatch::Idle& idle : idle_sessions_) {
    CommandHeader header;
    header.session = idle.session;
    header.sequence = idle.highest;
    header.kind = static_cast<std::uint16_t>(CommandKind::expire_session);
    const Bytes bytes = std::as_bytes(std::span(&header, 1));
    run.body.insert(run.body.end(), bytes.begin(), bytes.end());
    ++run.count;
  }
}

// Turns what clients submitted since the last step into runs.
void Driver::close_runs(Instant now) {
  std::uint64_t first_segment = forgotten_segments_ + segments_.size();
  segments_.insert(segments_.end(), open_segments_.begin(), open_segments_.end());
  for (OpenRun& open : open_) {
    PendingRun& pending = pending_.emplace_back();
    pending.since = now;
    pending.known = applier_.applied();
    pending.first_segment = first_segment;
    pending.segments = open.segments;
    first_segment += open.segments;
    pending.commands = open.count;
    const std::uint64_t number = first_pending_ + pending_.size() - 1;
    CommandRun run{RunId{config_.self, config_.incarnation, number}, open.count,
                   Block::copy_of(open.body)};
    if (!algorithm_.guarantee.ordered) run = merge_run(std::move(run), pending);
    if (run.count > 0) runs_.push_back(std::move(run));
  }
  open_.clear();
  open_segments_.clear();
  waiting_bytes_ = 0;
}

// The writes that the commands of a run come down to, less those that its sessions have seen.
CommandRun Driver::merge_run(CommandRun run, PendingRun& pending) {
  applier_.screen(run.body.bytes());
  pending.screened.results.assign(applier_.results().begin(), applier_.results().end());
  std::vector<CellWrite> writes;
  for (const Command& command : applier_.fresh()) {
    CellWrite& write = writes.emplace_back();
    application_.translate(command, write);
    write.writer = {command.header.session, command.header.sequence};
    pending.screened.written.push_back(command.offset);
  }
  run.count = static_cast<std::uint32_t>(writes.size());
  run.body = Block::copy_of(std::as_bytes(std::span(writes)));
  if (writes.empty()) settle(run.id.number, pending.screened.results);
  return run;
}

void Driver::apply_commits() {
  bool installed = effects_.install == LogIndex{};
  for (const CommittedRun& committed : effects_.commit) {
    if (!installed && committed.index > effects_.install) installed = install();
    if (committed.index != applier_.applied().next()) {
      effects_.broken_invariant = "index " + std::to_string(committed.index.value) +
                                  " was committed after index " +
                                  std::to_string(applier_.applied().value);
      return;
    }
    apply(committed);
  }
  if (!installed) install();
}

void Driver::apply(const CommittedRun& committed) {
  const PendingRun* own = find_pending(committed.run.id);
  const auto known = own != nullptr ? std::optional(own->known) : std::nullopt;
  const std::span<const Result> results = applier_.apply(committed, known);
  snapshots_.applied_bytes(committed.run.body.size() + kEntryBytes);
  if (own != nullptr) settle(committed.run.id.number, results);
}

// The state of a snapshot takes the place of an older one, never of a newer one.
bool Driver::install() {
  std::unique_ptr<RestoredState> state = snapshots_.take_state();
  if (state == nullptr || state->index <= applier_.applied()) {
    effects_.broken_invariant = "the snapshot of index " + std::to_string(effects_.install.value) +
                                " would take the place of the state of index " +
                                std::to_string(applier_.applied().value);
    return false;
  }
  snapshots_.discard(applier_.restore(std::move(*state)));
  return true;
}

void Driver::make_snapshot() {
  if (!snapshots_.due() || !broken_invariant().empty()) return;
  FrozenState state = applier_.freeze();
  if (!algorithm_.guarantee.ordered) state.sessions = {};  // each start has its own
  snapshots_.make(std::move(state));
}

void Driver::apply_merges() {
  if (algorithm_.guarantee.ordered) return;
  for (const MergeCandidate& candidate : effects_.merge) {
    if (!applier_.merge(candidate)) {
      effects_.broken_invariant =
          "two writes of cell " + std::to_string(candidate.key.value) + " have one stamp";
    }
  }
  // The store holds what its own records say, up to the last one.
  for (const Write& write : effects_.writes) {
    if (write.kind != Write::Kind::append) continue;
    applier_.merged_through(write.index);
    snapshots_.applied_bytes(write.body.size() + kEntryBytes);
  }
  for (const RunReply& reply : effects_.replies) {
    if (PendingRun* pending = find_pending(reply.run); pending != nullptr) {
      take_stamps(reply.first, pending->screened);
      settle(reply.run.number, pending->screened.results);
    } else if (const auto late = late_.find(reply.run.number); late != late_.end()) {
      take_stamps(reply.first, late->second);
      late_.erase(late);
    }
  }
}

// What was written has its stamps, and a retry is told so.
void Driver::take_stamps(Stamp first, Screened& screened) {
  for (const std::uint32_t offset : screened.written) {
    Result& result = screened.results[offset];
    result.stamp = first;
    applier_.sessions().record(result);
    ++first.major;
  }
  for (Result& result : screened.results) {
    const bool waited = result.outcome == Outcome::unknown &&
                        result.reason == static_cast<std::uint8_t>(RefusedBecause::timed_out);
    Result known = result;
    if (!waited) continue;
    applier_.sessions().look_up(result.session, result.sequence, known);
    if (known.stamp.major == 0) continue;  // another run's, which waits
    known.reason = 0;
    result = known;
  }
}

void Driver::take_refusals() {
  for (const Refusal& refusal : effects_.refused) {
    const RefusedBecause reason = reason_of(refusal.reason);
    if (refusal.kind == Refusal::Kind::run) {
      refuse_run(refusal.number, reason);
    } else if (const auto it = pending_reads_.find(refusal.number); it != pending_reads_.end()) {
      settled_queries_.push_back({it->second.tag, reason, {}, answer_bytes_.size(), 0});
      forget_read(it);
    }
  }
}

void Driver::answer_reads() {
  for (const auto& [tag, query] : local_queries_) {
    answer(tag, query);
    read_bytes_ -= query.size();
  }
  local_queries_.clear();
  for (const ReadReady& ready : effects_.reads_ready) {
    const auto it = pending_reads_.find(ready.id);
    if (it == pending_reads_.end()) continue;
    it->second.index = ready.index;
    ready_reads_.push_back(ready.id);
  }
  std::erase_if(ready_reads_, [this](std::uint64_t id) {
    const auto it = pending_reads_.find(id);
    if (it == pending_reads_.end()) return true;
    if (it->second.index > applier_.applied()) return false;
    answer(it->second.tag, it->second.query);
    forget_read(it);
    return true;
  });
}

// Nothing waits for ever: what took too long may still happen, so its outcome is unknown.
void Driver::expire(Instant now) {
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (pending_[i].since + limits_.request_timeout > now) break;
    give_up(first_pending_ + i);
  }
  while (!pending_reads_.empty()) {
    const auto it = pending_reads_.begin();
    if (it->second.since + limits_.request_timeout > now) break;
    settled_queries_.push_back(
        {it->second.tag, RefusedBecause::timed_out, {}, answer_bytes_.size(), 0});
    forget_read(it);
  }
}

Driver::PendingRun* Driver::find_pending(RunId run) {
  if (run.origin != config_.self || run.incarnation != config_.incarnation) return nullptr;
  if (run.number < first_pending_ || run.number >= first_pending_ + pending_.size()) return nullptr;
  PendingRun& pending = pending_[run.number - first_pending_];
  return pending.settled ? nullptr : &pending;
}

void Driver::settle(std::uint64_t number, std::span<const Result> results) {
  const std::size_t place = number - first_pending_;
  PendingRun& pending = pending_[place];
  pending.settled = true;
  auto first = static_cast<std::uint32_t>(results_.size());
  results_.insert(results_.end(), results.begin(), results.end());
  for (std::size_t i = 0; i < pending.segments; ++i) {
    const Segment& segment = segments_[pending.first_segment - forgotten_segments_ + i];
    settled_submits_.push_back({segment.tag, first, segment.count});
    first += segment.count;
  }
}

void Driver::settle_all(std::uint64_t number, Outcome outcome, RefusedBecause reason) {
  PendingRun* pending = find_pending({config_.self, config_.incarnation, number});
  if (pending == nullptr) return;
  Result result;
  result.outcome = outcome;
  result.reason = static_cast<std::uint8_t>(reason);
  const std::vector<Result> results(pending->commands, result);
  settle(number, results);
}

// A retry of what has no stamp is a new attempt from now on.
void Driver::forget(const Screened& screened) {
  for (const std::uint32_t offset : screened.written) {
    const Result& result = screened.results[offset];
    applier_.sessions().forget(result.session, result.sequence);
  }
}

void Driver::refuse_run(std::uint64_t number, RefusedBecause reason) {
  if (const auto late = late_.find(number); late != late_.end()) {
    forget(late->second);
    late_.erase(late);
  }
  if (const PendingRun* pending = find_pending({config_.self, config_.incarnation, number})) {
    forget(pending->screened);
  }
  settle_all(number, Outcome::refused, reason);
}

// It may be lost, so whoever tries again is not kept waiting; what a merge strategy says of it
// later is for those who try again after that.
void Driver::give_up(std::uint64_t number) {
  PendingRun* pending = find_pending({config_.self, config_.incarnation, number});
  if (pending != nullptr && !pending->screened.written.empty()) {
    forget(pending->screened);
    if (late_.size() >= kMaxLate) late_.erase(late_.begin());
    late_.emplace(number, std::move(pending->screened));
  }
  settle_all(number, Outcome::unknown, RefusedBecause::timed_out);
}

void Driver::forget_settled() {
  while (!pending_.empty() && pending_.front().settled) {
    const std::uint32_t segments = pending_.front().segments;
    segments_.erase(segments_.begin(), segments_.begin() + segments);
    forgotten_segments_ += segments;
    pending_.pop_front();
    ++first_pending_;
  }
}

void Driver::answer(const RequestTag& tag, Bytes query) {
  SettledQuery settled;
  settled.tag = tag;
  settled.first = answer_bytes_.size();
  settled.error = application_.query(applier_.store(), query, answer_bytes_);
  settled.size = answer_bytes_.size() - settled.first;
  if (!settled.error.empty()) settled.reason = RefusedBecause::invalid;
  settled_queries_.push_back(std::move(settled));
}

NodeReport Driver::report() const {
  NodeReport report;
  report.node = config_.self;
  report.incarnation = config_.incarnation;
  report.algorithm = algorithm_.name;
  report.status = replica_->status();
  report.role = report.status.role;
  const Membership* members = replica_->membership();
  if (members != nullptr) {
    report.members = *members;
  } else {
    report.members.voters = config_.members;
  }
  report.changes_members = algorithm_.changes_members;
  report.disk = config_.disk;
  // A merge strategy's index counts this node's own records, which says nothing to others.
  if (algorithm_.guarantee.ordered) report.applied = applier_.applied();
  report.digest = applier_.store().digest();
  report.written_cells = applier_.store().written_cells();
  report.sessions = applier_.sessions().size();
  report.commands_applied = applier_.commands_applied();
  report.snapshots_made = snapshots_.made();
  report.snapshots_installed = snapshots_.installed();
  report.snapshot_bytes = snapshots_.in_use() == nullptr ? 0 : snapshots_.in_use()->bytes;
  report.snapshot_error = snapshots_.error();
  return report;
}

}  // namespace parley
