// Three replicas with their stores in one thread, without sockets and disks: what an algorithm
// itself costs. Bodies are copied once for each receiver, as a transport does. For benchmarks.
#pragma once

#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <span>
#include <vector>

#include "algorithms/contract/algorithm.h"

namespace parley {

class BenchmarkCluster {
 public:
  static constexpr std::uint32_t kNodes = 3;

  // `algorithm` outlives the cluster; the stores have so many cells.
  BenchmarkCluster(const Algorithm& algorithm, const OptionValues& options, std::uint32_t cells)
      : algorithm_(algorithm) {
    for (std::uint32_t i = 1; i <= kNodes; ++i) {
      ReplicaConfig config;
      config.self = NodeId{i};
      config.incarnation = {1};
      config.members = {NodeId{1}, NodeId{2}, NodeId{3}};
      config.options = options;
      config.seed = i;
      nodes_.emplace_back(cells).replica = algorithm.make(config, {});
    }
  }

  // Hands runs to a node, numbered from 0, and goes on until all nodes have nothing left to say.
  void submit(std::uint32_t node, std::span<const CommandRun> runs) {
    step(node, runs);
    settle();
  }

  // Of the next turns.
  void set_time(Instant now) { now_ = now; }
  [[nodiscard]] Instant time() const { return now_; }

  [[nodiscard]] std::uint64_t committed(std::uint32_t node) const { return nodes_[node].committed; }
  [[nodiscard]] std::uint64_t replies() const { return replies_; }
  [[nodiscard]] std::uint64_t steps() const { return steps_; }
  [[nodiscard]] const Replica& replica(std::uint32_t node) const { return *nodes_[node].replica; }
  [[nodiscard]] const Store& store(std::uint32_t node) const { return nodes_[node].store; }

 private:
  struct Node {
    explicit Node(std::uint32_t cells) : store(cells) {}
    std::unique_ptr<Replica> replica;
    Store store;
    Ticket durable;
    std::vector<Frame> inbox;
    std::uint64_t committed = 0;  // runs
  };

  void settle() {
    for (bool busy = true; busy;) {
      busy = false;
      for (std::uint32_t i = 0; i < kNodes; ++i) {
        if (nodes_[i].inbox.empty()) continue;
        step(i, {});
        busy = true;
      }
    }
  }

  // A turn with all that waits, and the one that follows when something was written.
  void step(std::uint32_t i, std::span<const CommandRun> runs) {
    Node& node = nodes_[i];
    frames_.swap(node.inbox);
    step_once(i, frames_, runs);
    frames_.clear();
    if (!effects_.writes.empty()) {
      node.durable = effects_.writes.back().ticket;
      step_once(i, {}, {});
    }
  }

  void step_once(std::uint32_t i, std::span<const Frame> frames, std::span<const CommandRun> runs) {
    Node& node = nodes_[i];
    Turn turn;
    turn.now = now_;
    turn.wall = WallTime(now_.time_since_epoch());
    turn.durable_through = node.durable;
    turn.frames = frames;
    turn.commands = runs;
    effects_.clear();
    node.replica->step(turn, node.store, effects_);
    ++steps_;
    node.committed += effects_.commit.size();
    replies_ += effects_.replies.size();
    for (const MergeCandidate& c : effects_.merge) {
      node.store.write(c.key, c.value, c.stamp, c.writer);
    }
    for (const Message& message : effects_.send_now) send(i, message);
    for (const Message& message : effects_.send_when_durable) send(i, message);
  }

  void send(std::uint32_t from, const Message& message) {
    std::size_t size = 0;
    const auto parts = std::span(effects_.bodies).subspan(message.body.first, message.body.count);
    for (const Block& part : parts) size += part.size();
    const Block body = Block::make(size, [&](std::byte* to) {
      for (const Block& part : parts) {
        std::memcpy(to, part.data(), part.size());
        to += part.size();
      }
    });
    if (!algorithm_.verify(message.header, body)) std::abort();
    nodes_[message.to.value - 1].inbox.push_back({{}, NodeId{from + 1}, {1}, message.header, body});
  }

  const Algorithm& algorithm_;
  std::deque<Node> nodes_;
  Instant now_;
  Effects effects_;
  std::vector<Frame> frames_;
  std::uint64_t replies_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace parley
