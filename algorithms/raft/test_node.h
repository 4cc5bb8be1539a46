// One replica between hand-made messages: what it gets and what it does, as text.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "algorithms/raft/codec.h"
#include "algorithms/raft/replica.h"

namespace parley::raft::test {

// Node 1 of a cluster. Each input is a turn of its own, unless gathered between begin() and end().
// Nothing becomes durable but by durable().
class TestNode {
 public:
  using Lines = std::vector<std::string>;

  // Pre-vote is off, so that one time-out is an election. `joins`: it is not among the first
  // members, which are nodes 2 to `size`.
  explicit TestNode(std::uint32_t size, std::vector<std::pair<std::string, std::int64_t>> set = {},
                    Recovered recovered = {}, std::uint64_t incarnation = 1, bool joins = false);

  // What storage holds of a node of that term, with a log of entries of these terms.
  static Recovered disk(std::uint64_t term, std::uint32_t vote,
                        const std::vector<std::uint64_t>& log);

  // The same with a snapshot in the place of what is before the log.
  static Recovered disk_behind(std::uint64_t term, std::uint64_t snapshot_index,
                               std::uint64_t snapshot_term, const std::vector<std::uint64_t>& log);

  // Each returns the effects of the turn: "writes #1 state term 1 vote 1", "sends 2 vote_request
  // ...", "sends 2 when durable ...", "takes part 0 of snapshot 5", "installs 5", "commits 1 -",
  // "read 1 at 3", "refuses run 1", "answers 1: done", "answers 1: refused, ...", "broken: ...".
  Lines step() { return run_turn(); }
  Lines wait(Duration time);  // and no more
  Lines time_out();           // up to its deadline
  Lines durable(std::uint64_t ticket);
  Lines durable_all() { return durable(issued_); }
  Lines vote_request(std::uint32_t from, std::uint64_t term, std::uint64_t last_index,
                     std::uint64_t last_term, bool pre = false, bool handed_over = false);
  Lines vote_reply(std::uint32_t from, std::uint64_t term, bool granted, bool pre = false);
  // The entries after `prev_index` have the terms `terms`, and these as their texts.
  Lines append(std::uint32_t from, std::uint64_t term, std::uint64_t prev_index,
               std::uint64_t prev_term, const std::vector<std::uint64_t>& terms,
               std::uint64_t commit = 0, std::uint64_t round = 0);
  // An entry that brings these members into force.
  Lines append_members(std::uint32_t from, std::uint64_t term, std::uint64_t prev_index,
                       std::uint64_t prev_term, const Membership& members,
                       std::uint64_t commit = 0);
  Lines append_reply(std::uint32_t from, std::uint64_t term, std::uint64_t agreed,
                     std::uint64_t round = 0);
  Lines rejection(std::uint32_t from, std::uint64_t term, std::uint64_t agreed,
                  std::uint64_t rejected, std::uint64_t last, const std::vector<TermStart>& starts);
  Lines forward(std::uint32_t from, std::uint64_t number, const std::string& text);
  Lines read_request(std::uint32_t from, std::uint64_t incarnation, std::uint64_t number);
  Lines read_reply(std::uint32_t from, std::uint64_t incarnation, std::uint64_t number,
                   std::uint64_t index);
  // A snapshot of three parts, saved here, or sent by `from`, or received whole and loaded.
  static SnapshotId snapshot(std::uint64_t index) { return {{index}, 3, 77}; }
  Lines saved(std::uint64_t index) { return control(Control::Kind::snapshot_saved, index); }
  Lines loaded(std::uint64_t index) { return control(Control::Kind::snapshot_loaded, index); }
  Lines failed(std::uint64_t index) { return control(Control::Kind::snapshot_failed, index); }
  Lines install(std::uint32_t from, std::uint64_t term, std::uint64_t index,
                std::uint64_t index_term, std::uint32_t part);
  Lines install_reply(std::uint32_t from, std::uint64_t term, std::uint64_t index,
                      std::uint32_t next);
  // The operator wants node `add` to come, if not 0, and `remove` to go. The first such control has
  // the id 1.
  Lines change(std::uint32_t add, std::uint32_t remove, DiskId disk = {});
  Lines hand_over(std::uint32_t to = 0);
  Lines timeout_now(std::uint32_t from, std::uint64_t term, std::uint64_t last);
  Lines submit(const std::string& text);
  Lines read(std::uint64_t id);

  // What the others send from now on comes from nodes with that disk, and is meant for this node
  // with the disk `to`.
  void speak(DiskId from, DiskId to) {
    encoder_ = Encoder(from);
    to_ = to;
  }

  // Inputs from here on make one turn, which end() runs.
  void begin() { gathering_ = true; }
  Lines end();

  // Makes it the leader of the next term by its own time-out and the votes of a majority; all is
  // durable. Its empty entry is sent, and acknowledged by no one.
  void lead();

  [[nodiscard]] Status status() const { return replica_->status(); }
  // The members in force: "1 2 3, learners 4".
  [[nodiscard]] std::string members() const { return parley::text_of(*replica_->membership()); }
  // Of the snapshots that it gets from now on.
  void set_members(Membership members) { members_ = std::move(members); }
  [[nodiscard]] std::string role() const { return std::string(replica_->status().role); }
  [[nodiscard]] const Effects& effects() const { return effects_; }

 private:
  Lines receive(std::uint32_t from, Block header, Block body = {});
  Lines control(Control::Kind kind, std::uint64_t index);
  Lines turn_unless_gathering() { return gathering_ ? Lines{} : run_turn(); }
  Lines run_turn();

  std::uint32_t size_;
  DiskId to_;           // meant by what it gets
  Membership members_;  // in what snapshots that it gets say
  std::unique_ptr<Replica> replica_;
  Instant now_{std::chrono::seconds(1)};
  Store store_{1};
  Effects effects_;
  Encoder encoder_;
  bool gathering_ = false;
  std::uint64_t issued_ = 0;
  std::uint64_t durable_ = 0;
  std::uint64_t last_run_ = 0;
  std::uint64_t last_control_ = 0;
  std::vector<Frame> frames_;
  std::vector<CommandRun> commands_;
  std::vector<ReadRequest> reads_;
  std::vector<Control> controls_;
};

// Whether these are the lines; whether one of them contains the text; whether none does.
testing::AssertionResult is(const TestNode::Lines& lines, const TestNode::Lines& wanted);
testing::AssertionResult has(const TestNode::Lines& lines, const std::string& text);
testing::AssertionResult lacks(const TestNode::Lines& lines, const std::string& text);

}  // namespace parley::raft::test
