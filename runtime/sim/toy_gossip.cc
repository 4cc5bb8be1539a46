#include "runtime/sim/toy_gossip.h"

#include <algorithm>
#include <cstring>
#include <deque>

#include "algorithms/contract/random.h"

namespace parley::sim {
namespace {

constexpr Duration kPeriod = std::chrono::milliseconds(50);

// A cell on the wire and on disk.
struct Rumour {
  Key key;
  std::uint32_t reserved = 0;
  std::uint64_t value = 0;
  Stamp stamp;
  Writer writer;
};
static_assert(sizeof(Rumour) == 40);

Block encode(std::span<const Rumour> rumours) {
  return Block::copy_of(std::as_bytes(rumours));
}

template <class Use>
void decode(const Block& block, Use&& use) {
  for (std::size_t at = 0; at < block.size(); at += sizeof(Rumour)) {
    Rumour rumour;
    std::memcpy(&rumour, block.data() + at, sizeof(rumour));
    use(rumour);
  }
}

class ToyGossip final : public Replica {
 public:
  ToyGossip(const ReplicaConfig& config, const Recovered& recovered)
      : config_(config),
        flaw_(static_cast<GossipFlaw>(config.options.at("flaw"))),
        random_(config.seed),
        recovered_(recovered),
        next_push_(config.now) {
    last_ = LogIndex{recovered_.records.size()};
  }

  void step(const Turn& turn, const Store& store, Effects& effects) noexcept override {
    for (const Record& record : recovered_.records) merge(record.body, effects);
    recovered_.records.clear();
    acknowledge(turn.durable_through, effects);
    for (const Frame& frame : turn.frames) merge(frame.body, effects);
    for (const CommandRun& run : turn.commands) write(run, turn.wall, effects);
    if (flaw_ == GossipFlaw::acknowledges_unsynced) acknowledge(ticket_, effects);
    for (const ReadRequest& read : turn.reads) {
      effects.refused.push_back({Refusal::Kind::read, Refusal::Reason::no_leader, read.id});
    }
    if (turn.now >= next_push_) {
      push(store, effects);
      next_push_ = turn.now + kPeriod;
    }
  }

  [[nodiscard]] Instant deadline() const noexcept override { return next_push_; }

  [[nodiscard]] Status status() const noexcept override {
    Status status;
    status.role = "peer";
    status.held_runs = waiting_.size();
    return status;
  }

 private:
  struct Waiting {
    Ticket ticket;
    RunReply reply;
  };

  [[nodiscard]] std::uint64_t minor() const {
    if (flaw_ == GossipFlaw::ties_by_arrival) return 0;
    return (static_cast<std::uint64_t>(config_.self.value) << 32) | config_.incarnation.value;
  }

  void write(const CommandRun& run, WallTime wall, Effects& effects) {
    const auto now = static_cast<std::uint64_t>(wall.time_since_epoch().count());
    Stamp stamp{std::max(now, clock_ + 1), minor()};
    waiting_.push_back({ticket_.next(), {run.id, stamp}});
    std::vector<Rumour> rumours;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      CellWrite cell;
      std::memcpy(&cell, run.body.data() + i * sizeof(cell), sizeof(cell));
      rumours.push_back({cell.key, 0, cell.value, stamp, cell.writer});
      effects.merge.push_back({cell.key, cell.value, stamp, cell.writer});
      clock_ = stamp.major++;
    }
    ticket_ = ticket_.next();
    last_ = last_.next();
    effects.writes.push_back({Write::Kind::append, ticket_, last_, Block{}, encode(rumours)});
  }

  void merge(const Block& block, Effects& effects) {
    decode(block, [this, &effects](const Rumour& rumour) {
      clock_ = std::max(clock_, rumour.stamp.major);
      effects.merge.push_back({rumour.key, rumour.value, rumour.stamp, rumour.writer});
    });
  }

  void acknowledge(Ticket durable, Effects& effects) {
    while (!waiting_.empty() && waiting_.front().ticket <= durable) {
      effects.replies.push_back(waiting_.front().reply);
      waiting_.pop_front();
    }
  }

  void push(const Store& store, Effects& effects) {
    if (config_.members.size() < 2) return;
    NodeId to = config_.members[random_.below(config_.members.size())];
    if (to == config_.self) return;
    if (flaw_ == GossipFlaw::pushes_downwards && to > config_.self) return;
    const bool half = flaw_ == GossipFlaw::forgets_half;
    std::vector<Rumour> rumours;
    for (Key key{0}; key.value < store.key_count() / (half ? 2 : 1); ++key.value) {
      const Cell& cell = store.at(key);
      if (cell.stamp == Stamp{}) continue;
      rumours.push_back({key, 0, cell.value, cell.stamp, cell.writer});
    }
    if (rumours.empty()) return;
    effects.bodies.push_back(encode(rumours));
    effects.send_now.push_back({to, Block{}, {0, 1}});
  }

  ReplicaConfig config_;
  GossipFlaw flaw_;
  Random random_;
  Recovered recovered_;
  Instant next_push_;
  std::uint64_t clock_ = 0;
  Ticket ticket_;
  LogIndex last_;
  std::deque<Waiting> waiting_;
};

bool verify(const Block& header, const Block& body) {
  return header.empty() && body.size() % sizeof(Rumour) == 0;
}

std::unique_ptr<Replica> make(const ReplicaConfig& config, const Recovered& recovered) {
  return std::make_unique<ToyGossip>(config, recovered);
}

}  // namespace

const Algorithm kToyGossip{
    .name = "toy_gossip",
    .summary = "push gossip, for tests",
    .guarantee = {.ordered = false, .led = false, .summary = "last writer wins; converges"},
    .options = {{.name = "flaw",
                 .help = "the mistake to make",
                 .fallback = 0,
                 .min = 0,
                 .max = 4,
                 .choices = {"none", "acknowledges_unsynced", "ties_by_arrival", "forgets_half",
                             "pushes_downwards"}}},
    .check_options = nullptr,
    .verify = verify,
    .make = make,
};

}  // namespace parley::sim
