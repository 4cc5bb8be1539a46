// The verdicts by versions and by journals agree with searches that know nothing of either: on
// random small histories, right and wrong ones, with unknown, refused and concurrent operations.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "harness/check/checker.h"

namespace parley::history {
namespace {

constexpr std::uint64_t kHighestStamp = 9;

// Our own bounded draw: the same histories on every library.
class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t below(std::uint64_t bound) { return engine_() % bound; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::mt19937_64 engine_;
};

// What a register holds: nothing, or stamp, colour and writer.
struct Content {
  std::uint64_t stamp = 0;
  std::uint32_t color = 0;
  Writer writer;
  bool operator==(const Content&) const = default;
};

Content seen_by(const Operation& read) {
  if (!read.writer && read.version == Stamp{}) return {};
  // No content of a register matches a read that has only one of the two.
  if (!read.writer || read.version == Stamp{}) return {kHighestStamp + 99, 0, {}};
  return {read.version.minor, read.color, *read.writer};
}

// Tries every order: operations one after the other, as real time allows, against registers that
// behave as the specification in checker.h says.
class Search {
 public:
  explicit Search(const std::vector<Operation>& history) : history_(history) {}

  bool linearizable() {
    done_.assign(history_.size(), false);
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const Operation& op = history_[i];
      // Never happened, or told nothing.
      done_[i] = op.outcome == Outcome::refused ||
                 (op.outcome == Outcome::unknown && op.kind == Kind::read);
      contents_[cell(op)] = {Content{}};
    }
    return extend();
  }

 private:
  static std::uint32_t cell(const Operation& op) { return op.y * 100 + op.x; }

  bool may_come_next(const Operation& op) const {
    // A local read may see the past, so it may stand after what began later.
    if (op.kind == Kind::read && op.read_mode == ReadMode::local) return true;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      const bool completed = history_[i].outcome == Outcome::ok;
      if (!done_[i] && completed && history_[i].return_ns < op.invoke_ns) return false;
    }
    return true;
  }

  bool extend() {
    const auto pending = [this](std::size_t i) {
      return !done_[i] && history_[i].outcome == Outcome::ok;
    };
    bool finished = true;
    for (std::size_t i = 0; i < history_.size(); ++i) finished = finished && !pending(i);
    if (finished) return true;
    for (std::size_t i = 0; i < history_.size(); ++i) {
      if (done_[i] || !may_come_next(history_[i])) continue;
      done_[i] = true;
      if (carry_out(history_[i])) return true;
      done_[i] = false;
    }
    return false;
  }

  bool carry_out(const Operation& op) {
    std::vector<Content>& contents = contents_[cell(op)];
    if (op.kind == Kind::read) {
      const Content seen = seen_by(op);
      const bool local = op.read_mode == ReadMode::local;
      const bool matches = local
                               ? std::find(contents.begin(), contents.end(), seen) != contents.end()
                               : contents.back() == seen;
      return matches && extend();
    }
    const std::uint64_t current = contents.back().stamp;
    for (std::uint64_t stamp = current + 1; stamp <= kHighestStamp; ++stamp) {
      if (op.outcome == Outcome::ok && stamp != op.version.minor) continue;
      contents.push_back({stamp, op.color, {op.client, op.seq}});
      if (extend()) return true;
      contents.pop_back();
    }
    return false;
  }

  const std::vector<Operation>& history_;
  std::vector<bool> done_;
  std::map<std::uint32_t, std::vector<Content>> contents_;  // all so far; the last is the current
};

Operation random_operation(Random& random, std::uint32_t number) {
  Operation op;
  op.client = 1 + number;
  op.seq = 1 + static_cast<std::uint32_t>(random.below(2));
  op.kind = random.one_in(2) ? Kind::place : Kind::read;
  op.x = random.one_in(6) ? 2 : 1;
  op.y = 1;
  op.node = 1;
  op.color = 10 + number;
  op.invoke_ns = static_cast<std::int64_t>(random.below(16));
  op.return_ns = op.invoke_ns + static_cast<std::int64_t>(random.below(8));
  op.outcome = random.one_in(5) ? Outcome::unknown : Outcome::ok;
  if (op.kind == Kind::place && random.one_in(8)) op.outcome = Outcome::refused;
  op.read_mode = random.one_in(4) ? ReadMode::local : ReadMode::linearizable;
  return op;
}

