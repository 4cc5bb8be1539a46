// Finds sessions in which nothing happens any more.
#pragma once

#include <cstdint>
#include <vector>

#include "algorithms/contract/time.h"
#include "runtime/sessions.h"

namespace parley {

// When a session was last used is not part of the replicated state, since nodes have no common
// clock: each node watches for itself, and the leader proposes to expire what was idle there. The
// proposal names what the leader saw, so a session that was used meanwhile stays.
class SessionWatch {
 public:
  struct Idle {
    std::uint32_t session = 0;
    std::uint32_t highest = 0;  // sequence number seen
  };

  // A session is idle when nothing was executed in it for `idle` or a little longer; 0: never.
  explicit SessionWatch(Duration idle) : idle_(idle) {}

  // When to look next; kNever if never.
  [[nodiscard]] Instant next() const { return idle_ > Duration{} ? next_ : kNever; }

  // Looks at some of the sessions, so that all have had their turn after `idle`; adds those that
  // are idle. A session that is not expired is found again after the same time.
  void look(const SessionTable& sessions, Instant now, std::vector<Idle>& found);

 private:
  struct Seen {
    std::uint32_t id = 0;
    std::uint32_t highest = 0;
    Instant since;
  };

  Duration idle_;
  Instant next_;
  std::uint32_t place_ = 0;
  std::vector<Seen> seen_;  // by slot
};

}  // namespace parley
