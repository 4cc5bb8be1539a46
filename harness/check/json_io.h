// The only place that knows the JSON library: a history line and a run's manifest in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/check/checker.h"
#include "harness/check/history.h"

namespace parley::history {

// Parses lines of a history.
class OperationParser {
 public:
  // `versions`: as for read_history.
  explicit OperationParser(bool versions = true);
  ~OperationParser();

  // True and the operation, or false and `error` with field and problem (its line untouched).
  bool parse(std::string_view line, Operation& operation, MalformedLine& error);
  int stamp_digits() const;  // the width seen; 0 before the first stamp

 private:
  class Handler;
  std::unique_ptr<Handler> handler_;
};

// What a check needs of a run's manifest.json; the keys stand at its top or in its `spec`.
struct ManifestFacts {
  std::optional<std::uint32_t> canvas_width;  // of `canvas`, "WxH"
  std::optional<bool> sampled;                // `record` is neither "all" nor "none"
  std::optional<std::uint32_t> copies;        // `ack` of `options`
  std::optional<bool> quiescent;              // whether what was left at the end is final
  std::vector<Departure> departures;
};

// Throws std::invalid_argument naming the file when it is not JSON, std::system_error when it
// cannot be read.
ManifestFacts read_manifest(const std::filesystem::path& path);

}  // namespace parley::history
