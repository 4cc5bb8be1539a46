#include "runtime/sim/simulation.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>
#include <ostream>

#include "runtime/sim/log_checker.h"
#include "runtime/sim/nemesis.h"

namespace parley::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// So many writes are acknowledged, at least, in a part of an execution.
std::uint64_t placements_in(Duration part) {
  constexpr std::uint64_t kPerSecond = 34;
  return static_cast<std::uint64_t>(part / seconds(1)) * kPerSecond;
}

// How long the clients may take for that, at most, once everything is whole.
constexpr Duration kPatience = seconds(60);

// Of strategies that bound the skew of clocks: how far one goes at times.
constexpr Duration kFarClock = std::chrono::hours(1);

// In which nodes that are behind must come further.
constexpr Duration kCatchingUp = seconds(2);

// Of strategies that merge: once all agree, what is still on its way gets so long to arrive; after
// that no writes are sent for kCalm.
constexpr Duration kCalmingDown = seconds(5);

// Beyond these, for each node, an execution is a flood without end: it is broken off before it
// takes all memory. Some hundred events a virtual second are usual.
constexpr std::uint64_t kMaxEventsPerSecond = 20'000;
constexpr std::uint64_t kMaxBytesUnderWay = 64 << 20;

std::uint32_t draw_nodes(const Algorithm& algorithm, const SimOptions& options, Random& random) {
  const auto drawn =
      static_cast<std::uint32_t>(options.schedule ? kScheduledNodes : 3 + random.below(5));
  return options.nodes != 0 ? options.nodes : std::min(drawn, algorithm.max_nodes);
}

