// What a trace says of messages, and the formats it is written in.
#include "runtime/sim/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "algorithms/raft/replica.h"
#include "runtime/sim/simulation.h"
#include "runtime/sim/toy_gossip.h"
#include "runtime/sim/trace_formats.h"

namespace parley::sim {
namespace {

using nlohmann::json;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

SimResult run(const Algorithm& algorithm, TraceSink& sink, std::uint64_t seed) {
  SimOptions options;
  options.seed = seed;
  options.duration = std::chrono::seconds(6);
  options.trace = &sink;
  return simulate(algorithm, default_options(algorithm.options), options);
}

// A seed at whose execution messages are lost and doubled, links cut, and nodes crash.
constexpr std::uint64_t kRoughSeed = 2;

std::string written(const Algorithm& algorithm, std::string_view path,
                    std::uint64_t seed = kRoughSeed) {
  std::ostringstream out;
  const auto sink = make_trace(path, out);
  run(algorithm, *sink, seed);
  return out.str();
}

// --- messages ---

class Recorder final : public TraceSink {
 public:
  void begin(const TraceStart& start) override { nodes = start.nodes; }
  void take(const Fact& fact, std::string_view words) override {
    facts.push_back(fact);
    texts.emplace_back(words);
  }
  void end(Instant) override { ended = true; }

  [[nodiscard]] std::uint64_t count(FactKind kind, bool of_nodes, auto&& accept) const {
    return static_cast<std::uint64_t>(std::ranges::count_if(facts, [&](const Fact& fact) {
      return fact.kind == kind && (!of_nodes || !(is_client(fact.node) || is_client(fact.b))) &&
             accept(fact);
    }));
  }

  std::uint32_t nodes = 0;
  bool ended = false;
  std::vector<Fact> facts;
  std::vector<std::string> texts;
};

TEST(Trace, EveryMessageIsSentOnceAndEndsAtMostOnce) {
  Recorder trace;
  run(kRaft, trace, kRoughSeed);
  std::map<std::uint64_t, Fact> under_way;
  std::uint64_t last = 0;
  for (const Fact& fact : trace.facts) {
    if (fact.kind == FactKind::send) {
      EXPECT_EQ(fact.a, ++last) << "numbers rise by one";
      EXPECT_LT(fact.c, fact.a);
      under_way[fact.a] = fact;
    } else if (fact.kind == FactKind::delivery || fact.kind == FactKind::lost) {
      ASSERT_TRUE(under_way.contains(fact.a));
      const Fact sent = under_way.extract(fact.a).mapped();
      EXPECT_LE(sent.when, fact.when);
      const bool arrives = fact.kind == FactKind::delivery;
      EXPECT_EQ(sent.node, arrives ? fact.b : fact.node);
      EXPECT_EQ(sent.b, arrives ? fact.node : fact.b);
    }
  }
  EXPECT_GT(last, 500U);
  EXPECT_LT(under_way.size(), 100U) << "at the end";
  EXPECT_TRUE(trace.ended);
}

TEST(Trace, LossesAndCopiesAreThoseThatWereInjected) {
  Recorder trace;
  const SimResult result = run(kRaft, trace, kRoughSeed);
  const auto lost = [&trace](Loss why) {
    return trace.count(FactKind::lost, true,
                       [why](const Fact& f) { return f.c == static_cast<std::uint64_t>(why); });
  };
  EXPECT_EQ(lost(Loss::chance), result.faults[static_cast<std::size_t>(FaultKind::loss)]);
  EXPECT_GT(lost(Loss::chance), 0U);
  EXPECT_GT(lost(Loss::cut), 0U);
  EXPECT_GT(lost(Loss::receiver_down), 0U);
  const std::uint64_t copies =
      trace.count(FactKind::send, true, [](const Fact& f) { return f.c != 0; });
  EXPECT_EQ(copies, result.faults[static_cast<std::size_t>(FaultKind::duplication)]);
  EXPECT_GT(copies, 0U);
  const std::uint64_t arrived =
      trace.count(FactKind::delivery, true, [](const Fact&) { return true; });
  EXPECT_LE(arrived, result.messages) << "the others found nobody";
  EXPECT_EQ(arrived + lost(Loss::receiver_down), result.messages);
}

TEST(Trace, MessagesAreToldInWordsWhereTheStrategyHasThem) {
  Recorder raft;
  run(kRaft, raft, 1);
  Recorder gossip;
  run(kToyGossip, gossip, 1);
  const auto of_nodes = [](const Recorder& trace, std::size_t i) {
    const Fact& fact = trace.facts[i];
    return fact.kind == FactKind::send && !is_client(fact.node) && !is_client(fact.b);
  };
  for (std::size_t i = 0; i < raft.facts.size(); ++i) {
    if (!of_nodes(raft, i)) continue;
    ASSERT_THAT(raft.texts[i],
                AnyOf(StartsWith("append"), StartsWith("pre_vote"), StartsWith("vote"),
                      StartsWith("forward"), StartsWith("read"), StartsWith("install")));
  }
  for (std::size_t i = 0; i < gossip.facts.size(); ++i) {
    if (of_nodes(gossip, i)) ASSERT_EQ(gossip.texts[i], "");
  }
}

TEST(Trace, AFactIsToldInOneLine) {
  const Fact lost{Instant{}, FactKind::lost, 2, 17, 3, static_cast<std::uint64_t>(Loss::cut)};
  EXPECT_EQ(describe(lost, "append"),
            "message 17 of node 2 to node 3 is lost, the link is cut: append");
  const Fact copy{Instant{}, FactKind::send, 1, 18, client_host(4), 17};
  EXPECT_EQ(describe(copy, {}), "node 1 sends message 18 to client 4, a second copy of 17");
}

// --- text ---

TEST(TextTrace, HasALineForEachFact) {
  Recorder recorder;
  run(kRaft, recorder, kRoughSeed);
  const std::string text = written(kRaft, "trace.txt");
  EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(text, '\n')), 1 + recorder.facts.size());
  EXPECT_THAT(text, StartsWith("raft, seed " + std::to_string(kRoughSeed) + ", "));
  EXPECT_TRUE(text.find("is lost, the link is cut: ") != text.npos);
  EXPECT_TRUE(text.find(" crashes; ") != text.npos);
}

