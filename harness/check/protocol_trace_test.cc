// Protocol traces of whole executions say enough to be held against Raft's rules, and what is wrong
// in them is noticed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include <fstream>
#include <functional>
#include <map>
#include <set>
#include <sstream>

#include "algorithms/bully_2pc/replica.h"
#include "algorithms/gossip_lww/replica.h"
#include "algorithms/raft/replica.h"
#include "harness/check/raft_trace_check.h"
#include "runtime/live/test_client.h"
#include "runtime/live/test_folder.h"
#include "runtime/sim/simulation.h"
#include "runtime/sim/trace_formats.h"
#include "runtime/test_application.h"

namespace parley::harness {
namespace {

using ::testing::AnyOf;
using ::testing::StartsWith;
using Line = RaftTraceCheck::Line;
using Lines = std::vector<Line>;

void parse(std::istream& in, Lines& lines) {
  for (std::string line; std::getline(in, line);) lines.push_back(Line::parse(line));
}

struct Traced {
  Lines lines;
  std::uint64_t hash = 0;
};

Traced simulated(const Algorithm& algorithm, std::uint64_t seed, OptionValues values) {
  std::stringstream out;
  const auto sink = sim::make_trace("trace.jsonl", out);
  sim::SimOptions options;
  options.seed = seed;
  options.duration = std::chrono::seconds(8);
  options.trace = sink.get();
  Traced traced;
  const sim::SimResult result = sim::simulate(algorithm, values, options);
  EXPECT_THAT(result.violations, ::testing::IsEmpty());
  traced.hash = result.trace_hash;
  options.trace = nullptr;
  EXPECT_EQ(sim::simulate(algorithm, values, options).trace_hash, traced.hash)
      << "a trace changes nothing";
  parse(out, traced.lines);
  return traced;
}

// As `parley check` with the arguments that docs/protocol_trace.md names.
TEST(ProtocolTrace, TheExampleOfTheDocumentIsOne) {
  std::stringstream out;
  const auto sink = sim::make_trace("run.jsonl", out);
  sim::SimOptions options;
  options.seed = 4;
  options.nodes = 3;
  options.duration = std::chrono::seconds(1);
  options.faults = sim::FaultSet::none();
  options.trace = sink.get();
  sim::simulate(kRaft, default_options(kRaft.options), options);

  std::ifstream document(PARLEY_SOURCE_DIR "/docs/protocol_trace.md");
  std::string line;
  while (std::getline(document, line) && line != "```json") {
  }
  std::size_t lines = 0;
  for (std::string traced; std::getline(document, line) && line != "```"; ++lines) {
    while (traced != line) ASSERT_TRUE(std::getline(out, traced)) << "not written: " << line;
  }
  EXPECT_GE(lines, 10U);
}

Traced simulated(const Algorithm& algorithm, std::uint64_t seed) {
  return simulated(algorithm, seed, default_options(algorithm.options));
}

// --- simulated executions ---

TEST(ProtocolTrace, OfSimulatedRaftKeepsItsRules) {
  std::uint64_t leaders = 0;
  std::uint64_t restarts = 0;
  std::map<std::string, std::uint64_t> events;
  std::map<std::string, std::uint64_t> messages;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Traced traced = simulated(kRaft, seed);
    RaftTraceCheck check;
    ASSERT_EQ(check.check(traced.lines), "") << "seed " << seed;
    EXPECT_GT(check.committed(), 20U);
    EXPECT_GT(check.matched(), 200U);
    leaders += check.leaders();
    restarts += check.restarts();
    for (const Line& line : traced.lines) {
      ++events[line.at("event")];
      if (line.at("event") == "receive") ++messages[line.at("message").at("type")];
    }
  }
  EXPECT_GT(leaders, 24U);
  EXPECT_GT(restarts, 10U);
  for (const char* event : {"start",
                            "durable",
                            "receive",
                            "submit",
                            "read",
                            "snapshot_saved",
                            "snapshot_loaded",
                            "change_members",
                            "hand_over",
                            "hard_state",
                            "append",
                            "truncate",
                            "compact",
                            "state",
                            "members",
                            "commit",
                            "install",
                            "apply",
                            "read_ready",
                            "refuse",
                            "control_reply",
                            "send",
                            "crash"}) {
    EXPECT_GT(events[event], 0U) << event;
  }
  for (const char* type :
       {"vote_request", "vote_reply", "append", "append_reply", "forward", "read_request",
        "read_reply", "install", "install_reply", "timeout_now"}) {
    EXPECT_GT(messages[type], 0U) << type;
  }
}

// Of any strategy: each receipt is a sending with the same fields, and every message has a type.
void expect_matched(const Lines& lines, const std::set<std::string>& types) {
  std::map<std::string, Line> sent;
  std::set<std::string> seen;
  const auto name = [](const Line& from, const Line& incarnation, const Line& to,
                       const Line& line) {
    return Line{from, incarnation, to, line.at("id"), line.at("body_bytes")}.dump();
  };
  for (const Line& line : lines) {
    if (line.at("event") == "send") {
      sent[name(line.at("node"), line.at("incarnation"), line.at("to"), line)] = line.at("message");
    } else if (line.at("event") == "receive") {
      const auto it =
          sent.find(name(line.at("from"), line.at("from_incarnation"), line.at("node"), line));
      ASSERT_TRUE(it != sent.end()) << line;
      EXPECT_EQ(it->second, line.at("message"));
      seen.insert(line.at("message").at("type").get<std::string>());
    }
  }
  EXPECT_THAT(types, ::testing::IsSubsetOf(seen));
}

TEST(ProtocolTrace, OfBully2pcTellsAllItsMessages) {
  Lines lines;
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Traced traced = simulated(kBully2pc, seed);
    lines.clear();
    lines.swap(traced.lines);
    expect_matched(lines, {"election", "coordinator", "prepare", "vote", "commit"});
  }
}

