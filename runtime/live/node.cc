#include "runtime/live/node.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "runtime/guards.h"
#include "runtime/live/file_journal.h"
#include "runtime/live/port_queue.h"
#include "runtime/live/snapshot_worker.h"
#include "runtime/live/trace_file.h"
#include "runtime/live/waiter.h"
#include "runtime/storage/rocks_storage.h"

namespace parley {
namespace {

// What one turn takes in at most, so that no kind of input keeps the others waiting.
constexpr std::size_t kTurnFrames = 4096;
constexpr std::size_t kTurnRequests = 8192;
constexpr std::size_t kTurnFrameBytes = 1U << 20;
// About what a thousand clients with one command each send. Large batches are passed on in parts of
// this size, so that the followers have work while the leader still takes in the rest.
constexpr std::size_t kTurnRequestBytes = 96U << 10;
// More where peers send much: a node's own clients get as much of a turn as those of a peer. What a
// client sends in one byte, peers that merge tell each other in two or three.
constexpr std::size_t kFrameBytesPerRequestByte = 2;
// Steps that follow each other because tickets became durable, before other input gets its turn.
constexpr int kFollowUpSteps = 8;
// More than this on its way to the disk, and the node takes nothing in until some of it is there.
constexpr std::uint64_t kMaxWaitingBytes = 64U << 20;
// The same with so many turns whose messages wait for the disk, however little that has to write.
constexpr std::size_t kMaxHeldTurns = 4096;
constexpr Duration kJournalInterval = std::chrono::milliseconds(10);
constexpr Duration kLongestWait = std::chrono::seconds(1);
// A peer counts as connected when something came from it within this time.
constexpr Duration kConnectedWithin = std::chrono::seconds(1);
// A leader that is to stop hands over first; for no longer than this.
constexpr Duration kHandOverWithin = std::chrono::seconds(1);
// The number of that wish; those of the port's are small.
constexpr std::uint64_t kStopHandover = ~std::uint64_t{0};

// To who has lost what it promised.
constexpr std::string_view kHowToComeBack =
    ". Move the folder away, start the node with --rejoin (of `parley node`; `parley canvas "
    "--rejoin N`), remove it from the members if it still is one, and add it (`parley members`)";

bool is_first_member(const ReplicaConfig& replica) {
  return std::find(replica.members.begin(), replica.members.end(), replica.self) !=
         replica.members.end();
}

std::string ids_text(std::vector<NodeId> members) {
  std::sort(members.begin(), members.end());
  std::string text;
  for (const NodeId member : members) {
    text += (text.empty() ? "" : " ") + std::to_string(member.value);
  }
  return text;
}

NodeConfig checked(NodeConfig config) {
  if (config.algorithm == nullptr || config.application == nullptr) {
    throw std::runtime_error("a node needs an algorithm and an application");
  }
  if (!is_first_member(config.replica) && !config.algorithm->changes_members) {
    throw std::runtime_error("node " + std::to_string(config.replica.self.value) +
                             " is not among the members, and those of " +
                             std::string(config.algorithm->name) + " do not change");
  }
  if (config.durability == Durability::none && config.replica.incarnation == Incarnation{}) {
    throw std::runtime_error("incarnation: 0 is not allowed");
  }
  if (!config.algorithm->guarantee.ordered && config.application->state_dependent()) {
    throw std::runtime_error("the commands of application " +
                             std::string(config.application->name()) +
                             " depend on the state: strategy " +
                             std::string(config.algorithm->name) + ", which merges, cannot run it");
  }
  if (config.algorithm->changes_members) {
    for (const auto& [id, endpoint] : config.peers) config.transport.others.push_back(id);
  }
  config.replica.now = monotonic_now();
  config.transport.keeps_state = config.durability != Durability::none;
  if (config.context == nullptr) config.context = std::make_shared<zmq::context_t>(1);
  return config;
}

// Null without durability; otherwise the configuration gets the incarnation that storage counted,
// and the disk that it names.
std::unique_ptr<RocksStorage> open_storage(NodeConfig& config, Bell& bell) {
  const bool joins = !is_first_member(config.replica);
  if (config.durability == Durability::none) {
    // A start without memory is a disk of its own.
    if (joins) config.replica.disk = DiskId{config.replica.incarnation.value};
    return nullptr;
  }
  const StorageOwner owner{
      .group = config.replica.group,
      .node = config.replica.self,
      .algorithm = std::string(config.algorithm->name),
      .application = config.application->state_name(),
      .first_members = config.algorithm->guarantee.ordered ? ids_text(config.replica.members) : "",
      .joins = joins,
      .remembered = config.algorithm->changes_members};
  std::unique_ptr<RocksStorage> storage;
  try {
    storage = std::make_unique<RocksStorage>(config.data, owner, config.durability,
                                             [&bell] { bell.ring(); });
  } catch (const StorageLost& error) {
    if (!config.algorithm->changes_members) throw;
    throw StorageError(error.what() + std::string(kHowToComeBack));
  }
  if (!storage->warning().empty()) spdlog::warn("{}", storage->warning());
  config.replica.incarnation = storage->incarnation();
  config.replica.disk = storage->disk();
  // It was a first member with another disk than this one.
  if (config.replica.disk != DiskId{}) std::erase(config.replica.members, config.replica.self);
  return storage;
}

// What has its state again has its journal and its trace again.
LineFile::Mode file_mode(const NodeConfig& config) {
  return config.durability == Durability::none ? LineFile::Mode::anew : LineFile::Mode::go_on;
}

std::unique_ptr<FileJournal> open_journal(const NodeConfig& config) {
  if (config.journal.empty()) return nullptr;
  return std::make_unique<FileJournal>(config.journal, file_mode(config), config.journal_cell);
}

std::unique_ptr<TraceFile> open_trace(const NodeConfig& config) {
  if (config.trace.empty()) return nullptr;
  try {
    return std::make_unique<TraceFile>(config.trace, file_mode(config));
  } catch (const std::system_error& error) {
    throw std::runtime_error(std::string("trace: ") + error.what());
  }
}

SaveSnapshot save_into(const RocksStorage* storage) {
  if (storage == nullptr) return nullptr;
  return [storage](const Snapshot& snapshot) { storage->save(snapshot); };
}

}  // namespace

class Node::Loop final : public NodeDesk {
 public:
  explicit Loop(NodeConfig config)
      : config_(checked(std::move(config))),
        storage_(open_storage(config_, bell_)),
        journal_(open_journal(config_)),
        trace_(open_trace(config_)),
        transport_(*config_.context, *config_.algorithm, config_.replica, config_.transport),
        clients_(*config_.context, *config_.application, *this, config_.clients),
        port_(*config_.application, config_.port_capacity, bell_),
        worker_(save_into(storage_.get()), [this] { bell_.ring(); }),
        driver_(*config_.algorithm, *config_.application, config_.replica,
                storage_ == nullptr ? Recovered{} : storage_->recovered(), config_.limits,
                journal_.get(), trace_.get()) {
    if (storage_ != nullptr) storage_->forget_recovered();
    inject(config_.faults);
    for (const auto& [id, endpoint] : config_.peers) {
      if (id == config_.replica.self) {
        if (!endpoint.empty()) transport_.bind(endpoint);  // else it has no peers
      } else {
        transport_.connect(id, endpoint);
      }
    }
    for (const std::string& endpoint : config_.client_endpoints) clients_.bind(endpoint);
    for (const PeerTraffic& peer : transport_.traffic()) {
      const auto own = config_.links.find(peer.id);
      transport_.shape(peer.id, own == config_.links.end() ? config_.link : own->second);
    }
  }

