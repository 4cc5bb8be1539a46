#include "runtime/sim/nemesis.h"

#include <algorithm>

namespace parley::sim {

using std::chrono::milliseconds;

Nemesis::Nemesis(Engine& engine, Network& network, std::span<Node> nodes,
                 const FaultSchedule* schedule, const Reduction* reduction)
    : engine_(engine),
      network_(network),
      nodes_(nodes),
      times_(engine.stream(Stream::strike_times)),
      random_(engine.stream(Stream::strike)),
      doomed_(nodes.size()),
      schedule_(schedule),
      reduction_(reduction) {}

void Nemesis::start() {
  if (schedule_ != nullptr) {
    struck_.resize(schedule_->size());
    return;
  }
  for (const FaultKind kind :
       {FaultKind::stall, FaultKind::one_way, FaultKind::partition, FaultKind::pause,
        FaultKind::crash, FaultKind::clock, FaultKind::members, FaultKind::handover}) {
    if (needs_peers(kind) && nodes_.size() < 2) continue;
    if (engine_.weather.faults.has(kind)) kinds_.push_back(kind);
  }
}

bool Nemesis::left_out(std::uint32_t strike) const {
  return reduction_ != nullptr && reduction_->strikes &&
         !std::ranges::binary_search(*reduction_->strikes, strike);
}

void Nemesis::begin_bout(Duration begin, Duration end) {
  healed_ = false;
  const auto schedule = [&](Duration at, EventKind kind, std::uint32_t number, std::uint32_t item) {
    if (at < begin || at > end || left_out(number)) return;
    engine_.after(at - begin, kind, 0, item);
  };
  if (schedule_ != nullptr) {
    for (std::uint32_t place = 0; place < schedule_->size(); ++place) {
      schedule((*schedule_)[place].at, EventKind::scheduled, place + 1, place);
    }
    return;
  }
  if (kinds_.empty()) return;
  const auto draw_next = [this] {
    next_ += times_.between(engine_.weather.calm_min, engine_.weather.calm_max);
    ++next_number_;
  };
  if (next_number_ == 0) draw_next();
  for (; next_ < end; draw_next()) schedule(next_, EventKind::fault, next_number_, next_number_);
}

// --- at random ---

// Half of the time the leader, as far as some node knows one: that is where it hurts.
Node& Nemesis::pick() {
  Node& node = nodes_[random_.below(nodes_.size())];
  const bool leader = random_.chance(500'000);
  if (!leader || !node.up()) return node;
  const NodeId led_by = node.driver().replica().status().leader;
  return led_by == kNoNode ? node : nodes_[led_by.value - 1];
}

void Nemesis::strike(std::uint32_t number) {
  strikes_.push_back(number);
  random_ = engine_.stream(Stream::strike, number);
  const FaultKind kind = kinds_[random_.below(kinds_.size())];
  Node& node = pick();
  if (!wait_for_leader(kind)) hit(kind, node);
}

// Logs part when a leader falls silent just after it began: it has entries that nobody else has,
// and leads again some leaders later (Figure 8 of the Raft paper). Left to chance alone, such
// chains are rare.
bool Nemesis::wait_for_leader(FaultKind kind) {
  constexpr std::size_t kMaxAmbush = 4;
  const bool waits = random_.chance(400'000);
  if (!waits || kind == FaultKind::clock || ambush_.size() == kMaxAmbush) return false;
  ambush_.push_back(kind);
  return true;
}

void Nemesis::hit(FaultKind kind, Node& node) {
  switch (kind) {
    case FaultKind::stall: {
      NodeId other{1 + static_cast<std::uint32_t>(random_.below(nodes_.size()))};
      if (other == node.id()) other.value = other.value % nodes_.size() + 1;
      network_.stall(node.id(), other, draw(milliseconds(10), milliseconds(2000)));
      break;
    }
    case FaultKind::one_way:
    case FaultKind::partition: {
      const std::uint32_t pattern =
          network_.cut_at_random(kind == FaultKind::one_way, node.id(), random_);
      engine_.after(draw(milliseconds(20), milliseconds(4000)), EventKind::repair, 0, pattern);
      if (!network_.is_cut()) return;  // all happened to fall on one side
      break;
    }
    case FaultKind::pause:
      if (!node.running()) return;
      node.pause(draw(milliseconds(10), milliseconds(2000)));
      break;
    case FaultKind::crash:
      if (!node.up()) return;
      strike_down(node);
      return;
    case FaultKind::clock:
      step_clock(node);
      break;
    case FaultKind::members:
      return change_members(node);
    case FaultKind::handover:
      return hand_over(node);
    default:
      return;
  }
  engine_.count(kind);
}

// Where a strategy bounds how far clocks may be apart, that of one node goes far beyond at times:
// always the same one, since with two of three nodes can no longer be told who is right.
void Nemesis::step_clock(Node& node) {
  const bool may =
      engine_.weather.far_clock > Duration{} && (far_clock_ == kNoNode || far_clock_ == node.id());
  if (!may || !random_.chance(400'000)) {
    return node.step_wall_clock(draw(-engine_.weather.skew_max, engine_.weather.skew_max));
  }
  far_clock_ = node.id();
  node.step_wall_clock(engine_.weather.far_clock);
}

// A strategy that bounds the skew of clocks needs those that are beyond it to be set right.
void Nemesis::set_clocks_right() {
  if (engine_.weather.far_clock == Duration{}) return;
  for (Node& node : nodes_) {
    if (std::chrono::abs(node.skew()) > engine_.weather.allowed_skew) node.step_wall_clock({});
  }
}

void Nemesis::strike_down(Node& node) {
  const std::uint64_t moment = random_.below(3);
  if (moment == 0) return crash_with_others(node);
  doomed_[node.id().value - 1] = moment == 1 ? Doom::unsynced : Doom::new_epoch;
  if (moment == 1) return;
  for (Doom& other : doomed_) {
    if (random_.chance(400'000)) other = Doom::new_epoch;
  }
}

void Nemesis::after_turn(Node& node, bool new_epoch, bool leads) {
  if (!node.up()) return;  // an answer of this very turn cost it its disk
  if (leads) echo(node);
  if (leads && !ambush_.empty()) {
    const auto kind = static_cast<std::uint32_t>(ambush_.front());
    ambush_.erase(ambush_.begin());
    engine_.after(draw(Duration{}, milliseconds(20)), EventKind::fault, node.id().value, kind);
  }
  Doom& doom = doomed_[node.id().value - 1];
  if (doom == Doom::none) return;
  if (doom == Doom::unsynced && node.unsynced() && random_.chance(300'000)) {
    doom = Doom::none;
    crash_with_others(node);
  } else if (doom == Doom::new_epoch && new_epoch) {
    doom = Doom::none;
    engine_.after(draw(Duration{}, milliseconds(20)), EventKind::fault, node.id().value,
                  static_cast<std::uint32_t>(FaultKind::crash));
  }
}

// What was said to a node in the past is heard when it leads, perhaps not for the first time, or
// has forgotten it. Left to chance alone, copies come when they can do no harm.
void Nemesis::echo(Node& node) {
  if (engine_.weather.faults.has(FaultKind::duplication)) network_.echo(node.id());
}

// Often one node, sometimes several or all at once, as when the power fails.
void Nemesis::crash_with_others(Node& node) {
  crash(node);
  const std::uint64_t extent = random_.below(8);
  if (extent > 1) return;
  for (Node& other : nodes_) {
    if (other.up() && (extent == 0 || random_.chance(500'000))) crash(other);
  }
}

void Nemesis::crash(Node& node) {
  node.crash();
  engine_.count(FaultKind::crash);
  constexpr Duration kLongest[] = {milliseconds(2), milliseconds(50), milliseconds(500),
                                   milliseconds(3000)};
  const Duration longest = kLongest[random_.below(4)];
  engine_.after(draw(milliseconds(1), longest), EventKind::restart, node.id().value, node.life());
}

// --- members ---

// Whoever leads, as far as the node knows; else the node itself. Null: it is down.
Node* Nemesis::leader_of(Node& node) {
  if (!node.up()) return nullptr;
  const NodeId led_by = node.driver().replica().status().leader;
  Node& asked = led_by == kNoNode ? node : nodes_[led_by.value - 1];
  return asked.up() ? &asked : nullptr;
}

// To any, or to some node, whether that can be or not. Sometimes the one that hands over is cut off
// right after it: then it does not hear that another one leads.
void Nemesis::hand_over(Node& node) {
  Node* asked = leader_of(node);
  if (asked == nullptr) return;
  const bool to_any = random_.chance(500'000);
  const NodeId to{1 + static_cast<std::uint32_t>(random_.below(nodes_.size()))};
  const bool cut = random_.chance(300'000);
  const Duration soon = draw(Duration{}, milliseconds(20));
  asked->hand_over(++last_asked_, to_any || to == asked->id() ? kNoNode : to);
  engine_.count(FaultKind::handover);
  if (!cut || !engine_.weather.faults.has(FaultKind::partition)) return;
  engine_.after(soon, EventKind::fault, asked->id().value,
                static_cast<std::uint32_t>(FaultKind::partition));
}

// Which nodes are members is what the one that leads knows.
void Nemesis::change_members(Node& node) {
  Node* leads = leader_of(node);
  if (leads == nullptr) return;
  Node& asked = *leads;
  const Membership& members = *asked.driver().replica().membership();
  if (members.voters.empty()) return;
  std::vector<NodeId> others;
  for (const Node& other : nodes_) {
    if (std::ranges::find(members.voters, other.id()) == members.voters.end()) {
      others.push_back(other.id());
    }
  }
  const std::uint64_t wish = random_.below(3);
  const NodeId leaves = members.voters[random_.below(members.voters.size())];
  MemberChange change;
  if (wish > 0 && !others.empty()) change.add = others[random_.below(others.size())];
  if (wish < 2 && (change.add != kNoNode || members.voters.size() > 2)) change.remove = leaves;
  // Who is on the way may be given up.
  if (!members.learners.empty() && random_.chance(300'000)) {
    change = {kNoNode, members.learners.front()};
  }
  if (change.add == kNoNode && change.remove == kNoNode) return;
  ask(asked, change);
  engine_.count(FaultKind::members);
}

void Nemesis::ask(Node& node, const MemberChange& change) {
  MemberChange asked = change;
  if (change.add != kNoNode) asked.disk = nodes_[change.add.value - 1].disk_id();
  asked_[++last_asked_] = asked;
  node.change_members(last_asked_, asked);
}

// A node that is out for good may lose its disk. If it is added again it is a new one, that knows
// nothing of what it once promised.
void Nemesis::answered(const ControlReply& reply) {
  const auto found = asked_.find(reply.id);
  if (found == asked_.end()) return;
  const NodeId removed = found->second.remove;
  asked_.erase(found);
  if (reply.outcome != ControlReply::Outcome::done || removed == kNoNode || healed_) return;
  if (!random_.chance(600'000)) return;
  Node& node = nodes_[removed.value - 1];
  node.wipe();
  engine_.after(draw(milliseconds(1), milliseconds(500)), EventKind::restart, node.id().value,
                node.life());
}

// As long as everything is whole: a removal that was asked for before may be committed after all
// were there.
void Nemesis::gather() {
  if (engine_.algorithm == nullptr || !engine_.algorithm->changes_members) return;
  const NodeId leads = leader();
  if (leads != kNoNode && nodes_[leads.value - 1].running()) {
    Node& node = nodes_[leads.value - 1];
    const Membership& members = *node.driver().replica().membership();
    const auto missing = std::ranges::find_if(nodes_, [&](const Node& other) {
      return std::ranges::find(members.voters, other.id()) == members.voters.end();
    });
    const bool settled = !members.joint() && members.learners.empty();
    if (missing != nodes_.end() && settled) ask(node, {missing->id(), kNoNode});
  }
  engine_.after(milliseconds(50), EventKind::gather, 0);
}

void Nemesis::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::fault:
      if (engine_.weather.faults.empty()) return;
      if (event.subject != 0) {
        Node& node = nodes_[event.subject - 1];
        const auto kind = static_cast<FaultKind>(event.item);
        if (kind != FaultKind::crash) return hit(kind, node);
        if (node.up()) crash(node);
        return;
      }
      return strike(event.item);
    case EventKind::scheduled:
      return scheduled(static_cast<Scheduled>(event.subject), event.item);
    case EventKind::repair:
      return network_.repair(event.item);
    case EventKind::gather:
      return gather();
    case EventKind::resume:
      return nodes_[event.subject - 1].resume(event.item);
    case EventKind::restart: {
      Node& node = nodes_[event.subject - 1];
      if (node.up() || node.life() != event.item) return;
      node.start();
      return echo(node);
    }
    default:
      return;
  }
}

void Nemesis::heal() {
  engine_.note(FactKind::heal, 0);
  engine_.weather = calm(engine_.weather);
  std::fill(doomed_.begin(), doomed_.end(), Doom::none);
  ambush_.clear();
  set_clocks_right();
  healed_ = true;
  for (std::size_t place = 0; place < struck_.size(); ++place) {
    const bool begun = struck_[place].told.begun.has_value();
    if (!begun && !struck_[place].missed && !left_out(static_cast<std::uint32_t>(place + 1))) {
      miss(place);
    }
    if (begun) undo(place);
  }
  network_.heal();
  for (Node& node : nodes_) node.heal();
}

}  // namespace parley::sim
