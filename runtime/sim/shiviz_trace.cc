#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <ostream>

#include "runtime/sim/trace_formats.h"

namespace parley::sim {
namespace {

constexpr std::uint32_t kNetwork = 0;  // among the hosts

std::string name_of(std::uint32_t host) {
  if (host == kNetwork) return "network";
  return is_client(host) ? fmt::format("client{}", host - kFirstClientHost)
                         : fmt::format("node{}", host);
}

// How many events of each host came before, by way of messages (Fidge 1988, Mattern 1989).
using VectorClock = std::map<std::uint32_t, std::uint64_t>;

void merge(VectorClock& clock, const VectorClock& other) {
  for (const auto& [host, count] : other) clock[host] = std::max(clock[host], count);
}

class ShivizTrace final : public TraceSink {
 public:
  explicit ShivizTrace(std::ostream& out) : out_(out) {}

  // The expression that reads the log, and on the next line what separates executions: nothing.
  void begin(const TraceStart&) override {
    out_ << R"((?<host>\S*) (?<clock>{.*})\n(?<time_ms>\S*) (?<event>.*))"
         << "\n\n";
  }

  void take(const Fact& fact, std::string_view words) override {
    if (fact.kind == FactKind::step) return;
    const bool in_network = fact.kind == FactKind::lost || fact.kind == FactKind::network ||
                            fact.kind == FactKind::heal || fact.kind == FactKind::violation;
    const std::uint32_t host = in_network ? kNetwork : fact.node;
    VectorClock& clock = clocks_[host];
    if (fact.kind == FactKind::delivery || fact.kind == FactKind::lost) {
      const auto sent = under_way_.extract(fact.a);
      if (!sent.empty()) merge(clock, sent.mapped());
    }
    ++clock[host];
    if (fact.kind == FactKind::send) under_way_.emplace(fact.a, clock);
    write(host, clock, fact, words);
  }

  void end(Instant) override { out_.flush(); }

 private:
  void write(std::uint32_t host, const VectorClock& clock, const Fact& fact,
             std::string_view words) {
    nlohmann::ordered_json json;
    for (const auto& [other, count] : clock) json[name_of(other)] = count;
    const double ms = static_cast<double>(fact.when.time_since_epoch().count()) / 1e6;
    out_ << fmt::format("{} {}\n{:.6f} {}\n", name_of(host), json.dump(), ms,
                        describe(fact, words));
  }

  std::ostream& out_;
  std::map<std::uint32_t, VectorClock> clocks_;     // by host
  std::map<std::uint64_t, VectorClock> under_way_;  // of sends, by message
};

}  // namespace

std::unique_ptr<TraceSink> make_shiviz_trace(std::ostream& out) {
  return std::make_unique<ShivizTrace>(out);
}

}  // namespace parley::sim
