#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "algorithms/contract/fnv.h"
#include "runtime/sessions.h"
#include "runtime/sim/checker.h"

namespace parley::sim {
namespace {

std::string text(Stamp stamp) {
  return fmt::format("{}.{}", stamp.major, stamp.minor);
}

class OrderedChecker final : public Checker {
 public:
  using Checker::Checker;

  void started(std::uint32_t) override {}
  void committed(std::uint32_t node, const CommittedRun& committed) override;
  void applied(std::uint32_t node, const Applied& entry) override;
  void stepped(const NodeView& node) override;
  void acknowledged(std::uint32_t node, std::uint32_t client, std::uint32_t sequence,
                    const Result& result) override;
  void opened(std::uint32_t node, std::uint32_t client, std::uint32_t session) override;
  [[nodiscard]] std::string disagreement(std::span<const NodeView> nodes) const override;
  void finish(std::span<const NodeView> nodes) override;

 private:
  struct Entry {
    RunId run;
    std::uint32_t count = 0;
    std::uint64_t body = 0;    // hash
    std::uint64_t digest = 0;  // of the model's store after it
  };
  struct Session {
    std::uint32_t id = 0;
    std::uint32_t client = 0;
    std::uint32_t highest = 0;
    bool open = false;
  };

  void carry_out(LogIndex index, const CommandRun& run);
  void open(std::uint32_t client);
  void expire(const Command& command);
  void execute(const Command& command, Stamp stamp);
  WriteOperation* find(Writer writer);
  void check_refusals();
  void check_counters(std::span<const NodeView> nodes);