  int run();
  void stop() noexcept {
    stopping_.store(true);
    bell_.ring();
  }
  std::future<void> shape_link(NodeId peer, const LinkProfile& profile) {
    Shape shape{peer, profile, {}};
    std::future<void> shaped = shape.done.get_future();
    {
      const std::lock_guard lock(shapes_mutex_);
      if (shapes_closed_) return shaped;
      shapes_.push_back(std::move(shape));
      shapes_waiting_.store(true);
    }
    bell_.ring();
    return shaped;
  }

  void inject(const NodeFaults& faults) {
    clock_step_.store(faults.clock_step);
    if (storage_ != nullptr) storage_->inject(faults.disk);
  }

  [[nodiscard]] Transport& transport() { return transport_; }
  [[nodiscard]] const ClientPort& clients() const { return clients_; }
  [[nodiscard]] NodePort& port() { return port_; }
  [[nodiscard]] const std::string& story() const { return story_; }

  // NodeDesk
  [[nodiscard]] Greeting greeting() const override {
    const Status status = driver_.replica().status();
    return {config_.replica.self,
            config_.replica.incarnation,
            status.leader,
            status.epoch,
            driver_.applied(),
            config_.algorithm->name,
            !config_.algorithm->guarantee.ordered};
  }
  [[nodiscard]] std::string report() const override;

