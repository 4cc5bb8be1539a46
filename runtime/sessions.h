// Client sessions: how a retry is told from a new command.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "algorithms/contract/node_port.h"

namespace parley {

// How many of its latest sequence numbers a session remembers, with their results. A client has at
// most this many commands of a session in flight.
inline constexpr std::uint32_t kSessionWindow = 64;

// The sessions of the replicated state. Deterministic: every replica that applied the same runs
// holds the same sessions. (Ongaro's dissertation, §6.3.)
class SessionTable {
 public:
  // At most `max_sessions` (up to 2^24) can be open at a time; ids are handed out from
  // `first_id` + 1 on.
  explicit SessionTable(std::uint32_t max_sessions, std::uint32_t first_id = 0)
      : max_sessions_(max_sessions), first_id_(first_id) {}

  // Opens a session for the client that chose `nonce`, or finds the one that it opened before.
  // Returns its id, or 0 when no more can be opened.
  std::uint32_t open(std::uint64_t nonce);

  enum class Seen : std::uint8_t {
    fresh,     // to be executed
    repeated,  // executed before: `result` is what it returned
    too_old,   // behind the window: whether it was executed is forgotten
    no_session,
  };

  // Classifies a command.
  Seen look_up(std::uint32_t session, std::uint32_t sequence, Result& result) const;

  // Remembers the result of a fresh command.
  void record(const Result& result);

  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(sessions_.size()); }

 private:
  struct Remembered {
    Stamp stamp;
    std::uint64_t value = 0;
    std::uint32_t sequence = 0;  // 0: nothing
    std::uint16_t code = 0;
  };
  struct Session {
    std::uint32_t highest = 0;  // the highest sequence number executed
    std::array<Remembered, kSessionWindow> window{};
  };

  std::uint32_t max_sessions_;
  std::uint32_t first_id_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::map<std::uint64_t, std::uint32_t> by_nonce_;
};

}  // namespace parley
