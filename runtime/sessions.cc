#include "runtime/sessions.h"

#include <limits>

#include "runtime/guards.h"

namespace parley {

// As with the tiles of a store: whether a frozen table still shares a chunk cannot be asked without
// a race, so the first write after a freeze always copies.
Session& SessionTable::for_write(std::uint32_t slot) {
  LiveChunk& chunk = chunks_[slot / kSessionsPerChunk];
  if (chunk.generation != generation_) {
    chunk.sessions = std::make_shared<SessionChunk>(*chunk.sessions);
    chunk.generation = generation_;
  }
  return (*chunk.sessions)[slot % kSessionsPerChunk];
}

// A place for a session, or kMaxSessions if there is none.
std::uint32_t SessionTable::take_slot() {
  if (!free_.empty()) {
    const std::uint32_t slot = free_.top();
    free_.pop();
    return slot;
  }
  return slots_ < max_sessions_ ? add_slot() : kMaxSessions;
}

std::uint32_t SessionTable::add_slot() {
  if (slots_ % kSessionsPerChunk == 0) {
    chunks_.push_back({std::make_shared<SessionChunk>(), generation_});
  }
  return slots_++;
}

std::uint32_t SessionTable::open(std::uint64_t nonce) {
  if (const auto it = by_nonce_.find(nonce); it != by_nonce_.end()) return it->second;
  const std::uint32_t slot = take_slot();
  if (slot == kMaxSessions) return 0;
  Session& session = for_write(slot);
  const std::uint32_t step = holds(guards::kSessionIdsNew) ? kMaxSessions : 0;
  const std::uint32_t id = session.id == 0 ? first_id_ + 1 + slot : session.id + step;
  session = Session{};
  session.nonce = nonce;
  session.id = id;
  session.open = true;
  by_nonce_.emplace(nonce, id);
  return id;
}

bool SessionTable::expire(std::uint32_t id, std::uint32_t highest) {
  const std::uint32_t slot = slot_of(id);
  if (slot >= slots_) return false;
  const Session& found = at(slot);
  if (found.id != id || !found.open) return false;
  if (found.highest != highest && holds(guards::kExpiryUnlessUsed)) return false;
  by_nonce_.erase(found.nonce);
  for_write(slot) = Session{};
  for_write(slot).id = id;
  // A place whose ids are used up stays empty for ever.
  if (id <= std::numeric_limits<std::uint32_t>::max() - kMaxSessions) free_.push(slot);
  return true;
}

SessionTable::Seen SessionTable::look_up(std::uint32_t session, std::uint32_t sequence,
                                         Result& result) const {
  const std::uint32_t slot = slot_of(session);
  if (slot >= slots_ || sequence == 0 || session <= first_id_) return Seen::no_session;
  const Session& found = at(slot);
  if (session != found.id) return session < found.id ? Seen::expired : Seen::no_session;
  if (!found.open) return Seen::expired;
  if (sequence > found.highest) return Seen::fresh;
  if (found.highest - sequence >= kSessionWindow) return Seen::too_old;
  const Session::Remembered& remembered = found.window[sequence % kSessionWindow];
  if (remembered.sequence != sequence || !holds(guards::kRetryRecognised)) return Seen::fresh;
  result.outcome = Outcome::ok;
  result.code = remembered.code;
  result.stamp = remembered.stamp;
  result.value = remembered.value;
  return Seen::repeated;
}

void SessionTable::record(const Result& result) {
  Session& session = for_write(slot_of(result.session));
  Session::Remembered& remembered = session.window[result.sequence % kSessionWindow];
  // A run may hold more commands of a session than the window: what is newer stays.
  if (remembered.sequence > result.sequence) return;
  remembered.stamp = result.stamp;
  remembered.value = result.value;
  remembered.sequence = result.sequence;
  remembered.code = result.code;
  if (result.sequence > session.highest) session.highest = result.sequence;
}

void SessionTable::forget(std::uint32_t session, std::uint32_t sequence) {
  Session& found = for_write(slot_of(session));
  Session::Remembered& remembered = found.window[sequence % kSessionWindow];
  const bool waits = remembered.sequence == sequence && remembered.stamp.major == 0;
  if (found.id == session && waits) remembered = {};
}

FrozenSessions SessionTable::freeze() {
  ++generation_;
  std::vector<std::shared_ptr<const SessionChunk>> chunks;
  chunks.reserve(chunks_.size());
  for (const LiveChunk& chunk : chunks_) chunks.push_back(chunk.sessions);
  return {std::move(chunks), slots_};
}

bool SessionTable::restore(const Session& session) {
  if (slots_ >= max_sessions_ || session.id <= first_id_ || slot_of(session.id) != slots_) {
    return false;
  }
  if (session.open && by_nonce_.contains(session.nonce)) return false;
  const std::uint32_t slot = add_slot();
  for_write(slot) = session;
  if (session.open) {
    by_nonce_.emplace(session.nonce, session.id);
  } else if (session.id <= std::numeric_limits<std::uint32_t>::max() - kMaxSessions) {
    free_.push(slot);
  }
  return true;
}

}  // namespace parley
