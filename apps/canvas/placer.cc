#include "apps/canvas/placer.h"

#include <utility>

namespace parley {
namespace {

Result refused(RefusedBecause reason) {
  Result result;
  result.outcome = Outcome::refused;
  result.reason = static_cast<std::uint8_t>(reason);
  return result;
}

std::vector<std::byte> command_of(std::uint32_t session, std::uint32_t sequence,
                                  const PlaceRequest& wish) {
  const canvas::Place place(static_cast<std::uint16_t>(wish.x), static_cast<std::uint16_t>(wish.y),
                            wish.color, wish.user);
  std::vector<std::byte> body;
  if (wish.time_ms != 0) {
    encode_timed_place({session}, sequence, place, wish.time_ms, body);
  } else {
    encode_place({session}, sequence, place, body);
  }
  return body;
}

bool session_has_expired(const Result& result) {
  return result.outcome == Outcome::unknown &&
         result.reason == static_cast<std::uint8_t>(RefusedBecause::session_expired);
}

bool session_is_gone(const Result& result) {
  return session_has_expired(result) ||
         (result.outcome == Outcome::refused &&
          result.reason == static_cast<std::uint8_t>(RefusedBecause::no_session));
}

// A placement whose session could not be opened was never submitted: whatever became of the
// session, the placement is definitely not done.
Result not_opened(const Result& opened) {
  return refused(opened.outcome == Outcome::unknown ? RefusedBecause::no_leader
                                                    : static_cast<RefusedBecause>(opened.reason));
}

}  // namespace

std::uint64_t client_nonce(std::uint64_t client) {
  // The finaliser of SplitMix64 (Steele, Lea, Flood 2014): bijective, and far from small numbers.
  std::uint64_t mixed = client + 0x63616e7661732d63;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

void Placer::place(const PlaceRequest& place, Done done) {
  if (place.client) {
    const auto it = clients_.find(*place.client);
    if (it != clients_.end() && it->second.session != 0) {
      it->second.used = ++requests_;
      place_of_client(it->second.session, place, std::move(done));
    } else {
      wait_for_client(place, std::move(done));
    }
    return;
  }
  if (OwnSession* session = waiting_.empty() ? usable_session() : nullptr) {
    place_own(*session, place, std::move(done));
    return;
  }
  if (waiting_.size() >= limits_.max_waiting) return done(refused(RefusedBecause::overloaded));
  waiting_.push_back({place, std::move(done)});
  open_own();
}

Placer::OwnSession* Placer::usable_session() {
  for (auto& [id, session] : own_) {
    if (session.usable()) return &session;
  }
  return nullptr;
}

void Placer::place_own(OwnSession& session, const PlaceRequest& place, Done done) {
  const std::uint32_t id = session.id;
  const std::uint32_t sequence = session.numbers.take(1);
  submit_(command_of(id, sequence, place),
          [this, id, sequence, place, done = std::move(done)](const Result& result) {
            const auto it = own_.find(id);
            it->second.numbers.finish(sequence, 1);
            it->second.lost = it->second.lost || session_is_gone(result);
            // What is used up goes, once nothing of it is in flight.
            const bool used_up = it->second.lost || it->second.numbers.used_up();
            if (used_up && it->second.numbers.idle()) own_.erase(it);
            if (session_has_expired(result)) {
              // It was sent this once, and its session was gone before: it was not done.
              waiting_.push_front({place, done});
            } else {
              done(result);
            }
            drain();
          });
}

void Placer::drain() {
  while (!waiting_.empty()) {
    OwnSession* session = usable_session();
    if (session == nullptr) return open_own();
    Waiting first = std::move(waiting_.front());
    waiting_.pop_front();
    place_own(*session, first.place, std::move(first.done));
  }
}

void Placer::open_own() {
  if (opening_ || own_.size() >= limits_.max_sessions) return;
  opening_ = true;
  open(next_nonce_, [this](const Result& result) {
    opening_ = false;
    if (result.outcome == Outcome::ok) {
      const auto id = static_cast<std::uint32_t>(result.value);
      own_[id].id = id;
      ++next_nonce_;
      return drain();
    }
    // Those who wait are served as sessions become free again; without any they would wait in vain.
    if (!own_.empty()) return;
    const std::deque<Waiting> waiting = std::exchange(waiting_, {});
    for (const Waiting& one : waiting) one.done(not_opened(result));
  });
}

void Placer::place_of_client(std::uint32_t session, const PlaceRequest& place, Done done) {
  const std::uint64_t client = *place.client;
  submit_(command_of(session, place.seq, place),
          [this, client, session, done = std::move(done)](const Result& result) {
            const auto it = clients_.find(client);
            if (session_is_gone(result) && it != clients_.end() && it->second.session == session) {
              clients_.erase(it);
            }
            done(result);
          });
}

void Placer::wait_for_client(const PlaceRequest& place, Done done) {
  const std::uint64_t client = *place.client;
  const bool known = clients_.contains(client);
  if (!known && clients_.size() >= limits_.max_clients && !forget_a_client()) {
    return done(refused(RefusedBecause::too_many_sessions));
  }
  if (clients_waiting_ >= limits_.max_waiting) return done(refused(RefusedBecause::overloaded));
  ++clients_waiting_;
  clients_[client].used = ++requests_;
  clients_[client].waiting.push_back({place, std::move(done)});
  if (known) return;

  open(client_nonce(client), [this, client](const Result& result) {
    const auto it = clients_.find(client);
    const std::vector<Waiting> waiting = std::exchange(it->second.waiting, {});
    clients_waiting_ -= waiting.size();
    if (result.outcome == Outcome::ok) {
      it->second.session = static_cast<std::uint32_t>(result.value);
      for (const Waiting& one : waiting) {
        place_of_client(static_cast<std::uint32_t>(result.value), one.place, one.done);
      }
      return;
    }
    clients_.erase(it);
    for (const Waiting& one : waiting) one.done(not_opened(result));
  });
}

// False if all of them are still being opened.
bool Placer::forget_a_client() {
  auto longest = clients_.end();
  for (auto it = clients_.begin(); it != clients_.end(); ++it) {
    const bool silent = longest == clients_.end() || it->second.used < longest->second.used;
    if (it->second.session != 0 && silent) longest = it;
  }
  if (longest == clients_.end()) return false;
  clients_.erase(longest);
  return true;
}

void Placer::open(std::uint64_t nonce, Done done) {
  std::vector<std::byte> body;
  append_open_session(nonce, body);
  submit_(std::move(body), std::move(done));
}

}  // namespace parley
