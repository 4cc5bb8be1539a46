#include "runtime/sim/applications.h"

#include <algorithm>
#include <cstring>

namespace parley::sim {

CellEffect evaluate(const CellCommand& command, std::uint64_t before) {
  switch (command.kind) {
    case CellCommand::Kind::set:
      return {true, command.value, 0, 0};
    case CellCommand::Kind::add:
      return {true, before + command.value, kDone, before};
    case CellCommand::Kind::compare_and_set:
      if (before != command.expected) return {false, before, kNotEqual, before};
      return {true, command.value, kDone, before};
  }
  return {};
}

CellCommand read_command(Bytes payload) {
  CellCommand command;
  std::memcpy(&command, payload.data(), sizeof(command));
  return command;
}

std::string_view CellApplication::name() const {
  return kind_ == Kind::canvas ? "canvas of 64 cells" : "64 counters";
}

std::string CellApplication::validate(Bytes payload) const {
  if (payload.size() != sizeof(CellCommand)) return "payload: must have 24 bytes";
  const CellCommand command = read_command(payload);
  if (command.key >= kCells) return "key: must be below 64";
  if ((command.kind == CellCommand::Kind::set) != (kind_ == Kind::canvas)) {
    return "kind: a canvas sets, a counter adds or compares and sets";
  }
  return {};
}

void CellApplication::execute(const Store& store, std::span<const Command> commands,
                              WriteSink& writes, ReplySink& replies) const {
  for (const Command& command : commands) {
    const CellCommand parsed = read_command(command.payload);
    const Key key{parsed.key};
    const CellEffect effect = evaluate(parsed, store.at(key).value);
    if (effect.writes) writes.put(command, key, effect.after);
    if (kind_ == Kind::counter) replies.set(command, effect.code, effect.reply);
  }
}

void CellApplication::translate(const Command& command, CellWrite& write) const {
  const CellCommand parsed = read_command(command.payload);
  write.key = Key{parsed.key};
  write.value = parsed.value;
}

std::string CellApplication::query(const Store& store, Bytes query,
                                   std::vector<std::byte>& answer) const {
  std::uint32_t key = 0;
  if (query.size() != sizeof(key)) return "query: must have 4 bytes";
  std::memcpy(&key, query.data(), sizeof(key));
  if (key >= kCells) return "key: must be below 64";
  const Cell& cell = store.at(Key{key});
  const Bytes bytes = std::as_bytes(std::span(&cell, 1));
  answer.insert(answer.end(), bytes.begin(), bytes.end());
  return {};
}

void CellApplication::keys_of(Bytes query, std::vector<Key>& keys) const {
  Key& key = keys.emplace_back();
  std::memcpy(&key.value, query.data(), std::min(query.size(), sizeof(key.value)));
}

}  // namespace parley::sim
