#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/sim/trace_formats.h"

namespace parley::sim {
namespace {

using Json = nlohmann::ordered_json;

// Processes are the nodes by their number, and these.
constexpr std::uint32_t kCluster = 0;
constexpr std::uint32_t kClients = 1000;

// Threads of a node. Those of the clients are the clients by their number, from 1 on.
enum Thread : std::uint32_t { kState = 1, kTurns, kMessages, kEvents };

constexpr Duration kTurn{1000};    // no node takes two turns within a microsecond
constexpr Duration kMessage{100};  // is shorter than any message is under way
// Between two slices of a thread: readers add times of microseconds as they come, with fractions,
// and take slices that touch for ones that overlap.
constexpr Duration kApart{10};

struct Place {
  std::uint32_t process = 0;
  std::uint32_t thread = 0;
  auto operator<=>(const Place&) const = default;
};

Place messages_of(std::uint64_t host) {
  const auto number = static_cast<std::uint32_t>(host);
  return is_client(host) ? Place{kClients, number - kFirstClientHost + 1}
                         : Place{number, kMessages};
}

// "append" of "append term 3 after ...".
std::string_view first_word(std::string_view words) {
  return words.empty() ? "message" : words.substr(0, words.find(' '));
}

class ChromeTrace final : public TraceSink {
 public:
  explicit ChromeTrace(std::ostream& out) : out_(out) {}

  void begin(const TraceStart& start) override {
    const Json about{{"algorithm", start.algorithm}, {"seed", start.seed}};
    out_ << R"({"displayTimeUnit":"ms","otherData":)" << about.dump() << ",\"traceEvents\":[";
    open_slices_.resize(start.nodes + 1);
    name(kCluster, "cluster");
    name({kCluster, kEvents}, "faults and findings");
    for (std::uint32_t node = 1; node <= start.nodes; ++node) {
      name(node, host_name(node));
      name({node, kState}, "state");
      name({node, kTurns}, "turns");
      name({node, kMessages}, "messages");
      name({node, kEvents}, "events");
    }
    name(kClients, "clients");
  }

  void take(const Fact& fact, std::string_view words) override {
    now_ = fact.when;
    switch (fact.kind) {
      case FactKind::step:
        slice({fact.node, kTurns}, "turn", kTurn, {});
        return;
      case FactKind::send:
        return take_send(fact, words);
      case FactKind::delivery:
        return take_delivery(fact, words);
      case FactKind::lost:
        under_way_.erase(fact.a);
        return instant(messages_of(fact.node), describe(fact, words), fact.a);
      case FactKind::status:
        close_slices(fact.node);
        return open_slice(fact.node, fmt::format("{}, epoch {}", fact.text, fact.a));
      case FactKind::start:
        close_slices(fact.node);
        return open_slice(fact.node, "starts");
      case FactKind::crash:
        close_slices(fact.node);
        return open_slice(fact.node, "down");
      case FactKind::pause:
        return open_slice(fact.node, "stands still");
      case FactKind::resume:
        return close_slice(fact.node);
      case FactKind::network:
      case FactKind::heal:
      case FactKind::violation:
        return instant({kCluster, kEvents}, describe(fact, words), 0);
      default:
        if (fact.kind == FactKind::commit) count_commits(fact);
        return instant({fact.node, kEvents}, describe(fact, words), 0);
    }
  }

  void end(Instant now) override {
    now_ = std::max(now_, now);
    for (const auto& [number, from] : under_way_) {
      instant(messages_of(from), fmt::format("message {} is still under way", number), number);
    }
    for (std::uint32_t node = 1; node < open_slices_.size(); ++node) close_slices(node);
    out_ << "\n]}\n" << std::flush;
  }

 private:
  void take_send(const Fact& fact, std::string_view words) {
    const Place place = messages_of(fact.node);
    under_way_.emplace(fact.a, fact.node);
    const Instant when = slice(place, first_word(words), kMessage,
                               {{"message", fact.a}, {"to", host_name(fact.b)}, {"says", words}});
    flow("s", place, when, fact.a);
  }

