// Checks commands from outside before they enter a run.
#pragma once

#include <cstdint>
#include <string>

#include "algorithms/contract/application.h"
#include "algorithms/contract/command.h"

namespace parley {

// The most commands that one submit may carry.
inline constexpr std::uint32_t kMaxSubmitCommands = 4096;

struct CheckedCommands {
  std::uint32_t count = 0;  // of well-formed commands, up to the first fault
  std::string error;        // empty, or the command and field at fault and what is allowed
};

// `body` holds the commands of one submit, each a CommandHeader and its payload. Callable from any
// thread.
CheckedCommands check_commands(const Application& application, Bytes body);

}  // namespace parley
