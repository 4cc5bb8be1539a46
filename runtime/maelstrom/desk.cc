#include "runtime/maelstrom/desk.h"

#include <algorithm>
#include <string>
#include <utility>

namespace parley::maelstrom {
namespace {

// What tags name: the node's own wish for a session, or a client's request.
constexpr std::uint64_t kOwn = 0;
constexpr std::uint64_t kClients = 1;

// Between two attempts to open the session.
constexpr Duration kOpenAgainAfter = std::chrono::milliseconds(50);

std::string because(const char* what, RefusedBecause reason) {
  return std::string(what) + ": " + std::string(reason_name(reason));
}

RefusedBecause reason_of(const Result& result) {
  return static_cast<RefusedBecause>(result.reason);
}

// The definite error of what was refused.
ErrorCode code_of(RefusedBecause reason) {
  if (reason == RefusedBecause::invalid) return ErrorCode::malformed_request;
  if (reason == RefusedBecause::not_offered) return ErrorCode::not_supported;
  return ErrorCode::temporarily_unavailable;
}

}  // namespace

void Desk::take(const Asker& asker, const Json& body, Instant now) {
  if (pending_.size() >= kMaxPending) {
    return outbox_.refuse(asker, ErrorCode::temporarily_unavailable,
                          "too many requests are waiting");
  }
  Work work = service_.take(body);
  if (auto* reply = std::get_if<Json>(&work)) return outbox_.answer(asker, std::move(*reply));
  if (auto* question = std::get_if<Question>(&work)) return ask(asker, std::move(*question), now);
  const std::uint64_t number = ++last_request_;
  pending_[number] = {asker, now, std::get<Commands>(std::move(work))};
  waiting_.push_back(number);
}

// A read is handed over at once: it reflects what was acknowledged before it came.
void Desk::ask(const Asker& asker, Question question, Instant now) {
  const std::uint64_t number = ++last_request_;
  if (!driver_.query({kClients, number}, question.mode, question.query)) {
    return outbox_.refuse(asker, ErrorCode::temporarily_unavailable, "too many reads are waiting");
  }
  pending_[number] = {asker, now, std::move(question)};
}

void Desk::advance(Instant now) {
  while (!waiting_.empty()) {
    const auto oldest = pending_.find(waiting_.front());
    if (oldest->second.since + patience_ > now) break;
    refuse_commands(oldest->second, ErrorCode::temporarily_unavailable,
                    session_ == 0 ? "no session could be opened: no leader was found in time"
                                  : "those before it are not settled yet");
    pending_.erase(oldest);
    waiting_.pop_front();
  }
  if (session_ == 0) open_session(now);
  hand_over();
}

Instant Desk::deadline() const {
  Instant earliest = session_ == 0 && !opening_ ? open_next_ : kNever;
  if (!waiting_.empty()) {
    earliest = std::min(earliest, pending_.at(waiting_.front()).since + patience_);
  }
  return earliest;
}

void Desk::open_session(Instant now) {
  if (opening_ || now < open_next_) return;
  std::vector<std::byte> body;
  append_open_session(nonce_, body);
  opening_ = driver_.submit({kOwn, 0}, body, 1);
  open_next_ = now + kOpenAgainAfter;
}

// An attempt that is refused, or of which nothing was heard, is repeated: the nonce is the same, so
// there is one session however many arrive.
void Desk::session_opened(const Result& result, Instant now) {
  opening_ = false;
  open_next_ = now + kOpenAgainAfter;
  if (result.outcome == Outcome::ok) session_ = static_cast<std::uint32_t>(result.value);
}

void Desk::hand_over() {
  while (session_ != 0 && !waiting_.empty()) {
    const std::uint64_t number = waiting_.front();
    Pending& pending = pending_.at(number);
    const std::size_t count = std::get<Commands>(pending.work).payloads.size();
    if (!numbers_.has_room(static_cast<std::uint32_t>(count))) return;
    waiting_.pop_front();
    submit(number, pending);
  }
}

void Desk::submit(std::uint64_t number, Pending& pending) {
  const auto& payloads = std::get<Commands>(pending.work).payloads;
  const auto count = static_cast<std::uint32_t>(payloads.size());
  pending.first = numbers_.take(count);
  std::vector<std::byte> body;
  std::uint32_t sequence = pending.first;
  for (const std::vector<std::byte>& payload : payloads) {
    append_command({session_, sequence++, static_cast<std::uint16_t>(payload.size()),
                    static_cast<std::uint16_t>(CommandKind::application)},
                   payload, body);
  }
  if (driver_.submit({kClients, number}, body, count)) return;
  numbers_.finish(pending.first, count);
  refuse_commands(pending, ErrorCode::temporarily_unavailable, "too much is waiting");
  pending_.erase(number);
}

void Desk::settle(Instant now) {
  for (const SettledSubmit& settled : driver_.submits()) {
    const auto results = driver_.results().subspan(settled.first, settled.count);
    if (settled.tag.connection == kOwn) {
      session_opened(results.front(), now);
      continue;
    }
    const auto found = pending_.extract(settled.tag.request);
    numbers_.finish(found.mapped().first, settled.count);
    answer_commands(found.mapped(), results);
  }
  for (const SettledQuery& settled : driver_.queries()) {
    answer_question(pending_.extract(settled.tag.request).mapped(), settled);
  }
}

void Desk::refuse_commands(const Pending& pending, ErrorCode code, const std::string& text) {
  const Commands& commands = std::get<Commands>(pending.work);
  if (commands.undone) commands.undone();
  outbox_.refuse(pending.asker, code, text);
}

// Definitely not done is only what was refused as a whole.
void Desk::answer_commands(const Pending& pending, std::span<const Result> results) {
  const auto is = [](Outcome outcome) {
    return [outcome](const Result& result) { return result.outcome == outcome; };
  };
  if (std::ranges::all_of(results, is(Outcome::ok))) {
    return outbox_.answer(pending.asker, std::get<Commands>(pending.work).answer(results));
  }
  if (std::ranges::all_of(results, is(Outcome::refused))) {
    const RefusedBecause reason = reason_of(results.front());
    return refuse_commands(pending, code_of(reason), because("refused", reason));
  }
  const auto open = std::ranges::find_if_not(results, is(Outcome::ok));
  outbox_.refuse(pending.asker, ErrorCode::timeout,
                 because("it may have been done, or may still be", reason_of(*open)));
}

void Desk::answer_question(const Pending& pending, const SettledQuery& settled) {
  if (settled.reason == RefusedBecause::none) {
    const Bytes answer = driver_.answer_bytes().subspan(settled.first, settled.size);
    return outbox_.answer(pending.asker, std::get<Question>(pending.work).answer(answer));
  }
  const ErrorCode code =
      settled.reason == RefusedBecause::timed_out ? ErrorCode::timeout : code_of(settled.reason);
  outbox_.refuse(pending.asker, code,
                 settled.error.empty() ? because("not read", settled.reason) : settled.error);
}

}  // namespace parley::maelstrom