  void take_delivery(const Fact& fact, std::string_view words) {
    const Place place = messages_of(fact.node);
    under_way_.erase(fact.a);
    const Instant when = slice(place, first_word(words), kMessage,
                               {{"message", fact.a}, {"from", host_name(fact.b)}, {"says", words}});
    flow("f", place, when, fact.a);
  }

  void count_commits(const Fact& fact) {
    Json event = make("C", {fact.node, 0}, "commit index", now_);
    event["args"] = {{"index", fact.a}};
    write(event);
  }

  // Returns where it begins.
  Instant slice(Place place, std::string_view what, Duration length, const Json& arguments) {
    const Instant when = reserve(place, length);
    Json event = make("X", place, what, when);
    event["dur"] = microseconds(length - kApart);
    if (!arguments.empty()) event["args"] = arguments;
    write(event);
    return when;
  }

  void instant(Place place, std::string_view what, std::uint64_t message) {
    Json event = make("i", place, what, reserve(place, Duration{}));
    event["s"] = place.process == kCluster ? "g" : "t";
    if (message != 0) event["args"] = {{"message", message}};
    write(event);
  }

  // An end of the arrow of a message, at the slice that stands there.
  void flow(std::string_view phase, Place place, Instant when, std::uint64_t message) {
    Json event = make(phase, place, "message", when);
    event["cat"] = "message";
    event["id"] = message;
    if (phase == "f") event["bp"] = "e";
    write(event);
  }

  void open_slice(std::uint32_t node, std::string_view what) {
    open_slices_[node].emplace_back(what);
    write(make("B", {node, kState}, what, now_));
  }
  void close_slice(std::uint32_t node) {
    write(make("E", {node, kState}, open_slices_[node].back(), now_));
    open_slices_[node].pop_back();
  }
  void close_slices(std::uint32_t node) {
    while (!open_slices_[node].empty()) close_slice(node);
  }

  // Slices of a thread must not overlap. Returns the first moment from now on that is free.
  Instant reserve(Place place, Duration length) {
    const auto [it, is_new] = free_from_.try_emplace(place);
    if (is_new && place.process == kClients) {
      name(place, fmt::format("client {}", place.thread - 1));
    }
    const Instant when = std::max(now_, it->second);
    it->second = when + length;
    return when;
  }

  static double microseconds(Duration duration) {
    return static_cast<double>(duration.count()) / 1e3;
  }

  static Json make(std::string_view phase, Place place, std::string_view what, Instant when) {
    return {{"ph", phase},
            {"pid", place.process},
            {"tid", place.thread},
            {"ts", microseconds(when.time_since_epoch())},
            {"name", what}};
  }

  void name(std::uint32_t process, std::string_view what) {
    Json event = make("M", {process, 0}, "process_name", Instant{});
    event["args"] = {{"name", what}};
    write(event);
    event = make("M", {process, 0}, "process_sort_index", Instant{});
    event["args"] = {{"sort_index", process}};
    write(event);
  }
  void name(Place place, std::string_view what) {
    Json event = make("M", place, "thread_name", Instant{});
    event["args"] = {{"name", what}};
    write(event);
  }

  void write(const Json& event) {
    out_ << (first_ ? "\n" : ",\n") << event.dump();
    first_ = false;
  }

  std::ostream& out_;
  bool first_ = true;
  Instant now_;
  std::map<Place, Instant> free_from_;
  std::vector<std::vector<std::string>> open_slices_;  // by node, on its thread of states
  std::map<std::uint64_t, std::uint32_t> under_way_;   // messages with their senders
};

}  // namespace

std::unique_ptr<TraceSink> make_chrome_trace(std::ostream& out) {
  return std::make_unique<ChromeTrace>(out);
}

}  // namespace parley::sim
