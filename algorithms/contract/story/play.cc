#include "algorithms/contract/story/play.h"

#include <iomanip>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "algorithms/contract/story/cluster.h"

namespace parley::story {
namespace {

constexpr Ticket kAll{UINT64_MAX};

using Words = std::vector<std::string>;

[[noreturn]] void fail(const std::string& what) {
  throw std::runtime_error(what);
}

// Words are separated by spaces; quotes keep a text together and are dropped.
Words split(const std::string& line) {
  Words words;
  std::istringstream in(line);
  for (std::string word; in >> std::quoted(word);) words.push_back(word);
  return words;
}

std::uint32_t node_number(const std::string& text) {
  return text == "*" ? 0 : static_cast<std::uint32_t>(std::stoul(text));
}

// "a*1000" stands for a text of 1000 letters.
std::string expand(const std::string& text) {
  const std::size_t star = text.find('*');
  if (star != 1) return text;
  return std::string(std::stoul(text.substr(2)), text[0]);
}

Duration duration(const std::string& text) {
  std::size_t end = 0;
  const long value = std::stol(text, &end);
  if (text.substr(end) == "ms") return std::chrono::milliseconds(value);
  if (text.substr(end) == "s") return std::chrono::seconds(value);
  fail("not a duration: " + text);
}

struct Link {
  std::uint32_t from = 0;
  std::uint32_t to = 0;
  bool both_ways = false;
};

Link link(const std::string& text) {
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) fail("not a link: " + text);
  const bool arrow = text[dash + 1] == '>';
  return {node_number(text.substr(0, dash)), node_number(text.substr(dash + (arrow ? 2 : 1))),
          !arrow};
}

class Player {
 public:
  explicit Player(const Strategy& strategy) : strategy_(strategy) {}

  void play(const std::string& line) {
    words_ = split(line);
    const std::string& verb = words_[0];
    if (verb == "cluster") return start();
    if (cluster_ == nullptr) fail("the first command must be: cluster");
    if (links(verb) || disks(verb) || nodes(verb)) return;
    fail("unknown command: " + line);
  }

  std::vector<std::string> take_lines() {
    std::vector<std::string> lines = cluster_->take_trace();
    lines.insert(lines.end(), lines_.begin(), lines_.end());
    lines_.clear();
    return lines;
  }
  [[nodiscard]] std::string violation() const {
    return cluster_ == nullptr ? "" : cluster_->violation();
  }

 private:
  [[nodiscard]] const std::string& word(std::size_t i) const {
    if (i >= words_.size()) fail("too few words after " + words_[0]);
    return words_[i];
  }
  [[nodiscard]] std::uint32_t id(std::size_t i = 1) const {
    const std::uint32_t id = node_number(word(i));
    if (id < 1 || id > cluster_->size()) fail("no such node: " + word(i));
    return id;
  }
  [[nodiscard]] Words rest(std::size_t first) const {
    return {words_.begin() + static_cast<std::ptrdiff_t>(first), words_.end()};
  }

  void start() {
    OptionValues options = default_options(strategy_.algorithm->options);
    bool down = false;
    std::uint32_t spare = 0;
    std::uint64_t seed = 230;  // of three nodes, node 3 stands for election first
    for (const std::string& option : rest(2)) {
      const std::size_t equals = option.find('=');
      const std::string name = option.substr(0, equals);
      if (option == "down") {
        down = true;
      } else if (name == "spare") {
        spare = node_number(option.substr(equals + 1));
      } else if (name == "seed") {
        seed = std::stoul(option.substr(equals + 1));
      } else {
        const std::string wrong =
            set_option(strategy_.algorithm->options, name, option.substr(equals + 1), options);
        if (!wrong.empty()) fail(wrong);
      }
    }
    const std::string wrong = strategy_.algorithm->check_options(options);
    if (!wrong.empty()) fail(wrong);
    cluster_ =
        std::make_unique<Cluster>(strategy_, node_number(word(1)), options, seed, down, spare);
    (void)cluster_->take_trace();  // that they start as followers is no news
  }

  bool links(const std::string& verb) {
    if (verb == "deliver" || verb == "drop" || verb == "copy" || verb == "replay") {
      const bool all = words_.size() < 2;
      const Link which = all ? Link{} : link(word(1));
      if (verb == "drop") {
        cluster_->drop(which.from, which.to);
      } else if (verb == "copy") {
        cluster_->copy(which.from, which.to);
      } else if (verb == "replay") {
        cluster_->replay(which.from, which.to);
      } else if (all) {
        cluster_->deliver_all();
      } else {
        cluster_->deliver(which.from, which.to);
      }
    } else if (verb == "cut") {
      for (const std::string& text : rest(1)) {
        const Link which = link(text);
        cluster_->cut(which.from, which.to);
        if (which.both_ways) cluster_->cut(which.to, which.from);
      }
    } else if (verb == "isolate") {
      for (std::uint32_t other = 1; other <= cluster_->size(); ++other) {
        cluster_->cut(id(), other);
        cluster_->cut(other, id());
      }
    } else if (verb == "heal") {
      cluster_->heal();
    } else {
      return false;
    }
    return true;
  }

