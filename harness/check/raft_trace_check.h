// Holds protocol traces of Raft (docs/protocol_trace.md) against its rules, by their lines alone.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace parley::harness {

// What a disk holds, or will once what was written is durable.
struct TracedDisk {
  std::uint64_t term = 0;
  std::uint64_t vote = 0;
  std::uint64_t base = 0;  // the snapshot's end
  std::uint64_t base_term = 0;
  std::vector<std::uint64_t> terms;  // of the entries behind it

  [[nodiscard]] std::uint64_t last() const { return base + terms.size(); }
  // Of an entry from `base` to the last.
  [[nodiscard]] std::uint64_t term_at(std::uint64_t index) const {
    return index == base ? base_term : terms.at(index - base - 1);
  }
  bool operator==(const TracedDisk&) const = default;
};

// Of one cluster whose nodes keep their state.
class RaftTraceCheck {
 public:
  using Line = nlohmann::json;

  // `lines`: of all nodes, those of each node in their order, of nodes that ended with a last line.
  // Empty, or the first rule that is broken, ": ", and where.
  std::string check(const std::vector<Line>& lines);

  std::uint64_t leaders() const { return leaders_.size(); }
  std::uint64_t committed() const { return committed_.size(); }
  std::uint64_t restarts() const { return restarts_; }
  std::uint64_t matched() const { return matched_receipts_; }

 private:
  struct Turn {
    std::uint64_t node = 0;
    std::uint64_t time = 0;
    std::vector<const Line*> lines;
  };
  using Place = std::pair<std::uint64_t, std::string>;  // a node with one of its disks
  struct Node {
    bool up = false;
    std::uint64_t incarnation = 0;
    std::uint64_t sequence = 0;
    std::uint64_t time = 0;
    std::string disk;
    std::string role;
    std::uint64_t term = 0;
    std::uint64_t commit = 0;
    std::uint64_t durable_ticket = 0;
    TracedDisk issued;
    TracedDisk durable;
    bool makes_way = false;                        // the log, for a snapshot
    std::deque<const Line*> pending;               // writes that are not durable
    std::map<std::uint64_t, std::uint64_t> voted;  // for whom, by term
    Line members;
    std::map<std::uint64_t, std::set<Place>> votes;                  // by term
    std::map<std::uint64_t, std::map<Place, std::uint64_t>> agreed;  // by term
  };

  void split(const std::vector<Line>& lines);
  void take(const Turn& turn);
  void take(Node& node, const Line& line);
  void check_sequence(Node& node, const Line& line);
  void start(Node& node, const Line& line);
  void receive(Node& node, const Line& line);
  void send(Node& node, const Line& line);
  void write(Node& node, const Line& line);
  void take_state(Node& node, const Line& line);
  void take_commit(Node& node, const Line& line, const Line& members_before);
  void check_leader(const Node& node, const Line& members_before);
  void agree(std::uint64_t index, std::uint64_t term, const Line& line);
  static bool quorum(const Line& members, const std::set<Place>& places);
  void require(bool holds, const char* rule, const Line& line, const std::string& why);

  std::string problem_;
  std::vector<Turn> turns_;
  std::map<std::string, std::pair<std::uint64_t, Line>> sent_;  // by what names it: since when
  std::map<std::uint64_t, Node> nodes_;
  std::map<std::uint64_t, Place> leaders_;            // by term: node and incarnation
  std::map<std::uint64_t, std::uint64_t> committed_;  // terms by index
  // The last entry that the leader of a term has sent to a node.
  std::map<std::pair<std::uint64_t, std::uint64_t>, std::uint64_t> reach_;
  std::uint64_t restarts_ = 0;
  std::uint64_t matched_receipts_ = 0;
};

}  // namespace parley::harness