void let_see(Operation& read, const Content& content) {
  read.version = {0, content.stamp};
  read.color = content.color;
  read.writer = content.stamp == 0 ? std::nullopt : std::optional(content.writer);
}

// A history of correct registers: each operation takes effect at a moment between its invocation
// and its return, those of unknown outcome later or never.
std::vector<Operation> correct_history(Random& random) {
  std::vector<Operation> history;
  std::vector<std::pair<std::uint64_t, std::size_t>> moments;
  const std::size_t size = 2 + random.below(6);
  for (std::size_t i = 0; i < size; ++i) {
    Operation op = random_operation(random, static_cast<std::uint32_t>(i));
    const std::int64_t length = op.return_ns - op.invoke_ns;
    const std::uint64_t span = 1 + static_cast<std::uint64_t>(length) * 4;
    const bool unknown = op.outcome == Outcome::unknown;
    const std::uint64_t moment =
        static_cast<std::uint64_t>(op.invoke_ns) * 4 + random.below(unknown ? 40 : span);
    if (op.outcome != Outcome::refused && !(unknown && random.one_in(3))) {
      moments.push_back({moment, i});
    }
    history.push_back(op);
  }
  std::sort(moments.begin(), moments.end());
  std::map<std::uint32_t, std::vector<Content>> contents;
  std::uint64_t stamp = 0;
  for (const auto& [moment, i] : moments) {
    Operation& op = history[i];
    std::vector<Content>& past = contents[op.x];
    if (past.empty()) past.push_back({});
    if (op.kind == Kind::place) {
      ++stamp;
      past.push_back({stamp, op.color, {op.client, op.seq}});
      if (op.outcome == Outcome::ok) op.version = {0, stamp};
    } else {
      const bool local = op.read_mode == ReadMode::local;
      let_see(op, past[local ? random.below(past.size()) : past.size() - 1]);
    }
  }
  return history;
}

// Changes one thing of one operation.
void disturb(Random& random, std::vector<Operation>& history) {
  Operation& op = history[random.below(history.size())];
  const Operation other = history[random.below(history.size())];
  switch (random.below(8)) {
    case 0:
      op.return_ns = op.invoke_ns + static_cast<std::int64_t>(random.below(3));
      break;
    case 1: {
      const std::int64_t length = op.return_ns - op.invoke_ns;
      op.invoke_ns = static_cast<std::int64_t>(random.below(24));
      op.return_ns = op.invoke_ns + length;
      break;
    }
    case 2:
      op.color = other.color;
      break;
    case 3:
      if (op.outcome == Outcome::ok) op.version = {0, 1 + random.below(kHighestStamp)};
      break;
    case 4:
      if (op.kind == Kind::read) let_see(op, {});
      break;
    case 5:
    case 6:
      if (op.kind == Kind::read && other.kind == Kind::place) {
        const std::uint64_t stamp = other.version.minor;
        let_see(op, {stamp != 0 ? stamp : 1 + random.below(kHighestStamp),
                     other.color,
                     {other.client, other.seq}});
      }
      break;
    default:
      if (op.kind == Kind::place) op.outcome = static_cast<Outcome>(random.below(3));
      if (op.outcome == Outcome::ok && op.version == Stamp{}) op.version = {0, 1 + random.below(9)};
      if (op.outcome != Outcome::ok) op.version = {};
      break;
  }
}

std::string text_of(const std::vector<Operation>& history) {
  std::string text;
  for (const Operation& op : history) format_operation(op, text);
  return text;
}

CheckResult checked(const std::vector<Operation>& history) {
  Checker checker(CheckOptions{});
  for (std::size_t i = 0; i < history.size(); ++i) checker.add(history[i], i + 1);
  return checker.finish();
}