CellApplication::Kind draw_application(const Algorithm& algorithm, const SimOptions& options,
                                       Random& random) {
  const bool counter = random.chance(500'000) && algorithm.guarantee.ordered;
  if (options.application == ApplicationChoice::canvas) return CellApplication::Kind::canvas;
  if (options.application == ApplicationChoice::counter) return CellApplication::Kind::counter;
  return counter ? CellApplication::Kind::counter : CellApplication::Kind::canvas;
}

// A strategy's limits (options that are neither choices nor times, nor how a cluster is made up)
// must be safe at any size, and small ones are reached sooner. Only those are drawn that have their
// usual value.
OptionValues draw_limits_of(const Algorithm& algorithm, const OptionValues& values,
                            const SimOptions& options, Random& random) {
  if (!options.vary_limits) return values;
  OptionValues drawn = values;
  for (const OptionSpec& spec : algorithm.options) {
    const bool is_time =
        spec.name.ends_with("_ms") || spec.name.ends_with("_us") || spec.name.ends_with("_s");
    if (!spec.choices.empty() || is_time || !spec.limit || values.at(spec.name) != spec.fallback)
      continue;
    const std::uint64_t draw = random.below(4);
    if (draw > 1) continue;
    const std::int64_t small = draw == 0 ? spec.min : spec.min * 4;
    drawn.set(spec.name, std::min(small, spec.fallback));
    const bool fits = algorithm.check_options == nullptr || algorithm.check_options(drawn).empty();
    if (!fits) drawn.set(spec.name, spec.fallback);
  }
  return drawn;
}

DriverLimits draw_limits(Random& random) {
  constexpr std::uint64_t kRunBytes[] = {48, 200, 4096, 1U << 20};
  DriverLimits limits;
  limits.max_run_bytes = kRunBytes[random.below(4)];
  limits.request_timeout = random.between(milliseconds(500), seconds(5));
  constexpr std::uint64_t kSnapshotBytes[] = {0, 500, 4000, 30'000};
  limits.snapshot_bytes = kSnapshotBytes[random.below(4)];
  constexpr Duration kIdle[] = {Duration{}, milliseconds(300), seconds(1), seconds(3)};
  limits.session_idle = kIdle[random.below(4)];
  return limits;
}

ClientSettings draw_clients(const SimOptions& options, CellApplication::Kind application,
                            const MergePromise& promise, Random& random) {
  constexpr std::uint32_t kKeys[] = {1, 4, 16, kCells};
  ClientSettings settings;
  settings.counter = application == CellApplication::Kind::counter;
  settings.keys = kKeys[random.below(4)];
  settings.sessions_move = promise.sessions_move;
  const auto drawn = static_cast<std::uint32_t>(2 + random.below(7));
  settings.clients = options.clients != 0 ? options.clients : drawn;
  constexpr std::uint32_t kRates[] = {50, 80, 150};
  const std::uint32_t drawn_rate = kRates[random.below(3)];
  const std::uint32_t rate = options.operations_per_s != 0 ? options.operations_per_s : drawn_rate;
  settings.think_max = Duration(seconds(2)) * settings.clients / rate + Duration(1000);
  if (options.reduction) {
    if (options.reduction->clients != 0) settings.clients = options.reduction->clients;
    settings.operations = options.reduction->operations.value_or(settings.operations);
  }
  return settings;
}

MergePromise promise_of(const Algorithm& algorithm, const OptionValues& values,
                        std::uint32_t nodes) {
  return algorithm.merge_promise == nullptr ? MergePromise{}
                                            : algorithm.merge_promise(values, nodes);
}

// How long the strategy may need, and as long as is usual for the rest: clients come back, logs are
// caught up with.
Duration healing_bound(const Algorithm& algorithm, const OptionValues& values, std::uint32_t nodes,
                       const SimOptions& options) {
  if (algorithm.recovery_time == nullptr) return options.healing_bound;
  return std::max(options.healing_bound,
                  options.healing_bound / 2 + algorithm.recovery_time(values, nodes));
}

// All nodes' lines, with the time of the execution and not of the node's clock.
class TimedLines final : public TraceOutput {
 public:
  TimedLines(const Engine& engine, std::ostream& out) : engine_(engine), out_(out) {}

  [[nodiscard]] Instant now() const override { return engine_.now; }
  bool take(std::string_view lines) override {
    out_ << lines;
    return true;
  }

 private:
  const Engine& engine_;
  std::ostream& out_;
};

// One execution from its beginning to its end.
class Execution {
 public:
  Execution(const Algorithm& algorithm, const OptionValues& values, const SimOptions& options);

  SimResult run();

 private:
  [[nodiscard]] bool sound() const { return engine_.violations.empty() && !over_; }
  void roughen();
  Instant break_things();
  Instant rest(Instant begin, std::uint64_t placements);
  bool catches_up();
  void fail_liveness(const std::string& what, Duration within);
  void run_until(Instant end);
  void handle(const Event& event);
  void expect_start(const Node& node);
  void turn(Node& node);
  struct Change {  // of a node's status by a turn
    bool new_epoch = false;
    bool leads = false;
  };
  Change watch_status(Node& node);
  void heal();
  void wind_down();
  void look_for_the_end();
  bool calm_again();
  void collect_views();
  void compare_states();
  SimResult result() const;

  struct Seen {  // of a node's status
    std::uint32_t life = 0;
    Status status;
  };

  const Algorithm& algorithm_;
  const SimOptions& options_;
  Engine engine_;
  Random random_;
  std::uint32_t node_count_;
  Duration healing_bound_;
  std::uint64_t applied_by_all_ = 0;  // in sum, when catches_up() last looked
  CellApplication application_;
  NodeSettings settings_;
  History history_;
  std::unique_ptr<Checker> checker_;
  std::optional<LogChecker> log_checker_;
  std::optional<TimedLines> protocol_;
  Network network_;
  std::vector<Node> nodes_;
  Nemesis nemesis_;
  Clients clients_;
  std::vector<NodeView> views_;
  std::vector<Seen> seen_;
  std::map<Epoch, NodeId> leaders_;
  Duration broken_{};  // the part of phase one that is behind, without rests
  bool winding_down_ = false;
  bool over_ = false;
  Instant healed_;                                 // for the last time
  std::optional<Instant> agreed_;                  // since when, at the end
  std::optional<std::uint64_t> bodies_when_calm_;  // that had been sent then
  std::uint64_t bytes_when_healed_ = 0;            // likewise
  std::uint64_t bytes_when_agreed_ = 0;
  std::uint64_t bytes_when_calm_ = 0;
  std::uint64_t crossings_when_calm_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t turns_ = 0;
  std::uint64_t messages_ = 0;
  std::uint64_t commits_ = 0;
};

std::vector<Node> make_nodes(Engine& engine, Network& network, NodeSettings& settings,
                             std::uint32_t count) {
  settings.nodes = count;
  std::vector<Node> nodes;
  nodes.reserve(count);
  for (std::uint32_t i = 1; i <= count; ++i) {
    settings.members.push_back(NodeId{i});
    nodes.emplace_back(engine, network, settings, NodeId{i});
  }
  return nodes;
}

Execution::Execution(const Algorithm& algorithm, const OptionValues& values,
                     const SimOptions& options)
    : algorithm_(algorithm),
      options_(options),
      engine_(options.seed, options.trace, &algorithm, options.regions),
      random_(engine_.stream(Stream::setting)),
      node_count_(draw_nodes(algorithm, options, random_)),
      healing_bound_(healing_bound(algorithm, values, node_count_, options)),
      application_(draw_application(algorithm, options, random_)),
      settings_{&algorithm,
                &application_,
                draw_limits_of(algorithm, values, options, random_),
                draw_limits(random_),
                {},
                0,
                nullptr,
                nullptr},
      checker_(algorithm.guarantee.ordered
                   ? make_ordered_checker(engine_, history_, algorithm.guarantee)
                   : make_merge_checker(engine_, history_, algorithm.guarantee,
                                        promise_of(algorithm, settings_.options, node_count_),
                                        node_count_)),
      network_(engine_, node_count_),
      nodes_(make_nodes(engine_, network_, settings_, node_count_)),
      nemesis_(engine_, network_, nodes_, options.schedule ? &options.schedule->faults : nullptr,
               options.reduction ? &*options.reduction : nullptr),
      clients_(engine_,
               draw_clients(options,
                            application_.state_dependent() ? CellApplication::Kind::counter
                                                           : CellApplication::Kind::canvas,
                            promise_of(algorithm, settings_.options, node_count_), random_),
               algorithm.guarantee, history_, *checker_, nodes_),
      views_(node_count_),
      seen_(node_count_) {
  if (options.trace != nullptr && options.trace->protocol() != nullptr) {
    settings_.trace = &protocol_.emplace(engine_, *options.trace->protocol());
  }
  engine_.weather = options.schedule ? quick_weather() : draw_weather(options.faults, random_);
  if (algorithm.changes_members && !options.schedule) {
    Random random = engine_.stream(Stream::members);
    settings_.members.resize(draw_members(options.faults, node_count_, engine_.weather, random));
  }
  if (algorithm.max_clock_drift != nullptr && engine_.weather.drift_per_million > 0) {
    const std::uint32_t most = algorithm.max_clock_drift(settings_.options);
    if (most > 0) engine_.weather.drift_per_million = most;
  }
  if (algorithm.hands_over && !options.schedule && node_count_ > 1) {
    Random random = engine_.stream(Stream::handovers);
    draw_handovers(options.faults, engine_.weather, random);
  }
  if (algorithm.inspection != nullptr) {
    std::vector<const Disk*> disks;
    for (const Node& node : nodes_) disks.push_back(&node.disk());
    log_checker_.emplace(engine_, *algorithm.inspection).watch(std::move(disks), settings_.members);
    settings_.log_checker = &*log_checker_;
  }
  const MergePromise promise = promise_of(algorithm, settings_.options, node_count_);
  if (promise.max_clock_skew > Duration{} && engine_.weather.faults.has(FaultKind::clock)) {
    engine_.weather.far_clock = kFarClock;
    engine_.weather.allowed_skew = promise.max_clock_skew;
  }
  if (options.links) {
    engine_.weather.delay_min = quick_weather().delay_min;
    engine_.weather.delay_max = quick_weather().delay_max;
  }
  roughen();
}

// The links as they are when not everything is healed.
void Execution::roughen() {
  if (options_.links) {
    network_.shape(options_.links->rules);
  } else if (!options_.faults.empty() && !options_.schedule) {
    network_.draw_slow_links();
  }
}

SimResult Execution::run() {
  if (options_.trace != nullptr) {
    options_.trace->begin({algorithm_.name, options_.seed, node_count_});
  }
  for (Node& node : nodes_) {
    node.step_wall_clock(random_.between(-engine_.weather.skew_max, engine_.weather.skew_max));
    expect_start(node);
    node.start();
  }
  clients_.start();
  nemesis_.start();
  const Instant break_until = break_things();
  if (engine_.violations.empty()) {
    engine_.now = break_until;
    collect_views();
    checker_->heals(views_);
    heal();
    wind_down();
    Instant end = break_until + healing_bound_;
    run_until(end);
    while (catches_up() && end < break_until + 6 * healing_bound_) run_until(end += kCatchingUp);
    if (agreed_ && sound()) run_until(engine_.now + kCalmingDown + 2 * kCalm);
  }
  if (engine_.violations.empty() && !over_) {
    collect_views();
    const std::string why =
        clients_.finished() ? checker_->disagreement(views_) : clients_.waiting_for();
    fail_liveness(why, engine_.now - break_until);
  }
  if (options_.trace != nullptr) options_.trace->end(engine_.now);
  return result();
}

// Whether nodes that are behind have come further: one that was added with an empty disk may have a
// long log to take in, by small messages, and another one waits until it has.
bool Execution::catches_up() {
  if (agreed_ || !sound() || !algorithm_.guarantee.ordered) return false;
  collect_views();
  const std::uint64_t before = applied_by_all_;
  applied_by_all_ = 0;
  for (const NodeView& view : views_) applied_by_all_ += view.applied.value;
  return applied_by_all_ > before;
}

// Faults come in bouts. Before the next one everything is whole until enough was acknowledged for
// that one, too: a cluster that is never let alone shows little, and the last bout is what the end
// is judged by. Returns the end.
Instant Execution::break_things() {
  constexpr Duration kBout = seconds(10);
  const Duration whole = options_.reduction ? options_.reduction->until : options_.duration;
  if (options_.reduction) broken_ = options_.reduction->from;
  Instant end{};
  for (;;) {
    const Duration bout_end =
        options_.schedule ? whole : std::min<Duration>(whole, (broken_ / kBout + 1) * kBout);
    const Instant begin = end;
    nemesis_.begin_bout(broken_, bout_end);
    run_until(end += bout_end - broken_);
    broken_ = sound() ? bout_end : broken_ + (engine_.now - begin);
    if (!sound() || broken_ == whole) return end;
    end = rest(end, placements_in(std::min(options_.duration, broken_ + kBout)));
    engine_.now = end;
  }
}

// From `begin` on, until so many writes are acknowledged. Returns the end.
Instant Execution::rest(Instant begin, std::uint64_t placements) {
  Instant end = begin;
  const auto enough = [&] {
    return options_.reduction ? end > begin : clients_.counts().acknowledged >= placements;
  };
  if (enough()) return begin;
  engine_.now = begin;
  const Weather rough = engine_.weather;
  heal();
  while (!enough() && sound() && end < begin + kPatience) run_until(end += seconds(1));
  if (!enough() && sound()) {
    fail_liveness(fmt::format("only {} of {} writes were acknowledged",
                              clients_.counts().acknowledged, placements),
                  kPatience);
  }
  engine_.weather = rough;
  roughen();
  return end;
}

void Execution::fail_liveness(const std::string& what, Duration within) {
  engine_.fail(check::kLiveness, fmt::format("{} within {:.1f} s after everything healed", what,
                                             static_cast<double>(within.count()) / 1e9));
}

void Execution::run_until(Instant end) {
  const std::uint64_t whole_seconds =
      1 + static_cast<std::uint64_t>((end - engine_.now) / seconds(1));
  const std::uint64_t limit = events_ + kMaxEventsPerSecond * nodes_.size() * whole_seconds;
  Event event;
  while (!over_ && engine_.violations.empty() && engine_.queue.pop(end, event)) {
    if (++events_ > limit || network_.bytes_under_way() > kMaxBytesUnderWay * nodes_.size()) {
      return engine_.fail(check::kLiveness, fmt::format("a flood: {} events, {} bytes under way",
                                                        events_, network_.bytes_under_way()));
    }
    engine_.now = event.when;
    handle(event);
  }
}

void Execution::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::frame:
      if (auto flight = network_.arrive(event.item)) {
        ++messages_;
        nodes_[flight->to.value - 1].receive(std::move(*flight));
      }
      return;
    case EventKind::step: {
      Node& node = nodes_[event.subject - 1];
      if (node.due(event.item)) turn(node);
      return;
    }
    case EventKind::sync:
      return nodes_[event.subject - 1].sync_done(event.item);
    case EventKind::snapshot:
      return nodes_[event.subject - 1].snapshot_done(event.item);
    case EventKind::request:
    case EventKind::reply:
    case EventKind::client:
      clients_.handle(event);
      if (winding_down_) look_for_the_end();
      return;
    case EventKind::restart:
      if (!nodes_[event.subject - 1].up()) expect_start(nodes_[event.subject - 1]);
      return nemesis_.handle(event);
    case EventKind::fault:
    case EventKind::scheduled:
    case EventKind::repair:
    case EventKind::resume:
    case EventKind::gather:
      return nemesis_.handle(event);
  }
}

