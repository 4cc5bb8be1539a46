// From the files of a run to a verdict.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>
#include <utility>

#include "harness/check/checker.h"
#include "harness/check/json_io.h"
#include "harness/check/run_folder.h"

namespace parley::history {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kJournalSuffix = ".applied.csv";
constexpr std::uintmax_t kShortestLine = 128;  // bytes, for an estimate from above

void add_history(const fs::path& path, Checker& checker, bool versions) {
  checker.reserve(static_cast<std::size_t>(fs::file_size(path) / kShortestLine));
  const ReadReport report = read_history(
      path, [&](const Operation& op, std::uint64_t line) { checker.add(op, line); }, versions);
  checker.note_malformed(path.filename().string(), report);
}

void add_journal(const JournalFile& journal, Checker& checker) {
  checker.begin_journal(journal.node);
  const ReadReport report = read_journal(
      journal.path,
      [&](const JournalEntry& entry, std::uint64_t line) { checker.add_applied(entry, line); });
  checker.note_malformed(journal.path.filename().string(), report);
  if (report.torn_tail) {
    checker.note(
        fmt::format("the journal of node {} ends within a line, which was left out", journal.node));
  }
}

}  // namespace

std::vector<JournalFile> find_journals(const fs::path& folder) {
  std::vector<JournalFile> journals;
  if (!fs::is_directory(folder)) return journals;
  for (const auto& item : fs::directory_iterator(folder)) {
    const std::string name = item.path().filename().string();
    if (name.size() <= kJournalSuffix.size() || !name.ends_with(kJournalSuffix)) continue;
    const std::size_t digits = name.size() - kJournalSuffix.size();
    JournalFile journal{0, item.path()};
    const auto [rest, error] = std::from_chars(name.data(), name.data() + digits, journal.node);
    if (error != std::errc{} || rest != name.data() + digits) {
      throw std::invalid_argument(fmt::format("{}: expected the node's number before {}",
                                              item.path().string(), kJournalSuffix));
    }
    journals.push_back(std::move(journal));
  }
  std::sort(journals.begin(), journals.end(),
            [](const JournalFile& a, const JournalFile& b) { return a.node < b.node; });
  return journals;
}

CheckResult check_history(const fs::path& path, CheckOptions options) {
  const bool folder = fs::is_directory(path);
  const fs::path history = folder ? path / "history.jsonl" : path;
  if (!fs::is_regular_file(history)) {
    throw std::invalid_argument(fmt::format(
        "{}: no such history (a history.jsonl, or the folder of a recorded run)", path.string()));
  }
  if (folder && fs::exists(path / "manifest.json")) {
    const ManifestFacts facts = read_manifest(path / "manifest.json");
    if (!options.canvas_width) options.canvas_width = facts.canvas_width;
    if (!options.sampled) options.sampled = facts.sampled;
    if (!options.copies) options.copies = facts.copies;
    options.quiescent = options.quiescent && facts.quiescent.value_or(true);
    if (options.departures.empty()) options.departures = facts.departures;
  }
  const bool versions = has_versions(history);
  options.versions = versions;
  Checker checker(std::move(options));
  add_history(history, checker, versions);
  if (folder && versions) {
    for (const JournalFile& journal : find_journals(path / "nodes")) add_journal(journal, checker);
  }
  return checker.finish();
}

}  // namespace parley::history