// Stale reads by the definition: which, and by how many acknowledged stamps at most.
std::pair<std::uint64_t, std::uint64_t> stale_reads(const std::vector<Operation>& history) {
  std::uint64_t reads = 0;
  std::uint64_t most = 0;
  for (const Operation& read : history) {
    if (read.kind != Kind::read || read.outcome != Outcome::ok) continue;
    const auto missed = static_cast<std::uint64_t>(
        std::count_if(history.begin(), history.end(), [&](const Operation& write) {
          return write.kind == Kind::place && write.outcome == Outcome::ok && write.x == read.x &&
                 write.version > read.version && write.return_ns < read.invoke_ns;
        }));
    if (missed > 0) ++reads;
    most = std::max(most, missed);
  }
  return {reads, most};
}

TEST(Linearizable, AgreesWithBruteForceOnTenThousandHistories) {
  constexpr int kHistories = 10'000;
  Random random(20'260'101);
  int right = 0;
  int wrong = 0;
  int disturbed_right = 0;
  std::uint64_t stale = 0;
  std::map<std::size_t, int> found;
  for (int i = 0; i < kHistories; ++i) {
    std::vector<Operation> history = correct_history(random);
    const std::uint64_t disturbances = random.below(7);
    for (std::uint64_t n = 0; n < disturbances; ++n) disturb(random, history);
    const bool expected = Search(history).linearizable();
    const CheckResult result = checked(history);
    ASSERT_EQ(result.verdict == Verdict::pass, expected) << "history " << i << "\n"
                                                         << text_of(history) << to_text(result);
    ASSERT_TRUE(expected || result.verdict == Verdict::fail);
    ASSERT_TRUE(expected || disturbances > 0) << "history " << i << "\n" << text_of(history);
    ++(expected ? right : wrong);
    if (expected && disturbances > 0) ++disturbed_right;
    if (expected) {  // so that no read was excluded
      const auto [reads, most] = stale_reads(history);
      ASSERT_EQ(result.consistency.stale_reads, reads) << text_of(history);
      ASSERT_EQ(result.consistency.stale_versions_max, most) << text_of(history);
      stale += reads;
    }
    for (std::size_t a = 0; a < kAnomalies; ++a) {
      if (result.found(static_cast<Anomaly>(a))) ++found[a];
    }
  }
  EXPECT_GT(right, kHistories / 4);
  EXPECT_GT(wrong, kHistories / 4);
  EXPECT_GT(disturbed_right, kHistories / 10);
  EXPECT_GT(stale, 100u);
  // Everything that clients can see wrong has been seen, and not just once.
  for (std::size_t a = 1; a <= static_cast<std::size_t>(Anomaly::stale_linearizable_read); ++a) {
    EXPECT_GT(found[a], 50) << anomaly_name(static_cast<Anomaly>(a));
  }
}

// Exactly-once, said in the plainest way: the journals of live replicas are one sequence with
// rising stamps, those of dead ones begin it, and each write is in it as its client was told.
using Journal = std::vector<JournalEntry>;

bool same_entry(const JournalEntry& a, const JournalEntry& b) {
  return a.stamp == b.stamp && a.write == b.write && a.cell == b.cell;
}

bool exactly_once(const std::vector<Operation>& history, const std::vector<Journal>& journals) {
  const Journal& whole = journals[0];  // of a live replica
  for (std::size_t i = 1; i < whole.size(); ++i) {
    if (whole[i].stamp <= whole[i - 1].stamp) return false;
  }
  for (std::size_t j = 1; j < journals.size(); ++j) {
    const Journal& other = journals[j];
    const bool live = j != 2;
    if (live ? other.size() != whole.size() : other.size() > whole.size()) return false;
    if (!std::equal(other.begin(), other.end(), whole.begin(), same_entry)) return false;
  }
  for (const Operation& op : history) {
    const auto is_it = [&](const JournalEntry& entry) {
      return entry.write == Writer{op.client, op.seq};
    };
    const auto times = std::count_if(whole.begin(), whole.end(), is_it);
    if (times > 1 || (times == 1 && op.outcome == Outcome::refused)) return false;
    if (op.outcome == Outcome::ok && times == 0) return false;
    if (times == 0) continue;
    const JournalEntry& entry = *std::find_if(whole.begin(), whole.end(), is_it);
    if (entry.cell != op.y * 10u + op.x) return false;
    if (op.outcome == Outcome::ok && entry.stamp != op.version) return false;
  }
  return std::all_of(whole.begin(), whole.end(), [&](const JournalEntry& entry) {
    return std::any_of(history.begin(), history.end(), [&](const Operation& op) {
      return entry.write == Writer{op.client, op.seq};
    });
  });
}

