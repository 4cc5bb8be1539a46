#include "runtime/sessions.h"

namespace parley {

std::uint32_t SessionTable::open(std::uint64_t nonce) {
  if (const auto it = by_nonce_.find(nonce); it != by_nonce_.end()) return it->second;
  if (sessions_.size() >= max_sessions_) return 0;
  sessions_.push_back(std::make_unique<Session>());
  const std::uint32_t id = first_id_ + size();
  by_nonce_.emplace(nonce, id);
  return id;
}

SessionTable::Seen SessionTable::look_up(std::uint32_t session, std::uint32_t sequence,
                                         Result& result) const {
  const std::uint32_t slot = session - first_id_ - 1;
  if (slot >= sessions_.size() || sequence == 0) return Seen::no_session;
  const Session& found = *sessions_[slot];
  if (sequence > found.highest) return Seen::fresh;
  if (found.highest - sequence >= kSessionWindow) return Seen::too_old;
  const Remembered& remembered = found.window[sequence % kSessionWindow];
  if (remembered.sequence != sequence) return Seen::fresh;
  result.outcome = Outcome::ok;
  result.code = remembered.code;
  result.stamp = remembered.stamp;
  result.value = remembered.value;
  return Seen::repeated;
}

void SessionTable::record(const Result& result) {
  Session& session = *sessions_[result.session - first_id_ - 1];
  Remembered& remembered = session.window[result.sequence % kSessionWindow];
  remembered.stamp = result.stamp;
  remembered.value = result.value;
  remembered.sequence = result.sequence;
  remembered.code = result.code;
  if (result.sequence > session.highest) session.highest = result.sequence;
}

}  // namespace parley
