// How an execution came to its end, for people: what matters of its last part, drawn.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/sim/picture.h"
#include "runtime/sim/trace.h"

namespace parley::sim {

// What the text of a violation is about: the indices (also those of stamps), the clients with their
// sequence numbers ("client 3, 17", "told client 3 that 17 is done") and the cells that it names.
class Named {
 public:
  void take(std::string_view text);
  [[nodiscard]] bool has(const Fact& fact) const;

 private:
  std::set<std::uint64_t> indices_;
  std::set<std::uint64_t> clients_;
  std::set<std::uint64_t> sequences_;
  std::set<std::uint64_t> cells_;
};

// Keeps the last few thousand facts, and of those before the turning points and what the violations
// name. Turns are left out, and messages that only repeat what was said on their link before, and
// of the clients' messages all but what they ask for.
class Story final : public TraceSink {
 public:
  // `violations`: those that the execution will end with, as an earlier run of it has shown.
  explicit Story(std::span<const std::string> violations);

  void begin(const TraceStart& start) override { nodes_ = start.nodes; }
  void take(const Fact& fact, std::string_view words) override;
  void end(Instant) override {}

  // The picture of what matters most, about sixty lines. Late things matter more than early ones,
  // turning points more than messages, rare kinds of messages more than common ones, and what the
  // violations name most of all.
  [[nodiscard]] std::vector<std::string> lines() const;

 private:
  bool repeats(const Fact& fact, std::string_view words);
  void keep(const Fact& fact, std::string_view words);
  void let_go();
  [[nodiscard]] std::vector<std::size_t> by_importance(std::span<const Moment> moments) const;

  std::uint32_t nodes_ = 0;
  std::uint32_t violations_ = 0;  // what comes after the first one is no part of how it came about
  Named named_;
  Lifelines before_;          // everything kept
  std::deque<Moment> early_;  // what was kept of the time before `late_`
  std::deque<Moment> late_;
  LeftOut let_go_;             // between the two
  std::uint32_t repeats_ = 0;  // since the last of `late_`
  std::map<std::pair<std::uint32_t, std::uint64_t>, std::deque<std::string>> said_;  // by link
  std::set<std::uint64_t> repeating_;  // messages under way that said nothing new
};

// Runs an execution that ended in `violations` once more, and tells how it came to them. For the
// other arguments see `simulate`.
std::vector<std::string> tell_story(const Algorithm& algorithm, const OptionValues& values,
                                    const SimOptions& options,
                                    std::span<const std::string> violations);

}  // namespace parley::sim
