#include "runtime/applier.h"

#include <limits>
#include <utility>

namespace parley {
namespace {

// A run is carried out in parts whose commands and results stay in the nearest cache.
constexpr std::size_t kPart = 128;

}  // namespace

// Stamps the writes of one run and collects the results of its commands.
class Applier::Sink final : public WriteSink, public ReplySink {
 public:
  Sink(Store& store, std::vector<Result>& results, Journal* journal)
      : store_(store), results_(results), journal_(journal) {}

  void put(const Command& command, Key key, std::uint64_t value) override {
    const Writer writer{command.header.session, command.header.sequence};
    const Stamp stamp = results_[command.offset].stamp;
    store_.write(key, value, stamp, writer);
    if (journal_ != nullptr) journal_->applied(key, stamp, writer, value);
  }

  void set(const Command& command, std::uint16_t code, std::uint64_t value) override {
    results_[command.offset].code = code;
    results_[command.offset].value = value;
  }

 private:
  Store& store_;
  std::vector<Result>& results_;
  Journal* journal_;
};

Applier::Applier(const Application& application, std::uint32_t max_sessions,
                 std::uint32_t first_session, Journal* journal)
    : application_(application),
      journal_(journal),
      store_(application.key_count()),
      sessions_(max_sessions, first_session) {}

std::span<const Result> Applier::apply(const CommittedRun& committed,
                                       std::optional<LogIndex> known) {
  if (journal_ != nullptr) journal_->next_run(known);
  applied_ = committed.index;
  results_.clear();
  CommandReader commands(committed.run.body.bytes());
  std::size_t done = 0;
  do {
    done = results_.size();
    screen_some(commands, kPart, committed.index);
    execute();
  } while (results_.size() > done);
  return results_;
}

void Applier::execute() {
  if (fresh_.empty()) return;
  Sink sink(store_, results_, journal_);
  application_.execute(store_, fresh_, sink, sink);
  // Those that the application said nothing about were recorded as they are when they were
  // screened.
  for (const Command& command : fresh_) {
    const Result& result = results_[command.offset];
    if (result.code != 0 || result.value != 0) sessions_.record(result);
  }
  for (const std::uint32_t echo : echoes_) {
    sessions_.look_up(results_[echo].session, results_[echo].sequence, results_[echo]);
  }
  commands_applied_ += fresh_.size();
}

void Applier::screen(Bytes body) {
  results_.clear();
  CommandReader commands(body);
  screen_some(commands, std::numeric_limits<std::size_t>::max(), LogIndex{});
}

void Applier::screen_some(CommandReader& commands, std::size_t max, LogIndex index) {
  fresh_.clear();
  echoes_.clear();
  for (std::size_t i = 0; i < max; ++i) {
    Command& command = fresh_.emplace_back();
    if (!commands.next(command)) {
      fresh_.pop_back();
      break;
    }
    Result& result = results_.emplace_back();
    result.session = command.header.session;
    result.sequence = command.header.sequence;
    if (!screen_command(command, index, result)) fresh_.pop_back();
  }
}

// True if the command is to be executed; otherwise its result is known.
bool Applier::screen_command(const Command& command, LogIndex index, Result& result) {
  const auto refuse = [&result](Outcome outcome, RefusedBecause reason) {
    result.outcome = outcome;
    result.reason = static_cast<std::uint8_t>(reason);
    return false;
  };
  const Stamp stamp{index.value, command.offset};
  if (command.header.kind == static_cast<std::uint16_t>(CommandKind::open_session)) {
    std::uint64_t nonce = 0;
    if (command.payload.size() != sizeof(nonce)) {
      return refuse(Outcome::refused, RefusedBecause::invalid);
    }
    std::memcpy(&nonce, command.payload.data(), sizeof(nonce));
    result.value = sessions_.open(nonce);
    if (result.value == 0) return refuse(Outcome::refused, RefusedBecause::too_many_sessions);
    result.outcome = Outcome::ok;
    result.stamp = stamp;
    return false;
  }
  if (command.header.kind == static_cast<std::uint16_t>(CommandKind::expire_session)) {
    sessions_.expire(result.session, result.sequence);
    result.outcome = Outcome::ok;
    result.stamp = stamp;
    return false;
  }
  switch (sessions_.look_up(result.session, result.sequence, result)) {
    case SessionTable::Seen::fresh:
      result.outcome = Outcome::ok;
      // So that a repetition is recognised, within this run and before it is settled.
      result.stamp = stamp;
      sessions_.record(result);
      return true;
    case SessionTable::Seen::repeated:
      if (result.stamp.major == 0) {  // of a run that is not settled yet
        result.stamp = {};
        return refuse(Outcome::unknown, RefusedBecause::timed_out);
      }
      if (result.stamp.major == index.value) echoes_.push_back(command.offset);
      return false;
    case SessionTable::Seen::too_old:
      return refuse(Outcome::unknown, RefusedBecause::too_old);
    case SessionTable::Seen::expired:
      return refuse(Outcome::unknown, RefusedBecause::session_expired);
    case SessionTable::Seen::no_session:
      return refuse(Outcome::refused, RefusedBecause::no_session);
  }
  return false;
}

FrozenState Applier::freeze() {
  return {applied_, commands_applied_, store_.freeze(), sessions_.freeze()};
}

RestoredState Applier::restore(RestoredState state) {
  RestoredState before{applied_, commands_applied_, std::move(store_), std::move(sessions_)};
  applied_ = state.index;
  commands_applied_ = state.commands_applied;
  store_ = std::move(state.store);
  sessions_ = std::move(state.sessions);
  if (journal_ != nullptr) journal_->restored(applied_);
  return before;
}

bool Applier::merge(const MergeCandidate& candidate) {
  switch (store_.write(candidate.key, candidate.value, candidate.stamp, candidate.writer)) {
    case WriteResult::taken:
      ++commands_applied_;
      if (journal_ != nullptr) {
        journal_->applied(candidate.key, candidate.stamp, candidate.writer, candidate.value);
      }
      return true;
    case WriteResult::older:
    case WriteResult::same:
      return true;
    case WriteResult::conflict:
      return false;
  }
  return false;
}

}  // namespace parley