TEST(ProtocolTrace, OfTextbookBullyTellsAllItsMessages) {
  OptionValues values = default_options(kBully2pc.options);
  ASSERT_EQ(set_option(kBully2pc.options, "fencing", "none", values), "");
  expect_matched(simulated(with_options(kBully2pc, values), 2, values).lines,
                 {"heartbeat", "election", "coordinator", "prepare", "vote", "outcome"});
}

TEST(ProtocolTrace, OfGossipTellsAllItsMessages) {
  expect_matched(simulated(kGossipLww, 2).lines, {"rumors", "summary", "ping", "pong"});
}

// --- a live cluster ---

const TestApplication kApplication;

class LiveCluster {
 public:
  std::unique_ptr<RunningNode> start(std::uint32_t id) const {
    NodeConfig config;
    config.algorithm = &kRaft;
    config.application = &kApplication;
    config.replica.group = GroupId{1};
    config.replica.self = NodeId{id};
    config.replica.members = {NodeId{1}, NodeId{2}, NodeId{3}};
    config.replica.options = default_options(kRaft.options);
    config.replica.seed = id;
    config.client_endpoints = {"tcp://127.0.0.1:0"};
    for (std::uint32_t peer = 1; peer <= 3; ++peer) {
      config.peers[NodeId{peer}] = "ipc://" + (folder.path() / std::to_string(peer)).string();
    }
    config.durability = Durability::async;
    config.data = folder.path() / ("data-" + std::to_string(id));
    config.trace = trace(id);
    return std::make_unique<RunningNode>(std::move(config));
  }
  [[nodiscard]] std::filesystem::path trace(std::uint32_t id) const {
    return folder.path() / (std::to_string(id) + ".jsonl");
  }

  const TestFolder folder;
};

