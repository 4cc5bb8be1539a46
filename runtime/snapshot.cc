#include "runtime/snapshot.h"

#include <bit>
#include <cstring>
#include <memory>
#include <optional>

#include "runtime/checksum.h"
#include "runtime/guards.h"

namespace parley {
namespace {

static_assert(std::endian::native == std::endian::little);

enum class PartKind : std::uint32_t { head = 1, cells = 2, sessions = 3 };

struct PartHead {
  std::uint32_t kind = 0;
  std::uint32_t count = 0;  // of cells or sessions
  std::uint32_t sum = 0;    // CRC-32 of what follows
  std::uint32_t reserved = 0;
};
static_assert(sizeof(PartHead) == 16);

// The contents of part 0.
struct StateHead {
  std::uint64_t index = 0;
  std::uint64_t commands_applied = 0;
  std::uint64_t digest = 0;
  std::uint32_t key_count = 0;
  std::uint32_t slots = 0;
};
static_assert(sizeof(StateHead) == 32);

// --- writing ---

// Gathers items into parts. Numbers have seven bits a byte, so that small ones are short; those
// that change little from item to item are written as differences.
class PartWriter {
 public:
  explicit PartWriter(PartKind kind, Snapshot& snapshot) : kind_(kind), snapshot_(snapshot) {}

  // Begins an item. True if it is the first of a part: then differences are to zero.
  bool begin() {
    if (size_ >= kSnapshotPartBytes) finish();
    return count_++ == 0;
  }
  void number(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) buffer_[size_++] = static_cast<std::byte>(value | 0x80);
    buffer_[size_++] = static_cast<std::byte>(value);
  }
  void difference(std::uint64_t value, std::uint64_t& before) {
    const auto by = static_cast<std::int64_t>(value - before);
    number((static_cast<std::uint64_t>(by) << 1) ^ static_cast<std::uint64_t>(by >> 63));
    before = value;
  }
  void raw(Bytes bytes) {
    std::memcpy(buffer_.get() + size_, bytes.data(), bytes.size());
    size_ += bytes.size();
  }
  // Closes the part at hand, if anything is in it.
  void finish() {
    if (count_ == 0) return;
    const Bytes contents(buffer_.get() + sizeof(PartHead), size_ - sizeof(PartHead));
    const PartHead head{static_cast<std::uint32_t>(kind_), count_, checksum(0, contents), 0};
    std::memcpy(buffer_.get(), &head, sizeof(head));
    snapshot_.parts.push_back(Block::copy_of(Bytes(buffer_.get(), size_)));
    snapshot_.bytes += size_;
    size_ = sizeof(PartHead);
    count_ = 0;
  }

