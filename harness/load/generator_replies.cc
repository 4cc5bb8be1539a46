// The half of the generator that takes in answers.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "harness/load/generator.h"

namespace parley::load {
namespace {

constexpr int kReceiveBurst = 256;  // messages of one node, before the others' turn

}  // namespace

bool Generator::receive_all() {
  bool any = false;
  zmq::message_t message;
  for (std::uint8_t link = 0; link < link_count(); ++link) {
    for (int i = 0; i < kReceiveBurst && links_[link]->receive(message); ++i) {
      now_ns_ = clock_ns();
      any = true;
      take_reply(link, message);
    }
  }
  return any;
}

void Generator::take_reply(std::uint8_t link, const zmq::message_t& message) {
  router_.heard(link);
  if (in_window_) {
    ++result_.replies;
    result_.reply_bytes += message.size();
  }
  const client::Reply* reply = reader_.read(message);
  if (reply == nullptr) {
    ++result_.bad_replies;
    return;
  }
  if (reply->done() != nullptr) {
    for (const client::Done* done : *reply->done()) take_done(link, *done, *reply);
  }
  if (reply->answers() != nullptr) {
    for (const client::Answer* answer : *reply->answers()) take_answer(link, *answer);
  }
  if (reply->welcome() != nullptr) take_welcome(link, *reply->welcome());
  if (reply->error() != nullptr) {
    note("node " + std::to_string(links_[link]->node().value) +
         " did not accept a request: " + reply->error()->str());
  }
}

void Generator::take_done(std::uint8_t link, const client::Done& done, const client::Reply& reply) {
  const AttemptId id = AttemptId::unpack(done.id());
  if (id.slot == kSessionsSlot) return take_sessions(link, id, done, reply);
  Flight* flight = flights_.find(id);
  if (flight == nullptr) {
    ++result_.late_replies;
    return;
  }
  const ResultRange results = results_of(done, reply);
  const bool fits = results.valid && !flight->is_read && done.count() == spec_.batch &&
                    done.outcome() <= static_cast<std::uint8_t>(Outcome::unknown);
  if (!fits) {
    ++result_.bad_replies;
    return;
  }
  const auto outcome = static_cast<Outcome>(done.outcome());
  if (results.first != nullptr || outcome == Outcome::ok) {
    const NodeId node = links_[link]->node();
    if (recording_.on()) recording_.placed(message_of(id.slot, node), done, results.first);
    if (outcome == Outcome::ok) note_success(*flight, node);
    return take_results(link, id.slot, done, results.first);
  }
  if (outcome == Outcome::refused) return take_refusal(link, id, *flight, done.reason());
  if (!worth_retrying(done.reason())) return end_unknown(id.slot, done.reason());
  // May have been done: another attempt can tell, if it is in time.
  if (id.attempt + 1 != flight->attempts || flight->waiting) return;
  flight->reason = done.reason();
  wait_for_attempt(id.slot, backoff_ns(flight->attempts));
}

// All has its outcome: the same one (`results` is null), or each its own.
void Generator::take_results(std::uint8_t link, std::uint32_t slot, const client::Done& done,
                             const client::Result* results) {
  const Flight& flight = flights_[slot];
  using Answer = Recorder::Answer;
  if (results == nullptr) {
    const Recorder::Operations all = operations_of(flight, spec_.batch);
    recorder_->completed(all, now_ns_);
    recorder_->answered(all, link, Answer::placed, now_ns_);
    return release(slot);
  }
  for (std::uint32_t i = 0; i < done.count(); ++i) {
    const Recorder::Operations one = operations_of(flight, 1);
    const std::uint8_t reason = std::min<std::uint8_t>(results[i].reason(), kReasons - 1);
    switch (static_cast<Outcome>(results[i].outcome())) {
      case Outcome::ok:
        recorder_->completed(one, now_ns_);
        recorder_->answered(one, link, Answer::placed, now_ns_);
        break;
      case Outcome::refused:
        if (flight.unresolved <= 1) {
          recorder_->refused(one, reason, now_ns_);
          break;
        }
        [[fallthrough]];  // an earlier attempt may have been done
      case Outcome::unknown:
        recorder_->unknown(one, reason, now_ns_);
        break;
    }
  }
  release(slot);
}

void Generator::take_answer(std::uint8_t link, const client::Answer& answer) {
  const AttemptId id = AttemptId::unpack(answer.id());
  Flight* flight = flights_.find(id);
  if (flight == nullptr) {
    ++result_.late_replies;
    return;
  }
  if (answer.reason() != 0) return take_refusal(link, id, *flight, answer.reason());
  const std::size_t expected = spec_.batch * sizeof(canvas::CellState);
  if (!flight->is_read || answer.body() == nullptr || answer.body()->size() != expected) {
    ++result_.bad_replies;
    return;
  }
  const NodeId node = links_[link]->node();
  if (recording_.on()) {
    std::memcpy(states_.data(), answer.body()->data(), expected);
    recording_.read(message_of(id.slot, node), states_);
  }
  note_success(*flight, node);
  const Recorder::Operations all = operations_of(*flight, spec_.batch);
  recorder_->completed(all, now_ns_);
  recorder_->answered(all, link, Recorder::Answer::read, now_ns_);
  release(id.slot);
}

void Generator::take_welcome(std::uint8_t link, const client::Welcome& welcome) {
  note_applied(link, welcome.applied());
  hello_sent_ns_[link] = 0;
  const NodeId leader{welcome.leader()};
  const bool news = router_.leader_named(link, leader);
  epochs_[link] = Epoch{welcome.epoch()};
  if (news) note_leader(link);
}

void Generator::take_sessions(std::uint8_t link, AttemptId id, const client::Done& done,
                              const client::Reply& reply) {
  if (!spec_.sessions_of_nodes || id.generation != node_sessions_[link].request()) {
    ++result_.late_replies;
    return;
  }
  const std::string problem = node_sessions_[link].take(done, reply);
  if (problem.empty()) return;
  note(fmt::format("node {} opened no sessions anew: {}", links_[link]->node().value, problem));
}

void Generator::take_refusal(std::uint8_t link, AttemptId id, Flight& flight, std::uint8_t reason) {
  const std::uint64_t bit = std::uint64_t{1} << id.attempt;
  if ((flight.refused & bit) != 0) return;
  flight.refused |= bit;
  --flight.unresolved;
  recorder_->answered(operations_of(flight, spec_.batch), link, Recorder::Answer::refused, now_ns_);
  if (static_cast<RefusedBecause>(reason) == RefusedBecause::no_leader) {
    recorder_->refused_without_leader(links_[link]->node(), now_ns_);
  }
  if (static_cast<RefusedBecause>(reason) == RefusedBecause::no_session &&
      spec_.sessions_of_nodes) {
    node_sessions_[link].forgotten(flight.client, flight.session);
    // With the session the node forgot what became of earlier attempts.
    if (flight.unresolved > 0) return end_unknown(id.slot, reason);
  }
  // While a later attempt is under way or planned, the refusal of an earlier one changes nothing.
  if (id.attempt + 1 != flight.attempts || flight.waiting) return;
  flight.reason = std::min<std::uint8_t>(reason, kReasons - 1);
  if (worth_retrying(reason) && flight.attempts < kMaxAttempts) {
    wait_for_attempt(id.slot, backoff_ns(flight.attempts));
  } else if (flight.unresolved == 0) {
    end_refused(id.slot, flight.reason);
  } else {
    // An earlier attempt may have been done and may still be answered.
    flights_.set_due(id.slot, flight.intended_ns + timeout_ns_);
  }
}

// --- outcomes ---

Recorder::Operations Generator::operations_of(const Flight& flight, std::uint32_t count) const {
  return {flight.intended_ns, flight.first_sent_ns, count, flight.late_us, flight.client};
}

Recording::Message Generator::message_of(std::uint32_t slot, NodeId node) {
  const Flight& flight = flights_[slot];
  return {.session = flight.session,
          .sequence = flight.sequence,
          .is_read = flight.is_read,
          .invoke_ns = flight.attempts == 0 ? flight.intended_ns : flight.first_sent_ns,
          .return_ns = now_ns_,
          .node = node,
          .refusal_is_final = flight.unresolved <= 1,
          .cells = flights_.cells(slot)};
}

// A node answers local reads from what it has, whether the cluster works or not.
void Generator::note_success(const Flight& flight, NodeId node) {
  const bool local_read = flight.is_read && spec_.read_mode == ReadMode::local;
  if (local_read && spec_.read_share < 1) return;
  recorder_->success(operations_of(flight, spec_.batch), node, now_ns_);
}

void Generator::end_refused(std::uint32_t slot, std::uint8_t reason) {
  // Without a session it was never sent, and has no name of its own.
  const bool named = flights_[slot].session != 0;
  if (recording_.on() && named)
    recording_.ended(message_of(slot, kNoNode), history::Outcome::refused);
  recorder_->refused(operations_of(flights_[slot], spec_.batch), reason, now_ns_);
  release(slot);
}

void Generator::end_unknown(std::uint32_t slot, std::uint8_t reason) {
  if (recording_.on()) recording_.ended(message_of(slot, kNoNode), history::Outcome::unknown);
  recorder_->unknown(operations_of(flights_[slot], spec_.batch), reason, now_ns_);
  release(slot);
}

void Generator::release(std::uint32_t slot) {
  const Flight& flight = flights_[slot];
  sessions_[flight.client].finish(flight.sequence, spec_.batch);
  flights_.release(slot);
}

}  // namespace parley::load
