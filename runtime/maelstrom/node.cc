#include "runtime/maelstrom/node.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

namespace parley::maelstrom {
namespace {

// Steps that follow each other before other input gets its turn.
constexpr int kFollowUpSteps = 8;
// So many complaints are told; the rest is only counted.
constexpr std::uint64_t kMaxTold = 100;
constexpr std::size_t kMaxNameBytes = 256;

// Sessions stay: a node has one, and uses it until it ends. Snapshots are small, since they are
// made in the loop's own thread.
DriverLimits limits() {
  DriverLimits limits;
  limits.session_idle = Duration{};
  limits.snapshot_bytes = 16U << 20;
  limits.max_pending_reads = kMaxPending;
  return limits;
}

// The names of all nodes, or what is wrong with them.
std::string read_names(const Json& body, std::vector<std::string>& names) {
  const auto ids = body.find("node_ids");
  if (ids == body.end() || !ids->is_array() || ids->empty()) {
    return "node_ids: must be an array of the names of all nodes";
  }
  for (const Json& id : *ids) {
    if (!id.is_string() || id.get_ref<const std::string&>().empty() ||
        id.get_ref<const std::string&>().size() > kMaxNameBytes) {
      return "node_ids: must be strings of 1 to " + std::to_string(kMaxNameBytes) + " bytes";
    }
    names.push_back(id.get<std::string>());
  }
  if (std::set<std::string>(names.begin(), names.end()).size() < names.size()) {
    return "node_ids: a name stands there twice";
  }
  return {};
}

}  // namespace

Node::Node(NodeConfig config, Service& service) : config_(std::move(config)), service_(service) {}

void Node::take(std::string_view line, Instant now) {
  Message message;
  if (const std::string problem = decode(line, message); !problem.empty()) {
    return complain(message, problem);
  }
  if (message.type == kFrameType) return take_frame(message);
  // Never answered, or two nodes might go on for ever.
  if (message.in_reply_to || message.type == "error") return drop(message, "answers nothing");
  if (!message.msg_id) return complain(message, "msg_id: is missing");
  const Asker asker{message.src, *message.msg_id};
  if (message.type == "init") return init(message, asker, now);
  if (driver_ == nullptr) {
    outbox_.set_name(message.dest);
    return outbox_.refuse(asker, ErrorCode::temporarily_unavailable, "init has not come yet");
  }
  if (message.dest != name_) {
    return outbox_.refuse(asker, ErrorCode::node_not_found, "dest: this is " + name_);
  }
  desk_->take(asker, message.body, now);
}

// Tells whoever sent it, if that can be done.
void Node::complain(const Message& message, const std::string& problem) {
  if (message.src.empty() || !message.msg_id || message.in_reply_to) return drop(message, problem);
  if (driver_ == nullptr) outbox_.set_name(message.dest);
  outbox_.refuse({message.src, *message.msg_id}, ErrorCode::malformed_request, problem);
}

void Node::drop(const Message& message, const std::string& problem) {
  if (++dropped_.lines > kMaxTold) return;
  spdlog::warn("a line{} is dropped: {}{}", message.src.empty() ? "" : " of " + message.src,
               problem, dropped_.lines == kMaxTold ? "; no more of these are told" : "");
}

void Node::take_frame(const Message& message) {
  Frame frame;
  if (driver_ == nullptr) {
    ++dropped_.frames;  // it will be repeated
  } else if (const FrameFault fault = peers_->receive(message, frame); fault == FrameFault::none) {
    driver_->receive(std::move(frame));
  } else if (++dropped_.frames <= kMaxTold) {
    spdlog::warn("a frame of {} is dropped: {}", message.src, frame_fault_name(fault));
  }
}

void Node::init(const Message& message, const Asker& asker, Instant now) {
  if (driver_ != nullptr) {
    return outbox_.refuse(asker, ErrorCode::precondition_failed, "init has come already");
  }
  outbox_.set_name(message.dest);
  ErrorCode code = ErrorCode::malformed_request;
  if (const std::string problem = start(message, now, code); !problem.empty()) {
    return outbox_.refuse(asker, code, problem);
  }
  outbox_.set_name(name_);
  outbox_.answer(asker, {{"type", "init_ok"}});
}

// Returns what is wrong, or empty, and then the replica is there.
std::string Node::start(const Message& message, Instant now, ErrorCode& code) {
  std::vector<std::string> names;
  if (std::string problem = read_names(message.body, names); !problem.empty()) return problem;
  const auto id = message.body.find("node_id");
  const auto self = id != message.body.end() && id->is_string()
                        ? std::ranges::find(names, id->get_ref<const std::string&>())
                        : names.end();
  if (self == names.end()) return "node_id: must be one of node_ids";
  const Algorithm& algorithm = *config_.algorithm;
  if (names.size() > algorithm.max_nodes) {
    code = ErrorCode::not_supported;
    return "node_ids: " + std::string(algorithm.name) + " runs on at most " +
           std::to_string(algorithm.max_nodes) + " node" + (algorithm.max_nodes == 1 ? "" : "s");
  }

  ReplicaConfig replica;
  replica.self = NodeId{static_cast<std::uint32_t>(self - names.begin()) + 1};
  replica.incarnation = config_.incarnation;
  for (std::uint32_t node = 1; node <= names.size(); ++node) {
    replica.members.push_back(NodeId{node});
  }
  replica.options = config_.options;
  // Nodes of one cluster must not draw the same election timeouts.
  replica.seed = config_.seed * 1'000'003 + replica.self.value;
  replica.now = now;
  if (config_.open_trace) {
    try {
      trace_ = config_.open_trace(replica.self);
    } catch (const std::exception& error) {
      code = ErrorCode::temporarily_unavailable;
      return story_ = std::string("trace: ") + error.what();
    }
  }
  name_ = *self;
  service_.start(replica.self);
  peers_ = std::make_unique<Peers>(algorithm, replica, std::move(names), outbox_);
  // Two nodes that start in one nanosecond still differ.
  const std::uint64_t nonce = config_.incarnation.value * algorithm.max_nodes + replica.self.value;
  driver_ = std::make_unique<Driver>(algorithm, service_.application(), std::move(replica),
                                     Recovered{}, limits(), nullptr, trace_.get());
  desk_ = std::make_unique<Desk>(*driver_, service_, outbox_, nonce, limits().request_timeout);
  spdlog::info("{} runs {}", name_, algorithm.name);
  return {};
}

void Node::turn(Instant now, WallTime wall) {
  if (driver_ == nullptr) return;
  desk_->advance(now);
  for (int steps = 0; steps < kFollowUpSteps && story_.empty(); ++steps) {
    if (!driver_->has_input() && driver_->deadline() > now) return;
    step(now, wall);
  }
}

void Node::step(Instant now, WallTime wall) {
  const Effects& effects = driver_->decide(now, wall);
  story_ = driver_->broken_invariant();
  // A replica that finds its state impossible must not be heard any more.
  if (!story_.empty()) return;
  peers_->send(effects.send_now, effects.bodies);
  if (!effects.writes.empty()) driver_->durable_through(effects.writes.back().ticket);
  peers_->send(effects.send_when_durable, effects.bodies);
  driver_->carry_out();
  story_ = driver_->broken_invariant();
  if (!story_.empty()) return;
  desk_->settle(now);
  desk_->advance(now);
  if (auto task = driver_->take_snapshot_task()) {
    driver_->snapshot_done(run_snapshot_task(std::move(*task), nullptr));
  }
}

void Node::end() {
  if (driver_ != nullptr) driver_->trace_end("stop");
}

Instant Node::deadline() const {
  if (driver_ == nullptr) return kNever;
  if (driver_->has_input()) return Instant::min();
  return std::min(driver_->deadline(), desk_->deadline());
}

Dropped Node::dropped() const {
  Dropped dropped = dropped_;
  if (peers_ != nullptr) dropped.unsent = peers_->oversized();
  return dropped;
}

}  // namespace parley::maelstrom
