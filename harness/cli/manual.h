// The manual page, made of the definitions of the command line.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/cli/command_text.h"

namespace parley::cli {

// What the definitions do not say.
struct ManualFacts {
  std::string version;
  std::vector<std::pair<int, std::string>> exit_status;
};

// parley.1 in the man macros of roff, all of it ASCII.
std::string manual_page(const CommandText& program, const ManualFacts& facts);

// Text that roff prints as it is: escaped, whatever characters it has.
std::string roff_text(std::string_view text);

}  // namespace parley::cli