// Opens sessions, one after the other, whoever leads.
void write_at(RunningNode& node, std::uint64_t first, std::uint64_t count) {
  TestClient client(node.client_endpoint());
  const Instant give_up = monotonic_now() + kPatience;
  for (std::uint64_t done = 0; done < count;) {
    std::vector<std::byte> body;
    TestApplication::append_open(body, first + done);
    const std::vector<Result> results = client.submit(body);
    if (!results.empty() && results[0].outcome == Outcome::ok) ++done;
    ASSERT_LT(monotonic_now(), give_up);
  }
}

TEST(ProtocolTrace, OfALiveClusterKeepsTheRulesOverRestarts) {
  // Before there are threads: the log of the nodes is made at its first use, in a library that
  // ThreadSanitizer does not see.
  spdlog::set_level(spdlog::level::err);
  const LiveCluster cluster;
  {
    std::map<std::uint32_t, std::unique_ptr<RunningNode>> nodes;
    for (std::uint32_t id = 1; id <= 3; ++id) nodes[id] = cluster.start(id);
    write_at(*nodes[1], 1000, 50);
    for (std::uint32_t id = 1; id <= 3; ++id) {
      EXPECT_EQ(nodes[id]->stop(), 0);
      nodes[id].reset();  // its storage is free
      write_at(*nodes[id % 3 + 1], 2000 * id, 20);
      nodes[id] = cluster.start(id);
    }
    write_at(*nodes[2], 9000, 20);
    for (const auto& [id, node] : nodes) EXPECT_EQ(node->stop(), 0);
  }
  Lines lines;
  for (std::uint32_t id = 1; id <= 3; ++id) {
    std::ifstream in(cluster.trace(id));
    parse(in, lines);
  }
  RaftTraceCheck check;
  EXPECT_EQ(check.check(lines), "");
  EXPECT_EQ(check.restarts(), 3U);
  EXPECT_GE(check.leaders(), 2U);
  EXPECT_GT(check.committed(), 100U);
  EXPECT_GT(check.matched(), 200U);
}

// --- traces that are not true ---

struct Tampering {
  const char* name;
  const char* rules;  // one of these is broken
  // Changes the lines; false if it cannot.
  std::function<bool(Lines&)> tamper;
};

Line* find(Lines& lines, const std::function<bool(const Line&)>& wanted) {
  const auto it = std::ranges::find_if(lines, wanted);
  return it == lines.end() ? nullptr : &*it;
}

// Changes one field of the first line that fits.
std::function<bool(Lines&)> change(std::string event, std::string type, std::string field,
                                   std::function<bool(const Line&)> fits,
                                   std::function<void(Line&)> to) {
  return [=](Lines& lines) {
    Line* line = find(lines, [&](const Line& each) {
      if (each.at("event") != event) return false;
      if (!type.empty() && each.at("message").at("type") != type) return false;
      return fits(type.empty() ? each.at(field) : each.at("message").at(field));
    });
    if (line == nullptr) return false;
    to(type.empty() ? line->at(field) : line->at("message").at(field));
    return true;
  };
}

const auto kAny = [](const Line&) { return true; };
const auto kAbove1 = [](const Line& value) { return value > 1; };
const auto kMore = [](Line& value) { value = value.get<std::uint64_t>() + 1; };
const auto kLess = [](Line& value) { value = value.get<std::uint64_t>() - 1; };

// Both ends of a message are changed alike: what it says must be wrong by itself.
bool overstate(Lines& lines) {
  const Line* reply = find(lines, [](const Line& line) {
    return line.at("event") == "send" && line.at("message").at("type") == "append_reply";
  });
  if (reply == nullptr) return false;
  const Line id = reply->at("id");
  for (Line& line : lines) {
    if (line.contains("id") && line.at("id") == id) line.at("message").at("agreed") = 1'000'000;
  }
  return true;
}

// A receipt of which every sending is renamed.
bool forge(Lines& lines) {
  const Line* receive = find(lines, [](const Line& line) { return line.at("event") == "receive"; });
  if (receive == nullptr) return false;
  const Line id = receive->at("id");
  for (Line& line : lines) {
    if (line.at("event") == "send" && line.at("id") == id) line.at("id") = "forged";
  }
  return true;
}

