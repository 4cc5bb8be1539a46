// Carries out committed runs on the stamped store, each command once.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "algorithms/contract/application.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/node_port.h"
#include "algorithms/contract/store.h"
#include "runtime/sessions.h"
#include "runtime/snapshot.h"

namespace parley {

// Told of every command that changed the state, in the order of application.
class Journal {
 public:
  virtual ~Journal() = default;
  // `key` was written by `writer` with `stamp`.
  virtual void applied(Key key, Stamp stamp, Writer writer, std::uint64_t value) = 0;
  // Of ordered strategies: the next run is of this node's own clients, and when the node took it
  // its state was that after `known`; nothing: another node's, or it is not known any more.
  virtual void next_run(std::optional<LogIndex> /*known*/) {}
  // The state is now that after `index`, of a snapshot: what comes next comes after it.
  virtual void restored(LogIndex index) = 0;
};

// The state that runs are applied to: store and sessions. Deterministic.
class Applier {
 public:
  // `application` and `journal` (which may be null) must outlive the applier.
  Applier(const Application& application, std::uint32_t max_sessions, std::uint32_t first_session,
          Journal* journal);

  // Applies the next committed run of an ordered strategy; `known` as in Journal::next_run. One
  // result a command, in order, valid until the next call; empty for an index without a run.
  std::span<const Result> apply(const CommittedRun& committed,
                                std::optional<LogIndex> known = std::nullopt);

  // Gives every command of a merge strategy's run its result as far as the sessions know it, and
  // picks those that are to be written: `results()` and `fresh()`, valid until the next call.
  void screen(Bytes body);
  [[nodiscard]] std::span<const Result> results() const { return results_; }
  [[nodiscard]] std::span<const Command> fresh() const { return fresh_; }

  // Offers a merge strategy's write to the store. False when it contradicts the store's invariant
  // (equal stamps, other contents).
  bool merge(const MergeCandidate& candidate);

  // The store holds all that the records of a merge strategy up to `index` say.
  void merged_through(LogIndex index) { applied_ = index; }

  // The state as it is now, for a snapshot.
  FrozenState freeze();
  // Goes on from that state. Returns the one before.
  RestoredState restore(RestoredState state);

  [[nodiscard]] const Store& store() const { return store_; }
  [[nodiscard]] Store& store() { return store_; }
  [[nodiscard]] SessionTable& sessions() { return sessions_; }
  [[nodiscard]] const SessionTable& sessions() const { return sessions_; }
  [[nodiscard]] LogIndex applied() const { return applied_; }
  [[nodiscard]] std::uint64_t commands_applied() const { return commands_applied_; }

 private:
  class Sink;
  // The next commands of a run, at most so many; fresh ones of an ordered strategy, which has an
  // index, get their stamps and count as seen from now on.
  void screen_some(CommandReader& commands, std::size_t max, LogIndex index);
  bool screen_command(const Command& command, LogIndex index, Result& result);
  void execute();

  const Application& application_;
  Journal* journal_;
  Store store_;
  SessionTable sessions_;
  LogIndex applied_;
  std::uint64_t commands_applied_ = 0;
  std::vector<Result> results_;        // of the run at hand
  std::vector<Command> fresh_;         // commands of it that are to be executed
  std::vector<std::uint32_t> echoes_;  // commands of it that repeat another one of it
};

}  // namespace parley