void Execution::expect_start(const Node& node) {
  checker_->started(node.id().value);
  if (log_checker_) log_checker_->started(node.id(), node.disk_id());
}

void Execution::turn(Node& node) {
  ++turns_;
  const std::uint32_t id = node.id().value;
  clients_.hand_over(node, node.begin_turn());
  const Effects& effects = node.take_turn();
  if (!effects.broken_invariant.empty()) {
    return engine_.fail(check::kOwnInvariant,
                        fmt::format("node {}: {}", id, effects.broken_invariant));
  }
  if (log_checker_) {
    log_checker_->wrote(node.id(), effects.writes);
    if (!effects.commit.empty()) {
      const Epoch epoch = node.driver().replica().status().epoch;
      log_checker_->committed(node.id(), epoch, effects.commit);
    }
  }
  for (const CommittedRun& committed : effects.commit) {
    const RunId& run = committed.run.id;
    engine_.note(FactKind::commit, id, committed.index.value,
                 (static_cast<std::uint64_t>(run.origin.value) << 32) | run.incarnation.value,
                 run.number);
    checker_->committed(id, committed);
    commits_ = std::max(commits_, committed.index.value);
  }
  for (const Applied& entry : node.journal()) {
    if (!algorithm_.guarantee.ordered) {
      engine_.note(FactKind::applied, id, entry.key.value, entry.stamp.major, entry.stamp.minor);
    }
    checker_->applied(id, entry);
  }
  checker_->stepped(node.view());
  if (!engine_.violations.empty()) return;
  clients_.take_results(node);
  const Change change = watch_status(node);
  node.end_turn(effects);
  if (log_checker_ && seen_[id - 1].status.leader == node.id()) {
    log_checker_->counts(node.id(), seen_[id - 1].status.epoch, node.driver().replica(),
                         node.lease_until());
  }
  if (const Membership* members = node.driver().replica().membership();
      log_checker_ && members != nullptr) {
    log_checker_->uses(node.id(), *members);
  }
  // The node may lose its disk at an answer, and its effects are gone with it.
  const std::vector<ControlReply> replies = effects.control_replies;
  const bool answered = !replies.empty();
  for (const ControlReply& reply : replies) nemesis_.answered(reply);
  // The node may crash at it, and its effects are gone with it.
  nemesis_.after_turn(node, change.new_epoch, change.leads);
  if (log_checker_ && answered) {
    // Whoever has lost its disk has nothing to say any more, also before it starts again.
    for (const Node& other : nodes_) {
      if (!other.up() && other.joins()) log_checker_->started(other.id(), other.disk_id());
    }
  }
  if (winding_down_) look_for_the_end();
}

