#include <utility>

#include "harness/check/history.h"
#include "harness/check/json_io.h"
#include "harness/check/lines.h"

namespace parley::history {

ReadReport read_history(const std::filesystem::path& path, const OperationVisitor& visit) {
  LineReader lines(path);
  OperationParser parser;
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
