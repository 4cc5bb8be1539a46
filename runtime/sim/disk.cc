#include "runtime/sim/disk.h"

#include <fmt/format.h>

#include <algorithm>

namespace parley::sim {

using std::chrono::milliseconds;

void Disk::write(std::span<const Write> writes, std::uint32_t life) {
  if (writes.empty()) return;
  if (failed_) {
    return engine_.fail(check::kContract,
                        fmt::format("node {} goes on after its disk reported an error", node_));
  }
  for (const Write& write : writes) {
    if (write.ticket != issued_.next()) {
      engine_.fail(check::kContract, fmt::format("node {} issued ticket {} after ticket {}", node_,
                                                 write.ticket.value, issued_.value));
    }
    issued_ = write.ticket;
    if (write.kind == Write::Kind::truncate) {
      engine_.note(FactKind::truncate, node_, write.index.value);
    }
    pending_.push_back(write);
  }
  if (syncing_ == 0) begin_sync(life);
}

void Disk::begin_sync(std::uint32_t life) {
  const Weather& weather = engine_.weather;
  syncing_ = pending_.size();
  Duration delay = random_.between(weather.sync_min, weather.sync_max);
  if (weather.slow_sync_per_million > 0 && random_.chance(weather.slow_sync_per_million)) {
    delay = random_.between(milliseconds(20), milliseconds(1500));
    engine_.count(FaultKind::slow_disk);
    engine_.note(FactKind::slow_disk, node_, static_cast<std::uint64_t>(delay.count()));
  }
  delay += slower_;
  sync_ends_ = engine_.now + delay;
  engine_.after(delay, EventKind::sync, node_, life);
}

bool Disk::sync_done(std::uint32_t life) {
  const std::uint32_t failures = engine_.weather.failed_sync_per_million;
  if (full_ || (failures > 0 && random_.chance(failures))) {
    engine_.count(FaultKind::failed_sync);
    engine_.note(FactKind::no_sync, node_, syncing_);
    failed_ = true;
    return false;
  }
  durable_ = pending_[syncing_ - 1].ticket;
  carry_out(syncing_);
  pending_.erase(pending_.begin(), pending_.begin() + static_cast<std::ptrdiff_t>(syncing_));
  syncing_ = 0;
  if (!pending_.empty()) begin_sync(life);
  return true;
}

// Brings the first `count` pending writes onto the platter.
void Disk::carry_out(std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    Write& write = pending_[i];
    switch (write.kind) {
      case Write::Kind::state:
        state_ = std::move(write.header);
        break;
      case Write::Kind::append:
        append(write);
        break;
      case Write::Kind::truncate:
        std::erase_if(records_,
                      [&write](const Record& record) { return record.index >= write.index; });
        break;
      case Write::Kind::snapshot:
        use_snapshot(write);
        break;
    }
  }
}

void Disk::append(Write& write) {
  const LogIndex last = records_.empty() ? snapshot_.id.index : records_.back().index;
  if (write.index != last.next()) {
    return engine_.fail(check::kContract,
                        fmt::format("node {} appended index {} to a log that ends at {}", node_,
                                    write.index.value, last.value));
  }
  records_.push_back({write.index, std::move(write.header), std::move(write.body)});
}

void Disk::use_snapshot(Write& write) {
  const auto saved = std::find_if(saved_.begin(), saved_.end(), [&write](const auto& snapshot) {
    return snapshot->id.index == write.index;
  });
  if (saved == saved_.end() || write.index <= snapshot_.id.index) {
    return engine_.fail(
        check::kContract,
        fmt::format("node {} put the snapshot of index {} in use, which is not saved or not newer "
                    "than that of index {}",
                    node_, write.index.value, snapshot_.id.index.value));
  }
  snapshot_ = {(*saved)->id, std::move(write.header), (*saved)->parts};
  std::erase_if(saved_, [this](const auto& s) { return s->id.index <= snapshot_.id.index; });
  std::erase_if(records_,
                [this](const Record& record) { return record.index <= snapshot_.id.index; });
}

std::size_t Disk::crash() {
  const bool nothing_kept = random_.chance(500'000);
  const std::size_t kept = nothing_kept ? 0 : random_.below(pending_.size() + 1);
  const std::size_t lost = pending_.size() - kept;
  carry_out(kept);
  pending_.clear();
  syncing_ = 0;
  sync_ends_ = {};
  failed_ = false;
  return lost;
}

void Disk::wipe() {
  state_ = {};
  saved_.clear();
  snapshot_ = {};
  records_.clear();
}

Recovered Disk::recover() {
  issued_ = {};
  durable_ = {};
  return {state_, snapshot_, records_};
}

}  // namespace parley::sim
