#include "harness/load/known_server.h"

#include <algorithm>

namespace parley::load {

Duration KnownServer::phase(Instant at) const {
  const Duration rest = (at - epoch_) % service_.stall_every;
  return rest < Duration{} ? rest + service_.stall_every : rest;
}

Instant KnownServer::finish(Instant arrival) {
  Instant at = std::max(arrival, free_);
  Duration left = service_.work;
  while (service_.stall_every > Duration{}) {
    const Duration now = phase(at);
    if (now < service_.stall_for) at += service_.stall_for - now;
    const Duration until_stall = service_.stall_every - std::max(now, service_.stall_for);
    if (left <= until_stall) break;
    at += until_stall;
    left -= until_stall;
  }
  free_ = at + left;
  return free_;
}

}  // namespace parley::load
