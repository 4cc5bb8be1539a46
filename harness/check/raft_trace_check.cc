#include "harness/check/raft_trace_check.h"

#include <algorithm>
#include <stdexcept>

namespace parley::harness {
namespace {

using Line = RaftTraceCheck::Line;

std::uint64_t number(const Line& line, const char* key) {
  return line.at(key).get<std::uint64_t>();
}

std::string text(const Line& line, const char* key) {
  return line.at(key).get<std::string>();
}

bool is_write(const std::string& event) {
  return event == "hard_state" || event == "append" || event == "truncate" || event == "compact";
}

// Names a message on its link.
std::string name_of(std::uint64_t from, std::uint64_t incarnation, std::uint64_t to,
                    const Line& line) {
  return std::to_string(from) + "." + std::to_string(incarnation) + ">" + std::to_string(to) + " " +
         text(line, "id");
}

void apply(const Line& write, TracedDisk& disk) {
  const std::string event = text(write, "event");
  if (event == "hard_state") {
    disk.term = number(write, "term");
    disk.vote = number(write, "vote");
    return;
  }
  const std::uint64_t index = number(write, "index");
  if (event == "append") {
    disk.terms.push_back(number(write, "term"));
  } else if (event == "truncate") {
    disk.terms.resize(std::max(index, disk.base + 1) - disk.base - 1);  // the rest is gone already
  } else {
    const std::uint64_t gone = std::min<std::uint64_t>(index - disk.base, disk.terms.size());
    disk.terms.erase(disk.terms.begin(), disk.terms.begin() + static_cast<std::ptrdiff_t>(gone));
    disk.base = index;
    disk.base_term = number(write, "term");
  }
}

TracedDisk recovered(const Line& start) {
  TracedDisk disk{number(start, "term"),
                  number(start, "vote"),
                  number(start, "snapshot"),
                  number(start, "snapshot_term"),
                  {}};
  for (const Line& row : start.at("log")) {
    disk.terms.insert(disk.terms.end(), row.at(1).get<std::uint64_t>(),
                      row.at(0).get<std::uint64_t>());
  }
  return disk;
}

}  // namespace

void RaftTraceCheck::require(bool holds, const char* rule, const Line& line,
                             const std::string& why) {
  if (holds || !problem_.empty()) return;
  problem_ = std::string(rule) + ": " + why + ": " + line.dump();
}

std::string RaftTraceCheck::check(const std::vector<Line>& lines) {
  try {
    split(lines);
    for (const Turn& turn : turns_) {
      if (problem_.empty()) take(turn);
    }
  } catch (const nlohmann::json::exception& error) {
    problem_ = std::string("format: ") + error.what();
  }
  return problem_;
}

// Into turns, which belong together, in the order of time.
void RaftTraceCheck::split(const std::vector<Line>& lines) {
  std::map<std::uint64_t, std::size_t> open;  // by node: place in turns_
  for (const Line& line : lines) {
    const std::uint64_t node = number(line, "node");
    const std::uint64_t time = number(line, "time_ns");
    const auto it = open.find(node);
    const bool same = it != open.end() &&
                      turns_[it->second].lines.back()->at("turn") == line.at("turn") &&
                      turns_[it->second].lines.back()->at("incarnation") == line.at("incarnation");
    if (!same) {
      open[node] = turns_.size();
      turns_.push_back({node, time, {}});
    }
    turns_[open[node]].lines.push_back(&line);
    if (line.at("event") != "send") continue;
    sent_.try_emplace(name_of(node, number(line, "incarnation"), number(line, "to"), line), time,
                      line.at("message"));
  }
  std::ranges::stable_sort(turns_, {}, &Turn::time);
}

void RaftTraceCheck::take(const Turn& turn) {
  Node& node = nodes_[turn.node];
  const bool led = node.role == "leader";
  const std::uint64_t term_before = node.term;
  const Line members_before = node.members;
  for (const Line* line : turn.lines) {
    check_sequence(node, *line);
    if (!problem_.empty()) return;
    if (line->at("event") == "commit") {
      take_commit(node, *line, members_before);
    } else {
      take(node, *line);
    }
    if (!problem_.empty()) return;
  }
  if (node.role != "leader") return;
  if (!led || term_before != node.term) return check_leader(node, members_before);
  // Leader append-only (dissertation, figure 3.2).
  for (const Line* line : turn.lines) {
    const std::string event = text(*line, "event");
    require(event != "truncate", "leader append-only", *line, "a leader forgets entries");
    require(event != "append" || number(*line, "term") == node.term, "leader append-only", *line,
            "a leader appends an entry of another term");
  }
}

void RaftTraceCheck::check_sequence(Node& node, const Line& line) {
  const std::uint64_t incarnation = number(line, "incarnation");
  const bool starts = line.at("event") == "start";
  require(line.at("event") != "dropped", "dropped", line, "lines are missing");
  if (starts) {
    require(!node.up && incarnation > node.incarnation, "sequence", line,
            "it starts while it runs");
    node.sequence = 0;
    node.incarnation = incarnation;
  }
  require(starts || (node.up && incarnation == node.incarnation), "sequence", line,
          "it has not started");
  require(number(line, "seq") == ++node.sequence, "sequence", line, "lines are missing");
  require(number(line, "time_ns") >= node.time, "sequence", line, "time goes back");
  node.time = number(line, "time_ns");
}

void RaftTraceCheck::take(Node& node, const Line& line) {
  const std::string event = text(line, "event");
  if (event == "start") return start(node, line);
  if (event == "receive") return receive(node, line);
  if (event == "send") return send(node, line);
  if (event == "state") return take_state(node, line);
  if (is_write(event)) return write(node, line);
  if (event == "members") node.members = line.at("members");
  if (event == "crash" || event == "stop") node.up = false;
  if (event == "install") {
    require(number(line, "index") <= node.issued.base, "log", line, "no snapshot of that index");
  }
  if (event != "durable") return;
  node.durable_ticket = number(line, "ticket");
  while (!node.pending.empty() && number(*node.pending.front(), "ticket") <= node.durable_ticket) {
    apply(*node.pending.front(), node.durable);
    node.pending.pop_front();
  }
}

// What was durable is there again, and more only in the order in which it was written: so terms do
// not fall, votes are not forgotten and acknowledged entries are kept.
void RaftTraceCheck::start(Node& node, const Line& line) {
  const TracedDisk found = recovered(line);
  const bool again = node.incarnation > 1 && node.disk == text(line, "disk");
  TracedDisk held = again ? node.durable : TracedDisk{};
  for (; again && held != found && !node.pending.empty(); node.pending.pop_front()) {
    apply(*node.pending.front(), held);
  }
  require(held == found, "recovery", line, "it holds something else than it wrote");
  if (again) ++restarts_;
  const std::uint64_t incarnation = node.incarnation;
  const std::uint64_t time = node.time;
  node = Node{};
  node.up = true;
  node.incarnation = incarnation;
  node.sequence = 1;
  node.time = time;
  node.disk = text(line, "disk");
  node.issued = node.durable = found;
  node.voted[found.term] = found.vote;
  node.members = line.at("members");
  node.commit = number(line, "commit");
  require(node.commit <= found.base, "commit", line, "nobody has told it that yet");
  take_state(node, line);
}

void RaftTraceCheck::receive(Node& node, const Line& line) {
  const std::uint64_t from = number(line, "from");
  const Line& message = line.at("message");
  const auto sent =
      sent_.find(name_of(from, number(line, "from_incarnation"), number(line, "node"), line));
  require(sent != sent_.end(), "unsent", line, "nobody has sent that");
  if (sent == sent_.end()) return;
  require(sent->second.first <= number(line, "time_ns"), "unsent", line, "it is sent later");
  require(sent->second.second == message, "unsent", line, "something else was sent");
  ++matched_receipts_;
  if (message.at("to_disk") != node.disk) return;  // not heard: meant for another one
  const Place place{from, text(message, "from_disk")};
  if (message.at("type") == "append_reply") {
    std::uint64_t& agreed = node.agreed[number(message, "term")][place];
    agreed = std::max(agreed, number(message, "agreed"));
  } else if (message.at("type") == "vote_reply" && !message.at("pre") && message.at("granted")) {
    node.votes[number(message, "term")].insert(place);
  }
}

void RaftTraceCheck::send(Node& node, const Line& line) {
  const std::uint64_t to = number(line, "to");
  const Line& message = line.at("message");
  const std::string type = text(message, "type");
  if (type == "append" || type == "install") {
    std::uint64_t& reach = reach_[{number(message, "term"), to}];
    reach = std::max(reach, number(message, type == "append" ? "last_index" : "snapshot_index"));
    require(node.role == "leader", "leader", line, "only leaders send that");
    require(type != "append" || number(message, "last_index") <= node.issued.last(), "log", line,
            "it does not have those entries");
  } else if (type == "append_reply") {
    const std::uint64_t agreed = number(message, "agreed");
    const std::uint64_t self = number(line, "node");
    require(agreed <= reach_[{number(message, "term"), self}], "acknowledged", line,
            "the leader has sent less");
    require(agreed <= node.issued.last(), "acknowledged", line, "it holds less");
  } else if (type == "vote_reply" && !message.at("pre") && message.at("granted")) {
    const auto vote = node.voted.find(number(message, "term"));
    require(vote != node.voted.end() && vote->second == to, "vote", line,
            "the vote is not written");
  }
}

void RaftTraceCheck::write(Node& node, const Line& line) {
  const std::string event = text(line, "event");
  TracedDisk& disk = node.issued;
  require(!node.makes_way || event == "compact", "committed", line, "committed entries are lost");
  if (event == "hard_state") {
    require(number(line, "term") >= disk.term, "term", line, "the term falls");
    require(number(line, "term") > disk.term || disk.vote == 0 || number(line, "vote") == disk.vote,
            "vote", line, "a second vote in one term");
    node.voted[number(line, "term")] = number(line, "vote");
  } else if (event == "append") {
    require(number(line, "index") == disk.last() + 1, "log", line, "not behind the last entry");
    require(number(line, "term") >= disk.term_at(disk.last()), "log", line, "terms fall");
    require(number(line, "term") <= disk.term, "log", line, "an entry of the future");
  } else if (event == "truncate") {
    require(number(line, "index") <= disk.last(), "log", line, "there are no such entries");
    // All of a log that does not reach a snapshot makes way for it, in this write and the next.
    node.makes_way = number(line, "index") <= node.commit;
    require(!node.makes_way || number(line, "index") <= disk.base + 1, "committed", line,
            "committed entries are lost");
  } else {
    const std::uint64_t index = number(line, "index");
    require(!node.makes_way || index > node.commit, "committed", line,
            "committed entries are lost");
    node.makes_way = false;
    require(index > disk.base, "log", line, "an older snapshot");
    require(index > disk.last() || disk.term_at(index) == number(line, "term"), "log", line,
            "the entry there has another term");
    agree(index, number(line, "term"), line);
  }
  if (!problem_.empty()) return;
  apply(line, disk);
  node.pending.push_back(&line);
}

void RaftTraceCheck::take_state(Node& node, const Line& line) {
  require(number(line, "term") >= node.term, "term", line, "the term falls");
  node.term = number(line, "term");
  node.role = text(line, "role");
  require(node.term == node.issued.term, "term", line, "the term is not written");
  require(number(line, "vote") == node.issued.vote, "vote", line, "the vote is not written");
  if (node.role != "leader") return;
  const Place self{number(line, "node"), std::to_string(node.incarnation)};
  const auto [leader, first] = leaders_.emplace(node.term, self);
  require(first || leader->second == self, "election safety", line, "a second leader of the term");
}

// Committed are entries of a leader's own term that a majority holds (§3.6), and all before them.
void RaftTraceCheck::take_commit(Node& node, const Line& line, const Line& members_before) {
  const std::uint64_t index = number(line, "index");
  require(index > node.commit, "commit", line, "the commit index falls");
  require(index <= node.issued.last(), "commit", line, "there is no such entry");
  if (!problem_.empty()) return;
  for (std::uint64_t i = std::max(node.commit + 1, node.issued.base); i <= index; ++i) {
    if (i > 0) agree(i, node.issued.term_at(i), line);
  }
  node.commit = index;
  if (node.role != "leader") return;
  require(node.issued.term_at(index) == node.term, "quorum", line, "of an earlier term");
  std::set<Place> holders;
  for (const auto& [place, agreed] : node.agreed[node.term]) {
    if (agreed >= index) holders.insert(place);
  }
  if (node.durable.last() >= index) holders.insert({number(line, "node"), node.disk});
  require(quorum(node.members, holders) || quorum(members_before, holders), "quorum", line,
          "not a majority has it");
}

// A leader has a majority's votes (§3.4), and what is committed (leader completeness, §3.6.3).
void RaftTraceCheck::check_leader(const Node& node, const Line& members_before) {
  const Line where{{"node", leaders_[node.term].first}, {"term", node.term}};
  std::set<Place> voters;
  if (const auto votes = node.votes.find(node.term); votes != node.votes.end()) {
    voters = votes->second;
  }
  if (node.durable.term == node.term) voters.insert({leaders_[node.term].first, node.disk});
  require(quorum(node.members, voters) || quorum(members_before, voters), "election", where,
          "not a majority has voted for it");
  for (const auto& [index, term] : committed_) {
    if (index < node.issued.base) continue;
    require(index <= node.issued.last() && node.issued.term_at(index) == term,
            "leader completeness", where, "it lacks entry " + std::to_string(index));
  }
}

void RaftTraceCheck::agree(std::uint64_t index, std::uint64_t term, const Line& line) {
  const auto [entry, first] = committed_.emplace(index, term);
  require(first || entry->second == term, "committed", line,
          "another entry was committed at " + std::to_string(index));
}

bool RaftTraceCheck::quorum(const Line& members, const std::set<Place>& places) {
  const auto majority = [&](const Line& list) {
    std::size_t count = 0;
    for (const Line& id : list) {
      const std::string disk = members.at("disks").value(id.dump(), "0");
      if (places.contains({id.get<std::uint64_t>(), disk})) ++count;
    }
    return 2 * count > list.size();
  };
  const Line& outgoing = members.at("outgoing");
  return majority(members.at("voters")) && (outgoing.empty() || majority(outgoing));
}

}  // namespace parley::harness