void disturb(Random& random, Journal& journal) {
  if (journal.empty()) return;
  const std::size_t at = random.below(journal.size());
  JournalEntry& entry = journal[at];
  switch (random.below(6)) {
    case 0:
      journal.erase(journal.begin() + static_cast<std::ptrdiff_t>(at));
      break;
    case 1:
      journal.push_back(entry);
      if (random.one_in(2)) journal.back().stamp = {0, 20};
      break;
    case 2:
      std::swap(entry, journal.back());
      break;
    case 3:
      entry.stamp = {0, 1 + random.below(8)};
      break;
    case 4:
      entry.cell = 11 + random.below(2);
      break;
    default:
      entry.write.session = 1 + static_cast<std::uint32_t>(random.below(6));
      break;
  }
}

// Placements in the order of their stamps, and what a correct replica applies of them.
Journal placements(Random& random, std::vector<Operation>& history) {
  Journal whole;
  const std::uint32_t size = 1 + static_cast<std::uint32_t>(random.below(5));
  for (std::uint32_t i = 0; i < size; ++i) {
    Operation op = random_operation(random, i);
    op.kind = Kind::place;
    op.seq = 1;
    op.invoke_ns = i * 10;
    op.return_ns = op.invoke_ns + 5;
    if (op.outcome == Outcome::ok) op.version = {0, i + 1};
    const bool applied =
        op.outcome == Outcome::ok || (op.outcome == Outcome::unknown && random.one_in(2));
    if (applied) whole.push_back({{0, i + 1}, {op.client, op.seq}, op.y * 10 + op.x});
    history.push_back(op);
  }
  return whole;
}

TEST(ExactlyOnce, AgreesWithItsPlainDefinitionOnTenThousandRuns) {
  constexpr int kRuns = 10'000;
  Random random(5);
  int right = 0;
  int wrong = 0;
  for (int i = 0; i < kRuns; ++i) {
    std::vector<Operation> history;
    const Journal whole = placements(random, history);
    std::vector<Journal> journals(3, whole);
    journals[2].resize(random.below(whole.size() + 1));
    const std::uint64_t disturbances = random.below(3);
    for (std::uint64_t n = 0; n < disturbances; ++n) {
      // All alike at times: agreement alone must not be enough.
      disturb(random, journals[n == 0 ? 0 : random.below(3)]);
      if (random.one_in(2)) journals[1] = journals[0];
    }
    CheckOptions options;
    options.canvas_width = 10;
    options.live_nodes = {1, 2};
    Checker checker(options);
    for (std::size_t n = 0; n < history.size(); ++n) checker.add(history[n], n + 1);
    for (std::uint32_t node = 1; node <= 3; ++node) {
      checker.begin_journal(node);
      for (const JournalEntry& entry : journals[node - 1]) checker.add_applied(entry, 2);
    }
    const CheckResult result = checker.finish();
    const bool expected = exactly_once(history, journals);
    ASSERT_EQ(result.verdict == Verdict::pass, expected) << "run " << i << "\n"
                                                         << text_of(history) << to_text(result);
    ++(expected ? right : wrong);
  }
  EXPECT_GT(right, kRuns / 4);
  EXPECT_GT(wrong, kRuns / 4);
}

}  // namespace
}  // namespace parley::history
