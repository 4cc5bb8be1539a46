// What a journal of a test says.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "runtime/live/waiter.h"

namespace parley {

// The journal's text with a T for each time. The times must not go back, nor lie in the future. A
// last line that has no newline yet is left out.
inline std::string without_times(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string text;
  std::string line;
  std::int64_t before = 0;
  while (std::getline(file, line) && !file.eof()) {
    const std::size_t known = line.rfind(',');
    const std::size_t time = line.rfind(',', known - 1) + 1;
    if (line.find_first_not_of("0123456789", time) == known) {
      const std::int64_t t_ns = std::stoll(line.substr(time));
      EXPECT_GE(t_ns, before) << line;
      EXPECT_LE(t_ns, monotonic_now().time_since_epoch().count()) << line;
      before = t_ns;
      line.replace(time, known - time, "T");
    }
    text += line + "\n";
  }
  return text;
}

}  // namespace parley
