#include <utility>

#include "harness/check/history.h"
#include "harness/check/json_io.h"
#include "harness/check/lines.h"

namespace parley::history {

bool has_versions(const std::filesystem::path& path) {
  LineReader lines(path);
  std::string_view line;
  while (lines.next(line)) {
    if (line.find("\"version\"") != std::string_view::npos) return true;
  }
  return lines.line_number() == 0;
}

ReadReport read_history(const std::filesystem::path& path, const OperationVisitor& visit,
                        bool versions) {
  LineReader lines(path);
  OperationParser parser(versions);
  ReadReport report;
  Operation operation;
  std::string_view line;
  while (lines.next(line)) {
    ++report.lines;
    MalformedLine error{lines.line_number(), {}, {}};
    if (lines.too_long()) {
      error.problem = "longer than " + std::to_string(LineReader::kMaxLineBytes) + " bytes";
      report.add(std::move(error));
    } else if (parser.parse(line, operation, error)) {
      visit(operation, lines.line_number());
    } else {
      report.add(std::move(error));
    }
  }
  report.stamp_digits = parser.stamp_digits();
  return report;
}

}  // namespace parley::history
