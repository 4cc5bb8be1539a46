#include "apps/kv/kv.h"

#include <algorithm>
#include <cstring>
#include <set>

#include "algorithms/contract/fnv.h"

namespace parley::kv {
namespace {

// --- the layout of the store: all lists, then all entries ---

constexpr std::uint32_t kSetCells = kMaxLists * kListCells;
static_assert(kSetCells % kCellsPerTile == 0 && kListCells % kCellsPerTile == 0);

// An entry's first cell holds the sizes of key and value; those of the key and of the value follow.
constexpr std::uint32_t kKeyCells = kMaxKeyBytes / 8;
constexpr std::uint32_t kEntryCells = 1 + kKeyCells + kMaxValueBytes / 8;
static_assert(kMaxKeyBytes % 8 == 0 && kMaxValueBytes % 8 == 0);

// A cell of a list: seven bytes of an element, and above them how many of these are in use and
// whether they are the element's first or last. So a reader finds its way wherever cells are
// missing: those that have not arrived yet, or never will.
constexpr std::uint64_t kFirst = 1ULL << 63;
constexpr std::uint64_t kLast = 1ULL << 62;
constexpr int kCountShift = 56;

std::uint64_t pack(std::string_view bytes, bool first, bool last) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes.data(), bytes.size());
  return value | (std::uint64_t{bytes.size()} << kCountShift) | (first ? kFirst : 0) |
         (last ? kLast : 0);
}

std::size_t count_in(std::uint64_t value) {
  return (value & ~(kFirst | kLast)) >> kCountShift;
}

// --- payloads ---

enum class Kind : std::uint16_t { add = 1, write = 2, compare_and_set = 3, create = 4 };

struct Head {
  std::uint16_t kind = 0;
  std::uint16_t key_size = 0;
  std::uint16_t from_size = 0;
  std::uint16_t to_size = 0;  // of the value that is written
};
static_assert(sizeof(Head) == 8);

struct Add {
  Head head;
  std::uint32_t cell = 0;
  std::uint32_t reserved = 0;
  std::uint64_t value = 0;
};
static_assert(sizeof(Add) == 24);

enum class Query : std::uint32_t { get = 1, elements = 2 };

template <class T>
void append(const T& value, std::vector<std::byte>& to) {
  const Bytes bytes = std::as_bytes(std::span(&value, 1));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_text(std::string_view text, std::vector<std::byte>& to) {
  const Bytes bytes = std::as_bytes(std::span(text));
  to.insert(to.end(), bytes.begin(), bytes.end());
}

std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class T>
T read(Bytes bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(value));
  return value;
}

std::vector<std::byte> encode(Kind kind, std::string_view key, std::string_view from,
                              std::string_view to) {
  std::vector<std::byte> payload;
  append(Head{static_cast<std::uint16_t>(kind), static_cast<std::uint16_t>(key.size()),
              static_cast<std::uint16_t>(from.size()), static_cast<std::uint16_t>(to.size())},
         payload);
  for (const std::string_view text : {key, from, to}) append_text(text, payload);
  payload.resize((payload.size() + 3) / 4 * 4);
  return payload;
}

// The parts of a payload that validate() accepts.
struct MapCommand {
  explicit MapCommand(Bytes payload) {
    const auto head = read<Head>(payload);
    kind = static_cast<Kind>(head.kind);
    std::string_view rest = text_of(payload.subspan(sizeof(Head)));
    key = rest.substr(0, head.key_size);
    from = rest.substr(head.key_size, head.from_size);
    to = rest.substr(std::size_t{head.key_size} + head.from_size, head.to_size);
  }
  Kind kind;
  std::string_view key;
  std::string_view from;
  std::string_view to;
};

std::string check_add(Bytes payload) {
  if (payload.size() != sizeof(Add)) return "payload: must have 24 bytes to add to the set";
  const auto add = read<Add>(payload);
  if (add.cell >= kSetCells) return "cell: must be below " + std::to_string(kSetCells);
  const std::size_t count = count_in(add.value);
  if (count == 0 || count > kBytesPerCell) return "value: must hold 1 to 7 bytes";
  return {};
}

