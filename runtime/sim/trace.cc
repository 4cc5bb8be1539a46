#include "runtime/sim/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace parley::sim {
namespace {

bool frequent(FactKind kind) {
  return kind == FactKind::step || kind == FactKind::delivery;
}

bool turning_point(FactKind kind) {
  return kind >= FactKind::status;
}

std::string describe_fault(const Fact& fact) {
  const auto in_ms = [](std::uint64_t ns) { return static_cast<double>(ns) / 1e6; };
  switch (fact.kind) {
    case FactKind::crash:
      return fmt::format("node {} crashes; {} unsynced writes are lost", fact.node, fact.a);
    case FactKind::pause:
      return fmt::format("node {} stands still for {:.1f} ms", fact.node, in_ms(fact.a));
    case FactKind::resume:
      return fmt::format("node {} goes on", fact.node);
    case FactKind::network:
      return fmt::format("network: {} ({} directed links cut)", fact.text, fact.a);
    case FactKind::stall:
      return fmt::format("link {} -> {} stalls for {:.1f} ms", fact.node, fact.a, in_ms(fact.b));
    case FactKind::clock:
      return fmt::format("node {}: wall clock now off by {:.1f} ms", fact.node,
                         static_cast<double>(static_cast<std::int64_t>(fact.a)) / 1e6);
    case FactKind::slow_disk:
      return fmt::format("node {}: a sync takes {:.1f} ms", fact.node, in_ms(fact.a));
    case FactKind::snapshot:
      return fmt::format("node {} has saved {} snapshot of index {}, {} bytes", fact.node,
                         fact.c == 0 ? "its" : "another's", fact.a, fact.b);
    case FactKind::no_save:
      return fmt::format("node {} cannot save the snapshot of index {}", fact.node, fact.a);
    case FactKind::install:
      return fmt::format("node {} goes on from the snapshot of index {}", fact.node, fact.a);
    case FactKind::heal:
      return "everything heals";
    default:
      return "VIOLATION";
  }
}

std::string describe_event(const Fact& fact) {
  switch (fact.kind) {
    case FactKind::step:
      return fmt::format("node {} takes a turn", fact.node);
    case FactKind::delivery:
      return fmt::format("node {} gets a frame of node {}", fact.node, fact.a);
    case FactKind::commit:
      return fmt::format("node {} commits index {}: run {} of node {}, incarnation {}", fact.node,
                         fact.a, fact.c, fact.b >> 32, fact.b & 0xffffffff);
    case FactKind::applied:
      return fmt::format("node {} writes cell {} with stamp {}.{}", fact.node, fact.a, fact.b,
                         fact.c);
    case FactKind::result:
      return fmt::format("node {} tells client {}: {} is done, stamp {}", fact.node, fact.a, fact.b,
                         fact.c);
    case FactKind::refused:
      return fmt::format("node {} tells client {}: {} is refused, reason {}", fact.node, fact.a,
                         fact.b, fact.c);
    case FactKind::unknown:
      return fmt::format("node {} tells client {}: {} is unknown, reason {}", fact.node, fact.a,
                         fact.b, fact.c);
    case FactKind::answer:
      return fmt::format("node {} answers client {}: cell {} has stamp {}", fact.node, fact.a,
                         fact.b, fact.c);
    case FactKind::status:
      return fmt::format("node {} is {} in epoch {}, leader {}", fact.node, fact.text, fact.a,
                         fact.b);
    case FactKind::start:
      return fmt::format("node {} starts, incarnation {}, {} records on disk", fact.node, fact.a,
                         fact.b);
    default:
      return describe_fault(fact);
  }
}

}  // namespace

std::string describe(const Fact& fact) {
  const double seconds = static_cast<double>(fact.when.time_since_epoch().count()) / 1e9;
  return fmt::format("{:12.6f}  {}", seconds, describe_event(fact));
}

void Trace::Ring::append_to(std::vector<Fact>& all) const {
  const std::size_t first = count > kKept ? count - kKept : 0;
  for (std::size_t i = first; i < count; ++i) all.push_back(facts[i % kKept]);
}

void Trace::note(const Fact& fact) {
  mix(static_cast<std::uint64_t>(fact.when.time_since_epoch().count()));
  mix((static_cast<std::uint64_t>(fact.kind) << 32) | fact.node);
  if (!frequent(fact.kind)) {
    mix(fact.b);
    mix(fact.c);
    for (const char letter : fact.text) mix(static_cast<unsigned char>(letter));
    (turning_point(fact.kind) ? turning_points_ : recent_).put(fact);
  }
  mix(fact.a);
  if (full_ != nullptr) *full_ << describe(fact) << '\n';
}

std::vector<std::string> Trace::story() const {
  std::vector<Fact> facts;
  turning_points_.append_to(facts);
  recent_.append_to(facts);
  std::stable_sort(facts.begin(), facts.end(),
                   [](const Fact& a, const Fact& b) { return a.when < b.when; });
  std::vector<std::string> lines;
  lines.reserve(facts.size());
  for (const Fact& fact : facts) lines.push_back(describe(fact));
  return lines;
}

}  // namespace parley::sim
