#include "harness/load/load.h"

#include <fmt/format.h>

#include <set>

#include "apps/canvas/canvas.h"
#include "harness/load/generator.h"
#include "harness/load/workload.h"

namespace parley::load {
namespace {

constexpr std::uint32_t kMaxClients = 65536;
constexpr std::uint32_t kMaxInFlight = 1U << 20;
constexpr double kMaxRate = 1e8;
constexpr std::size_t kMaxTargets = 64;
constexpr Duration kMaxDuration = std::chrono::hours(24 * 7);

void require(bool holds, std::string_view field, std::string_view allowed) {
  if (!holds) throw LoadError(fmt::format("{}: must be {}", field, allowed));
}

void check_targets(const std::vector<Target>& targets) {
  require(!targets.empty() && targets.size() <= kMaxTargets, "targets", "1 to 64 nodes");
  std::set<NodeId> seen;
  for (const Target& target : targets) {
    require(target.node != kNoNode && seen.insert(target.node).second, "targets",
            "nodes with different ids from 1 on");
  }
}

void check_window(const LoadSpec& spec) {
  require(spec.batch >= 1 && spec.batch <= kSessionWindow, "batch", "from 1 to 64");
  require(spec.clients >= 1 && spec.clients <= kMaxClients, "clients", "from 1 to 65536");
  if (spec.loop == Loop::open) {
    require(spec.rate > 0 && spec.rate <= kMaxRate, "rate", "above 0 and at most 100000000");
    require(spec.max_in_flight >= spec.batch && spec.max_in_flight <= kMaxInFlight, "max_in_flight",
            "at least batch and at most 1048576");
    return;
  }
  require(spec.window >= spec.batch && spec.window <= kMaxInFlight, "window",
          "at least batch and at most 1048576");
  // A session has at most 64 operations in flight, in whole batches.
  const std::uint64_t room =
      std::uint64_t{spec.clients} * (kSessionWindow / spec.batch * spec.batch);
  require(spec.window <= room, "window",
          fmt::format("at most {} with {} clients and batch {}", room, spec.clients, spec.batch));
}

void check_times(const LoadSpec& spec) {
  require(spec.warmup >= Duration{} && spec.warmup <= kMaxDuration, "warmup", "0 s to 7 days");
  require(spec.warmup_max == Duration{} ||
              (spec.warmup_max >= spec.warmup && spec.warmup_max <= kMaxDuration),
          "warmup_max", "0 s, or from warmup to 7 days");
  require(spec.duration > Duration{} && spec.duration <= kMaxDuration, "duration",
          "above 0 s and at most 7 days");
  require(spec.operation_timeout >= std::chrono::milliseconds(10) &&
              spec.operation_timeout <= std::chrono::hours(1),
          "operation_timeout", "10 ms to 1 h");
  require(spec.attempt_timeout >= std::chrono::milliseconds(10), "attempt_timeout",
          "at least 10 ms");
  require(spec.silence_limit >= std::chrono::milliseconds(10), "silence_limit", "at least 10 ms");
  require(spec.setup_timeout > Duration{}, "setup_timeout", "above 0 s");
}

}  // namespace

void check_spec(const LoadSpec& spec) {
  check_targets(spec.targets);
  check_window(spec);
  check_times(spec);
  require(spec.read_share >= 0 && spec.read_share <= 1, "read_share", "from 0 to 1");
  require(spec.recorded_share >= 0 && spec.recorded_share <= 1, "recorded_share", "from 0 to 1");
  require(spec.canvas_width >= 1 && spec.canvas_width <= kMaxCanvasSide, "canvas_width",
          "from 1 to 4096");
  require(spec.canvas_height >= 1 && spec.canvas_height <= kMaxCanvasSide, "canvas_height",
          "from 1 to 4096");
  const std::uint64_t cells = std::uint64_t{spec.canvas_width} * spec.canvas_height;
  if (parse_workload(spec.workload, cells).kind != WorkloadSpec::Kind::replay) return;
  require(spec.loop == Loop::open, "loop", "open for a replay, which has its own times");
  require(spec.batch == 1, "batch", "1 for a replay");
  require(spec.read_share == 0, "read_share", "0 for a replay");
  require(spec.replay_speed > 0 && spec.replay_speed <= 1e6, "replay_speed",
          "above 0 and at most 1000000");
}

LoadResult run_load(const LoadSpec& spec, const LoadEvents& events) {
  check_spec(spec);
  return Generator(spec, events).run();
}

}  // namespace parley::load
