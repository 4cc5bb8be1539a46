#include "runtime/session_watch.h"

#include <algorithm>

namespace parley {
namespace {

// Into so many looks a round is divided, and no look takes longer than this many sessions do.
constexpr std::uint32_t kLooks = 16;
constexpr std::uint32_t kMaxLook = 4096;

}  // namespace

void SessionWatch::look(const SessionTable& sessions, Instant now, std::vector<Idle>& found) {
  next_ = now + idle_ / kLooks;
  seen_.resize(sessions.slots());
  if (place_ >= sessions.slots()) place_ = 0;
  const std::uint32_t share = std::min(sessions.slots() / kLooks + 1, kMaxLook);
  const std::uint32_t end = std::min(place_ + share, sessions.slots());
  for (; place_ < end; ++place_) {
    const Session& session = sessions.at(place_);
    Seen& seen = seen_[place_];
    if (!session.open) continue;
    if (seen.id != session.id || seen.highest != session.highest) {
      seen = {session.id, session.highest, now};
    } else if (now - seen.since >= idle_) {
      seen.since = now;
      found.push_back({session.id, session.highest});
    }
  }
}

}  // namespace parley