// Election safety (Ongaro's dissertation, §3.4): at most one leader an epoch. An epoch never falls.
Execution::Change Execution::watch_status(Node& node) {
  const std::uint32_t id = node.id().value;
  Seen& seen = seen_[id - 1];
  const Status status = node.driver().replica().status();
  const bool same_life = seen.life == node.life();
  if (same_life && status.epoch < seen.status.epoch) {
    engine_.fail(check::kMonotonicity, fmt::format("node {} went back from epoch {} to {}", id,
                                                   seen.status.epoch.value, status.epoch.value));
  }
  if (same_life && status.commit < seen.status.commit) {
    engine_.fail(check::kMonotonicity,
                 fmt::format("node {} took its commit index back from {} to {}", id,
                             seen.status.commit.value, status.commit.value));
  }
  const bool changed = !same_life || status.epoch != seen.status.epoch ||
                       status.leader != seen.status.leader || status.role != seen.status.role;
  Change change;
  change.new_epoch = same_life && status.epoch != seen.status.epoch;
  change.leads = changed && status.leader == node.id() &&
                 (change.new_epoch || !same_life || seen.status.leader != node.id());
  seen.life = node.life();
  seen.status = status;
  if (!changed) return {};
  engine_.note(FactKind::status, id, status.epoch.value, status.leader.value, 0, status.role);
  if (log_checker_) log_checker_->follows(node.id(), status.epoch, status.leader);
  if (status.leader == kNoNode || !algorithm_.guarantee.linearizable_writes) return change;
  const auto [it, first] = leaders_.emplace(status.epoch, status.leader);
  if (!first && it->second != status.leader) {
    engine_.fail(check::kElectionSafety,
                 fmt::format("node {} takes node {} for the leader of epoch {}, which is node {}",
                             id, status.leader.value, status.epoch.value, it->second.value));
  }
  return change;
}

