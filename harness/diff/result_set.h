// What the folders of runs hold, as far as a comparison needs it (INTERFACE: a run's folder).
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

namespace parley::diff {

// A folder that holds no results, or broken ones; names it.
struct ResultError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Run {
  std::string name;  // its folder, from the one that was asked for
  nlohmann::json manifest;
  nlohmann::json summary;
};

struct ResultSet {
  std::vector<Run> runs;            // by name
  std::vector<std::string> failed;  // names of runs that have no figures
};

inline constexpr std::size_t kMaxRuns = 10'000;

// Reads a run's folder, a sweep's, or one that holds several sweeps. Throws ResultError.
ResultSet read_result_set(const std::filesystem::path& folder);

// A number of summary.json or manifest.json by its dotted name; null if it is not there. A
// percentile above the time-out (">5000000") is infinite.
nlohmann::json value_at(const nlohmann::json& object, const std::string& dotted);

}  // namespace parley::diff
