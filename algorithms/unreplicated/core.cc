#include "algorithms/unreplicated/core.h"

#include "algorithms/unreplicated/codec.h"

namespace parley::unreplicated {
namespace {

constexpr std::uint64_t kMaxPendingBytes = 64U << 20;

}  // namespace

Core::Core(const ReplicaConfig& config, const Recovered& recovered)
    : self_(config.self),
      last_(recovered.snapshot.id.index),
      commit_(recovered.snapshot.id.index),
      snapshot_(recovered.snapshot.id.index) {
  for (const Record& record : recovered.records) {
    auto run = decode_record(record);
    if (!run || record.index != last_.next()) {
      broken_ = "record " + std::to_string(record.index.value) + " of storage is not readable";
      return;
    }
    last_ = record.index;
    recovered_.push_back({record.index, *std::move(run)});
  }
}

void Core::step(const Turn& turn, Effects& effects) {
  effects.broken_invariant = broken_;
  if (!broken_.empty()) return;
  replay(effects);
  commit_durable(turn.durable_through, effects);
  for (const CommandRun& run : turn.commands) append(run, effects);
  answer_reads(turn, effects);
  for (const Control& control : turn.controls) use_snapshot(control, effects);
  effects.accept_max_bytes =
      pending_bytes_ < kMaxPendingBytes ? kMaxPendingBytes - pending_bytes_ : 0;
}

// What storage held was acknowledged, or may have been: it is carried out again, in its order.
void Core::replay(Effects& effects) {
  for (CommittedRun& committed : recovered_) {
    commit_ = committed.index;
    effects.commit.push_back(std::move(committed));
  }
  recovered_.clear();
}

void Core::append(const CommandRun& run, Effects& effects) {
  last_ = last_.next();
  last_ticket_ = last_ticket_.next();
  effects.writes.push_back(
      {Write::Kind::append, last_ticket_, last_, encode_record(run), run.body});
  pending_bytes_ += run.body.size();
  pending_.push_back({last_ticket_, {last_, run}});
}

// A run is acknowledged by being committed, so it must be on disk before.
void Core::commit_durable(Ticket durable_through, Effects& effects) {
  while (!pending_.empty() && pending_.front().ticket <= durable_through) {
    CommittedRun& committed = pending_.front().committed;
    pending_bytes_ -= committed.run.body.size();
    commit_ = committed.index;
    effects.commit.push_back(std::move(committed));
    pending_.pop_front();
  }
}

// What was acknowledged is committed here, so a read only has to wait for the applier.
void Core::answer_reads(const Turn& turn, Effects& effects) const {
  for (const ReadRequest& read : turn.reads) effects.reads_ready.push_back({read.id, commit_});
}

// What is in a saved snapshot need not be carried out again after a crash.
void Core::use_snapshot(const Control& control, Effects& effects) {
  if (control.kind != Control::Kind::snapshot_saved) return;
  snapshot_ = control.snapshot.index;
  last_ticket_ = last_ticket_.next();
  effects.writes.push_back({Write::Kind::snapshot, last_ticket_, snapshot_, {}, {}});
}

Status Core::status() const {
  Status status;
  status.role = "standalone";
  status.leader = self_;
  status.commit = commit_;
  status.last = last_;
  status.snapshot = snapshot_;
  status.log_bytes = pending_bytes_;
  status.held_runs = pending_.size();
  return status;
}

}  // namespace parley::unreplicated
