// Nodes of a strategy that merges, in one process, whose messages a test carries by hand.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "algorithms/contract/store.h"

namespace parley::story {

// One node with its store, its disk (which keeps what a test lets become durable) and its clocks.
class MergeNode {
 public:
  MergeNode(const Algorithm& algorithm, std::uint32_t id, std::uint32_t members,
            OptionValues options, std::uint32_t keys)
      : algorithm_(algorithm), id_(id), members_(members), options_(std::move(options)) {
    keys_ = keys;
    start();
  }

  // From what is on its disk, with an empty store.
  void start() {
    ReplicaConfig config;
    config.self = {id_};
    config.incarnation = {++life_};
    for (std::uint32_t i = 1; i <= members_; ++i) config.members.push_back({i});
    config.options = options_;
    config.seed = id_ * 1000 + life_;
    config.now = now;
    Recovered recovered;
    recovered.snapshot.id.index = snapshot_;
    recovered.records = disk_;
    store_ = std::make_unique<Store>(keys_);
    for (const auto& [key, cell] : saved_) store_->write(key, cell.value, cell.stamp, cell.writer);
    replica_ = algorithm_.make(config, recovered);
    issued_ = durable_ = {};
    unsynced_.clear();
    held_.clear();
    outbox.clear();
    runs_ = 0;
  }

  // A turn. Writes become durable at once, unless `synced` is false.
  void step(const std::vector<Frame>& frames = {}, const std::vector<CommandRun>& runs = {},
            const std::vector<ReadRequest>& reads = {}, const std::vector<Control>& controls = {}) {
    if (synced) sync();
    Turn turn;
    turn.now = now;
    turn.wall = WallTime(now.time_since_epoch()) + std::chrono::hours(1) + skew;
    turn.durable_through = durable_;
    turn.frames = frames;
    turn.commands = runs;
    turn.reads = reads;
    turn.controls = controls;
    effects.clear();
    replica_->step(turn, *store_, effects);
    ASSERT_EQ(effects.broken_invariant, "");
    for (const MergeCandidate& c : effects.merge) {
      ASSERT_NE(store_->write(c.key, c.value, c.stamp, c.writer), WriteResult::conflict);
    }
    for (const Write& write : effects.writes) {
      issued_ = write.ticket;
      if (write.kind == Write::Kind::append) last_ = write.index;
      unsynced_.push_back(write);
    }
    for (const Message& message : effects.send_now) outbox.push_back(frame_of(message));
    for (const Message& message : effects.send_when_durable) held_.push_back(frame_of(message));
    if (synced) sync();
    replied.insert(replied.end(), effects.replies.begin(), effects.replies.end());
    refused.insert(refused.end(), effects.refused.begin(), effects.refused.end());
  }

  // Writes `value` into a cell; the number of the run.
  std::uint64_t write(std::uint32_t key, std::uint64_t value) {
    const CellWrite write{{key}, 0, value, {id_, ++sequence_}};
    step({}, {{{{id_}, {life_}, ++runs_}, 1, Block::copy_of(std::as_bytes(std::span(&write, 1)))}});
    return runs_;
  }

  // The store and all that is written so far, as a snapshot takes its place.
  void snapshot() {
    sync();
    saved_.clear();
    for (Key key{0}; key.value < keys_; ++key.value) {
      if (store_->at(key).stamp != Stamp{}) saved_.emplace_back(key, store_->at(key));
    }
    step({}, {}, {}, {{Control::Kind::snapshot_saved, {last_, 1, 0}}});
  }

  void sync() {
    for (const Write& write : unsynced_) {
      if (write.kind == Write::Kind::append) {
        disk_.push_back({write.index, write.header, write.body});
      } else if (write.kind == Write::Kind::snapshot) {
        snapshot_ = write.index;
        std::erase_if(disk_, [&](const Record& r) { return r.index <= write.index; });
      }
    }
    unsynced_.clear();
    durable_ = issued_;
    outbox.insert(outbox.end(), held_.begin(), held_.end());
    held_.clear();
  }

