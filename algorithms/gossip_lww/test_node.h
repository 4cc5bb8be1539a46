// Nodes of gossip_lww in one process, whose messages a test carries by hand.
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "algorithms/contract/store.h"
#include "algorithms/gossip_lww/codec.h"
#include "algorithms/gossip_lww/core.h"
#include "algorithms/gossip_lww/options.h"

namespace parley::gossip_lww::test {

inline constexpr std::uint32_t kKeys = 4096;

// One node with its store, its disk (which keeps what a test lets become durable) and its clocks.
class TestNode {
 public:
  TestNode(std::uint32_t id, std::uint32_t members, OptionValues options)
      : id_(id), members_(members), options_(std::move(options)) {
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
    recovered.state = state_;
    recovered.records = disk_;
    store_ = std::make_unique<Store>(kKeys);
    core_ = std::make_unique<Core>(config, recovered);
    issued_ = durable_ = {};
    unsynced_.clear();
    held_.clear();
  }

  // A turn. Writes become durable with the next turn, unless `synced` is false.
  void step(std::vector<Frame> frames = {}, std::vector<CommandRun> runs = {},
            std::vector<ReadRequest> reads = {}) {
    Turn turn;
    turn.now = now;
    turn.wall = WallTime(now.time_since_epoch()) + std::chrono::hours(1) + skew;
    if (synced) sync();
    turn.durable_through = durable_;
    turn.frames = frames;
    turn.commands = runs;
    turn.reads = reads;
    effects.clear();
    core_->step(turn, *store_, effects);
    for (const MergeCandidate& c : effects.merge) {
      ASSERT_NE(store_->write(c.key, c.value, c.stamp, c.writer), WriteResult::conflict);
    }
    for (const Write& write : effects.writes) {
      issued_ = write.ticket;
      unsynced_.push_back(write);
    }
    if (synced) sync();
    for (const RunReply& reply : effects.replies) replied.push_back(reply);
    for (const Refusal& refusal : effects.refused) refused.push_back(refusal);
    for (const ReadReady& read : effects.reads_ready) ready.push_back(read.id);
    for (const Message& message : effects.send_now) outbox.push_back(frame_of(message));
    for (const Message& message : effects.send_when_durable) {
      (durable_ == issued_ ? outbox : held_).push_back(frame_of(message));
    }
  }

  void read(const ReadRequest& request) { step({}, {}, {request}); }

  // Writes `value` into a cell; the number of the run.
  std::uint64_t write(std::uint32_t key, std::uint64_t value) { return write({{key, value}}); }
  std::uint64_t write(const std::vector<std::pair<std::uint32_t, std::uint64_t>>& cells) {
    std::vector<CellWrite> writes;
    for (const auto& [key, value] : cells) writes.push_back({{key}, 0, value, {id_, ++sequence_}});
    CommandRun run{{{id_}, {life_}, ++runs_},
                   static_cast<std::uint32_t>(writes.size()),
                   Block::copy_of(std::as_bytes(std::span(writes)))};
    step({}, {run});
    return runs_;
  }

  void sync() {
    for (Write& write : unsynced_) {
      if (write.kind == Write::Kind::state) state_ = write.header;
      if (write.kind == Write::Kind::append) {
        disk_.push_back({write.index, write.header, write.body});
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
  [[nodiscard]] const Core& core() const { return *core_; }
  [[nodiscard]] bool acknowledged(std::uint64_t run) const {
    for (const RunReply& reply : replied) {
      if (reply.run.number == run && reply.run.incarnation.value == life_) return true;
    }
    return false;
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
  std::vector<std::uint64_t> ready;  // reads

 private:
  Outgoing frame_of(const Message& message) const {
    std::vector<std::byte> bytes;
    for (std::uint32_t i = 0; i < message.body.count; ++i) {
      const Bytes part = effects.bodies[message.body.first + i].bytes();
      bytes.insert(bytes.end(), part.begin(), part.end());
    }
    const Block body = Block::copy_of(bytes);
    EXPECT_TRUE(verify(message.header, body));
    return {message.to, {{}, {id_}, {life_}, message.header, body}};
  }

  std::uint32_t id_;
  std::uint32_t members_;
  OptionValues options_;
  std::uint64_t life_ = 0;
  std::uint64_t runs_ = 0;
  std::uint32_t sequence_ = 0;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Core> core_;
  Block state_;
  std::vector<Record> disk_;
  std::vector<Write> unsynced_;
  std::deque<Outgoing> held_;
  Ticket issued_;
  Ticket durable_;
};

// Nodes that reach each other at once, where the test does not say otherwise.
class Cluster : public testing::Test {
 protected:
  void make(std::uint32_t count,
            const std::vector<std::pair<std::string, std::string>>& options = {}) {
    const auto specs = option_specs();
    OptionValues values = default_options(specs);
    for (const auto& [name, text] : options) {
      ASSERT_EQ(set_option(specs, name, text, values), "");
    }
    for (std::uint32_t i = 1; i <= count; ++i) nodes_.emplace_back(i, count, values);
    run(std::chrono::seconds(1));  // clocks become known
  }

  TestNode& node(std::uint32_t id) { return nodes_[id - 1]; }
  void cut(std::uint32_t id) { cut_.push_back({id}); }
  void heal() { cut_.clear(); }

  // Carries what the nodes have sent.
  void deliver() {
    for (bool any = true; any;) {
      any = false;
      for (std::size_t i = 0; i < nodes_.size(); ++i) {
        while (!nodes_[i].outbox.empty()) {
          const TestNode::Outgoing sent = nodes_[i].outbox.front();
          nodes_[i].outbox.pop_front();
          if (is_cut(sent.to) || is_cut(sent.frame.from)) continue;
          if (passes_ && !passes_(sent)) continue;
          if (!sent.frame.body.empty()) ++bodies_;
          body_bytes_ += sent.frame.body.size();
          nodes_[sent.to.value - 1].step({sent.frame});
          any = true;
        }
      }
    }
  }

  // Time passes, in steps of five milliseconds.
  void run(Duration duration) {
    for (Duration left = duration; left > Duration{}; left -= kStep) {
      for (TestNode& node : nodes_) {
        node.now += kStep;
        node.step();
      }
      deliver();
    }
  }

  void expect_equal() {
    for (const TestNode& node : nodes_) {
      EXPECT_EQ(node.store().digest(), nodes_.front().store().digest());
    }
  }

  std::deque<TestNode> nodes_;
  std::function<bool(const TestNode::Outgoing&)> passes_;  // besides; empty: everything does
  std::uint64_t bodies_ = 0;                               // messages that carried cells
  std::uint64_t body_bytes_ = 0;

 private:
  static constexpr Duration kStep = std::chrono::milliseconds(5);
  [[nodiscard]] bool is_cut(NodeId id) const {
    return std::find(cut_.begin(), cut_.end(), id) != cut_.end();
  }
  std::vector<NodeId> cut_;
};

}  // namespace parley::gossip_lww::test
