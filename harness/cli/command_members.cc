// parley members: who takes part in a running cluster, and how that changes.
#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <stdexcept>
#include <thread>

#include "harness/cli/commands.h"
#include "harness/terminal/canvas_link.h"

namespace parley::cli {
namespace {

using nlohmann::ordered_json;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kLookTimeout = 2s;     // of a node that is asked how it fares
constexpr auto kChangeTimeout = 10s;  // a node gives up after 8 s (apps/canvas/README.md)
constexpr auto kLeaderPatience = 10s;
constexpr int kMaxLeaders = 10;  // that are asked for one change, one after the other
constexpr auto kPollPause = 200ms;
// How long a change whose outcome nobody told is watched; and after how long without a sign of it
// it counts as given up.
constexpr auto kWatchLimit = 120s;
constexpr auto kNoSignLimit = 3s;

// Nothing can be said or done: why.
struct MembersError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Change {
  std::uint32_t add = 0;  // 0: none
  std::uint32_t remove = 0;
};

// Reads "OLD=NEW"; false if it is something else.
bool parse_replace(const std::string& text, Change& change) {
  const char* const end = text.data() + text.size();
  const auto old = std::from_chars(text.data(), end, change.remove);
  if (old.ec != std::errc{} || old.ptr == end || *old.ptr != '=') return false;
  const auto fresh = std::from_chars(old.ptr + 1, end, change.add);
  return fresh.ec == std::errc{} && fresh.ptr == end && change.add != 0 && change.remove != 0;
}

bool has(const ordered_json& nodes, std::uint32_t node) {
  return std::find(nodes.begin(), nodes.end(), node) != nodes.end();
}

// What a node answers with status 200: an object.
ordered_json object_of(const terminal::HttpAnswer& answer) {
  ordered_json json = ordered_json::parse(answer.body, nullptr, false);
  if (!json.is_object()) throw MembersError("a node answers with something else than JSON");
  return json;
}

// A number of an answer; whoever answers may be anything.
std::uint32_t number(const ordered_json& said, const char* field) {
  const auto found = said.is_object() ? said.find(field) : said.end();
  if (found != said.end() && found->is_number_unsigned()) return found->get<std::uint32_t>();
  throw MembersError(fmt::format("a node's page says nothing of \"{}\", a number", field));
}

// What a node's page says of the members.
ordered_json members_of(const terminal::HttpAnswer& answer) {
  ordered_json said = object_of(answer);
  if (!said["leader"].is_null()) number(said, "leader");  // nobody leads yet
  number(said, "epoch");
  for (const char* field : {"voters", "outgoing", "learners"}) {
    const ordered_json& nodes = said["members"].is_object() ? said["members"][field] : said[""];
    const auto is_number = [](const ordered_json& node) { return node.is_number_unsigned(); };
    if (!nodes.is_array() || !std::ranges::all_of(nodes, is_number)) {
      throw MembersError(
          fmt::format("a node's page says nothing of \"{}\", a list of numbers", field));
    }
  }
  return said;
}

// The pages of a cluster's nodes.
class Pages {
 public:
  // Learns of the pages from one of them. Throws LinkError and MembersError.
  explicit Pages(const terminal::Address& first) {
    const ordered_json status = object_of(terminal::get(first, "/status", kLookTimeout));
    if (!status.contains("members")) {
      throw MembersError(first.host + ":" + first.port + " is not a node's page");
    }
    const std::uint32_t own = number(status, "node");
    pages_[own] = first;
    nodes_.insert(own);
    for (const ordered_json& peer : status.value("peers", ordered_json::array())) {
      const std::uint32_t id = number(peer, "id");
      nodes_.insert(id);
      if (!peer.contains("page") || !peer["page"].is_string()) continue;
      if (const auto page = terminal::parse_address(peer["page"].get<std::string>())) {
        pages_.emplace(id, *page);
      }
    }
  }

