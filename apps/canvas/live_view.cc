#include "apps/canvas/live_view.h"

#include <utility>

namespace parley {
namespace {

constexpr std::size_t kMaxViewWaiters = 4096;

}  // namespace

CanvasView::Seconds LiveView::now_s() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<CanvasView::Seconds>(
      std::chrono::duration_cast<std::chrono::seconds>(since).count());
}

void LiveView::acknowledged(std::uint32_t x, std::uint32_t y, Stamp stamp) {
  ++acknowledged_;
  view_.saw(x, y, stamp, now_s());
}

void LiveView::with_fresh(Ready ready) {
  const bool young = taken_at_ && std::chrono::steady_clock::now() - *taken_at_ <= max_age_;
  if (young && taken_acknowledged_ == acknowledged_) return ready(true);
  refresh(std::move(ready));
}

void LiveView::refresh(Ready ready) {
  // A node that does not answer must not gather them without end.
  if (waiters_.size() >= kMaxViewWaiters) return ready(false);
  waiters_.push_back({acknowledged_, std::move(ready)});
  if (!freezing_) freeze();
}

void LiveView::freeze() {
  freezing_ = true;
  node_.freeze(
      [this, post = post_, acknowledged = acknowledged_](FrozenStore store, NodeReport report) {
        post([this, acknowledged, store = std::move(store), report = std::move(report)] {
          on_frozen(store, report, acknowledged);
        });
      });
}

void LiveView::on_frozen(const FrozenStore& store, const NodeReport& report,
                         std::uint64_t acknowledged) {
  freezing_ = false;
  const bool taken = store.key_count() == canvas_.key_count();
  if (taken) {
    view_.update(store, report.applied, now_s());
    taken_at_ = std::chrono::steady_clock::now();
    taken_acknowledged_ = acknowledged;
    updated_();
  }
  std::vector<Waiter> waiters = std::exchange(waiters_, {});
  for (Waiter& waiter : waiters) {
    if (!taken || waiter.after <= acknowledged) {
      waiter.ready(taken);
    } else {
      waiters_.push_back(std::move(waiter));
    }
  }
  if (!waiters_.empty() && !freezing_) freeze();
}

}  // namespace parley