  [[nodiscard]] std::uint64_t value(std::uint32_t key) const { return store_->at({key}).value; }
  [[nodiscard]] Stamp stamp(std::uint32_t key) const { return store_->at({key}).stamp; }
  [[nodiscard]] const Store& store() const { return *store_; }
  [[nodiscard]] Status status() const { return replica_->status(); }
  [[nodiscard]] Instant deadline() const { return replica_->deadline(); }
  [[nodiscard]] bool acknowledged(std::uint64_t run) const {
    return std::ranges::any_of(replied, [&](const RunReply& reply) {
      return reply.run.number == run && reply.run.incarnation.value == life_;
    });
  }

  struct Outgoing {
    NodeId to;
    Frame frame;
  };

  Instant now{std::chrono::seconds(1)};
  Duration skew{};  // of the wall clock
  bool synced = true;
  Effects effects;
  std::deque<Outgoing> outbox;
  std::vector<RunReply> replied;
  std::vector<Refusal> refused;

 private:
  [[nodiscard]] Outgoing frame_of(const Message& message) const {
    std::vector<std::byte> bytes;
    for (std::uint32_t i = 0; i < message.body.count; ++i) {
      const Bytes part = effects.bodies[message.body.first + i].bytes();
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
    const Block body = Block::copy_of(bytes);
    EXPECT_TRUE(algorithm_.verify(message.header, body));
    return {message.to, {{}, {id_}, {life_}, message.header, body}};
  }

  const Algorithm& algorithm_;
  std::uint32_t id_;
  std::uint32_t members_;
  OptionValues options_;
  std::uint32_t keys_;
  std::uint64_t life_ = 0;
  std::uint64_t runs_ = 0;
  std::uint32_t sequence_ = 0;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Replica> replica_;
  LogIndex snapshot_;
  LogIndex last_;
  std::vector<std::pair<Key, Cell>> saved_;
  std::vector<Record> disk_;
  std::vector<Write> unsynced_;
  std::deque<Outgoing> held_;
  Ticket issued_;
  Ticket durable_;
};

// Nodes that reach each other at once, where the test does not say otherwise.
class MergeCluster {
 public:
  MergeCluster(const Algorithm& algorithm, const OptionValues& options, std::uint32_t count,
               std::uint32_t keys) {
    for (std::uint32_t i = 1; i <= count; ++i)
      nodes.emplace_back(algorithm, i, count, options, keys);
  }

  MergeNode& node(std::uint32_t id) { return nodes[id - 1]; }

  // Nodes of different sides do not hear each other.
  void split(std::vector<int> sides) { sides_ = std::move(sides); }
  void heal() { sides_.clear(); }
  // Does not run, hears nothing and loses what it had not synced.
  void crash(std::uint32_t id) { down_ |= 1U << id; }
  void restart(std::uint32_t id) {
    down_ &= ~(1U << id);
    node(id).start();
  }

  // Carries what the nodes have sent.
  void deliver() {
    for (bool any = true; any;) {
      any = false;
      for (MergeNode& from : nodes) {
        while (!from.outbox.empty()) {
          const MergeNode::Outgoing sent = from.outbox.front();
          from.outbox.pop_front();
          if (!reach(sent.frame.from, sent.to)) continue;
          node(sent.to.value).step({sent.frame});
          any = true;
        }
      }
    }
  }

  // Time passes, in steps of five milliseconds.
  void run(Duration duration) {
    constexpr Duration kStep = std::chrono::milliseconds(5);
    for (Duration left = duration; left > Duration{}; left -= kStep) {
      for (std::uint32_t id = 1; id <= nodes.size(); ++id) {
        node(id).now += kStep;
        if ((down_ >> id & 1) == 0) node(id).step();
      }
      deliver();
    }
  }

  void expect_equal() {
    for (const MergeNode& node : nodes) {
      EXPECT_EQ(node.store().digest(), nodes.front().store().digest());
    }
  }

  std::deque<MergeNode> nodes;

 private:
  [[nodiscard]] bool reach(NodeId from, NodeId to) const {
    if ((down_ >> from.value & 1) != 0 || (down_ >> to.value & 1) != 0) return false;
    return sides_.empty() || sides_[from.value - 1] == sides_[to.value - 1];
  }

  std::vector<int> sides_;
  std::uint32_t down_ = 0;
};

}  // namespace parley::story
