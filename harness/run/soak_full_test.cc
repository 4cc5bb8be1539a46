// Long enough under load that what grows shows: memory, log and disk are bounded by snapshots.
#include <gtest/gtest.h>

#include <algorithm>
#include <mutex>
#include <nlohmann/json.hpp>

#include "harness/cluster/cluster.h"
#include "harness/cluster/private_folder.h"
#include "harness/load/load.h"
#include "harness/run/test_runs.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kSnapshotBytes = 16U << 20;
constexpr std::uint64_t kKeepBytes = 4U << 20;
constexpr auto kTime = 60s;

struct Moment {
  std::uint64_t log_bytes = 0;  // the largest over the nodes, as all of these
  std::uint64_t rss_bytes = 0;
  std::uint64_t snapshots = 0;
  std::uint64_t disk_bytes = 0;  // of all nodes
};

std::uint64_t size_of(const std::filesystem::path& folder) {
  std::uint64_t size = 0;
  std::error_code gone;  // files come and go meanwhile
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, gone)) {
    if (entry.is_regular_file(gone)) size += entry.file_size(gone);
  }
  return size;
}

Moment look_at(Cluster& cluster, const std::filesystem::path& data) {
  Moment moment;
  for (const auto& [node, text] : cluster.reports(5s)) {
    const auto report = nlohmann::json::parse(text);
    const auto raise = [](std::uint64_t& to, const nlohmann::json& value) {
      to = std::max(to, value.get<std::uint64_t>());
    };
    raise(moment.log_bytes, report["log_bytes"]);
    raise(moment.rss_bytes, report["process"]["rss_bytes"]);
    raise(moment.snapshots, report["snapshot"]["made"]);
  }
  moment.disk_bytes = size_of(data);
  return moment;
}

load::LoadSpec load_on(Cluster& cluster, const CanvasSize& canvas) {
  load::LoadSpec spec;
  for (const auto& member : cluster.members()) {
    spec.targets.push_back({member.id, member.client_endpoint});
  }
  spec.canvas_width = canvas.width;
  spec.canvas_height = canvas.height;
  spec.rate = 60'000;
  spec.clients = 1024;
  spec.warmup = 1s;
  spec.duration = kTime;
  return spec;
}

// The largest of a figure in a part of the time.
std::uint64_t peak(const std::vector<Moment>& moments, double from, double to,
                   std::uint64_t Moment::*figure) {
  std::uint64_t highest = 0;
  const auto size = static_cast<double>(moments.size());
  for (auto i = static_cast<std::size_t>(from * size); i < static_cast<std::size_t>(to * size);
       ++i) {
    highest = std::max(highest, moments[i].*figure);
  }
  return highest;
}

TEST(Soak, MemoryAndDiskAreFlatUnderLoad) {
  const PrivateFolder folder;
  ClusterSpec spec = stored_nodes(folder);
  spec.options.set("log_keep_bytes", kKeepBytes);
  spec.canvas = {1000, 1000};
  spec.snapshot_bytes = kSnapshotBytes;
  Cluster cluster(spec);
  cluster.wait_ready(20s);

  std::vector<Moment> moments;  // by the thread of the events, one after the other
  load::LoadEvents events;
  for (auto at = 0s; at < kTime; at += 1s) {
    events.timed.push_back({at, [&] { moments.push_back(look_at(cluster, spec.data)); }});
  }
  const load::LoadResult result = load::run_load(load_on(cluster, spec.canvas), events);
  EXPECT_TRUE(cluster.casualties().empty());
  cluster.stop();

  ASSERT_GT(moments.size(), 30U);
  // RocksDB gives room back in steps, about every half minute here: windows hold one each.
  const auto middle = [&](std::uint64_t Moment::*figure) {
    return peak(moments, 0.1, 0.55, figure);
  };
  const auto end = [&](std::uint64_t Moment::*figure) { return peak(moments, 0.55, 1.0, figure); };
  for (std::size_t i = 0; i < moments.size(); i += 5) {
    std::printf("%2zu s: memory %lu MB, log %lu MB, disk %lu MB\n", i, moments[i].rss_bytes >> 20,
                moments[i].log_bytes >> 20, moments[i].disk_bytes >> 20);
  }
  std::printf("%lu placements; memory %lu then %lu MB, log %lu then %lu MB, disk %lu then %lu MB\n",
              result.completed, middle(&Moment::rss_bytes) >> 20, end(&Moment::rss_bytes) >> 20,
              middle(&Moment::log_bytes) >> 20, end(&Moment::log_bytes) >> 20,
              middle(&Moment::disk_bytes) >> 20, end(&Moment::disk_bytes) >> 20);
  EXPECT_GT(result.completed, 1'000'000U);
  EXPECT_GE(moments.back().snapshots, 5U);
  EXPECT_LT(end(&Moment::rss_bytes), middle(&Moment::rss_bytes) * 11 / 10);
  EXPECT_LT(end(&Moment::log_bytes), 3 * (kSnapshotBytes + kKeepBytes));
  EXPECT_LT(end(&Moment::disk_bytes), middle(&Moment::disk_bytes) * 3 / 2);
}

}  // namespace
}  // namespace parley::harness