 private:
  PartKind kind_;
  Snapshot& snapshot_;
  // Not filled with zeros: that cost more than a small snapshot itself.
  std::unique_ptr<std::byte[]> buffer_ =
      std::make_unique_for_overwrite<std::byte[]>(kMaxSnapshotPartBytes);
  std::size_t size_ = sizeof(PartHead);
  std::uint32_t count_ = 0;
};

void write_head(const FrozenState& state, Snapshot& snapshot) {
  const StateHead head{state.index.value, state.commands_applied, state.store.digest(),
                       state.store.key_count(), state.sessions.slots()};
  PartWriter writer(PartKind::head, snapshot);
  writer.begin();
  writer.raw(std::as_bytes(std::span(&head, 1)));
  writer.finish();
}

void write_cells(const FrozenStore& store, Snapshot& snapshot) {
  PartWriter writer(PartKind::cells, snapshot);
  std::uint64_t key = 0;
  std::uint64_t major = 0;
  for (std::size_t i = 0; i < store.tile_count(); ++i) {
    const Tile* tile = store.tile(i);
    if (tile == nullptr) continue;
    for (std::size_t place = 0; place < kCellsPerTile; ++place) {
      const Cell& cell = tile->cells[place];
      if (cell.stamp == Stamp{}) continue;
      if (writer.begin()) key = major = 0;
      writer.difference(i * kCellsPerTile + place, key);
      writer.number(cell.value);
      writer.difference(cell.stamp.major, major);
      writer.number(cell.stamp.minor);
      writer.number(cell.writer.session);
      writer.number(cell.writer.sequence);
    }
  }
  writer.finish();
}

void write_window(const Session& session, PartWriter& writer) {
  std::uint32_t count = 0;
  for (const Session::Remembered& result : session.window) count += result.sequence != 0 ? 1 : 0;
  writer.number(count);
  std::uint64_t sequence = 0;
  std::uint64_t major = 0;
  for (const Session::Remembered& result : session.window) {
    if (result.sequence == 0) continue;
    writer.difference(result.sequence, sequence);
    writer.difference(result.stamp.major, major);
    writer.number(result.stamp.minor);
    writer.number(result.value);
    writer.number(result.code);
  }
}

void write_sessions(const FrozenSessions& sessions, Snapshot& snapshot) {
  PartWriter writer(PartKind::sessions, snapshot);
  for (std::uint32_t slot = 0; slot < sessions.slots(); ++slot) {
    const Session& session = sessions.at(slot);
    writer.begin();
    writer.number(session.id);
    writer.number(session.open ? 1 : 0);
    if (!session.open) continue;
    writer.number(session.nonce);
    writer.number(session.highest);
    write_window(holds(guards::kSessionsInSnapshot) ? session : Session{}, writer);
  }
  writer.finish();
}

// --- reading ---

// Reads what PartWriter wrote. After the first number that is not there, all are zero and `good` is
// false.
class PartReader {
 public:
  explicit PartReader(Bytes part) {
    PartHead head;
    if (part.size() < sizeof(head) || part.size() > kMaxSnapshotPartBytes) return;
    std::memcpy(&head, part.data(), sizeof(head));
    rest_ = part.subspan(sizeof(head));
    good_ = head.sum == checksum(0, rest_) && head.reserved == 0;
    kind_ = static_cast<PartKind>(head.kind);
    count_ = head.count;
  }

  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool is(PartKind kind) const { return good_ && kind_ == kind; }
  [[nodiscard]] std::uint32_t count() const { return count_; }
  // Whether everything was read, and nothing else.
  [[nodiscard]] bool done() const { return good_ && rest_.empty(); }

  std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = std::to_integer<std::uint64_t>(rest_.front());
      rest_ = rest_.subspan(1);
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    good_ = false;
    return 0;
  }
  std::uint64_t difference(std::uint64_t& before) {
    const std::uint64_t folded = number();
    before += (folded >> 1) ^ (0 - (folded & 1));
    return before;
  }
  // A number of fewer bits.
  template <class Number>
  Number narrow() {
    return cut<Number>(number());
  }
  template <class Number>
  Number cut(std::uint64_t value) {
    const auto cut = static_cast<Number>(value);
    if (cut != value) good_ = false;
    return cut;
  }
  template <class Value>
  Value raw() {
    Value value{};
    if (rest_.size() < sizeof(value)) {
      good_ = false;
      return value;
    }
    std::memcpy(&value, rest_.data(), sizeof(value));
    rest_ = rest_.subspan(sizeof(value));
    return value;
  }

 private:
  Bytes rest_;
  PartKind kind_{};
  std::uint32_t count_ = 0;
  bool good_ = false;
};

// False if the cells are not in their order, or not of this store.
bool read_cells(PartReader& reader, std::uint64_t& next_key, Store& store) {
  std::uint64_t key = 0;
  std::uint64_t major = 0;
  for (std::uint32_t i = 0; i < reader.count() && reader.good(); ++i) {
    reader.difference(key);
    const std::uint64_t value = reader.number();
    Stamp stamp;
    stamp.major = reader.difference(major);
    stamp.minor = reader.number();
    Writer writer;
    writer.session = reader.narrow<std::uint32_t>();
    writer.sequence = reader.narrow<std::uint32_t>();
    if (!reader.good() || key < next_key || key >= store.key_count() || stamp == Stamp{}) {
      return false;
    }
    next_key = key + 1;
    store.write(Key{static_cast<std::uint32_t>(key)}, value, stamp, writer);
  }
  return reader.done();
}

