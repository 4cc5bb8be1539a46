// What the load has to know of a node's report (runtime/live/report_json.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace parley::load {

struct ReportedState {
  std::uint64_t applied = 0;
  std::uint64_t digest = 0;
  std::uint64_t requests_in_flight = 0;
  bool operator==(const ReportedState&) const = default;
};

// Nothing if the text is not such a report.
std::optional<ReportedState> parse_report(const std::string& report);

}  // namespace parley::load
