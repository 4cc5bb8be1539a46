// What a server of known behaviour has to give, computed: the truth that the load generator's
// figures are held against. Times in ns, after the beginning of the first stall where there are
// any.
#pragma once

#include <cstdint>
#include <vector>

#include "harness/load/known_server.h"

namespace parley::load {

// From each intended moment to the answer, for requests that arrive exactly then: Lindley's
// recursion (Lindley, "The theory of queues with a single server", 1952) on the clock that stands
// still while the server does. `arrivals` rise and are not negative.
std::vector<std::int64_t> latencies(const std::vector<std::int64_t>& arrivals,
                                    const KnownService& service);

// The same for the request that is the `index`-th (from 0) to arrive after the server, idle till
// then, began to stand still, if one arrives every `gap` from `first` after that on: it waits for
// the rest of the stall and for those before it, until the queue has drained.
std::int64_t stalled_latency(std::int64_t index, std::int64_t first, std::int64_t gap,
                             const KnownService& service);

// The probability that a request waits for at most `wait` before its service begins, if requests
// arrive at random (Poisson), `rate` in one unit of time, and each takes `work`: M/D/1. (Crommelin,
// "Delay probability formulae when the holding times are constant", 1932; also Erlang, 1909.) Its
// terms change signs and are added with 64 bits of mantissa: good to 1e-9 up to about 20 times
// `work` below a load of 0.9.
double md1_wait_at_most(double wait, double rate, double work);

// The latency, wait and work, that this share of the requests does not exceed.
double md1_latency(double share, double rate, double work);

// The smallest value that at least `share` of them do not exceed; as LatencyHistogram::percentile.
std::int64_t percentile_of(std::vector<std::int64_t> values, double share);

}  // namespace parley::load
