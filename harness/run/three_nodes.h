// Three nodes' drivers with the canvas, sessions and stores in one thread, without sockets and
// processes between them: messages are copied as a transport does. For benchmarks.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/command.h"
#include "apps/canvas/canvas.h"
#include "runtime/driver.h"

namespace parley::harness {

class ThreeNodes {
 public:
  static constexpr std::uint32_t kNodes = 3;
  static constexpr std::uint32_t kSessions = 1024;

  explicit ThreeNodes(const Algorithm& algorithm, Instant now = Instant(std::chrono::seconds(1)))
      : canvas_(kSize), algorithm_(algorithm), now_(now) {
    for (std::uint32_t i = 1; i <= kNodes; ++i) {
      DriverLimits limits;
      limits.session_idle = Duration{};
      limits.snapshot_bytes = 0;
      nodes_.push_back({i, std::make_unique<Driver>(algorithm, canvas_, config_of(i), Recovered{},
                                                    limits, nullptr)});
    }
  }

  // Of node `id`, from 1 on.
  [[nodiscard]] ReplicaConfig config_of(std::uint32_t id) const {
    ReplicaConfig config;
    config.self = {id};
    config.incarnation = {1};
    for (std::uint32_t member = 1; member <= kNodes; ++member) config.members.push_back({member});
    config.options = default_options(algorithm_.options);
    config.seed = id;
    config.now = now_;
    return config;
  }

  [[nodiscard]] Driver& driver(std::uint32_t node) { return *nodes_[node].driver; }
  [[nodiscard]] const Application& application() const { return canvas_; }
  // Called after each step of a node, 0 to 2, when what it has settled can be read.
  void after_step(std::function<void(std::uint32_t)> called) { after_step_ = std::move(called); }
  // Called with what a node, 0 to 2, sends, instead of handing it to the others.
  using Send = std::function<void(std::uint32_t, std::span<const Block>, std::span<const Message>)>;
  void send_by(Send send) { send_by_ = std::move(send); }
  // Everyone has turns until there is nothing left to do.
  void turn(Instant now) {
    now_ = now;
    for (Node& node : nodes_) {
      if (node.driver->has_input() || node.driver->deadline() <= now) step(node);
    }
    for (bool busy = true; busy;) {
      busy = false;
      for (Node& node : nodes_) {
        if (!node.driver->has_input()) continue;
        step(node);
        busy = true;
      }
    }
  }
  // When to call `turn` next even without input.
  [[nodiscard]] Instant deadline() const {
    Instant first = kNever;
    for (const Node& node : nodes_) first = std::min(first, node.driver->deadline());
    return first;
  }

  // Elects, and opens the sessions at the node that leads, or at the first where nobody has to;
  // false if nobody does.
  bool begin() {
    if (!algorithm_.guarantee.ordered) leader_ = 0;
    for (int i = 0; i < 5000 && leader_ == kNodes; ++i) {
      pass(std::chrono::milliseconds(1));
      const NodeId named = nodes_[0].driver->replica().status().leader;
      if (named != kNoNode) leader_ = named.value - 1;
    }
    if (leader_ == kNodes) return false;
    for (std::uint64_t nonce = 1; nonce <= kSessions; ++nonce) {
      body_.clear();
      append_open_session(nonce, body_);
      nodes_[leader_].driver->submit({1, nonce}, body_, 1);
    }
    opening_ = true;
    for (int i = 0; i < 100 && sessions_.size() < kSessions; ++i) {
      pass(std::chrono::milliseconds(1));
    }
    opening_ = false;
    return sessions_.size() == kSessions;
  }

  // Places `count` pixels in one turn of the leader, until each is answered.
  bool place(std::uint32_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const std::uint32_t session = next_++ % kSessions;
      // Spread over the canvas, as uniform load is.
      const std::uint32_t cell =
          static_cast<std::uint32_t>(next_ * 2654435761U) % (kSize.width * kSize.height);
      body_.clear();
      encode_place({sessions_[session]}, ++sequences_[session],
                   {static_cast<std::uint16_t>(cell % kSize.width),
                    static_cast<std::uint16_t>(cell / kSize.width), next_ & kMaxColor, 1},
                   body_);
      nodes_[leader_].driver->submit({1, next_}, body_, 1);
    }
    answered_ = 0;
    for (int i = 0; i < 100 && answered_ < count; ++i) pass(std::chrono::microseconds(100));
    return answered_ == count;
  }

 private:
  struct Node {
    std::uint32_t id;
    std::unique_ptr<Driver> driver;
  };

  void pass(Duration time) { turn(now_ + time); }

  void step(Node& node) {
    const std::uint32_t from = node.id;
    const Effects& effects = node.driver->decide(now_, WallTime(now_.time_since_epoch()));
    send(from, effects.send_now, effects);
    send(from, effects.send_when_durable, effects);
    if (!effects.writes.empty()) node.driver->durable_through(effects.writes.back().ticket);
    node.driver->carry_out();
    if (after_step_) after_step_(from - 1);
    answered_ += static_cast<std::uint32_t>(node.driver->submits().size());
    if (!opening_) return;
    for (const Result& result : node.driver->results()) {
      sessions_.push_back(static_cast<std::uint32_t>(result.value));
    }
  }

  void send(std::uint32_t from, std::span<const Message> messages, const Effects& effects) {
    if (send_by_) return send_by_(from - 1, effects.bodies, messages);
    for (const Message& message : messages) hand_over(from, message, effects);
  }

  void hand_over(std::uint32_t from, const Message& message, const Effects& effects) {
    std::size_t size = 0;
    const auto parts = std::span(effects.bodies).subspan(message.body.first, message.body.count);
    for (const Block& part : parts) size += part.size();
    const Block body = Block::make(size, [&](std::byte* to) {
      for (const Block& part : parts) {
        std::memcpy(to, part.data(), part.size());
        to += part.size();
      }
    });
    const Block header = Block::copy_of(message.header.bytes());
    if (!algorithm_.verify(header, body)) std::abort();
    nodes_[message.to.value - 1].driver->receive({{}, {from}, {1}, header, body});
  }

  static constexpr CanvasSize kSize{};

  Canvas canvas_;
  const Algorithm& algorithm_;
  std::deque<Node> nodes_;
  Instant now_;
  std::uint32_t leader_ = kNodes;
  bool opening_ = false;
  std::vector<std::uint32_t> sessions_;
  std::vector<std::uint32_t> sequences_ = std::vector<std::uint32_t>(kSessions);
  std::uint32_t next_ = 0;
  std::uint32_t answered_ = 0;
  std::vector<std::byte> body_;
  std::function<void(std::uint32_t)> after_step_;
  Send send_by_;
};

}  // namespace parley::harness