// --- Chrome's ---

class ChromeTraceTest : public ::testing::TestWithParam<const Algorithm*> {
 protected:
  void SetUp() override {
    const json parsed = json::parse(written(*GetParam(), "trace.json"));
    EXPECT_EQ(parsed.at("displayTimeUnit"), "ms");
    EXPECT_EQ(parsed.at("otherData").at("seed"), kRoughSeed);
    events_ = parsed.at("traceEvents");
    ASSERT_GT(events_.size(), 1000U);
  }

  using Thread = std::pair<std::uint32_t, std::uint32_t>;
  static Thread thread_of(const json& event) { return {event.at("pid"), event.at("tid")}; }

  json events_;
};

TEST_P(ChromeTraceTest, TimesOfAThreadNeverFallAndItsSlicesDoNotOverlap) {
  std::map<Thread, double> now;
  std::map<Thread, double> busy_until;
  for (const json& event : events_) {
    if (event.at("ph") == "M") continue;
    const Thread thread = thread_of(event);
    const double ts = event.at("ts");
    EXPECT_GE(ts, now[thread]);
    now[thread] = ts;
    if (event.at("ph") != "X") continue;
    EXPECT_GT(ts, busy_until[thread]) << "touching slices overlap in readers that add fractions";
    busy_until[thread] = ts + event.at("dur").get<double>();
  }
}