  bool disks(const std::string& verb) {
    if (verb == "sync") {
      cluster_->sync(id(), words_.size() > 2 ? Ticket{std::stoul(word(2).substr(1))} : kAll);
    } else if (verb == "crash") {
      cluster_->crash(id());
    } else if (verb == "wipe") {
      cluster_->wipe(id());
    } else if (verb == "restart") {
      cluster_->restart(id());
    } else if (verb == "disk" && word(2) == "holds") {
      std::vector<std::uint64_t> terms;
      std::uint64_t term = 0;
      for (std::size_t i = 3; i < words_.size(); ++i) {
        if (words_[i] == "term") {
          term = std::stoul(word(++i));
        } else {
          terms.push_back(std::stoul(words_[i]));
        }
      }
      cluster_->set_disk(id(), terms, term);
    } else if (verb == "disk" && (word(2) == "manual" || word(2) == "auto")) {
      cluster_->set_manual_disk(id(), word(2) == "manual");
    } else {
      return false;
    }
    return true;
  }

  bool nodes(const std::string& verb) {
    if (verb == "run") {
      cluster_->run(duration(word(1)));
    } else if (verb == "timer") {
      cluster_->fire_timer(id());
    } else if (verb == "clock") {
      cluster_->advance_clock(id(), duration(word(2)));
    } else if (verb == "submit") {
      Words texts = rest(2);
      for (std::string& text : texts) text = expand(text);
      cluster_->submit(id(), texts);
    } else if (verb == "read") {
      cluster_->read(id());
    } else if (verb == "members") {
      change_members();
    } else if (verb == "hand_over") {
      cluster_->hand_over(id(), words_.size() > 2 ? id(2) : 0);
    } else if (verb == "snapshot") {
      cluster_->snapshot(id());
    } else if (verb == "load" && words_.size() > 2 && word(2) == "late") {
      cluster_->load_late(id());
    } else if (verb == "load") {
      cluster_->load(id());
    } else if (verb == "status" || verb == "log") {
      for (std::uint32_t i = 1; i <= cluster_->size(); ++i) {
        lines_.push_back(verb == "log" ? cluster_->log_line(i) : cluster_->status_line(i));
      }
    } else if (verb == "show") {
      show();
    } else {
      return false;
    }
    return true;
  }

  void change_members() {
    MemberChange change;
    for (const std::string& text : rest(2)) {
      const NodeId node{node_number(text.substr(1))};
      if (text[0] != '+' && text[0] != '-') fail("neither +node nor -node: " + text);
      (text[0] == '+' ? change.add : change.remove) = node;
    }
    cluster_->change_members(id(), change);
  }

  void show() {
    using Show = Cluster::Show;
    std::set<Show> kinds;
    for (const std::string& kind : rest(1)) {
      if (kind == "roles") {
        kinds.insert(Show::roles);
      } else if (kind == "commits") {
        kinds.insert(Show::commits);
      } else if (kind == "messages") {
        kinds.insert(Show::messages);
      } else if (kind == "writes") {
        kinds.insert(Show::writes);
      } else {
        fail("cannot show " + kind);
      }
    }
    cluster_->show(std::move(kinds));
  }

  std::unique_ptr<Cluster> cluster_;
  const Strategy& strategy_;
  Words words_;
  std::vector<std::string> lines_;
};

}  // namespace

std::string play(const Strategy& strategy, const std::string& story, std::string& problem) {
  Player player(strategy);
  std::istringstream in(story);
  std::string out;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (line.starts_with("  ")) continue;  // the trace of an earlier telling
    out += line + "\n";
    if (line.empty() || line.starts_with("#")) continue;
    try {
      player.play(line);
    } catch (const std::exception& error) {
      problem = "line " + std::to_string(number) + ": " + error.what();
      return out;
    }
    for (const std::string& event : player.take_lines()) out += "  " + event + "\n";
    if (problem.empty() && !player.violation().empty()) {
      problem = "line " + std::to_string(number) + ": " + player.violation();
    }
  }
  return out;
}

}  // namespace parley::story