void Execution::heal() {
  for (Node& node : nodes_) {
    if (!node.up()) expect_start(node);
  }
  nemesis_.heal();
}

void Execution::wind_down() {
  healed_ = engine_.now;
  bytes_when_healed_ = engine_.bytes;
  // A disk that is slow is so until it has done what it began.
  Instant whole = healed_;
  for (const Node& node : nodes_) whole = std::max(whole, node.disk().sync_ends());
  checker_->healed(whole);
  clients_.wind_down();
  nemesis_.gather();
  winding_down_ = true;
}

void Execution::collect_views() {
  for (std::size_t i = 0; i < nodes_.size(); ++i) views_[i] = nodes_[i].view();
}

void Execution::look_for_the_end() {
  if (!clients_.finished() || !engine_.violations.empty()) return;
  collect_views();
  if (!checker_->disagreement(views_).empty()) return;
  if (!agreed_) {
    agreed_ = engine_.now;
    bytes_when_agreed_ = engine_.bytes;
  }
  const MergePromise promise = promise_of(algorithm_, settings_.options, node_count_);
  if (promise.exchange_interval > Duration{} && !calm_again()) return;
  checker_->finish(views_);
  if (algorithm_.guarantee.ordered) compare_states();
  over_ = true;
}

// Nodes that agree have nothing to send each other but questions whether they still do. True when
// that was seen.
bool Execution::calm_again() {
  if (engine_.now < *agreed_ + kCalmingDown) return false;
  if (!bodies_when_calm_) {
    bodies_when_calm_ = engine_.bodies;
    bytes_when_calm_ = engine_.bytes;
    crossings_when_calm_ = engine_.crossings;
  }
  if (engine_.bodies != *bodies_when_calm_) {
    engine_.fail(check::kQuiet, "all nodes agree, and still send each other writes");
  }
  return engine_.now >= *agreed_ + kCalmingDown + kCalm;
}

