// A server whose behaviour is known exactly, so that what is measured at it can be computed.
#pragma once

#include "algorithms/contract/time.h"

namespace parley::load {

// One request at a time, in the order of arrival, each taking the same time of work; every so often
// the server stands still, and goes on afterwards where it was.
struct KnownService {
  Duration work{};         // above 0
  Duration stall_every{};  // 0: it never stands still
  Duration stall_for{};    // from the beginning of each such period on; less than `stall_every`
};

class KnownServer {
 public:
  // Periods are counted from `epoch`.
  KnownServer(const KnownService& service, Instant epoch) : service_(service), epoch_(epoch) {}

  // When the request that arrives now, not before the last one, is done.
  Instant finish(Instant arrival);

 private:
  // The part of its period that has passed.
  [[nodiscard]] Duration phase(Instant at) const;

  KnownService service_;
  Instant epoch_;
  Instant free_;  // when all that has arrived so far is done
};

}  // namespace parley::load
