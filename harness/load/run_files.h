// The files and figures of a run's folder that come from its load.
#pragma once

#include <filesystem>
#include <string>

#include "harness/load/load.h"

namespace parley::load {

// timeline.csv: one line per 100 ms. Throws std::system_error when the file cannot be written.
void write_timeline_csv(const std::filesystem::path& path, const LoadResult& result);

// nodes.csv: what each node answered per 100 ms, see NodeRow. Throws likewise.
void write_nodes_csv(const std::filesystem::path& path, const LoadResult& result);

// histogram.csv: the distribution of latency_us, operations without an end left out (summary.json
// has their number). Throws likewise.
void write_histogram_csv(const std::filesystem::path& path, const LatencyHistogram& histogram);

// One JSON object with the part of summary.json that the load knows: offered_ops_per_s,
// achieved_ops_per_s, completed, refused, unknown, unsent, latency_us, service_us and generator;
// and beyond these errors, retries, late_replies, requests, request_bytes, replies, reply_bytes
// and, after a replay, replay.
std::string summary_json(const LoadResult& result);

// One JSON object with what a manifest says of the load that was asked for.
std::string spec_json(const LoadSpec& spec);

}  // namespace parley::load
