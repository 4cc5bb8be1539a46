#include "runtime/sim/flawed.h"

#include <algorithm>
#include <optional>

#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"

namespace parley::sim {
namespace {

constexpr Duration kSilentAfter = std::chrono::seconds(3);

Flaw flaw_of(const ReplicaConfig& config) {
  return static_cast<Flaw>(config.options.at("flaw"));
}

class FlawedReplica final : public Replica {
 public:
  FlawedReplica(const ReplicaConfig& config, std::unique_ptr<Replica> inner)
      : flaw_(flaw_of(config)),
        self_(config.self),
        started_(config.now),
        inner_(std::move(inner)) {}

  void step(const Turn& turn, const Store& store, Effects& effects) noexcept override {
    Turn falsified = turn;
    if (flaw_ == Flaw::acknowledges_unsynced) falsified.durable_through = issued_;
    if (flaw_ == Flaw::answers_reads_at_once) falsified.reads = {};
    inner_->step(falsified, store, effects);
    if (!effects.writes.empty()) issued_ = effects.writes.back().ticket;
    now_ = turn.now;
    falsify_messages(effects);
    if (self_ == NodeId{1}) falsify_commits(effects);
    falsify_answers(turn, effects);
    if (flaw_ == Flaw::skips_a_ticket && issued_ > Ticket{20}) {
      for (Write& write : effects.writes) write.ticket = write.ticket.next();
    }
  }

  [[nodiscard]] Instant deadline() const noexcept override {
    if (flaw_ == Flaw::is_always_due) return now_;
    return silent() ? kNever : inner_->deadline();
  }

  [[nodiscard]] Status status() const noexcept override {
    Status status = inner_->status();
    if (flaw_ == Flaw::reports_an_old_epoch && status.epoch > Epoch{3}) status.epoch = Epoch{2};
    return status;
  }

 private:
  [[nodiscard]] bool silent() const {
    return flaw_ == Flaw::falls_silent && now_ > started_ + kSilentAfter;
  }

  void falsify_messages(Effects& effects) {
    if (flaw_ == Flaw::acknowledges_unsynced) {
      std::move(effects.send_when_durable.begin(), effects.send_when_durable.end(),
                std::back_inserter(effects.send_now));
      effects.send_when_durable.clear();
    }
    if (silent()) {
      effects.send_now.clear();
      effects.send_when_durable.clear();
    }
    if (flaw_ == Flaw::sends_garbage && !effects.send_now.empty()) {
      Block& header = effects.send_now.front().header;
      header = header.part(0, header.size() / 2);
    }
  }

  void falsify_commits(Effects& effects) {
    auto& commit = effects.commit;
    if (flaw_ == Flaw::skips_a_run && !commit.empty()) commit.back().run = {};
    if (flaw_ == Flaw::applies_twice && !commit.empty()) commit.push_back(commit.back());
    if (flaw_ == Flaw::swaps_runs && commit.size() >= 2) {
      std::swap(commit[0].run, commit[1].run);
    }
  }

  void falsify_answers(const Turn& turn, Effects& effects) const {
    if (flaw_ == Flaw::answers_reads_at_once) {
      for (const ReadRequest& read : turn.reads) effects.reads_ready.push_back({read.id, {}});
    }
    if (flaw_ == Flaw::refuses_what_it_does) {
      for (const CommandRun& run : turn.commands) {
        if (run.id.number % 8 != 0) continue;
        effects.refused.push_back({Refusal::Kind::run, Refusal::Reason::overloaded, run.id.number});
      }
    }
  }

  Flaw flaw_;
  NodeId self_;
  Instant started_;
  Instant now_;
  std::unique_ptr<Replica> inner_;
  Ticket issued_;
};

std::unique_ptr<Replica> make_flawed(const Algorithm& inner, ReplicaConfig config,
                                     Recovered recovered) {
  const Flaw flaw = flaw_of(config);
  if (flaw == Flaw::forgets_votes) recovered.state = {};
  if (flaw == Flaw::forgets_the_log) recovered.records.clear();
  if (flaw == Flaw::small_quorum) {
    const auto count = static_cast<std::uint32_t>(config.members.size());
    std::erase_if(config.members, [&](NodeId id) {
      return id != config.self && (id.value + 1) / 2 != (config.self.value + 1) / 2 && count > 1;
    });
  }
  return std::make_unique<FlawedReplica>(config, inner.make(config, recovered));
}

template <const Algorithm& kInner>
Algorithm flawed(std::string_view name) {
  Algorithm algorithm = kInner;
  algorithm.name = name;
  // The wrapper passes neither on.
  algorithm.changes_members = false;
  algorithm.hands_over = false;
  algorithm.make = [](const ReplicaConfig& config, const Recovered& recovered) {
    return make_flawed(kInner, config, recovered);
  };
  OptionSpec spec;
  spec.name = "flaw";
  spec.help = "the mistake to make";
  spec.max = kFlaws - 1;
  algorithm.options.push_back(spec);
  return algorithm;
}

}  // namespace

const Algorithm& flawed_raft_algorithm() {
  static const Algorithm algorithm = flawed<kRaft>("flawed_raft");
  return algorithm;
}

const Algorithm& flawed_unreplicated_algorithm() {
  static const Algorithm algorithm = flawed<kUnreplicated>("flawed_unreplicated");
  return algorithm;
}

}  // namespace parley::sim
