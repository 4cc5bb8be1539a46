#include "harness/diff/result_set.h"

#include <algorithm>
#include <fstream>
#include <limits>

namespace parley::diff {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr int kMaxDepth = 3;  // sweeps of a comparison, runs of a sweep, files of a run

json read_json(const fs::path& path) {
  std::ifstream in(path);
  json read = json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!read.is_object()) throw ResultError(path.string() + ": is not a JSON object");
  return read;
}

bool has_failed(const json& manifest) {
  const json notes = manifest.value("notes", json::array());
  return std::ranges::any_of(notes, [](const json& note) {
    return note.is_string() && note.get_ref<const std::string&>().starts_with("failed: ");
  });
}

void read_run(const fs::path& folder, const std::string& name, ResultSet& set) {
  json manifest = read_json(folder / "manifest.json");
  if (value_at(manifest, "baseline") == true)
    return;  // it shows the machine, which is not compared
  // One that failed after it was measured has figures, of something else than was asked.
  if (!fs::exists(folder / "summary.json") || has_failed(manifest)) {
    set.failed.push_back(name);
    return;
  }
  if (set.runs.size() == kMaxRuns) {
    throw ResultError(folder.string() + ": more than " + std::to_string(kMaxRuns) + " runs");
  }
  set.runs.push_back({name, std::move(manifest), read_json(folder / "summary.json")});
}

}  // namespace

ResultSet read_result_set(const fs::path& folder) {
  if (!fs::is_directory(folder)) throw ResultError(folder.string() + ": is not a folder");
  ResultSet set;
  if (fs::exists(folder / "manifest.json")) {
    read_run(folder, folder.filename().string(), set);
  } else {
    for (auto it = fs::recursive_directory_iterator(folder); it != fs::end(it); ++it) {
      if (it.depth() >= kMaxDepth) it.disable_recursion_pending();
      if (!it->is_directory() || !fs::exists(it->path() / "manifest.json")) continue;
      read_run(it->path(), it->path().lexically_relative(folder).string(), set);
      it.disable_recursion_pending();
    }
  }
  if (set.runs.empty()) {
    throw ResultError(folder.string() + ": holds no run with manifest.json and summary.json");
  }
  std::ranges::sort(set.runs, {}, &Run::name);
  std::ranges::sort(set.failed);
  return set;
}

json value_at(const json& object, const std::string& dotted) {
  const json* at = &object;
  for (std::size_t begin = 0; begin <= dotted.size();) {
    const std::size_t end = std::min(dotted.find('.', begin), dotted.size());
    const auto it = at->is_object() ? at->find(dotted.substr(begin, end - begin)) : at->end();
    if (!at->is_object() || it == at->end()) return nullptr;
    at = &*it;
    begin = end + 1;
  }
  if (at->is_string() && at->get_ref<const std::string&>().starts_with('>')) {
    return std::numeric_limits<double>::infinity();
  }
  return *at;
}

}  // namespace parley::diff