std::string check_map_command(Bytes payload) {
  const auto head = read<Head>(payload);
  const auto limit = [](std::string_view field, std::size_t size, std::size_t most) {
    return size <= most ? std::string()
                        : std::string(field) + ": has " + std::to_string(size) +
                              " bytes, more than " + std::to_string(most);
  };
  std::string problem = limit("key", head.key_size, kMaxKeyBytes);
  if (problem.empty()) problem = limit("from", head.from_size, kMaxValueBytes);
  if (problem.empty()) problem = limit("value", head.to_size, kMaxValueBytes);
  if (!problem.empty()) return problem;
  const std::size_t size = sizeof(Head) + head.key_size + head.from_size + head.to_size;
  if (payload.size() != (size + 3) / 4 * 4) return "payload: does not have the size that it says";
  if (static_cast<Kind>(head.kind) == Kind::write && head.from_size != 0) {
    return "from: a write compares with nothing";
  }
  return {};
}

// --- the map ---

// An entry of the store: the one of a key, or the free one that it would take.
class Entry {
 public:
  // Follows the hash to the key or to the first free entry. Nothing: all are other keys'.
  static std::optional<Entry> find(const Store& store, std::string_view key) {
    const std::uint64_t start = fnv1a(key);
    for (std::uint32_t i = 0; i < kMaxEntries; ++i) {
      const Entry entry(store, static_cast<std::uint32_t>((start + i) % kMaxEntries));
      if (!entry.used() || entry.key() == key) return entry;
    }
    return std::nullopt;
  }

  [[nodiscard]] bool used() const { return store_->at(Key{first_}).stamp != Stamp{}; }
  [[nodiscard]] std::string value() const {
    return text(1 + kKeyCells, std::min<std::size_t>(sizes() >> 16, kMaxValueBytes));
  }

  void write(const Command& command, std::string_view key, std::string_view value,
             WriteSink& writes) const {
    if (!used()) put_text(command, 1, key, writes);
    put_text(command, 1 + kKeyCells, value, writes);
    writes.put(command, Key{first_}, key.size() | (std::uint64_t{value.size()} << 16));
  }

 private:
  Entry(const Store& store, std::uint32_t number)
      : store_(&store), first_(kSetCells + number * kEntryCells) {}

  [[nodiscard]] std::uint64_t sizes() const { return store_->at(Key{first_}).value; }
  [[nodiscard]] std::string key() const {
    return text(1, std::min<std::size_t>(sizes() & 0xffff, kMaxKeyBytes));
  }

  [[nodiscard]] std::string text(std::uint32_t cell, std::size_t size) const {
    std::string text(size, '\0');
    for (std::size_t at = 0; at < size; at += 8, ++cell) {
      const std::uint64_t value = store_->at(Key{first_ + cell}).value;
      std::memcpy(text.data() + at, &value, std::min<std::size_t>(8, size - at));
    }
    return text;
  }

  void put_text(const Command& command, std::uint32_t cell, std::string_view text,
                WriteSink& writes) const {
    for (; !text.empty(); ++cell) {
      const std::string_view part = text.substr(0, 8);
      std::uint64_t value = 0;
      std::memcpy(&value, part.data(), part.size());
      writes.put(command, Key{first_ + cell}, value);
      text.remove_prefix(part.size());
    }
  }

  const Store* store_;
  std::uint32_t first_;  // cell
};

// Carries out a command of the map; returns its code.
std::uint16_t execute_map(const Store& store, const Command& command, WriteSink& writes) {
  const MapCommand wanted(command.payload);
  const auto entry = Entry::find(store, wanted.key);
  const bool there = entry && entry->used();
  if (wanted.kind == Kind::compare_and_set && !there) return kMissing;
  if (wanted.kind != Kind::write && there && entry->value() != wanted.from) return kMismatch;
  if (!entry) return kFull;
  entry->write(command, wanted.key, wanted.to, writes);
  return kDone;
}

// --- the set ---

// Calls back with every element of the lists that has all its cells.
template <class Visit>
void for_each_element(const Store& store, Visit&& visit) {
  std::string element;
  bool begun = false;
  for (std::uint32_t tile = 0; tile < kSetCells / kCellsPerTile; ++tile) {
    if (tile % (kListCells / kCellsPerTile) == 0) begun = false;  // another list
    const Tile* cells = store.tile(tile);
    if (cells == nullptr) {
      begun = false;
      continue;
    }
    for (const Cell& cell : cells->cells) {
      if (cell.stamp == Stamp{}) {
        begun = false;
        continue;
      }
      if ((cell.value & kFirst) != 0) element.clear();
      begun = begun || (cell.value & kFirst) != 0;
      if (!begun) continue;
      // What merges comes from other nodes as it is.
      const std::size_t count = std::min(count_in(cell.value), kBytesPerCell);
      element.append(reinterpret_cast<const char*>(&cell.value), count);
      if ((cell.value & kLast) == 0) continue;
      visit(element);
      begun = false;
    }
  }
}

}  // namespace

