// Commands and the runs that carry them.
#pragma once

#include <cstdint>
#include <cstring>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/stamp.h"

namespace parley {

// Identifies a run in the whole cluster for ever: which start of which node made it, and its number
// there, counted from 1.
struct RunId {
  NodeId origin;
  Incarnation incarnation;
  std::uint64_t number = 0;
  constexpr auto operator<=>(const RunId&) const = default;
};

// Many commands in one run of bytes, from one origin; the unit of replication. To an algorithm the
// body is opaque, unless it merges: then it is an array of CellWrite.
struct CommandRun {
  RunId id;
  std::uint32_t count = 0;  // commands in the body
  Block body;
};

// What stands before each command of a run's body, in the byte order of the machine (checked to be
// little-endian at build time); the payload follows, and its size is a multiple of 4.
struct CommandHeader {
  std::uint32_t session = 0;
  std::uint32_t sequence = 0;      // from 1, per session
  std::uint16_t payload_size = 0;  // bytes
  std::uint16_t kind = 0;          // a CommandKind
};
static_assert(sizeof(CommandHeader) == 12);

enum class CommandKind : std::uint16_t {
  application = 0,     // for Application::execute
  open_session = 1,    // payload: 8 bytes chosen by the client, the same in each retry; session and
                       // sequence are 0; the reply's value is the session's id
  expire_session = 2,  // of nodes only: closes the session unless something was executed in it
                       // after `sequence`; no payload
};

// Appends a command to the body of a run; `payload` has a multiple of 4 bytes.
inline void append_command(const CommandHeader& header, Bytes payload,
                           std::vector<std::byte>& body) {
  const Bytes head = std::as_bytes(std::span(&header, 1));
  body.insert(body.end(), head.begin(), head.end());
  body.insert(body.end(), payload.begin(), payload.end());
}

// Appends the command that opens the session of the client that chose `nonce`.
inline void append_open_session(std::uint64_t nonce, std::vector<std::byte>& body) {
  const CommandHeader header{0, 0, sizeof(nonce),
                             static_cast<std::uint16_t>(CommandKind::open_session)};
  append_command(header, std::as_bytes(std::span(&nonce, 1)), body);
}

// A command within a run.
struct Command {
  CommandHeader header;
  Bytes payload;
  std::uint32_t offset = 0;  // its place in the run, from 0
};

// Walks through the commands of a run's body.
class CommandReader {
 public:
  explicit CommandReader(Bytes body) : rest_(body) {}

  // Reads the next command; false at the end, or where the body is malformed (see `malformed`).
  // Fills a command in its place: what is read in small pieces and at once copied as a whole makes
  // processors wait.
  bool next(Command& command) {
    if (rest_.empty()) return false;
    if (rest_.size() < sizeof(CommandHeader)) return fail();
    std::memcpy(&command.header, rest_.data(), sizeof(CommandHeader));
    const std::size_t size = command.header.payload_size;
    if (size % 4 != 0 || rest_.size() - sizeof(CommandHeader) < size) return fail();
    command.payload = rest_.subspan(sizeof(CommandHeader), size);
    command.offset = offset_++;
    rest_ = rest_.subspan(sizeof(CommandHeader) + size);
    return true;
  }

  [[nodiscard]] bool malformed() const { return malformed_; }
  [[nodiscard]] std::uint32_t count() const { return offset_; }

 private:
  bool fail() {
    malformed_ = true;
    rest_ = {};
    return false;
  }

  Bytes rest_;
  std::uint32_t offset_ = 0;
  bool malformed_ = false;
};

// The write of one cell that a command comes down to, in the mergeable form of an application
// (Application::translate). The driver hands merge strategies runs of these.
struct CellWrite {
  Key key;
  std::uint32_t reserved = 0;
  std::uint64_t value = 0;
  Writer writer;
};
static_assert(sizeof(CellWrite) == 24);

}  // namespace parley
