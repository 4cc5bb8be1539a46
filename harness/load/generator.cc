#include "harness/load/generator.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <fmt/format.h>

#include <algorithm>

#include "apps/canvas/canvas.h"
#include "harness/load/limit.h"
#include "harness/load/node_client.h"

namespace parley::load {
namespace {

constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kTickNs = 5 * kNsPerMs;
constexpr std::int64_t kHelloEveryNs = kLeaderAskedEvery.count();
constexpr std::int64_t kConnectNs = 2000 * kNsPerMs;  // for all nodes, once one is there
// Waking up for each arrival would cost more than what it sends: what comes due within this time
// goes together. It is part of the latency, and small against it.
constexpr std::int64_t kMinSleepNs = 50'000;
constexpr int kSendBurst = 256;  // messages, before replies are looked at
constexpr std::size_t kMaxNotes = 20;

// While it lives the kernel adds to this thread's sleeps a microsecond at most, and not fifty.
class ExactSleeps {
 public:
  ExactSleeps() : before_(prctl(PR_GET_TIMERSLACK)) { prctl(PR_SET_TIMERSLACK, 1000UL); }
  ~ExactSleeps() { prctl(PR_SET_TIMERSLACK, static_cast<unsigned long>(before_)); }
  ExactSleeps(const ExactSleeps&) = delete;
  ExactSleeps& operator=(const ExactSleeps&) = delete;