 private:
  void turns();
  bool may_stop(Instant now);
  bool take_inputs(Instant now);
  void take_shapes();
  void close_shapes();
  void step(Instant now);
  void note_handover(const ControlReply& reply);
  void store(const Effects& effects);
  void send_when_durable(Instant now, const Effects& effects);
  void take_durable(Instant now);
  void take_snapshot_result();
  void give_snapshot_task();
  [[nodiscard]] bool disk_is_behind() const {
    return storage_ != nullptr &&
           (storage_->waiting_bytes() > kMaxWaitingBytes || held_.size() >= kMaxHeldTurns);
  }
  void settle();
  void watch_members();
  void watch_status();
  void flush_journal(Instant now);
  void end_trace();
  void wait();
  [[nodiscard]] NodeReport node_report() const;

  // Places of the sockets in `waiter_`.
  static constexpr std::size_t kInbox = 0;
  static constexpr std::size_t kClients = 1;

  struct Shape {
    NodeId peer;
    LinkProfile profile;
    std::promise<void> done;
  };
  // Messages that wait for the disk.
  struct Held {
    Ticket ticket;
    std::vector<Message> messages;
    std::vector<Block> bodies;
  };

  NodeConfig config_;
  Bell bell_;
  std::unique_ptr<RocksStorage> storage_;  // null: without durability
  std::unique_ptr<FileJournal> journal_;
  std::unique_ptr<TraceFile> trace_;
  Transport transport_;
  ClientPort clients_;
  PortQueue port_;
  SnapshotWorker worker_;
  Driver driver_;

  std::vector<Frame> frames_;
  Ticket issued_;
  Ticket durable_;
  std::deque<Held> held_;  // by rising tickets
  Status last_status_;
  Membership last_members_;
  Instant journal_flushed_{};
  bool journal_failed_ = false;
  LoopTraffic traffic_;
  std::string story_;
  std::optional<Waiter> waiter_;
  std::optional<Waiter> deaf_waiter_;  // for when nothing is to be taken in
  bool deaf_ = false;                  // in this turn
  std::uint64_t client_sends_ = 0;     // that the waiter knows of