  [[nodiscard]] const terminal::Address& of(std::uint32_t node) const {
    const auto page = pages_.find(node);
    if (page == pages_.end()) {
      throw MembersError(fmt::format(
          "the page of node {} is not known; [pages] of the nodes' files can name it", node));
    }
    return page->second;
  }
  [[nodiscard]] const std::set<std::uint32_t>& nodes() const { return nodes_; }

  // What the leader says of the members. Throws MembersError when none is found in time.
  [[nodiscard]] ordered_json ask_leader() const {
    const auto until = steady_clock::now() + kLeaderPatience;
    for (;;) {
      const std::uint32_t leader = named_leader();
      if (leader != 0) {
        ordered_json said = look(leader);
        if (said.is_object() && said["leader"] == leader) return said;
      }
      if (steady_clock::now() > until) throw MembersError("no leader is known to any node");
      std::this_thread::sleep_for(kPollPause);
    }
  }

 private:
  // Null if it does not answer.
  [[nodiscard]] ordered_json look(std::uint32_t node) const {
    try {
      const auto answer = terminal::get(of(node), "/members", kLookTimeout);
      return answer.status == 200 ? members_of(answer) : ordered_json();
    } catch (const terminal::LinkError&) {
      return {};
    }
  }

  // Whom the node with the newest epoch names; 0: nobody.
  [[nodiscard]] std::uint32_t named_leader() const {
    std::uint32_t leader = 0;
    std::uint64_t newest = 0;
    for (const auto& [node, page] : pages_) {
      const ordered_json said = look(node);
      if (!said.is_object() || said["leader"].is_null()) continue;
      const auto epoch = said["epoch"].get<std::uint64_t>();
      if (leader != 0 && epoch <= newest) continue;
      leader = said["leader"];
      newest = epoch;
    }
    return leader;
  }