TEST_P(ChromeTraceTest, EveryArrowEndsOrItsMessageIsNamed) {
  std::map<std::uint64_t, double> begun;
  std::set<std::uint64_t> named;
  std::size_t ended = 0;
  std::map<Thread, double> slice;  // where the last one of the thread began
  for (const json& event : events_) {
    const std::string phase = event.at("ph");
    if (phase == "X") slice[thread_of(event)] = event.at("ts");
    if (phase == "s" || phase == "f") {
      EXPECT_EQ(slice[thread_of(event)], event.at("ts")) << "it is tied to a slice";
    }
    if (phase == "s") {
      EXPECT_TRUE(begun.emplace(event.at("id"), event.at("ts")).second);
    } else if (phase == "f") {
      ++ended;
      const auto start = begun.extract(event.at("id").get<std::uint64_t>());
      ASSERT_FALSE(start.empty());
      EXPECT_LE(start.mapped(), event.at("ts").get<double>());
    } else if (phase == "i" && event.contains("args")) {
      EXPECT_THAT(event.at("name").get<std::string>(),
                  AnyOf(HasSubstr("is lost"), HasSubstr("still under way")));
      named.insert(event.at("args").at("message").get<std::uint64_t>());
    }
  }
  EXPECT_GT(ended, 500U);
  if (GetParam() == &kRaft) EXPECT_GT(named.size(), 10U);
  for (const auto& [message, when] : begun) EXPECT_TRUE(named.contains(message)) << message;
}

// What the document "Trace Event Format" asks of each kind of event.
TEST_P(ChromeTraceTest, EveryEventHasWhatItsKindNeeds) {
  std::map<std::string, std::size_t> seen;
  std::map<std::uint64_t, json> arrows;
  for (const json& event : events_) {
    const std::string phase = event.at("ph");
    ++seen[phase];
    for (const char* number : {"pid", "tid", "ts"}) {
      ASSERT_TRUE(event.at(number).is_number()) << event;
      EXPECT_GE(event.at(number).get<double>(), 0) << event;
    }
    ASSERT_TRUE(event.at("name").is_string()) << event;
    EXPECT_NE(event.at("name"), "") << event;
    if (phase == "X") {
      EXPECT_GT(event.at("dur").get<double>(), 0) << event;
    } else if (phase == "i") {
      EXPECT_THAT(event.at("s").get<std::string>(), AnyOf("g", "t")) << "scope: global or thread";
    } else if (phase == "C") {
      for (const json& count : event.at("args")) EXPECT_TRUE(count.is_number()) << event;
    } else if (phase == "M") {
      EXPECT_TRUE(event.at("args").contains("name") || event.at("args").contains("sort_index"));
    } else if (phase == "s" || phase == "f") {
      const json what{event.at("cat"), event.at("name")};
      const json& start = arrows.emplace(event.at("id"), what).first->second;
      EXPECT_EQ(what, start) << "both ends of an arrow have one id, name and category";
      EXPECT_EQ(event.value("bp", ""), phase == "f" ? "e" : "") << "binds to the slice around it";
    }
  }
  for (const char* phase : {"X", "B", "E", "i", "s", "f", "M"}) EXPECT_GT(seen[phase], 0U) << phase;
  EXPECT_EQ(
      seen["X"] + seen["B"] + seen["E"] + seen["i"] + seen["C"] + seen["M"] + seen["s"] + seen["f"],
      events_.size());
}

TEST_P(ChromeTraceTest, EveryStateEndsAndEveryThreadHasAName) {
  std::map<Thread, std::vector<std::string>> open;
  std::set<Thread> threads;
  std::set<Thread> with_name;
  std::set<std::string> processes;
  for (const json& event : events_) {
    const std::string phase = event.at("ph");
    std::vector<std::string>& states = open[thread_of(event)];
    if (phase == "B") states.push_back(event.at("name"));
    if (phase == "E") {
      ASSERT_FALSE(states.empty());
      EXPECT_EQ(event.at("name"), states.back());
      states.pop_back();
    }
    if (phase == "M" && event.at("name") == "thread_name") with_name.insert(thread_of(event));
    if (phase == "M" && event.at("name") == "process_name") {
      processes.insert(event.at("args").at("name").get<std::string>());
    }
    if (phase != "M" && phase != "C") threads.insert(thread_of(event));
  }
  for (const auto& [thread, states] : open) EXPECT_TRUE(states.empty());
  for (const Thread& thread : threads) EXPECT_TRUE(with_name.contains(thread));
  EXPECT_THAT(processes, ::testing::IsSupersetOf({"cluster", "node 1", "node 3", "clients"}));
}

