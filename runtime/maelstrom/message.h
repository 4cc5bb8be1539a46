// The messages of Maelstrom, the workbench for distributed systems: a JSON object a line.
// Source: https://github.com/jepsen-io/maelstrom, doc/protocol.md.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace parley::maelstrom {

// Its objects are sorted by name, so that equal values have equal texts.
using Json = nlohmann::json;

// A longer line is dropped. Above what strategies send with their default options.
inline constexpr std::size_t kMaxLineBytes = 8U << 20;
// Objects and arrays within each other.
inline constexpr int kMaxDepth = 64;

// The errors that the protocol knows. Definite ones say that the operation was not and never will
// be done; all others leave that open.
enum class ErrorCode : std::uint8_t {
  timeout = 0,  // indefinite
  node_not_found = 1,
  not_supported = 10,
  temporarily_unavailable = 11,
  malformed_request = 12,
  crash = 13,  // indefinite
  abort = 14,
  key_does_not_exist = 20,
  key_already_exists = 21,
  precondition_failed = 22,
  txn_conflict = 30,
};

struct Message {
  std::string src;
  std::string dest;
  std::string type;
  std::optional<std::int64_t> msg_id;       // none: it cannot be answered
  std::optional<std::int64_t> in_reply_to;  // none: it is no answer
  Json body;
};

// Reads a line, without its newline, from outside. Returns empty, or the field at fault and what is
// wrong with it; then `message` has what could be read, so that whoever sent it may be told.
std::string decode(std::string_view line, Message& message);

// The line of a message, with its newline.
std::string encode(std::string_view src, std::string_view dest, const Json& body);

// The body of an error, without in_reply_to.
Json error_body(ErrorCode code, std::string_view text);

}  // namespace parley::maelstrom
