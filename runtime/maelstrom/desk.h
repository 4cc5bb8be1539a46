// Requests of Maelstrom's clients: what becomes of each, and its one answer.
//
// Promises: every request is answered once, sooner or later, and with a definite error only if it
// was not and never will be carried out. Commands go through a session of this node, so that they
// are carried out at most once even where a strategy forwards them again.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <span>

#include "algorithms/contract/client_session.h"
#include "runtime/driver.h"
#include "runtime/maelstrom/outbox.h"
#include "runtime/maelstrom/service.h"

namespace parley::maelstrom {

// Requests that are not answered yet; more are refused.
inline constexpr std::size_t kMaxPending = 4096;

class Desk {
 public:
  // `nonce` opens the session: no other node of the cluster may use it. A request that could not
  // even be submitted for `patience` is refused. Everything must outlive the desk.
  Desk(Driver& driver, Service& service, Outbox& outbox, std::uint64_t nonce, Duration patience)
      : driver_(driver), service_(service), outbox_(outbox), nonce_(nonce), patience_(patience) {}

  // Takes a request from outside.
  void take(const Asker& asker, const Json& body, Instant now);
  // Before a step: hands over what waits, and refuses what has waited too long.
  void advance(Instant now);
  // After a step: answers what the driver has settled.
  void settle(Instant now);
  // When to call `advance` next, even without input.
  [[nodiscard]] Instant deadline() const;

 private:
  struct Pending {
    Asker asker;
    Instant since;
    std::variant<Commands, Question> work;
    std::uint32_t first = 0;  // sequence number of its commands
  };
  using PendingMap = std::map<std::uint64_t, Pending>;

  void ask(const Asker& asker, Question question, Instant now);
  void open_session(Instant now);
  void session_opened(const Result& result, Instant now);
  void hand_over();
  void submit(std::uint64_t number, Pending& pending);
  // Tells that the commands never will be carried out.
  void refuse_commands(const Pending& pending, ErrorCode code, const std::string& text);
  void answer_commands(const Pending& pending, std::span<const Result> results);
  void answer_question(const Pending& pending, const SettledQuery& settled);

  Driver& driver_;
  Service& service_;
  Outbox& outbox_;
  std::uint64_t nonce_;
  Duration patience_;

  std::uint64_t last_request_ = 0;
  PendingMap pending_;                 // by the numbers that tags carry
  std::deque<std::uint64_t> waiting_;  // those not submitted yet, the oldest first

  std::uint32_t session_ = 0;  // 0: not open yet
  bool opening_ = false;
  Instant open_next_{};  // not before
  ClientSession numbers_;
};

}  // namespace parley::maelstrom
