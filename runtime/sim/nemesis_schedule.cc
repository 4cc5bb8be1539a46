// The part of the nemesis that follows a schedule.
#include <algorithm>

#include "runtime/sim/nemesis.h"

namespace parley::sim {
namespace {

using std::chrono::milliseconds;
using Kind = ScheduledFault::Kind;

// How often a rolling restart looks how far it is.
constexpr Duration kRollingPoll = milliseconds(5);
// A leader that is to stop hands over first; as live nodes do, for no longer than this.
constexpr Duration kHandOverWithin = std::chrono::seconds(1);

}  // namespace

void Nemesis::scheduled(Scheduled what, std::size_t place) {
  switch (what) {
    case Scheduled::begin:
      return begin(place);
    case Scheduled::end:
      return end(place);
    case Scheduled::roll:
      return roll(place);
  }
}

void Nemesis::later(Duration delay, Scheduled what, std::size_t place) {
  engine_.after(delay, EventKind::scheduled, static_cast<std::uint32_t>(what),
                static_cast<std::uint32_t>(place));
}

// The node that most of those who work name, if it works. Where nobody leads, it is the first that
// works.
NodeId Nemesis::leader() {
  if (engine_.algorithm != nullptr && !engine_.algorithm->guarantee.led) {
    const auto first = std::ranges::find_if(nodes_, [](Node& node) { return node.running(); });
    return first == nodes_.end() ? kNoNode : first->id();
  }
  NodeId best;
  std::ptrdiff_t most = 0;
  for (Node& candidate : nodes_) {
    if (!candidate.running()) continue;
    const auto named = std::count_if(nodes_.begin(), nodes_.end(), [&](Node& node) {
      return node.running() && node.driver().replica().status().leader == candidate.id();
    });
    if (named > most) {
      most = named;
      best = candidate.id();
    }
  }
  return best;
}

// Of a majority the leader is the first; empty if nobody fits.
std::vector<Node*> Nemesis::find_all(const NodeTarget& target) {
  const bool many = target.kind == NodeTarget::Kind::majority;
  Node* first = find(many ? NodeTarget{NodeTarget::Kind::leader, {}} : target);
  if (first == nullptr) return {};
  std::vector<Node*> found{first};
  const std::size_t wanted = many ? majority_of(static_cast<std::uint32_t>(nodes_.size())) : 1;
  for (std::size_t i = nodes_.size(); i > 0 && found.size() < wanted; --i) {
    if (nodes_[i - 1].running() && &nodes_[i - 1] != first) found.push_back(&nodes_[i - 1]);
  }
  return found.size() == wanted ? found : std::vector<Node*>();
}

Node* Nemesis::find(const NodeTarget& target) {
  const NodeId leads = leader();
  switch (target.kind) {
    case NodeTarget::Kind::leader:
    case NodeTarget::Kind::majority:
      return leads == kNoNode ? nullptr : &nodes_[leads.value - 1];
    case NodeTarget::Kind::follower:
      for (std::size_t i = nodes_.size(); i > 0; --i) {
        if (nodes_[i - 1].running() && nodes_[i - 1].id() != leads) return &nodes_[i - 1];
      }
      return nullptr;
    case NodeTarget::Kind::node:
      if (target.id.value == 0 || target.id.value > nodes_.size()) return nullptr;
      return nodes_[target.id.value - 1].running() ? &nodes_[target.id.value - 1] : nullptr;
  }
  return nullptr;
}

// A fault for the leader waits until there is one, as with live nodes.
void Nemesis::begin(std::size_t place) {
  constexpr std::uint32_t kMaxTries = 500;
  if (healed_) return;  // it waited too long
  const ScheduledFault& fault = (*schedule_)[place];
  Struck& struck = struck_[place];
  const bool without = fault.without_target();
  const std::vector<Node*> found = without ? std::vector<Node*>() : find_all(fault.target);
  if (found.empty() && !without) {
    const bool wants_leader = fault.target.kind == NodeTarget::Kind::leader ||
                              fault.target.kind == NodeTarget::Kind::majority;
    if (wants_leader && ++struck.tries < kMaxTries)
      return later(milliseconds(20), Scheduled::begin, place);
    return miss(place);
  }
  strikes_.push_back(static_cast<std::uint32_t>(place + 1));
  struck.told = {found.empty() ? kNoNode : found.front()->id(), engine_.now, {}};
  if (fault.of_links()) {
    slow_or_cut(place);
  } else {
    for (Node* node : found) strike_one(fault, *node, struck);
  }
  if (fault.kind == Kind::rolling_restart) later(Duration{}, Scheduled::roll, place);
  if (fault.kind != Kind::kill) later(fault.lasts, Scheduled::end, place);
}

void Nemesis::strike_one(const ScheduledFault& fault, Node& node, Struck& struck) {
  struck.lives.emplace_back(node.id(), node.life());
  switch (fault.kind) {
    case Kind::kill:
    case Kind::restart:
      node.crash();
      return engine_.count(FaultKind::crash);
    case Kind::pause:
      node.pause(fault.lasts);
      return engine_.count(FaultKind::pause);
    case Kind::slow_disk:
      node.slow_disk(fault.write_delay);
      return engine_.count(FaultKind::slow_disk);
    case Kind::full_disk:
      return node.fill_disk(true);  // counted when a sync fails
    case Kind::clock_step:
      node.step_wall_clock(node.skew() + fault.clock_step);
      return engine_.count(FaultKind::clock);
    default:
      return;
  }
}

void Nemesis::slow_or_cut(std::size_t place) {
  const ScheduledFault& fault = (*schedule_)[place];
  Struck& struck = struck_[place];
  struck.links = links_of(fault.cut, struck.told.node, static_cast<std::uint32_t>(nodes_.size()));
  if (fault.kind == Kind::slow_link) {
    network_.slow(struck.links, fault.slower);
    return engine_.count(FaultKind::stall);  // the kind that is nearest
  }
  network_.cut(struck.links, "cut by schedule");
  engine_.count(fault.cut.direction == CutShape::Direction::both ? FaultKind::partition
                                                                 : FaultKind::one_way);
}

void Nemesis::miss(std::size_t place) {
  struck_[place].missed = true;
  missed_.push_back((*schedule_)[place].name() + ": nobody fits");
}

void Nemesis::end(std::size_t place) {
  const ScheduledFault& fault = (*schedule_)[place];
  Struck& struck = struck_[place];
  if (fault.kind == Kind::rolling_restart) {
    if (!struck.told.ended && !healed_) missed_.push_back(fault.name() + ": not over in time");
    return;
  }
  struck.told.ended = engine_.now;
  undo(place);
}

// What lasts is over, which may be so because everything heals.
void Nemesis::undo(std::size_t place) {
  const ScheduledFault& fault = (*schedule_)[place];
  Struck& struck = struck_[place];
  if (struck.undone || fault.kind == Kind::kill || fault.kind == Kind::pause) return;
  struck.undone = true;
  if (fault.kind == Kind::cut) return network_.mend(struck.links);
  if (fault.kind == Kind::slow_link) return network_.speed_up(struck.links, fault.slower);
  for (const auto& [id, life] : struck.lives) {
    Node& node = nodes_[id.value - 1];
    if (fault.kind == Kind::slow_disk) node.slow_disk({});
    if (fault.kind == Kind::clock_step) node.step_wall_clock(node.skew() - fault.clock_step);
    if (fault.kind == Kind::full_disk) node.fill_disk(false);
    const bool starts = fault.kind == Kind::restart || fault.kind == Kind::full_disk;
    if (starts) engine_.after(Duration{}, EventKind::restart, id.value, life);
  }
}

// A step of a rolling restart: what the node that has its turn is waited for.
void Nemesis::roll(std::size_t place) {
  const ScheduledFault& fault = (*schedule_)[place];
  Rolling& rolling = struck_[place].rolling;
  if (healed_) return;
  Node& node = nodes_[rolling.next];
  switch (rolling.step) {
    case Rolling::Step::ask:
      if (!node.running()) return miss(place);
      ask_to_hand_over(node);
      rolling = {rolling.next, Rolling::Step::stop, engine_.now, {}};
      break;
    case Rolling::Step::stop:
      if (leader() == node.id() && nodes_.size() > 1 &&
          engine_.now < rolling.since + kHandOverWithin && engine_.algorithm->hands_over)
        break;
      if (!node.up()) return miss(place);  // another fault was sooner
      node.crash();
      engine_.count(FaultKind::crash);
      engine_.after(fault.down, EventKind::restart, node.id().value, node.life());
      rolling.step = Rolling::Step::catch_up;
      break;
    case Rolling::Step::catch_up:
      if (!caught_up(node, rolling)) break;
      rolling = {rolling.next + 1, Rolling::Step::ask, {}, {}};
      if (rolling.next == nodes_.size()) {
        struck_[place].told.ended = engine_.now;
        return;
      }
      break;
  }
  later(kRollingPoll, Scheduled::roll, place);
}

void Nemesis::ask_to_hand_over(Node& node) {
  if (!engine_.algorithm->hands_over || leader() != node.id() || nodes_.size() == 1) return;
  node.hand_over(++last_asked_, kNoNode);
  engine_.count(FaultKind::handover);
}

// Whether it has applied what any had when it was there again, and knows a leader if there are any.
bool Nemesis::caught_up(Node& node, Rolling& rolling) {
  if (!node.running()) return false;
  if (!rolling.goal) {
    rolling.goal = LogIndex{};
    for (Node& other : nodes_) {
      if (other.running()) rolling.goal = std::max(*rolling.goal, other.driver().applied());
    }
  }
  const bool led = node.driver().replica().status().leader != kNoNode;
  return node.driver().applied() >= *rolling.goal && (led || !engine_.algorithm->guarantee.led);
}

std::vector<StruckFault> Nemesis::struck() const {
  std::vector<StruckFault> told;
  for (const Struck& struck : struck_) told.push_back(struck.told);
  return told;
}

}  // namespace parley::sim