INSTANTIATE_TEST_SUITE_P(Trace, ChromeTraceTest, ::testing::Values(&kRaft, &kToyGossip),
                         [](const auto& parameter) { return std::string(parameter.param->name); });

TEST(ChromeTrace, CountsCommitsAndTellsRoles) {
  const std::string text = written(kRaft, "trace.json", 1);
  for (const char* part :
       {R"("name":"commit index","args":{"index":1})", R"("ph":"B","pid":1,"tid":1)",
        R"("name":"leader, epoch 1")", R"("name":"everything heals","s":"g")"}) {
    EXPECT_TRUE(text.find(part) != text.npos) << part;
  }
}

// --- ShiViz's ---

struct ShivizEvent {
  std::string host;
  std::map<std::string, std::uint64_t> clock;
  std::string text;
};

std::vector<ShivizEvent> parse_shiviz(const std::string& log) {
  std::istringstream in(log);
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, R"((?<host>\S*) (?<clock>{.*})\n(?<time_ms>\S*) (?<event>.*))");
  std::getline(in, line);
  EXPECT_EQ(line, "") << "one execution: nothing separates it from others";
  std::vector<ShivizEvent> events;
  while (std::getline(in, line)) {
    const std::size_t space = line.find(' ');
    ShivizEvent event{line.substr(0, space), json::parse(line.substr(space + 1)), {}};
    EXPECT_TRUE(std::getline(in, event.text));
    events.push_back(std::move(event));
  }
  return events;
}

// ShiViz reads a log with the expression of its first line, again and again from its third line on.
TEST(ShivizTrace, ItsExpressionReadsAllOfIt) {
  const std::string log = written(kRaft, "trace.shiviz");
  const std::size_t head = log.find("\n\n");
  ASSERT_NE(head, log.npos);
  // The names of groups are JavaScript's; there as here `.` ends with the line.
  const std::string expression =
      std::regex_replace(log.substr(0, head), std::regex(R"(\?<\w+>)"), "");
  const std::regex reads(std::regex_replace(expression, std::regex(R"(\{\.\*\})"), R"(\{.*\})"));
  std::size_t at = head + 2;
  std::size_t events = 0;
  for (std::smatch event; at < log.size(); ++events) {
    const std::size_t end = log.find('\n', log.find('\n', at) + 1);
    ASSERT_NE(end, log.npos);
    const std::string text = log.substr(at, end - at);
    ASSERT_TRUE(std::regex_match(text, event, reads)) << text;
    EXPECT_TRUE(json::parse(event[2].str()).contains(event[1].str())) << "a host's own clock";
    at = end + 1;
  }
  EXPECT_GT(events, 1000U);
}

bool dominates(const ShivizEvent& later, const ShivizEvent& earlier) {
  return std::ranges::all_of(earlier.clock, [&later](const auto& entry) {
    const auto it = later.clock.find(entry.first);
    return it != later.clock.end() && it->second >= entry.second;
  });
}

TEST(ShivizTrace, ClocksRiseByOneAndReceiptsDominateTheirSends) {
  const std::vector<ShivizEvent> events = parse_shiviz(written(kRaft, "trace.shiviz"));
  std::map<std::string, std::uint64_t> own;
  std::map<std::string, ShivizEvent> sent;
  std::size_t received = 0;
  const std::regex sends("sends message (\\d+) to");
  const std::regex ends("(?:gets message|message) (\\d+) of");
  for (const ShivizEvent& event : events) {
    EXPECT_EQ(event.clock.at(event.host), ++own[event.host]);
    for (const auto& [host, count] : event.clock)
      EXPECT_LE(count, own[host]) << "no host knows more";
    std::smatch number;
    if (std::regex_search(event.text, number, sends)) {
      sent[number[1]] = event;
    } else if (std::regex_search(event.text, number, ends)) {
      ASSERT_TRUE(sent.contains(number[1]));
      EXPECT_TRUE(dominates(event, sent[number[1]])) << event.text;
      ++received;
    }
  }
  EXPECT_GT(received, 500U);
  for (const char* host : {"node1", "node2", "node3", "client0", "network"}) {
    EXPECT_GT(own[host], 0U) << host;
  }
}

}  // namespace
}  // namespace parley::sim
