#include "harness/load/run_files.h"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace parley::load {
namespace {

void write_file(const std::filesystem::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) {
    throw std::system_error(errno != 0 ? errno : EIO, std::generic_category(),
                            path.string() + ": cannot be written");
  }
}

}  // namespace

void write_timeline_csv(const std::filesystem::path& path, const LoadResult& result) {
  std::string text =
      "t_ms,completed,refused,unknown,unsent,p50_us,p99_us,leader,divergent_cells,lag\n";
  for (const TimelineRow& row : result.timeline) {
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{},{},{},{},{},{}\n", row.t_ms,
                   row.completed, row.refused, row.unknown, row.unsent,
                   row.has_latency ? to_csv(row.p50) : "", row.has_latency ? to_csv(row.p99) : "",
                   row.leader == kNoNode ? "" : std::to_string(row.leader.value),
                   row.divergent_cells ? std::to_string(*row.divergent_cells) : "",
                   row.lag ? std::to_string(*row.lag) : "");
  }
  write_file(path, text);
}

void write_nodes_csv(const std::filesystem::path& path, const LoadResult& result) {
  std::string text = "t_ms,node,placed,read,refused\n";
  for (const NodeRow& row : result.nodes) {
    fmt::format_to(std::back_inserter(text), "{},{},{},{},{}\n", row.t_ms, row.node.value,
                   row.placed, row.read, row.refused);
  }
  write_file(path, text);
}

void write_histogram_csv(const std::filesystem::path& path, const LatencyHistogram& histogram) {
  std::string text = "latency_us_low,latency_us_high,count\n";
  for (const LatencyHistogram::Bin& bin : histogram.bins()) {
    fmt::format_to(std::back_inserter(text), "{:.3f},{:.3f},{}\n", bin.low_us, bin.high_us,
                   bin.count);
  }
  write_file(path, text);
}

}  // namespace parley::load
