// The journals in a run's folder.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace parley::history {

struct JournalFile {
  std::uint32_t node = 0;
  std::filesystem::path path;
};

// The files <id>.applied.csv of `folder`, by id; none if there is no such folder. Throws
// std::invalid_argument when a name has no number.
std::vector<JournalFile> find_journals(const std::filesystem::path& folder);

}  // namespace parley::history
