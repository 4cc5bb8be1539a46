// What the tests of this folder share.
#pragma once

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "harness/cluster/private_folder.h"

namespace parley::harness {

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

}  // namespace parley::harness