 private:
  int before_;
};

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double cpu_seconds(int who) {
  rusage usage{};
  getrusage(who, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// 0 to 2^32 - 1 us, which is more than an hour.
std::uint32_t whole_us(std::int64_t ns) {
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(ns / 1000, 0, UINT32_MAX));
}

std::uint32_t slots_of(const LoadSpec& spec) {
  return (spec.loop == Loop::closed ? spec.window : spec.max_in_flight) / spec.batch;
}

}  // namespace

Generator::Generator(const LoadSpec& spec, const LoadEvents& events)
    : spec_(spec),
      events_(events),
      source_(make_source(spec)),
      closed_(spec.loop == Loop::closed),
      timeout_ns_(spec.operation_timeout.count()),
      router_(spec.targets, spec.routing, spec.silence_limit.count()),
      submit_(client::RequestKind::submit, ReadMode::local, std::size_t{spec.batch} * kPlaceBytes),
      query_(client::RequestKind::query, spec.read_mode, spec.batch * sizeof(canvas::CellRef)),
      hello_(client::RequestKind::hello, ReadMode::local, 0),
      flights_(slots_of(spec), spec.batch),
      scratch_(spec.batch),
      states_(spec.batch),
      jitter_(spec.seed + 1),
      recording_(spec) {
  for (std::vector<std::uint32_t>& ids : open_sessions(spec)) {
    node_sessions_.emplace_back(std::move(ids));
  }
  sessions_.resize(spec.clients);
  connect();
}

// Waits until every node has answered; for a while only, once one has.
void Generator::connect() {
  std::vector<zmq::socket_t*> sockets;
  for (std::uint32_t i = 0; i < spec_.targets.size(); ++i) {
    links_.push_back(std::make_unique<NodeLink>(context_, spec_.targets[i], i));
    sockets.push_back(&links_.back()->socket());
  }
  hello_sent_ns_.resize(links_.size());
  epochs_.resize(links_.size());
  waiter_ = std::make_unique<Waiter>(sockets, bell_);
  const std::int64_t start = clock_ns();
  do {
    now_ns_ = clock_ns();
    receive_all();
    if (now_ns_ >= next_tick_ns_) tick();
    waiter_->used_all();
    waiter_->wait(Duration(kNsPerMs));
    if (spec_.stop != nullptr && spec_.stop->load()) throw LoadError("stopped");
    if (now_ns_ - start > spec_.setup_timeout.count()) {
      throw LoadError("targets: no node answers within the setup timeout");
    }
  } while (!ready() &&
           (now_ns_ - start < kConnectNs || router_.pick(0, kNoLink, now_ns_) == kNoLink));
}

bool Generator::ready() const {
  for (std::uint8_t link = 0; link < link_count(); ++link) {
    if (!links_[link]->connected() || !router_.has_named(link)) return false;
  }
  return true;
}

void Generator::plan() {
  const WorkloadSpec::Kind workload = parse_workload(spec_.workload).kind;
  const bool replay = workload == WorkloadSpec::Kind::replay;
  if (closed_ && workload == WorkloadSpec::Kind::rplace) {
    note("a closed loop has no rate: of the workload rplace only cells and users apply");
  }
  if (replay) spec_.warmup = spec_.warmup_max = Duration{};
  if (!closed_ && workload == WorkloadSpec::Kind::rplace) {
    spec_.warmup_max = std::min(spec_.warmup_max, spec_.warmup);
  }
  result_.warmup.asked_s = static_cast<double>(spec_.warmup.count()) / 1e9;
  begin_ns_ = clock_ns();
  now_ns_ = begin_ns_;
  zero_ns_ = begin_ns_ + spec_.warmup.count();
  const std::int64_t latest_ns = begin_ns_ + std::max(spec_.warmup, spec_.warmup_max).count();
  recorder_ = std::make_unique<Recorder>(latest_ns, latest_ns + spec_.duration.count(),
                                         static_cast<double>(timeout_ns_) / 1e3, spec_.regions);
  for (std::uint8_t link = 0; link < link_count(); ++link) note_leader(link);
  event_thread_ = std::make_unique<EventThread>(events_, spec_.warmup + spec_.duration);
  const std::int64_t window_ns = WarmupWatch::window_of(spec_.warmup);
  // The last window is still open when the others are judged.
  const bool long_enough =
      spec_.warmup.count() > window_ns * static_cast<std::int64_t>(kLeastWarmupWindows);
  if (spec_.warmup_max > Duration{} && long_enough) {
    warmup_.emplace(begin_ns_, window_ns);
  } else {
    begin_at_zero();
  }
}

// Whether the measured window begins as planned, or a little later because the system is not
// steady.
void Generator::settle_start() {
  const Steadiness now = judge_warmup(warmup_->windows(), spec_.loop);
  const std::int64_t latest_ns = begin_ns_ + spec_.warmup_max.count();
  if (now != Steadiness::steady && zero_ns_ < latest_ns) {
    zero_ns_ = std::min(zero_ns_ + warmup_->window_ns(), latest_ns);
    return;
  }
  result_.warmup.ended = now;
  begin_at_zero();
  if (now == Steadiness::steady) return;
  note(fmt::format("the warm-up did not end steady after {:.1f} s: {}", result_.warmup.took_s,
                   steadiness_text(now)));
}

// Until then nothing counts as measured.
void Generator::begin_at_zero() {
  start_settled_ = true;
  result_.warmup.took_s = static_cast<double>(zero_ns_ - begin_ns_) / 1e9;
  const std::int64_t thought_ns = recorder_->end_ns() - spec_.duration.count();
  recorder_->begin_earlier(Duration(thought_ns - zero_ns_));
  event_thread_->begin_window(std::chrono::steady_clock::time_point(Duration(zero_ns_)));
}

LoadResult Generator::run() {
  plan();
  loop();
  return finish();
}

void Generator::loop() {
  const ExactSleeps exact;
  for (;;) {
    const bool received = receive_all();
    now_ns_ = clock_ns();
    if (!start_settled_ && sending_ && now_ns_ >= zero_ns_ - kTickNs) settle_start();
    if (!in_window_ && sending_ && start_settled_ && now_ns_ >= zero_ns_) begin_window();
    const bool sent = sending_ && send_due();
    if (now_ns_ >= next_tick_ns_) tick();
    const bool over = now_ns_ >= recorder_->end_ns() || source_->due_ns() == kNoMore || stop_now_;
    if (sending_ && over) end_window();
    if (!sending_ && (flights_.in_flight() == 0 || stop_now_)) return;
    if (!received && !sent) wait();
  }
}

void Generator::wait() {
  std::int64_t until = next_tick_ns_;
  if (sending_ && !closed_) {
    const std::int64_t due = std::min(begin_ns_ + source_->due_ns(), recorder_->end_ns());
    until = std::min(until, std::max(due, now_ns_ + kMinSleepNs));
  }
  waiter_->used_all();
  waiter_->wait(Duration(until - now_ns_));
}

Generator::CpuTimes Generator::cpu_times() {
  return {cpu_seconds(RUSAGE_THREAD), cpu_seconds(RUSAGE_SELF)};
}

void Generator::begin_window() {
  in_window_ = true;
  cpu_at_start_ = cpu_times();
}

void Generator::end_window() {
  count_what_is_due();
  sending_ = false;
  recorder_->end_early(std::min(recorder_->end_ns(), now_ns_ + 1));
  event_thread_->end_window();
  if (!in_window_) return;
  in_window_ = false;
  const CpuTimes cpu = cpu_times();
  const double wall_s = static_cast<double>(recorder_->end_ns() - zero_ns_) / 1e9;
  result_.generator.cpu_seconds = cpu.process_s - cpu_at_start_.process_s;
  if (wall_s > 0) result_.generator.cpu_share = (cpu.thread_s - cpu_at_start_.thread_s) / wall_s;
}

// What was due in the window and could not be taken up any more is counted like all the rest.
void Generator::count_what_is_due() {
  if (closed_ || !in_window_) return;
  const std::int64_t end = std::min(recorder_->end_ns(), now_ns_ + 1);
  while (source_->due_ns() != kNoMore && begin_ns_ + source_->due_ns() < end) {
    const Message message = source_->take(scratch_);
    const std::int64_t intended = begin_ns_ + message.due_ns;
    const Recorder::Operations operations{intended, 0, spec_.batch, whole_us(now_ns_ - intended),
                                          message.client};
    recorder_->taken_up(operations);
    recorder_->unsent(operations, now_ns_);
  }
}

LoadResult Generator::finish() {
  for (std::uint32_t slot = 0; slot < flights_.used(); ++slot) {
    if (flights_[slot].active) give_up(slot);
  }
  recorder_->finish(result_, now_ns_);
  for (NodeRow& row : result_.nodes) row.node = links_[row.node.value]->node();
  result_.generator.ceiling_ops_per_s = spec_.ceiling_ops_per_s;
  result_.generator.limit = limit_of(result_);
  result_.replay = source_->replay_figures();
  result_.history_operations = recording_.written();
  result_.touched_cells = recording_.touched();
  event_thread_->finish();
  return std::move(result_);
}

// --- every few milliseconds ---

void Generator::tick() {
  next_tick_ns_ = now_ns_ + kTickNs;
  for (std::uint8_t link = 0; link < link_count(); ++link) {
    take_changes(link);
    if (spec_.sessions_of_nodes) open_sessions_anew(link);
  }
  if (now_ns_ >= next_hello_ns_) say_hello();
  scan_flights();
  if (recorder_ == nullptr) return;
  recorder_->advance(now_ns_);
  if (warmup_ && !start_settled_) {
    warmup_->look(now_ns_, recorder_->completed_so_far(), flights_.in_flight() * spec_.batch,
                  router_.leader());
  }
  event_thread_->set_completed(recorder_->completed_so_far());
  if (spec_.stop != nullptr && spec_.stop->load() && !stop_now_) {
    stop_now_ = true;
    result_.stopped = true;
  }
}

// What the node names now, once there is somebody to be told.
void Generator::note_leader(std::uint8_t link) {
  if (recorder_ == nullptr) return;
  recorder_->leader_seen({.node = links_[link]->node(),
                          .leader = router_.named_by(link),
                          .by_most = router_.leader(),
                          .epoch = epochs_[link]},
                         now_ns_);
}

void Generator::take_changes(std::uint8_t link) {
  for (;;) {
    const NodeLink::Change change = links_[link]->next_change();
    if (change == NodeLink::Change::none) return;
    const NodeId named = router_.named_by(link);
    router_.connection(link, change == NodeLink::Change::connected);
    hello_sent_ns_[link] = 0;
    if (spec_.sessions_of_nodes) node_sessions_[link].lost_connection();
    if (named != kNoNode) note_leader(link);
    if (recorder_ == nullptr) continue;
    if (change == NodeLink::Change::lost) lost_connection(link);
  }
}

// No answer will come through a connection that is gone: what waits for one is tried elsewhere.
void Generator::lost_connection(std::uint8_t link) {
  note("the connection to node " + std::to_string(links_[link]->node().value) + " was lost " +
       std::to_string((now_ns_ - zero_ns_) / kNsPerMs) +
       " ms after the start of the measured window");
  if (!spec_.retry) return;
  for (std::uint32_t slot = 0; slot < flights_.used(); ++slot) {
    Flight& flight = flights_[slot];
    if (!flight.active || flight.waiting || flight.link != link) continue;
    flight.reason = kLostConnection;
    wait_for_attempt(slot, 0);
  }
}

// Who answers a question of earlier is left out: the answers would be of different moments.
void Generator::note_applied(std::uint8_t link, std::uint64_t applied) {
  if (hello_sent_ns_[link] != applied_.asked_ns) return;
  applied_.least = applied_.answers == 0 ? applied : std::min(applied_.least, applied);
  applied_.most = std::max(applied_.most, applied);
  ++applied_.answers;
}

void Generator::say_hello() {
  next_hello_ns_ = now_ns_ + kHelloEveryNs;
  if (recorder_ != nullptr && applied_.answers > 0)
    recorder_->lag_seen(applied_.most - applied_.least, now_ns_);
  applied_ = Applied{.asked_ns = now_ns_};
  for (std::uint8_t link = 0; link < link_count(); ++link) {
    // One at a time, or a node that is stopped would find a heap of them.
    if (!links_[link]->connected() || hello_sent_ns_[link] != 0) continue;
    std::byte* body = nullptr;
    if (!links_[link]->send(hello_.make(0, body))) continue;
    hello_sent_ns_[link] = now_ns_;
    router_.asked(link, now_ns_);
  }
}

// A node that was started again has forgotten its clients.
void Generator::open_sessions_anew(std::uint8_t link) {
  NodeSessions& sessions = node_sessions_[link];
  if (sessions.complete() || !links_[link]->connected()) return;
  const std::vector<std::byte> commands = sessions.next_request(now_ns_);
  if (commands.empty()) return;
  const AttemptId id{kSessionsSlot, 0, sessions.request()};
  std::byte* body = nullptr;
  const RequestTemplate layout(client::RequestKind::submit, ReadMode::local, commands.size());
  zmq::message_t request = layout.make(id.packed(), body);
  std::copy(commands.begin(), commands.end(), body);
  links_[link]->send(std::move(request));  // if it fails, the next one is due in a while
}

void Generator::scan_flights() {
  for (std::uint32_t slot = 0; slot < flights_.used(); ++slot) {
    if (!flights_.is_due(slot, now_ns_)) continue;
    Flight& flight = flights_[slot];
    if (now_ns_ - flight.intended_ns >= timeout_ns_) {
      give_up(slot);
      continue;
    }
    if (!flight.waiting) flight.reason = kNoAnswer;
    attempt(slot);
  }
}

// Its time is up.
void Generator::give_up(std::uint32_t slot) {
  const Flight& flight = flights_[slot];
  if (flight.unresolved > 0) {
    end_unknown(slot, kNoAnswer);
  } else {
    end_refused(slot, flight.attempts == 0 ? kUnreachable : flight.reason);
  }
}

void Generator::note(std::string text) {
  if (result_.notes.size() < kMaxNotes) result_.notes.push_back(std::move(text));
}

// --- sending ---

bool Generator::send_due() {
  bool any = false;
  for (int i = 0; i < kSendBurst; ++i) {
    if ((i & 7) == 7) now_ns_ = clock_ns();
    if (now_ns_ >= recorder_->end_ns() && closed_) break;
    if (!closed_) {
      const std::int64_t due = source_->due_ns();
      if (due == kNoMore || begin_ns_ + due > now_ns_ || begin_ns_ + due >= recorder_->end_ns())
        break;
    }
    if (!launch()) break;
    any = true;
  }
  return any;
}

// Takes the next message from the source and sends it. False when the window of a closed loop is
// full.
bool Generator::launch() {
  std::uint32_t client = 0;
  if (closed_ && (flights_.full() || !find_client(client))) return false;
  const Message message = source_->take(scratch_);
  if (!closed_) client = message.client;
  const std::int64_t intended = closed_ ? now_ns_ : begin_ns_ + message.due_ns;
  const std::uint32_t late_us = whole_us(now_ns_ - intended);
  const Recorder::Operations operations{intended, 0, spec_.batch, late_us, client};
  recorder_->taken_up(operations);
  ClientSession& session = sessions_[client];
  if (flights_.full() || !session.has_room(spec_.batch)) {
    recorder_->unsent(operations, now_ns_);
    return true;
  }
  const std::uint32_t slot = flights_.take();
  Flight& flight = flights_[slot];
  flight.intended_ns = intended;
  flight.late_us = late_us;
  flight.client = client;
  flight.session = spec_.sessions_of_nodes ? 0 : node_sessions_.front().of(client);
  flight.sequence = session.take(spec_.batch);
  flight.is_read = message.is_read;
  flight.waiting = true;
  flight.link = kNoLink;
  std::copy(scratch_.begin(), scratch_.end(), flights_.cells(slot).begin());
  attempt(slot);
  return true;
}

// The next client whose session has room.
bool Generator::find_client(std::uint32_t& client) {
  for (std::uint32_t tried = 0; tried < spec_.clients; ++tried) {
    client = next_client_;
    if (++next_client_ == spec_.clients) next_client_ = 0;
    if (sessions_[client].has_room(spec_.batch)) return true;
  }
  return false;
}

// Sends a flight that waits, for the first time or again.
void Generator::attempt(std::uint32_t slot) {
  Flight& flight = flights_[slot];
  const std::uint8_t link = pick_link(flight);
  if (link == kNoLink || flight.attempts == kMaxAttempts) {
    return wait_for_attempt(slot, 2 * kTickNs);
  }
  flight.link = link;
  // What may have been done under a session is tried again under no other.
  if (flight.is_read || flight.unresolved == 0)
    flight.session = sessions_at(link).of(flight.client);
  zmq::message_t request = request_of(slot);
  const std::size_t size = request.size();
  if (!links_[link]->send(std::move(request))) {
    return wait_for_attempt(slot, kTickNs);
  }
  if (in_window_) {
    ++result_.requests;
    result_.request_bytes += size;
  }
  if (flight.attempts == 0) {
    flight.first_sent_ns = now_ns_;
    recorder_->sent(operations_of(flight, spec_.batch));
  } else {
    recorder_->sent_again(operations_of(flight, spec_.batch), flight.reason);
  }
  ++flight.attempts;
  ++flight.unresolved;
  flight.waiting = false;
  const std::int64_t deadline = flight.intended_ns + timeout_ns_;
  const std::int64_t next = now_ns_ + spec_.attempt_timeout.count();
  flights_.set_due(slot, spec_.retry ? std::min(next, deadline) : deadline);
}

// Where the next attempt goes; kNoLink: nowhere for now.
std::uint8_t Generator::pick_link(const Flight& flight) const {
  const bool stays = spec_.sessions_of_nodes && !flight.is_read && flight.unresolved > 0;
  if (stays) return router_.up(flight.link, now_ns_) ? flight.link : kNoLink;
  const std::uint8_t link = router_.pick(flight.client, flight.link, now_ns_);
  if (link == kNoLink || knows_client(link, flight)) return link;
  const std::uint8_t other = router_.pick(flight.client, link, now_ns_);
  return other != kNoLink && knows_client(other, flight) ? other : kNoLink;
}

const NodeSessions& Generator::sessions_at(std::uint8_t link) const {
  return spec_.sessions_of_nodes ? node_sessions_[link] : node_sessions_.front();
}

// Not while a node that was started again opens its sessions anew.
bool Generator::knows_client(std::uint8_t link, const Flight& flight) const {
  return sessions_at(link).of(flight.client) != 0;
}

zmq::message_t Generator::request_of(std::uint32_t slot) {
  const Flight& flight = flights_[slot];
  const AttemptId id{slot, flight.attempts, flight.generation};
  std::byte* body = nullptr;
  zmq::message_t request = (flight.is_read ? query_ : submit_).make(id.packed(), body);
  if (flight.is_read) {
    write_cell_refs(flights_.cells(slot), body);
  } else {
    write_places({flight.session}, flight.sequence, flights_.cells(slot), body);
  }
  return request;
}

void Generator::wait_for_attempt(std::uint32_t slot, std::int64_t pause_ns) {
  Flight& flight = flights_[slot];
  flight.waiting = true;
  flights_.set_due(slot, std::min(now_ns_ + pause_ns, flight.intended_ns + timeout_ns_));
}

// 10 to 160 ms, less up to half of it, so that what failed together does not come back together.
std::int64_t Generator::backoff_ns(std::uint8_t attempts) {
  const std::int64_t pause = (10 * kNsPerMs) << std::min(attempts - 1, 4);
  return pause - static_cast<std::int64_t>(jitter_.below(static_cast<std::uint64_t>(pause) / 2));
}

bool Generator::worth_retrying(std::uint8_t reason) const {
  if (!spec_.retry) return false;
  switch (static_cast<RefusedBecause>(reason)) {
    case RefusedBecause::no_leader:
    case RefusedBecause::stopping:
    case RefusedBecause::timed_out:
    case RefusedBecause::clock:
      return true;
    case RefusedBecause::no_session:  // the node has forgotten it; others have their own
      return spec_.sessions_of_nodes;
    default:
      return false;
  }
}

}  // namespace parley::load