  bool handing_over_ = false;
  std::optional<Instant> hands_over_until_;  // before it stops
  std::atomic<bool> stopping_{false};
  std::atomic<Duration> clock_step_{Duration{}};  // of the wall clock
  std::atomic<bool> shapes_waiting_{false};
  std::mutex shapes_mutex_;
  std::vector<Shape> shapes_;   // guarded
  bool shapes_closed_ = false;  // guarded
};

int Node::Loop::run() {
  spdlog::info("node {} starts: {} of {} members, incarnation {}, peers at {}, clients at {}",
               config_.replica.self.value, config_.algorithm->name, config_.replica.members.size(),
               config_.replica.incarnation.value, transport_.endpoint(),
               clients_.endpoints().empty() ? "no endpoint" : clients_.endpoints().front());
  watch_members();
  try {
    turns();
  } catch (const zmq::error_t& error) {
    story_ = std::string("a socket failed: ") + error.what();
  } catch (const std::exception& error) {
    story_ = std::string("it cannot go on: ") + error.what();
  }
  port_.close();
  close_shapes();
  if (journal_ != nullptr) journal_->flush();
  end_trace();
  if (!story_.empty()) {
    spdlog::critical("node {} stops: {}", config_.replica.self.value, story_);
    return 1;
  }
  spdlog::info("node {} stops", config_.replica.self.value);
  return 0;
}

void Node::Loop::turns() {
  // In the order of kInbox and kClients.
  std::vector<zmq::socket_t*> sockets = {&transport_.inbox(), &clients_.socket()};
  waiter_.emplace(sockets, bell_);
  deaf_waiter_.emplace(std::span<zmq::socket_t* const>{}, bell_);
  for (;;) {
    const Instant now = monotonic_now();
    if (stopping_.load() && may_stop(now)) return;
    take_durable(now);
    if (!story_.empty()) return;
    take_snapshot_result();
    const bool more = take_inputs(now);
    // By a clock that is read after the inputs came: if this thread stood still in between, a lease
    // may have ended before a read arrived.
    if (driver_.has_input() || driver_.deadline() <= now) step(monotonic_now());
    give_snapshot_task();
    transport_.send_due(now);
    clients_.flush();
    flush_journal(now);
    if (!story_.empty()) return;
    if (!more && !driver_.has_input()) {
      wait();
    } else {
      waiter_->used_all();
    }
  }
}

// A leader that falls silent is missed only after an election timeout; one that hands over is not.
bool Node::Loop::may_stop(Instant now) {
  if (!config_.algorithm->hands_over) return true;
  const Status status = driver_.replica().status();
  if (hands_over_until_) return !handing_over_ || now >= *hands_over_until_;
  if (status.leader != config_.replica.self || driver_.report().members.voters.size() == 1) {
    return true;
  }
  hands_over_until_ = now + kHandOverWithin;
  handing_over_ = true;
  driver_.hand_over(kStopHandover);
  return false;
}

// True when a bound was met, so that more input may be waiting.
bool Node::Loop::take_inputs(Instant now) {
  if (shapes_waiting_.load()) take_shapes();
  deaf_ = disk_is_behind();
  if (deaf_) return false;
  frames_.clear();
  bool more = false;
  std::size_t request_bytes = kTurnRequestBytes;
  if (waiter_->may_have_input(kInbox)) {
    more = transport_.receive(now, kTurnFrames, kTurnFrameBytes, frames_);
    std::size_t bytes = 0;
    for (Frame& frame : frames_) {
      bytes += frame.header.size() + frame.body.size();
      driver_.receive(std::move(frame));
    }
    const std::size_t peers = std::max<std::size_t>(config_.peers.size(), 2) - 1;
    request_bytes = std::max(request_bytes, bytes / (kFrameBytesPerRequestByte * peers));
  }
  if (waiter_->may_have_input(kClients)) {
    more |= clients_.receive(driver_, kTurnRequests, request_bytes);
  }
  port_.take(driver_, [this] { return node_report(); });
  return more;
}

void Node::Loop::take_shapes() {
  std::vector<Shape> shapes;
  {
    const std::lock_guard lock(shapes_mutex_);
    shapes.swap(shapes_);
    shapes_waiting_.store(false);
  }
  for (Shape& shape : shapes) {
    transport_.shape(shape.peer, shape.profile);
    shape.done.set_value();
  }
}

// Whoever waits for a link to be shaped need not wait longer.
void Node::Loop::close_shapes() {
  const std::lock_guard lock(shapes_mutex_);
  shapes_closed_ = true;
  shapes_.clear();
}

// Steps the replica, and again as long as only tickets became durable, which they do at once.
void Node::Loop::step(Instant now) {
  for (int steps = 0; steps < kFollowUpSteps; ++steps) {
    const Effects& effects = driver_.decide(now, wall_now() + clock_step_.load());
    ++traffic_.turns;
    // A replica that finds its state impossible must not be heard any more.
    if (!driver_.broken_invariant().empty()) break;
    transport_.send(now, effects.bodies, effects.send_now);
    store(effects);
    send_when_durable(now, effects);
    driver_.carry_out();
    if (!driver_.broken_invariant().empty()) break;
    for (const ControlReply& reply : effects.control_replies) {
      note_handover(reply);
      port_.settle(reply);
    }
    settle();
    clients_.flush();
    if (!driver_.has_input()) break;
  }
  story_ = driver_.broken_invariant();
  watch_status();
}

void Node::Loop::note_handover(const ControlReply& reply) {
  if (reply.id != kStopHandover) return;
  handing_over_ = false;
  const bool done = reply.outcome == ControlReply::Outcome::done;
  spdlog::info("node {} {}", config_.replica.self.value,
               done ? "has handed over" : "has not handed over: " + reply.reason);
}

void Node::Loop::store(const Effects& effects) {
  if (effects.writes.empty()) return;
  issued_ = effects.writes.back().ticket;
  if (storage_ != nullptr) {
    storage_->write(effects.writes);
  } else {
    durable_ = issued_;
    driver_.durable_through(durable_);
  }
}

// Each of these messages waits for the latest ticket issued so far, also in a turn without writes.
void Node::Loop::send_when_durable(Instant now, const Effects& effects) {
  if (effects.send_when_durable.empty()) return;
  if (durable_ >= issued_) {
    transport_.send(now, effects.bodies, effects.send_when_durable);
    return;
  }
  held_.push_back({issued_, effects.send_when_durable, effects.bodies});
}

// Takes note of what has reached the disk, and sends what waited for it.
void Node::Loop::take_durable(Instant now) {
  if (storage_ == nullptr) return;
  std::string error = storage_->error();
  if (!error.empty() && holds(guards::kDiskErrorEnds)) {
    story_ = std::move(error);
    return;
  }
  const Ticket durable = storage_->durable();
  if (durable == durable_) return;
  durable_ = durable;
  driver_.durable_through(durable_);
  while (!held_.empty() && held_.front().ticket <= durable_) {
    transport_.send(now, held_.front().bodies, held_.front().messages);
    held_.pop_front();
  }
}

void Node::Loop::take_snapshot_result() {
  auto result = worker_.take_result();
  if (!result) return;
  if (result->snapshot != nullptr) {
    spdlog::info("node {} has {} snapshot of index {}, {} bytes in {} parts",
                 config_.replica.self.value, result->received ? "received the" : "made a",
                 result->id.index.value, result->snapshot->bytes, result->id.parts);
  } else if (!result->only_discarded) {
    spdlog::error("node {}: a snapshot failed: {}", config_.replica.self.value, result->error);
  }
  driver_.snapshot_done(std::move(*result));
}

// The journal holds everything that the state of a snapshot does, since a node that starts from it
// does not apply that again.
void Node::Loop::give_snapshot_task() {
  auto task = driver_.take_snapshot_task();
  if (!task) return;
  if (journal_ != nullptr) journal_->flush();
  worker_.begin(std::move(*task));
}

void Node::Loop::settle() {
  for (const SettledSubmit& settled : driver_.submits()) {
    if (settled.tag.connection == PortQueue::kConnection) {
      port_.settle(settled, driver_.results());
    } else {
      clients_.settle(settled, driver_.results());
    }
  }
  for (const SettledQuery& settled : driver_.queries()) {
    if (settled.tag.connection == PortQueue::kConnection) {
      port_.settle(settled, driver_.answer_bytes());
    } else {
      clients_.settle(settled, driver_.answer_bytes());
    }
  }
}

// Tells of other members than before.
void Node::Loop::watch_members() {
  const Membership* members = driver_.replica().membership();
  if (members == nullptr || *members == last_members_) return;
  last_members_ = *members;
  spdlog::info("node {} goes by the members {}", config_.replica.self.value, text_of(*members));
}

void Node::Loop::watch_status() {
  watch_members();
  const Status status = driver_.replica().status();
  const std::uint64_t begun = status.elections - last_status_.elections;
  if (status.role == last_status_.role && status.epoch == last_status_.epoch &&
      status.leader == last_status_.leader && begun == 0) {
    return;
  }
  spdlog::info("node {} is {} in epoch {}{}{}, commit {}{}", config_.replica.self.value,
               status.role, status.epoch.value, kLogLeader, status.leader.value,
               status.commit.value,
               begun == 0 ? std::string() : fmt::format("{}{}", kLogElections, begun));
  last_status_ = status;
}

void Node::Loop::flush_journal(Instant now) {
  if (journal_ == nullptr || !journal_->dirty()) return;
  if (now - journal_flushed_ < kJournalInterval) return;
  journal_->flush();
  journal_flushed_ = now;
  if (!journal_->error().empty() && !journal_failed_) {
    journal_failed_ = true;
    spdlog::error("node {}: {}", config_.replica.self.value, journal_->error());
  }
}

void Node::Loop::end_trace() {
  if (trace_ == nullptr) return;
  trace_->drain();  // so that there is room for the last line, and nothing is dropped unsaid
  // What did not reach the disk is lost only where the node had to end.
  driver_.trace_end(story_.empty() ? "stop" : "crash");
  trace_->drain();
}

void Node::Loop::wait() {
  Instant wake = std::min(driver_.deadline(), transport_.next_due());
  if (journal_ != nullptr && journal_->dirty()) {
    wake = std::min(wake, journal_flushed_ + kJournalInterval);
  }
  if (hands_over_until_) wake = std::min(wake, *hands_over_until_);
  const Instant now = monotonic_now();
  ++traffic_.waits;
  const Duration time = wake > now + kLongestWait ? kLongestWait : wake - now;
  if (deaf_) {
    deaf_waiter_->wait(time);
    return waiter_->used_all();
  }
  if (clients_.sends() != client_sends_) {
    client_sends_ = clients_.sends();
    waiter_->used(kClients);
  }
  waiter_->wait(time);
}

NodeReport Node::Loop::node_report() const {
  NodeReport report = driver_.report();
  report.frames_refused = transport_.refused_total();
  if (!clients_.endpoints().empty()) report.client_endpoint = clients_.endpoints().front();
  const Instant now = monotonic_now();
  for (const PeerTraffic& traffic : transport_.traffic()) {
    PeerReport& peer = report.peers.emplace_back();
    peer.id = traffic.id;
    peer.connected =
        traffic.last_received != Instant{} && now - traffic.last_received < kConnectedWithin;
    peer.sent = traffic.sent;
    peer.received = traffic.received;
    peer.dropped = traffic.dropped;
  }
  return report;
}

std::string Node::Loop::report() const {
  const std::vector<PeerTraffic> peers = transport_.traffic();
  NodeFigures figures;
  figures.node = node_report();
  figures.peers = peers;
  figures.refused = transport_.refused();
  figures.delayed_frames = transport_.delayed();
  figures.clients = clients_.traffic();
  figures.loop = traffic_;
  figures.process = process_figures();
  if (journal_ != nullptr) figures.journal_error = journal_->error();
  figures.monotonic_ns = static_cast<std::uint64_t>(monotonic_now().time_since_epoch().count());
  return report_json(figures);
}

Node::Node(NodeConfig config) : loop_(std::make_unique<Loop>(std::move(config))) {}
Node::~Node() = default;

std::string Node::peer_endpoint() const {
  return loop_->transport().endpoint();
}
std::vector<std::string> Node::client_endpoints() const {
  return loop_->clients().endpoints();
}
void Node::connect_peer(NodeId peer, const std::string& endpoint) {
  loop_->transport().connect(peer, endpoint);
}
int Node::run() {
  return loop_->run();
}
void Node::stop() noexcept {
  loop_->stop();
}
const std::string& Node::story() const {
  return loop_->story();
}
NodePort& Node::port() {
  return loop_->port();
}
std::future<void> Node::shape_link(NodeId peer, const LinkProfile& profile) {
  return loop_->shape_link(peer, profile);
}
void Node::inject(const NodeFaults& faults) {
  loop_->inject(faults);
}

}  // namespace parley
