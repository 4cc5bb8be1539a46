// Client sessions: how a retry is told from a new command.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <vector>

#include "algorithms/contract/client_session.h"
#include "algorithms/contract/node_port.h"

namespace parley {

// At most so many sessions can be open at a time.
inline constexpr std::uint32_t kMaxSessions = 1U << 16;

// One client's session, or the place of one that has expired.
struct Session {
  struct Remembered {
    Stamp stamp;
    std::uint64_t value = 0;
    std::uint32_t sequence = 0;  // 0: nothing
    std::uint16_t code = 0;
  };

  std::uint64_t nonce = 0;
  std::uint32_t id = 0;       // of the session that is or was here last
  std::uint32_t highest = 0;  // sequence number executed
  bool open = false;
  std::array<Remembered, kSessionWindow> window{};
};

// What is copied at the first write after a freeze.
inline constexpr std::uint32_t kSessionsPerChunk = 16;
using SessionChunk = std::array<Session, kSessionsPerChunk>;

// Sessions that no later command changes. Safe to read and release in any thread.
class FrozenSessions {
 public:
  FrozenSessions() = default;
  FrozenSessions(std::vector<std::shared_ptr<const SessionChunk>> chunks, std::uint32_t slots)
      : chunks_(std::move(chunks)), slots_(slots) {}

  // Places in use, those of expired sessions included.
  [[nodiscard]] std::uint32_t slots() const { return slots_; }
  [[nodiscard]] const Session& at(std::uint32_t slot) const {
    return (*chunks_[slot / kSessionsPerChunk])[slot % kSessionsPerChunk];
  }

 private:
  std::vector<std::shared_ptr<const SessionChunk>> chunks_;
  std::uint32_t slots_ = 0;
};

// The sessions of the replicated state. Deterministic: every replica that applied the same runs
// holds the same sessions. (Ongaro's dissertation, §6.3.)
//
// An id is never handed out twice: its lower 16 bits name the place, the upper ones count how often
// the place was taken.
class SessionTable {
 public:
  // At most `max_sessions` (up to kMaxSessions) can be open at a time; ids are handed out from
  // `first_id` + 1 on.
  explicit SessionTable(std::uint32_t max_sessions, std::uint32_t first_id = 0)
      : max_sessions_(max_sessions), first_id_(first_id) {}

  // Opens a session for the client that chose `nonce`, or finds the one that it opened before.
  // Returns its id, or 0 when no more can be opened.
  std::uint32_t open(std::uint64_t nonce);

  // Closes a session in which nothing was executed after `highest`. False, and nothing changes, if
  // something was, or if there is no such session.
  bool expire(std::uint32_t id, std::uint32_t highest);

  enum class Seen : std::uint8_t {
    fresh,     // to be executed
    repeated,  // executed before: `result` is what it returned
    too_old,   // behind the window: whether it was executed is forgotten
    expired,   // with its session, what was executed in it is forgotten
    no_session,
  };

  // Classifies a command.
  Seen look_up(std::uint32_t session, std::uint32_t sequence, Result& result) const;

  // Remembers the result of a fresh command, unless it is behind the window by now. A stamp of
  // major 0 stands for one that is not known yet.
  void record(const Result& result);

  // Of a command whose stamp is not known yet: it was not executed, and is fresh again.
  void forget(std::uint32_t session, std::uint32_t sequence);

  // Open ones.
  [[nodiscard]] std::uint32_t size() const { return static_cast<std::uint32_t>(by_nonce_.size()); }
  // Places in use, those of expired sessions included.
  [[nodiscard]] std::uint32_t slots() const { return slots_; }
  [[nodiscard]] const Session& at(std::uint32_t slot) const {
    return (*chunks_[slot / kSessionsPerChunk].sessions)[slot % kSessionsPerChunk];
  }

  // The sessions as they are now. Costs a pointer per chunk; each chunk is copied at its next
  // write.
  FrozenSessions freeze();

  // Puts a session, or the place of an expired one, behind those that are there: how a table is
  // made again from a frozen one. False if it does not fit the table.
  bool restore(const Session& session);

 private:
  struct LiveChunk {
    std::shared_ptr<SessionChunk> sessions;
    std::uint64_t generation = 0;  // of the table when this copy was made
  };

  [[nodiscard]] std::uint32_t slot_of(std::uint32_t id) const {
    return (id - first_id_ - 1) % kMaxSessions;
  }
  Session& for_write(std::uint32_t slot);
  std::uint32_t take_slot();
  std::uint32_t add_slot();

  std::uint32_t max_sessions_;
  std::uint32_t first_id_;
  std::vector<LiveChunk> chunks_;
  std::uint32_t slots_ = 0;
  std::uint64_t generation_ = 0;
  std::map<std::uint64_t, std::uint32_t> by_nonce_;
  // The lowest one is taken first, so that it depends on nothing but the sessions.
  std::priority_queue<std::uint32_t, std::vector<std::uint32_t>, std::greater<>> free_;
};

}  // namespace parley