// A node leads a term that another one leads already.
bool usurp(Lines& lines) {
  const Line* leader = find(lines, [](const Line& line) {
    return line.at("event") == "state" && line.at("role") == "leader";
  });
  Line* follower = leader == nullptr ? nullptr : find(lines, [&](const Line& line) {
    return line.at("event") == "state" && line.at("node") != leader->at("node") &&
           line.at("term") == leader->at("term") && &line > leader;
  });
  if (follower == nullptr) return false;
  follower->at("role") = "leader";
  return true;
}

// The votes that made a leader are refused, at both ends.
bool refuse_votes(Lines& lines) {
  bool any = false;
  for (Line& line : lines) {
    if (!line.contains("message") || line.at("message").value("type", "") != "vote_reply") continue;
    any = true;
    line.at("message").at("granted") = false;
  }
  return any;
}

// A leader forgets an entry.
bool forget(Lines& lines) {
  bool led = false;
  Line node;
  for (Line& line : lines) {
    if (line.at("event") == "state" && line.at("role") == "leader") {
      led = true;
      node = line.at("node");
    } else if (led && line.at("event") == "append" && line.at("node") == node) {
      line.at("event") = "truncate";
      return true;
    }
  }
  return false;
}

const Tampering kTamperings[] = {
    {"ALineIsMissing", "sequence",
     [](Lines& lines) {
       lines.erase(lines.begin() + static_cast<std::ptrdiff_t>(lines.size() / 2));
       return true;
     }},
    {"LinesWereDropped", "dropped",
     [](Lines& lines) {
       lines[lines.size() / 2].at("event") = "dropped";
       return true;
     }},
    {"AMessageWasNotSent", "unsent", forge},
    {"AMessageWasChanged", "unsent", change("receive", "append", "commit", kAny, kMore)},
    {"TwoLeaders", "election safety", usurp},
    {"ALeaderWithoutVotes", "election", refuse_votes},
    {"ATermFalls", "term", change("state", "", "term", kAbove1, kLess)},
    {"AHardStateFalls", "term|vote", change("hard_state", "", "term", kAbove1, kLess)},
    {"AVoteIsNotWritten", "vote",
     change(
         "hard_state", "", "vote", [](const Line& vote) { return vote > 0; }, kMore)},
    {"AnEntryIsSkipped", "log", change("append", "", "index", kAbove1, kMore)},
    {"AnEntryHasAnotherTerm", "log|committed|leader append-only|quorum|recovery",
     change("append", "", "term", kAbove1, kLess)},
    {"ALeaderForgets", "log|leader append-only|committed", forget},
    {"ACommitFalls", "commit", change("commit", "", "index", kAbove1, [](Line& v) { v = 0; })},
    {"ACommitIsAhead", "commit|quorum",
     change("commit", "", "index", kAny, [](Line& v) { v = v.get<std::uint64_t>() + 50; })},
    {"TooMuchIsAcknowledged", "acknowledged", overstate},
    {"ARestartForgetsItsTerm", "recovery", change("start", "", "term", kAbove1, kLess)},
    {"ARestartForgetsItsLog", "recovery",
     change(
         "start", "", "log", [](const Line& log) { return !log.empty(); },
         [](Line& log) { log = Line::array(); })},
};

TEST(ProtocolTrace, ATraceThatWasTamperedWithIsRefused) {
  const Traced traced = simulated(kRaft, 2);
  ASSERT_EQ(RaftTraceCheck().check(traced.lines), "");
  for (const Tampering& tampering : kTamperings) {
    Lines lines = traced.lines;
    ASSERT_TRUE(tampering.tamper(lines)) << tampering.name;
    const std::string problem = RaftTraceCheck().check(lines);
    const std::string rule = problem.substr(0, problem.find(':'));
    EXPECT_THAT(std::string("|") + tampering.rules + "|", ::testing::HasSubstr("|" + rule + "|"))
        << tampering.name << ": " << problem;
  }
}

}  // namespace
}  // namespace parley::harness