  std::map<std::uint32_t, terminal::Address> pages_;
  std::set<std::uint32_t> nodes_;
};

// What became of a change.
struct Outcome {
  std::string word;  // "done", "refused", "unknown"
  std::string error;
  bool usage = false;  // the request itself was wrong
};

// Looks on until a change whose outcome nobody told is in force, or leaves no trace.
Outcome watch(const Pages& pages, const Change& change) {
  const auto end = steady_clock::now() + kWatchLimit;
  auto last_sign = steady_clock::now();
  while (steady_clock::now() < end) {
    const ordered_json said = pages.ask_leader();
    const ordered_json& members = said["members"];
    const bool added = change.add == 0 || has(members["voters"], change.add);
    // Who is removed may be a learner that has not become a voter yet.
    const bool leaves = change.remove != 0 && has(members["learners"], change.remove);
    const bool removed = change.remove == 0 || !(leaves || has(members["voters"], change.remove));
    const bool goes_on = !members["outgoing"].empty() || leaves ||
                         (change.add != 0 && has(members["learners"], change.add));
    if (added && removed && members["outgoing"].empty()) return {"done", {}};
    if (goes_on) last_sign = steady_clock::now();
    if (steady_clock::now() - last_sign > kNoSignLimit) {
      return {"refused", "the change was given up"};
    }
    std::this_thread::sleep_for(kPollPause);
  }
  return {"unknown", fmt::format("the change is not in force after {} s", kWatchLimit.count())};
}

// The same, where it may be that nobody answers any more.
Outcome watch_if_possible(const Pages& pages, const Change& change) {
  try {
    return watch(pages, change);
  } catch (const MembersError& error) {
    return {"unknown", error.what()};
  } catch (const terminal::LinkError& error) {
    return {"unknown", error.what()};
  }
}

// Asks the leader, and the next one if it has changed meanwhile, up to some number of times.
Outcome carry_out(const Pages& pages, const Change& change, const ordered_json& before) {
  ordered_json body;
  if (change.add != 0) {
    body["add"] = change.add;
    body["disk"] = object_of(terminal::get(pages.of(change.add), "/status", kLookTimeout))["disk"];
  }
  if (change.remove != 0) body["remove"] = change.remove;
  std::uint32_t leader = before["leader"];
  for (int asked = 0; asked < kMaxLeaders; ++asked) {
    try {
      const auto answer = terminal::post(pages.of(leader), "/members", body.dump(), kChangeTimeout);
      const ordered_json said = object_of(answer);
      if (answer.status == 200) return {"done", {}};
      if (answer.status == 504) return watch_if_possible(pages, change);
      const std::string error = said.value("error", fmt::format("status {}", answer.status));
      const auto next = said.find("leader");
      if (answer.status != 409 || next == said.end() || !next->is_number() || *next == leader) {
        return {"refused", error, answer.status == 400};
      }
      leader = next->get<std::uint32_t>();
    } catch (const terminal::LinkError&) {  // it went away with the answer
      return watch_if_possible(pages, change);
    }
  }
  return {"refused", "the leader changes all the time"};
}

std::string list(const ordered_json& nodes) {
  std::string text;
  for (const ordered_json& node : nodes) text += fmt::format(" {}", node.get<std::uint32_t>());
  return text;
}

void print(const char* when, const ordered_json& said, const std::set<std::uint32_t>& nodes) {
  const ordered_json& members = said["members"];
  std::string text = fmt::format("{}members{}, leader {}", when, list(members["voters"]),
                                 said["leader"].get<std::uint32_t>());
  if (!members["outgoing"].empty()) text += ", from" + list(members["outgoing"]);
  if (!members["learners"].empty()) text += ", learners" + list(members["learners"]);
  std::string others;
  for (const std::uint32_t node : nodes) {
    const bool member = has(members["voters"], node) || has(members["outgoing"], node) ||
                        has(members["learners"], node);
    if (!member) others += fmt::format(" {}", node);
  }
  if (!others.empty()) text += "; no members" + others;
  fmt::print("{}\n", text);
}

int show_or_change(const MembersOptions& options, const terminal::Address& first,
                   const Change& change) {
  const Pages pages(first);
  const ordered_json before = pages.ask_leader();
  if (change.add == 0 && change.remove == 0) {
    if (options.common.json) {
      fmt::print("{}\n", before.dump());
    } else {
      print("", before, pages.nodes());
    }
    return kDone;
  }
  if (!options.common.json) print("before: ", before, pages.nodes());
  const Outcome outcome = carry_out(pages, change, before);
  ordered_json after;
  std::string unseen;  // why it is not known: the one that led may have had the only known page
  try {
    after = pages.ask_leader();
  } catch (const MembersError& error) {
    unseen = error.what();
  }
  if (options.common.json) {
    ordered_json json{{"outcome", outcome.word}, {"before", before}, {"after", after}};
    if (!outcome.error.empty()) json["error"] = outcome.error;
    fmt::print("{}\n", json.dump());
  } else if (after.is_null()) {
    fmt::print("after:  {}\n", unseen);
  } else {
    print("after:  ", after, pages.nodes());
  }
  if (!outcome.error.empty()) complain(outcome.error);
  if (outcome.word == "done") return kDone;
  return outcome.usage ? kUsage : kFailed;
}

}  // namespace

int run_members(const MembersOptions& options) {
  const auto first = terminal::parse_address(options.connect);
  if (!first) {
    complain("connect: \"" + options.connect + "\" is not http://HOST:PORT or HOST:PORT");
    return kUsage;
  }
  Change change{options.add, options.remove};
  if (!options.replace.empty() && !parse_replace(options.replace, change)) {
    complain("replace: \"" + options.replace + "\" is not OLD=NEW, two numbers of nodes");
    return kUsage;
  }
  if (change.add != 0 && change.add == change.remove) {
    complain(
        fmt::format("node {} cannot take its own place; with a new folder it is removed first "
                    "and added then",
                    change.add));
    return kUsage;
  }
  try {
    return show_or_change(options, *first, change);
  } catch (const terminal::LinkError& error) {
    complain(error.what());
  } catch (const MembersError& error) {
    complain(error.what());
  }
  return kFailed;
}

}  // namespace parley::cli