std::vector<std::vector<std::byte>> encode_add(NodeId owner, std::uint32_t first,
                                               std::string_view element) {
  std::vector<std::vector<std::byte>> commands;
  const std::size_t cells = cells_of(element);
  for (std::size_t i = 0; i < cells; ++i) {
    Add add;
    add.head.kind = static_cast<std::uint16_t>(Kind::add);
    add.cell = (owner.value - 1) * kListCells + first + static_cast<std::uint32_t>(i);
    add.value = pack(element.substr(i * kBytesPerCell, kBytesPerCell), i == 0, i + 1 == cells);
    append(add, commands.emplace_back());
  }
  return commands;
}

std::vector<std::byte> encode_write(std::string_view key, std::string_view value) {
  return encode(Kind::write, key, {}, value);
}

std::vector<std::byte> encode_compare_and_set(std::string_view key, std::string_view from,
                                              std::string_view to, bool create) {
  return encode(create ? Kind::create : Kind::compare_and_set, key, from, to);
}

std::vector<std::byte> encode_get(std::string_view key) {
  std::vector<std::byte> query;
  append(Query::get, query);
  append_text(key, query);
  return query;
}

std::optional<std::string> decode_value(Bytes answer) {
  if (answer.empty()) return std::nullopt;
  return std::string(text_of(answer.subspan(1)));
}

std::vector<std::byte> encode_elements() {
  std::vector<std::byte> query;
  append(Query::elements, query);
  return query;
}

std::vector<std::string> decode_elements(Bytes answer) {
  std::vector<std::string> elements;
  while (answer.size() >= sizeof(std::uint32_t)) {
    const auto size = read<std::uint32_t>(answer);
    answer = answer.subspan(sizeof(size));
    elements.emplace_back(text_of(answer.first(size)));
    answer = answer.subspan(size);
  }
  return elements;
}

std::uint32_t Application::key_count() const {
  return kSetCells + (kind_ == Kind::set ? 0 : kMaxEntries * kEntryCells);
}

std::string Application::validate(Bytes payload) const {
  if (payload.size() < sizeof(Head)) return "payload: must have at least 8 bytes";
  const auto kind = static_cast<kv::Kind>(read<Head>(payload).kind);
  if (kind == kv::Kind::add) return check_add(payload);
  if (kind != kv::Kind::write && kind != kv::Kind::compare_and_set && kind != kv::Kind::create) {
    return "kind: must be 1 to 4";
  }
  if (kind_ == Kind::set) return "kind: there is only a set, which is added to";
  return check_map_command(payload);
}

void Application::execute(const Store& store, std::span<const Command> commands, WriteSink& writes,
                          ReplySink& replies) const {
  for (const Command& command : commands) {
    if (!validate(command.payload).empty()) {
      replies.set(command, kInvalid, 0);
      continue;
    }
    CellWrite write;
    if (static_cast<kv::Kind>(read<Head>(command.payload).kind) == kv::Kind::add) {
      translate(command, write);
      writes.put(command, write.key, write.value);
    } else if (const std::uint16_t code = execute_map(store, command, writes); code != kDone) {
      replies.set(command, code, 0);
    }
  }
}

void Application::translate(const Command& command, CellWrite& write) const {
  const auto add = read<Add>(command.payload);
  write.key = Key{add.cell};
  write.value = add.value;
}

std::string Application::query(const Store& store, Bytes query,
                               std::vector<std::byte>& answer) const {
  if (query.size() < sizeof(kv::Query)) return "query: must have at least 4 bytes";
  const auto kind = read<kv::Query>(query);
  const std::string_view key = text_of(query.subspan(sizeof(kind)));
  if (kind == kv::Query::elements) {
    if (!key.empty()) return "query: has bytes behind its kind";
    std::set<std::string> elements;
    for_each_element(store, [&](const std::string& element) { elements.insert(element); });
    for (const std::string& element : elements) {
      append(static_cast<std::uint32_t>(element.size()), answer);
      append_text(element, answer);
    }
    return {};
  }
  if (kind != kv::Query::get) return "query: must be 1 or 2";
  if (kind_ == Kind::set) return "query: there is only a set, which has no keys";
  if (key.size() > kMaxKeyBytes) {
    return "key: has " + std::to_string(key.size()) + " bytes, more than " +
           std::to_string(kMaxKeyBytes);
  }
  const auto entry = Entry::find(store, key);
  if (!entry || !entry->used()) return {};
  answer.push_back(std::byte{1});
  append_text(entry->value(), answer);
  return {};
}

}  // namespace parley::kv
