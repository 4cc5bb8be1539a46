#include "algorithms/raft/test_node.h"

#include <algorithm>
#include <utility>

#include "algorithms/raft/membership.h"
#include "algorithms/raft/test_text.h"

namespace parley::raft::test {

TestNode::TestNode(std::uint32_t size, std::vector<std::pair<std::string, std::int64_t>> set,
                   Recovered recovered, std::uint64_t incarnation, bool joins)
    : size_(size) {
  ReplicaConfig config;
  config.self = NodeId{1};
  config.incarnation = {incarnation};
  if (joins) config.disk = to_ = {1};
  for (std::uint32_t id = joins ? 2 : 1; id <= size; ++id) config.members.push_back(NodeId{id});
  members_.voters = config.members;
  config.options = default_options(kRaft.options);
  config.options.set("pre_vote", 0);
  for (const auto& [name, value] : set) config.options.set(name, value);
  config.seed = 1;
  config.now = now_;
  replica_ = kRaft.make(config, std::move(recovered));
}

Recovered TestNode::disk(std::uint64_t term, std::uint32_t vote,
                         const std::vector<std::uint64_t>& log) {
  Recovered recovered;
  recovered.state = encode_state({{term}, NodeId{vote}});
  for (const std::uint64_t entry_term : log) {
    const LogIndex index{recovered.records.size() + 1};
    const CommandRun run = run_of(NodeId{9}, {1}, index.value, std::to_string(entry_term));
    recovered.records.push_back({index, encode_record({entry_term}, run), run.body});
  }
  return recovered;
}

Recovered TestNode::disk_behind(std::uint64_t term, std::uint64_t snapshot_index,
                                std::uint64_t snapshot_term,
                                const std::vector<std::uint64_t>& log) {
  Recovered recovered = disk(term, 0, log);
  recovered.snapshot = {
      snapshot(snapshot_index),
      encode_base({{snapshot_term}, {.voters = {NodeId{1}, NodeId{2}, NodeId{3}}}}),
      {}};
  for (Record& record : recovered.records) record.index = record.index.plus(snapshot_index);
  return recovered;
}

TestNode::Lines TestNode::wait(Duration time) {
  now_ += time;
  return run_turn();
}

TestNode::Lines TestNode::time_out() {
  now_ = std::max(now_, replica_->deadline());
  return run_turn();
}

TestNode::Lines TestNode::durable(std::uint64_t ticket) {
  durable_ = ticket;
  return run_turn();
}

TestNode::Lines TestNode::vote_request(std::uint32_t from, std::uint64_t term,
                                       std::uint64_t last_index, std::uint64_t last_term, bool pre,
                                       bool handed_over) {
  return receive(
      from, encoder_.encode(VoteRequest{{term}, {last_index}, {last_term}, pre, handed_over}, to_));
}

TestNode::Lines TestNode::vote_reply(std::uint32_t from, std::uint64_t term, bool granted,
                                     bool pre) {
  return receive(from, encoder_.encode(VoteReply{{term}, pre, granted}, to_));
}

TestNode::Lines TestNode::append(std::uint32_t from, std::uint64_t term, std::uint64_t prev_index,
                                 std::uint64_t prev_term, const std::vector<std::uint64_t>& terms,
                                 std::uint64_t commit, std::uint64_t round) {
  // A log of which only the sent part counts.
  Log log;
  for (std::uint64_t i = 0; i < prev_index; ++i) log.append({1}, {}, {});
  Effects bodies;
  for (const std::uint64_t entry_term : terms) {
    const std::uint64_t index = log.last().value + 1;
    const CommandRun run = run_of(NodeId{9}, {1}, index, std::to_string(entry_term));
    encoder_.add_body(run.body, bodies.bodies);
    log.append({entry_term}, {}, run);
  }
  const AppendEntries message{{term}, {prev_index}, {prev_term}, {commit}, round, true};
  const BodyRange all{0, static_cast<std::uint32_t>(bodies.bodies.size())};
  return receive(from, encoder_.encode(message, log, log.last(), to_), join(bodies, all));
}

TestNode::Lines TestNode::append_members(std::uint32_t from, std::uint64_t term,
                                         std::uint64_t prev_index, std::uint64_t prev_term,
                                         const Membership& members, std::uint64_t commit) {
  Log log;
  for (std::uint64_t i = 0; i < prev_index; ++i) log.append({1}, {}, {});
  const CommandRun run{{NodeId{from}, {1}, 0}, 0, encode_members(members)};
  Effects bodies;
  encoder_.add_body(run.body, bodies.bodies);
  log.append({term}, {}, run);
  const AppendEntries message{{term}, {prev_index}, {prev_term}, {commit}, 0, true};
  const BodyRange all{0, static_cast<std::uint32_t>(bodies.bodies.size())};
  return receive(from, encoder_.encode(message, log, log.last(), to_), join(bodies, all));
}

TestNode::Lines TestNode::append_reply(std::uint32_t from, std::uint64_t term, std::uint64_t agreed,
                                       std::uint64_t round) {
  return receive(from,
                 encoder_.encode(AppendReply{{term}, {agreed}, {}, {agreed}, round}, {}, to_));
}

TestNode::Lines TestNode::rejection(std::uint32_t from, std::uint64_t term, std::uint64_t agreed,
                                    std::uint64_t rejected, std::uint64_t last,
                                    const std::vector<TermStart>& starts) {
  return receive(
      from, encoder_.encode(AppendReply{{term}, {agreed}, {rejected}, {last}, 0}, starts, to_));
}

TestNode::Lines TestNode::forward(std::uint32_t from, std::uint64_t number,
                                  const std::string& text) {
  const CommandRun run = run_of(NodeId{from}, {1}, number, text);
  const CommandRun* runs[] = {&run};
  Effects bodies;
  encoder_.add_body(run.body, bodies.bodies);
  const BodyRange all{0, static_cast<std::uint32_t>(bodies.bodies.size())};
  return receive(from, encoder_.encode(Forward{{1}}, runs, to_), join(bodies, all));
}

TestNode::Lines TestNode::read_request(std::uint32_t from, std::uint64_t incarnation,
                                       std::uint64_t number) {
  return receive(from, encoder_.encode(ReadIndexRequest{{incarnation}, number}, to_));
}

TestNode::Lines TestNode::read_reply(std::uint32_t from, std::uint64_t incarnation,
                                     std::uint64_t number, std::uint64_t index) {
  return receive(from, encoder_.encode(ReadIndexReply{{incarnation}, number, {index}}, to_));
}

TestNode::Lines TestNode::install(std::uint32_t from, std::uint64_t term, std::uint64_t index,
                                  std::uint64_t index_term, std::uint32_t part) {
  const InstallSnapshot message{{term}, snapshot(index), {index_term}, part, 0};
  return receive(from, encoder_.encode(message, members_, to_), run_of({}, {}, 0, "a part").body);
}

TestNode::Lines TestNode::install_reply(std::uint32_t from, std::uint64_t term, std::uint64_t index,
                                        std::uint32_t next) {
  return receive(from, encoder_.encode(InstallReply{{term}, snapshot(index), next, 0}, to_));
}

TestNode::Lines TestNode::control(Control::Kind kind, std::uint64_t index) {
  controls_.push_back({kind, snapshot(index)});
  return turn_unless_gathering();
}

TestNode::Lines TestNode::change(std::uint32_t add, std::uint32_t remove, DiskId disk) {
  Control control;
  control.kind = Control::Kind::change_members;
  control.id = ++last_control_;
  control.change = {NodeId{add}, NodeId{remove}, disk};
  controls_.push_back(control);
  return turn_unless_gathering();
}

TestNode::Lines TestNode::hand_over(std::uint32_t to) {
  Control control;
  control.kind = Control::Kind::hand_over;
  control.id = ++last_control_;
  control.to = NodeId{to};
  controls_.push_back(control);
  return turn_unless_gathering();
}

TestNode::Lines TestNode::timeout_now(std::uint32_t from, std::uint64_t term, std::uint64_t last) {
  return receive(from, encoder_.encode(TimeoutNow{{term}, {last}}, to_));
}

TestNode::Lines TestNode::submit(const std::string& text) {
  commands_.push_back(run_of(NodeId{1}, {1}, ++last_run_, text));
  return turn_unless_gathering();
}

TestNode::Lines TestNode::read(std::uint64_t id) {
  reads_.push_back({id});
  return turn_unless_gathering();
}

TestNode::Lines TestNode::end() {
  gathering_ = false;
  return run_turn();
}

void TestNode::lead() {
  time_out();
  durable_all();
  for (std::uint32_t id = 2; id <= size_ / 2 + 1; ++id) {
    vote_reply(id, status().epoch.value, true);
  }
  durable_all();
  ASSERT_EQ(role(), "leader");
}

TestNode::Lines TestNode::receive(std::uint32_t from, Block header, Block body) {
  EXPECT_TRUE(kRaft.verify(header, body));
  frames_.push_back({{}, NodeId{from}, {1}, std::move(header), std::move(body)});
  return turn_unless_gathering();
}

TestNode::Lines TestNode::run_turn() {
  Turn turn;
  turn.now = now_;
  turn.durable_through = {durable_};
  turn.frames = frames_;
  turn.commands = commands_;
  turn.reads = reads_;
  turn.controls = controls_;
  effects_.clear();
  replica_->step(turn, store_, effects_);
  EXPECT_GT(replica_->deadline(), now_) << "nothing that is due is left";
  frames_.clear();
  commands_.clear();
  reads_.clear();
  controls_.clear();

  Lines lines;
  for (const Write& write : effects_.writes) {
    EXPECT_EQ(write.ticket.value, ++issued_) << "tickets have no gaps";
    lines.push_back("writes #" + std::to_string(write.ticket.value) + " " + text_of(write));
  }
  const auto send = [&](const Message& message, const char* lane) {
    lines.push_back("sends " + std::to_string(message.to.value) + lane + " " +
                    text_of_message(message.header, join(effects_, message.body)));
  };
  for (const Message& message : effects_.send_now) send(message, "");
  for (const Message& message : effects_.send_when_durable) send(message, " when durable");
  for (const SnapshotPart& part : effects_.snapshot_parts) {
    lines.push_back("takes part " + std::to_string(part.number) + " of snapshot " +
                    std::to_string(part.snapshot.index.value));
  }
  if (effects_.install != LogIndex{}) {
    lines.push_back("installs " + std::to_string(effects_.install.value));
  }
  for (const CommittedRun& committed : effects_.commit) {
    lines.push_back("commits " + std::to_string(committed.index.value) + " " +
                    text_of(committed.run));
  }
  for (const ReadReady& ready : effects_.reads_ready) {
    lines.push_back("read " + std::to_string(ready.id) + " at " +
                    std::to_string(ready.index.value));
  }
  for (const Refusal& refusal : effects_.refused) {
    lines.push_back(std::string("refuses ") +
                    (refusal.kind == Refusal::Kind::run ? "run " : "read ") +
                    std::to_string(refusal.number));
  }
  for (const ControlReply& answer : effects_.control_replies) {
    constexpr const char* kOutcomes[] = {"done", "refused, ", "unknown, "};
    lines.push_back("answers " + std::to_string(answer.id) + ": " +
                    kOutcomes[static_cast<std::size_t>(answer.outcome)] + answer.reason);
  }
  if (!effects_.broken_invariant.empty()) lines.push_back("broken: " + effects_.broken_invariant);
  return lines;
}

namespace {

bool any_contains(const TestNode::Lines& lines, const std::string& text) {
  for (const std::string& line : lines) {
    if (line.find(text) != std::string::npos) return true;
  }
  return false;
}

testing::AssertionResult failure(const TestNode::Lines& lines) {
  testing::AssertionResult result = testing::AssertionFailure() << "the lines are:";
  for (const std::string& line : lines) result << "\n  " << line;
  return result;
}

}  // namespace

testing::AssertionResult is(const TestNode::Lines& lines, const TestNode::Lines& wanted) {
  return lines == wanted ? testing::AssertionSuccess() : failure(lines);
}

testing::AssertionResult has(const TestNode::Lines& lines, const std::string& text) {
  return any_contains(lines, text) ? testing::AssertionSuccess() : failure(lines);
}

testing::AssertionResult lacks(const TestNode::Lines& lines, const std::string& text) {
  return any_contains(lines, text) ? failure(lines) : testing::AssertionSuccess();
}

}  // namespace parley::raft::test