bool read_window(PartReader& reader, Session& session) {
  const std::uint64_t count = reader.number();
  std::uint64_t sequence = 0;
  std::uint64_t major = 0;
  for (std::uint64_t i = 0; i < count && reader.good(); ++i) {
    Session::Remembered result;
    result.sequence = reader.cut<std::uint32_t>(reader.difference(sequence));
    result.stamp.major = reader.difference(major);
    result.stamp.minor = reader.number();
    result.value = reader.number();
    result.code = reader.narrow<std::uint16_t>();
    Session::Remembered& place = session.window[result.sequence % kSessionWindow];
    if (place.sequence != 0 || result.sequence == 0 || result.sequence > session.highest) {
      return false;
    }
    place = result;
  }
  return reader.good();
}

bool read_sessions(PartReader& reader, SessionTable& sessions) {
  for (std::uint32_t i = 0; i < reader.count() && reader.good(); ++i) {
    Session session;
    session.id = reader.narrow<std::uint32_t>();
    session.open = reader.narrow<std::uint8_t>() != 0;
    if (session.open) {
      session.nonce = reader.number();
      session.highest = reader.narrow<std::uint32_t>();
      if (!read_window(reader, session)) return false;
    }
    if (!reader.good() || !sessions.restore(session)) return false;
  }
  return reader.done();
}

std::optional<StateHead> read_head(const SnapshotId& id, std::span<const Block> parts,
                                   const StateShape& shape, std::string& error) {
  if (parts.size() != id.parts || parts.empty() || sum_of(parts) != id.sum) {
    error = "the parts are not those of the snapshot";
    return std::nullopt;
  }
  PartReader reader(parts.front().bytes());
  const auto head = reader.raw<StateHead>();
  if (!reader.is(PartKind::head) || reader.count() != 1 || !reader.done() ||
      head.index != id.index.value) {
    error = "part 0 is not the head of the snapshot";
    return std::nullopt;
  }
  if (head.key_count != shape.key_count) {
    error = "the snapshot is of " + std::to_string(head.key_count) + " cells, here are " +
            std::to_string(shape.key_count);
    return std::nullopt;
  }
  return head;
}

}  // namespace

std::uint32_t sum_of(std::span<const Block> parts) {
  std::uint32_t sum = 0;
  for (const Block& part : parts) sum = checksum(sum, part.bytes());
  return sum;
}

Snapshot encode_snapshot(const FrozenState& state) {
  Snapshot snapshot;
  write_head(state, snapshot);
  write_cells(state.store, snapshot);
  write_sessions(state.sessions, snapshot);
  snapshot.id = {state.index, static_cast<std::uint32_t>(snapshot.parts.size()),
                 sum_of(snapshot.parts)};
  return snapshot;
}

std::unique_ptr<RestoredState> decode_snapshot(const SnapshotId& id, std::span<const Block> parts,
                                               const StateShape& shape, std::string& error) {
  const auto head = read_head(id, parts, shape, error);
  if (!head) return nullptr;
  auto state = std::make_unique<RestoredState>(
      RestoredState{id.index, head->commands_applied, Store(shape.key_count),
                    SessionTable(shape.max_sessions, shape.first_session)});
  std::uint64_t next_key = 0;
  for (std::size_t number = 1; number < parts.size(); ++number) {
    PartReader reader(parts[number].bytes());
    const bool read = reader.is(PartKind::cells)      ? read_cells(reader, next_key, state->store)
                      : reader.is(PartKind::sessions) ? read_sessions(reader, state->sessions)
                                                      : false;
    if (!read) {
      error = "part " + std::to_string(number) + " is not readable";
      return nullptr;
    }
  }
  if (state->store.digest() != head->digest || state->sessions.slots() != head->slots) {
    error = "the parts do not make up the state that part 0 tells of";
    return nullptr;
  }
  return state;
}

}  // namespace parley