// Everything that replicas hold, sessions included, is the same where the same runs were applied,
// whether one by one or by a snapshot.
void Execution::compare_states() {
  const SnapshotId first = encode_snapshot(nodes_.front().driver().freeze_state()).id;
  for (Node& node : nodes_) {
    if (encode_snapshot(node.driver().freeze_state()).id == first) continue;
    engine_.fail(check::kConvergence,
                 fmt::format("node {} holds another state than node 1", node.id().value));
  }
}

SimResult Execution::result() const {
  SimResult result;
  result.violations = engine_.violations;
  result.trace_hash = engine_.trace.hash();
  result.events = events_;
  result.turns = turns_;
  result.messages = messages_;
  result.commits = commits_;
  for (const Node& node : nodes_) {
    result.snapshots += node.snapshots();
    result.installs += node.installs();
  }
  result.virtual_time = engine_.now.time_since_epoch();
  if (agreed_) {
    result.agreed_after = checker_->slowest_spread().value_or(
        *agreed_ - std::max(healed_, clients_.last_acknowledged()));
    result.bytes_to_agree = bytes_when_agreed_ - bytes_when_healed_;
  }
  if (bodies_when_calm_) {
    result.idle_bytes = engine_.bytes - bytes_when_calm_;
    result.idle_crossings = engine_.crossings - crossings_when_calm_;
  }
  result.writes_crossed = engine_.bodies_crossed;
  const MergePromise promise = promise_of(algorithm_, settings_.options, node_count_);
  if (promise.rounds > 0 && !options_.links) {
    result.round = promise.exchange_interval;
    result.promised_rounds = promise.rounds;
  }
  result.nodes = node_count_;
  result.broken = broken_;
  result.faults = engine_.faults;
  result.strikes = nemesis_.strikes();
  result.missed = nemesis_.missed();
  result.struck = nemesis_.struck();
  result.anomalies = checker_->anomalies();
  result.clients = clients_.counts();
  return result;
}

}  // namespace