  std::vector<Entry> entries_;                                // index n at n - 1
  std::vector<Session> sessions_;                             // by slot
  std::map<std::uint32_t, std::uint32_t> client_of_session_;  // expired ones too
  std::array<Cell, kCells> cells_{};
  std::uint64_t digest_ = 0;
};

// State machine safety (Ongaro's dissertation, §3.6.3): one index, one run, on all nodes, for ever.
void OrderedChecker::committed(std::uint32_t node, const CommittedRun& committed) {
  const CommandRun& run = committed.run;
  const std::uint64_t index = committed.index.value;
  if (index == 0 || index > entries_.size() + 1) {
    return engine_.fail(check::kStateMachineSafety,
                        fmt::format("node {} commits index {}, but only {} are known", node, index,
                                    entries_.size()));
  }
  const std::uint64_t body = fnv1a(run.body.bytes());
  if (index == entries_.size() + 1) {
    carry_out(committed.index, run);
    entries_.push_back({run.id, run.count, body, digest_});
    return;
  }
  const Entry& entry = entries_[index - 1];
  if (entry.run == run.id && entry.count == run.count && entry.body == body) return;
  engine_.fail(
      check::kStateMachineSafety,
      fmt::format("node {} commits at index {} run {} of node {} incarnation {}; run {} of node {} "
                  "incarnation "
                  "{} was committed there before",
                  node, index, run.id.number, run.id.origin.value, run.id.incarnation.value,
                  entry.run.number, entry.run.origin.value, entry.run.incarnation.value));
}

void OrderedChecker::carry_out(LogIndex index, const CommandRun& run) {
  CommandReader reader(run.body.bytes());
  Command command;
  while (reader.next(command)) execute(command, {index.value, command.offset});
  if (reader.malformed() || reader.count() != run.count) {
    engine_.fail(check::kValidity,
                 fmt::format("index {} holds a run that no client sent", index.value));
  }
}

// A client has one session at a time, in the lowest free place; an id is never used again.
void OrderedChecker::open(std::uint32_t client) {
  const auto of_client = [client](const Session& s) { return s.open && s.client == client; };
  if (std::any_of(sessions_.begin(), sessions_.end(), of_client)) return;
  auto place = std::find_if(sessions_.begin(), sessions_.end(),
                            [](const Session& session) { return !session.open; });
  if (place == sessions_.end()) {
    place = sessions_.emplace(place);
    place->id = static_cast<std::uint32_t>(sessions_.size());
  } else {
    place->id += kMaxSessions;
  }
  *place = {place->id, client, 0, true};
  client_of_session_[place->id] = client;
}

// Only if nothing was executed that whoever proposed it did not know of.
void OrderedChecker::expire(const Command& command) {
  for (Session& session : sessions_) {
    if (session.id != command.header.session || session.highest != command.header.sequence)
      continue;
    session.open = false;
  }
}

// The sessions' rule in its own words: once per sequence number, unless it is too old to tell, or
// forgotten with its session.
void OrderedChecker::execute(const Command& command, Stamp stamp) {
  if (command.header.kind == static_cast<std::uint16_t>(CommandKind::open_session)) {
    std::uint64_t client = 0;
    std::memcpy(&client, command.payload.data(), sizeof(client));
    return open(static_cast<std::uint32_t>(client));
  }
  if (command.header.kind == static_cast<std::uint16_t>(CommandKind::expire_session)) {
    return expire(command);
  }
  const Writer writer{command.header.session, command.header.sequence};
  WriteOperation* operation = find(writer);
  if (operation == nullptr) {
    return engine_.fail(check::kValidity,
                        fmt::format("index {} holds a command that no client sent", stamp.major));
  }
  Session& session = sessions_[(writer.session - 1) % kMaxSessions];
  if (!session.open || session.id != writer.session) return;
  if (operation->carried_out() || writer.sequence + kSessionWindow <= session.highest) return;
  session.highest = std::max(session.highest, writer.sequence);
  if (guarantee_.linearizable_writes && stamp <= operation->floor) {
    engine_.fail(
        check::kRealTimeOrder,
        fmt::format("client {}, {}: ordered at {}, but {} was known before it was asked for",
                    session.client, writer.sequence, text(stamp), text(operation->floor)));
  }
  const Key key{operation->command.key};
  Cell& cell = cells_[key.value];
  const CellEffect effect = evaluate(operation->command, cell.value);
  operation->stamp = stamp;
  operation->code = effect.code;
  operation->reply = effect.reply;
  if (!effect.writes) return;
  if (cell.stamp != Stamp{}) digest_ -= cell_digest(key, cell);
  cell = {effect.after, stamp, writer};
  digest_ += cell_digest(key, cell);
}

WriteOperation* OrderedChecker::find(Writer writer) {
  const auto client = client_of_session_.find(writer.session);
  if (client == client_of_session_.end()) return nullptr;
  auto& writes = history_.clients[client->second].writes;
  if (writer.sequence == 0 || writer.sequence > writes.size()) return nullptr;
  return &writes[writer.sequence - 1];
}

// Exactly once: the stamp that the model gave the command is the only one it is applied under.
void OrderedChecker::applied(std::uint32_t node, const Applied& entry) {
  const WriteOperation* operation = find(entry.writer);
  if (operation != nullptr && operation->stamp == entry.stamp) return;
  engine_.fail(check::kExactlyOnce,
               fmt::format("node {} carried out session {} sequence {} under stamp {}; due was {}",
                           node, entry.writer.session, entry.writer.sequence, text(entry.stamp),
                           operation == nullptr ? "nothing" : text(operation->stamp)));
}

void OrderedChecker::stepped(const NodeView& node) {
  const std::uint64_t applied = node.applied.value;
  if (applied > entries_.size()) {
    return engine_.fail(
        check::kStateMachineSafety,
        fmt::format("node {} applied index {}, which was never committed", node.node, applied));
  }
  const std::uint64_t expected = applied == 0 ? 0 : entries_[applied - 1].digest;
  if (node.store->digest() != expected) {
    engine_.fail(check::kStateMachineSafety,
                 fmt::format("node {}: its store at index {} is not what the runs up to there make",
                             node.node, applied));
  }
}

void OrderedChecker::acknowledged(std::uint32_t node, std::uint32_t client, std::uint32_t sequence,
                                  const Result& result) {
  WriteOperation& operation = history_.clients[client].writes[sequence - 1];
  if (!operation.carried_out() || result.stamp != operation.stamp ||
      result.code != operation.code || result.value != operation.reply) {
    return engine_.fail(
        check::kReplies,
        fmt::format(
            "node {} told client {} that {} is done (stamp {}, code {}, value {}); carried out was "
            "stamp {}, code {}, value {}",
            node, client, sequence, text(result.stamp), result.code, result.value,
            text(operation.stamp), operation.code, operation.reply));
  }
  operation.acknowledged = true;
  operation.told = result.stamp;
  if (operation.code == kNotEqual) {
    history_.floor = std::max(history_.floor, operation.stamp);
  } else {
    history_.tell(operation.command.key, operation.stamp);
  }
}

void OrderedChecker::opened(std::uint32_t node, std::uint32_t client, std::uint32_t session) {
  const auto it = client_of_session_.find(session);
  if (it != client_of_session_.end() && it->second == client) return;
  engine_.fail(check::kSessions,
               fmt::format("node {} told client {} that its session is {}, which it is not", node,
                           client, session));
}

std::string OrderedChecker::disagreement(std::span<const NodeView> nodes) const {
  for (const NodeView& node : nodes) {
    if (node.store == nullptr) return fmt::format("node {} is down", node.node);
    if (node.applied.value != entries_.size()) {
      return fmt::format("node {} has applied index {} of {}", node.node, node.applied.value,
                         entries_.size());
    }
  }
  return {};
}

void OrderedChecker::finish(std::span<const NodeView> nodes) {
  check_refusals();
  check_counters(nodes);
}

void OrderedChecker::check_refusals() {
  for (std::size_t client = 0; client < history_.clients.size(); ++client) {
    std::uint32_t sequence = 0;
    for (const WriteOperation& operation : history_.clients[client].writes) {
      ++sequence;
      if (!operation.carried_out() || operation.acknowledged || operation.uncertain()) continue;
      engine_.fail(
          check::kReplies,
          fmt::format("client {}, {}: refused each time, and yet carried out with stamp {}", client,
                      sequence, text(operation.stamp)));
    }
  }
}

// From the clients' side alone: a counter shows every acknowledged increment, and no more than the
// uncertain ones on top.
void OrderedChecker::check_counters(std::span<const NodeView> nodes) {
  std::array<std::uint64_t, kCells> least{};
  std::array<std::uint64_t, kCells> most{};
  for (const ClientHistory& client : history_.clients) {
    for (const WriteOperation& operation : client.writes) {
      const CellCommand& command = operation.command;
      if (command.kind == CellCommand::Kind::set) return;
      const bool adds = command.kind == CellCommand::Kind::add;
      const std::uint64_t by = adds ? command.value : command.value - command.expected;
      if (operation.acknowledged && operation.code == kDone) least[command.key] += by;
      if (operation.uncertain() || (operation.acknowledged && operation.code == kDone)) {
        most[command.key] += by;
      }
    }
  }
  for (const NodeView& node : nodes) {
    for (std::uint32_t key = 0; key < kCells; ++key) {
      const std::uint64_t value = node.store->at(Key{key}).value;
      if (value >= least[key] && value <= most[key]) continue;
      engine_.fail(check::kExactlyOnce,
                   fmt::format("node {}: counter {} is {}, but the clients know of {} to {}",
                               node.node, key, value, least[key], most[key]));
    }
  }
}

}  // namespace

std::unique_ptr<Checker> make_ordered_checker(Engine& engine, History& history,
                                              const Guarantee& guarantee) {
  return std::make_unique<OrderedChecker>(engine, history, guarantee);
}

void Checker::answered(std::uint32_t node, std::uint32_t client, const ReadOperation& read,
                       const Cell& cell) {
  const bool stale = cell.stamp < read.floor;
  if (read.mode == ReadMode::local) {
    if (stale) ++anomalies_.stale_reads;
    return;
  }
  if (stale) {
    return engine_.fail(
        check::kReads,
        fmt::format(
            "node {} answered client {}'s linearizable read of cell {} with stamp {}; {} was known "
            "before it was asked for",
            node, client, read.key, text(cell.stamp), text(read.floor)));
  }
  history_.tell(read.key, cell.stamp);
}

}  // namespace parley::sim
