#include "algorithms/gossip_lww/replica.h"

#include <bit>

#include "algorithms/gossip_lww/codec.h"
#include "algorithms/gossip_lww/core.h"
#include "algorithms/gossip_lww/fields.h"
#include "algorithms/gossip_lww/guards.h"
#include "algorithms/gossip_lww/options.h"
#include "algorithms/gossip_lww/regions.h"
#include "algorithms/gossip_lww/text.h"

namespace parley {
namespace gossip_lww {
namespace {

class GossipReplica final : public Replica {
 public:
  GossipReplica(const ReplicaConfig& config, const Recovered& recovered)
      : core_(config, recovered) {}

  void step(const Turn& turn, const Store& store, Effects& effects) noexcept override {
    core_.step(turn, store, effects);
  }
  [[nodiscard]] Instant deadline() const noexcept override { return core_.deadline(); }
  [[nodiscard]] Status status() const noexcept override { return core_.status(); }

 private:
  Core core_;
};

std::unique_ptr<Replica> make(const ReplicaConfig& config, const Recovered& recovered) {
  return std::make_unique<GossipReplica>(config, recovered);
}

// An epidemic that doubles every round reaches all in log2 of them (Demers et al., §1.3); the rest
// is for those who were taken for dead, for chance, and for what has to be asked for again. From
// region to region it goes as well, by relays that compare with others every second round.
MergePromise merge_promise(const OptionValues& values, std::uint32_t members) {
  constexpr std::uint32_t kBeyondLog2 = 5;
  const Options options = read_options(values, members);
  MergePromise promise{static_cast<std::uint32_t>(options.ack), options.max_clock_skew,
                       options.anti_entropy};
  // A round has to be long enough for a message and its answer, and pings must find who is back.
  const bool usual = options.anti_entropy >= std::chrono::milliseconds(50) &&
                     options.detector.period <= 2 * options.anti_entropy;
  const std::size_t regions = Regions(members, options.region_size).count();
  const auto between = 2 * static_cast<std::uint32_t>(std::bit_width(regions - 1));
  if (usual) promise.rounds = std::bit_width(members - 1) + kBeyondLog2 + between;
  promise.read_copies = static_cast<std::uint32_t>(options.read);
  promise.sessions_move = true;
  return promise;
}

bool local_reads_ask(const OptionValues& values) {
  return values.at("read") > 1;
}

}  // namespace
}  // namespace gossip_lww

const Algorithm kGossipLww{
    .name = "gossip_lww",
    .summary = "every node takes every write at once; the last writer wins",
    .guarantee = {.linearizable_writes = false,
                  .linearizable_reads = false,
                  .exactly_once = false,
                  .ordered = false,
                  .led = false,
                  .summary = "both sides of a partition go on; nodes converge, concurrent "
                             "overwrites are counted"},
    .options = gossip_lww::option_specs(),
    .max_nodes = 1024,
    .check_options = gossip_lww::check_options,
    .merge_promise = gossip_lww::merge_promise,
    .local_reads_ask = gossip_lww::local_reads_ask,
    .verify = gossip_lww::verify,
    .describe = gossip_lww::describe,
    .fields = gossip_lww::fields,
    .inspection = nullptr,
    .guards = gossip_lww::guards::kAll,
    .make = gossip_lww::make,
};

}  // namespace parley