std::string check_sim_options(const Algorithm& algorithm, const SimOptions& options) {
  const std::uint32_t most = std::min(algorithm.max_nodes, kMaxSimulatedNodes);
  if (options.nodes > most) {
    return fmt::format("nodes: must be 1 to {} for {}, or 0 to let the seed choose", most,
                       algorithm.name);
  }
  if (options.duration <= Duration{} || options.duration > std::chrono::hours(24)) {
    return "seconds: must be above 0 and at most 86400";
  }
  if (options.healing_bound <= Duration{} || options.healing_bound > std::chrono::hours(1)) {
    return "healing bound: must be above 0 and at most an hour";
  }
  if (options.reduction && options.reduction->until > options.duration) {
    return fmt::format("reduced: until must be at most {} s, as long as the whole",
                       static_cast<double>(options.duration.count()) / 1e9);
  }
  if (options.clients > 1000) return "clients: must be 1 to 1000, or 0 to let the seed choose";
  if (options.operations_per_s > 1'000'000) {
    return "operations per second: must be 1 to 1000000, or 0 to let the seed choose";
  }
  if (options.application == ApplicationChoice::counter && !algorithm.guarantee.ordered) {
    return fmt::format("application: {} merges cells, and a counter depends on the state it meets",
                       algorithm.name);
  }
  return {};
}

SimResult simulate(const Algorithm& algorithm, const OptionValues& values,
                   const SimOptions& options) {
  return Execution(algorithm, values, options).run();
}

}  // namespace parley::sim
