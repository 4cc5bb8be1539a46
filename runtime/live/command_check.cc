#include "runtime/live/command_check.h"

namespace parley {
namespace {

std::string check_command(const Application& application, const Command& command) {
  switch (static_cast<CommandKind>(command.header.kind)) {
    case CommandKind::application:
      if (command.header.sequence == 0) return "sequence: 0 is below 1";
      return application.validate(command.payload);
    case CommandKind::open_session:
      if (command.payload.size() == sizeof(std::uint64_t)) return {};
      return "nonce: has " + std::to_string(command.payload.size()) + " bytes instead of 8";
    case CommandKind::expire_session:
      break;  // nodes' own
  }
  return "kind: " + std::to_string(command.header.kind) + " is neither 0 nor 1";
}

}  // namespace

CheckedCommands check_commands(const Application& application, Bytes body) {
  CheckedCommands checked;
  CommandReader reader(body);
  Command command;
  while (reader.next(command)) {
    if (checked.count == kMaxSubmitCommands) {
      checked.error =
          "commands: more than " + std::to_string(kMaxSubmitCommands) + " in one request";
      return checked;
    }
    checked.error = check_command(application, command);
    if (!checked.error.empty()) {
      checked.error = "command " + std::to_string(command.offset) + ": " + checked.error;
      return checked;
    }
    ++checked.count;
  }
  if (reader.malformed()) {
    checked.error = "command " + std::to_string(checked.count) +
                    ": is cut short or has a payload " + "whose size is not a multiple of 4";
  } else if (checked.count == 0) {
    checked.error = "commands: there is none";
  }
  return checked;
}

}  // namespace parley
