// The allowed dependencies between folders, read off the includes of every source.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace parley {
namespace {

namespace fs = std::filesystem;

struct Include {
  std::string from;  // the including file, from the root of the source
  std::string to;    // as it stands in the directive
};

std::vector<Include> includes_of(const fs::path& root) {
  std::vector<Include> includes;
  const std::regex directive("^#include \"([^\"]+)\"");
  for (const char* folder : {"algorithms", "runtime", "apps", "harness"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        std::smatch match;
        if (std::regex_search(line, match, directive)) {
          includes.push_back({fs::relative(entry.path(), root).string(), match[1]});
        }
      }
    }
  }
  return includes;
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  for (const std::string& prefix : prefixes) {
    if (text.starts_with(prefix)) return true;
  }
  return false;
}

// The folders that a file may include from. Tests and benchmarks may use what they test with.
std::vector<std::string> allowed(const std::string& file) {
  const std::string folder = file.substr(0, file.rfind('/') + 1);
  if (folder.starts_with("harness/") || folder == "algorithms/registry/") return {""};
  std::vector<std::string> prefixes{folder, "algorithms/contract/"};
  if (folder.starts_with("runtime/")) prefixes.push_back("runtime/");
  if (folder.starts_with("algorithms/")) {
    // A strategy may have folders in its own.
    prefixes.push_back(folder.substr(0, folder.find('/', sizeof("algorithms/") - 1) + 1));
  }
  const bool test = file.ends_with("_test.cc") || file.ends_with("_benchmark.cc") ||
                    file.find("test_") != std::string::npos ||
                    file.find("toy_") != std::string::npos ||
                    file.find("/flawed.") != std::string::npos;
  if (test) prefixes.insert(prefixes.end(), {"algorithms/", "runtime/"});
  return prefixes;
}

TEST(Layout, FoldersIncludeOnlyWhatTheyMay) {
  const std::vector<Include> includes = includes_of(PARLEY_SOURCE_DIR);
  EXPECT_GT(includes.size(), 100U);
  for (const Include& include : includes) {
    EXPECT_TRUE(starts_with_any(include.to, allowed(include.from)))
        << include.from << " includes " << include.to;
  }
}

TEST(Layout, OnlyTheRulesExceptionsAreAllowed) {
  EXPECT_FALSE(starts_with_any("runtime/driver.h", allowed("algorithms/raft/core.cc")));
  EXPECT_FALSE(starts_with_any("algorithms/raft/core.h", allowed("runtime/driver.cc")));
  EXPECT_FALSE(starts_with_any("runtime/driver.h", allowed("apps/canvas/gateway.cc")));
  EXPECT_FALSE(starts_with_any("harness/load/load.h", allowed("runtime/live/node.cc")));
  EXPECT_TRUE(starts_with_any("algorithms/contract/ids.h", allowed("algorithms/raft/core.cc")));
}

// An algorithm has no clock, no global randomness and no input or output of its own.
TEST(Layout, AlgorithmsReachNoClockRandomSourceOrFile) {
  const std::set<std::string> forbidden = {"random",        "iostream",      "fstream", "cstdio",
                                           "thread",        "mutex",         "ctime",   "cstdlib",
                                           "unordered_map", "unordered_set", "unistd.h"};
  const std::regex directive("^#include <([^>]+)>");
  int files = 0;
  for (const auto& entry :
       fs::recursive_directory_iterator(fs::path(PARLEY_SOURCE_DIR) / "algorithms")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(".h") && !name.ends_with(".cc")) continue;
    if (name.find("test") != std::string::npos || name.find("benchmark") != std::string::npos)
      continue;
    if (entry.path().parent_path().filename() == "story") continue;  // how tests tell executions
    if (name == "random.h") continue;             // the contract's own, seeded generator
    if (name.starts_with("tile_pool")) continue;  // memory that other threads may give back
    ++files;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) {
      std::smatch match;
      if (!std::regex_search(line, match, directive)) continue;
      EXPECT_FALSE(forbidden.contains(match[1]))
          << entry.path() << " includes <" << match[1] << ">";
    }
  }
  EXPECT_GT(files, 15);
}

}  // namespace
}  // namespace parley
