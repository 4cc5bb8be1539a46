#include "runtime/sim/trace.h"

#include <fmt/format.h>

#include "algorithms/contract/node_port.h"

namespace parley::sim {
namespace {

constexpr std::string_view kLosses[] = {"the link is cut", "the network drops it",
                                        "the link was cut meanwhile", "nobody is there"};

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
    case FactKind::members: {
      std::string text = fmt::format("node {} is asked to", fact.node);
      if (fact.a != 0) text += fmt::format(" add node {}", fact.a);
      if (fact.a != 0 && fact.b != 0) text += " and";
      if (fact.b != 0) text += fmt::format(" remove node {}", fact.b);
      return text;
    }
    case FactKind::handover:
      return fmt::format("node {} is asked to hand over to {}", fact.node,
                         fact.a == 0 ? "any node" : fmt::format("node {}", fact.a));
    case FactKind::wipe:
      return fmt::format("node {} loses all that is on its disk", fact.node);
    case FactKind::slow_disk:
      return fmt::format("node {}: a sync takes {:.1f} ms", fact.node, in_ms(fact.a));
    case FactKind::full_disk:
      return fmt::format("node {}: its disk {}", fact.node,
                         fact.a != 0 ? "is full" : "has room again");
    case FactKind::snapshot:
      return fmt::format("node {} has saved {} snapshot of index {}, {} bytes", fact.node,
                         fact.c == 0 ? "its" : "another's", fact.a, fact.b);
    case FactKind::no_save:
      return fmt::format("node {} cannot save the snapshot of index {}", fact.node, fact.a);
    case FactKind::no_sync:
      return fmt::format("node {}: a sync of {} writes fails", fact.node, fact.a);
    case FactKind::install:
      return fmt::format("node {} goes on from the snapshot of index {}", fact.node, fact.a);
    case FactKind::truncate:
      return fmt::format("node {} forgets its log from index {} on", fact.node, fact.a);
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
      return fmt::format("{} gets message {} of {}", host_name(fact.node), fact.a,
                         host_name(fact.b));
    case FactKind::send:
      return fmt::format("{} sends message {} to {}{}", host_name(fact.node), fact.a,
                         host_name(fact.b),
                         fact.c == 0 ? "" : fmt::format(", a second copy of {}", fact.c));
    case FactKind::lost:
      return fmt::format("message {} of {} to {} is lost, {}", fact.a, host_name(fact.node),
                         host_name(fact.b), loss_text(fact));
    case FactKind::commit:
      if (fact.c == 0) {
        return fmt::format("node {} commits index {}: an empty entry of node {}, incarnation {}",
                           fact.node, fact.a, fact.b >> 32, fact.b & 0xffffffff);
      }
      return fmt::format("node {} commits index {}: run {} of node {}, incarnation {}", fact.node,
                         fact.a, fact.c, fact.b >> 32, fact.b & 0xffffffff);
    case FactKind::applied:
      return fmt::format("node {} writes cell {} with stamp {}.{}", fact.node, fact.a, fact.b,
                         fact.c);
    case FactKind::result:
      return fmt::format("node {} tells client {}: {} is done, stamp {}", fact.node, fact.a, fact.b,
                         fact.c);
    case FactKind::refused:
      return fmt::format("node {} tells client {}: {} is refused, {}", fact.node, fact.a, fact.b,
                         reason_name(static_cast<RefusedBecause>(fact.c)));
    case FactKind::unknown:
      return fmt::format("node {} tells client {}: {} is unknown, {}", fact.node, fact.a, fact.b,
                         reason_name(static_cast<RefusedBecause>(fact.c)));
    case FactKind::answer:
      return fmt::format("node {} answers client {}: cell {} has stamp {}", fact.node, fact.a,
                         fact.b, fact.c);
    case FactKind::status:
      return fmt::format("node {} is {} in epoch {}{}", fact.node, fact.text, fact.a,
                         fact.b == fact.node ? ""
                         : fact.b == 0       ? ", no leader known"
                                             : fmt::format(", led by node {}", fact.b));
    case FactKind::start:
      return fmt::format("node {} starts, incarnation {}, {} records on disk", fact.node, fact.a,
                         fact.b);
    default:
      return describe_fault(fact);
  }
}

}  // namespace

std::string_view loss_text(const Fact& lost) {
  return kLosses[lost.c];
}

std::string host_name(std::uint64_t host) {
  return is_client(host) ? fmt::format("client {}", host - kFirstClientHost)
                         : fmt::format("node {}", host);
}

std::string describe(const Fact& fact, std::string_view words) {
  std::string text = describe_event(fact);
  if (!words.empty()) text.append(": ").append(words);
  return text;
}

void Trace::mix(const Fact& fact) {
  mix(static_cast<std::uint64_t>(fact.when.time_since_epoch().count()));
  mix((static_cast<std::uint64_t>(fact.kind) << 32) | fact.node);
  mix(fact.a);
  // The number of a message says all about its delivery.
  if (fact.kind == FactKind::step || fact.kind == FactKind::delivery) return;
  mix(fact.b);
  mix(fact.c);
  for (const char letter : fact.text) mix(static_cast<unsigned char>(letter));
}

}  // namespace parley::sim
