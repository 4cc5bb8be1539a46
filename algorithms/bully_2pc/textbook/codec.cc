#include "algorithms/bully_2pc/textbook/codec.h"

#include <bit>
#include <cstring>

#include "algorithms/bully_2pc/codec.h"
#include "algorithms/contract/flat_message.h"

namespace parley::bully_2pc::textbook {
namespace {

// FlatBuffers are little-endian; writes and cells are sent and stored as they are.
static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(wire::Run) == 24 && sizeof(wire::Batch) == 24 && sizeof(wire::Tile) == 16);

// Times beyond this are not reached in any lifetime; sums of them do not overflow.
constexpr UpdateTime kLatestTime = UpdateTime{1} << 62;
constexpr std::uint32_t kMostTiles = 1U << 22;  // of a store with as many cells as keys can name

// Which optional fields a message has, as bits; each kind has one set.
enum Present : unsigned {
  kHeartbeat = 1U << 0,
  kBatch = 1U << 1,
  kRuns = 1U << 2,
  kClock = 1U << 3,
  kNumber = 1U << 4,
  kTiles = 1U << 5,
};

unsigned present(const wire::Message& m) {
  return (m.heartbeat() != nullptr ? kHeartbeat : 0U) | (m.batch() != nullptr ? kBatch : 0U) |
         (m.runs() != nullptr ? kRuns : 0U) | (m.clock() != nullptr ? kClock : 0U) |
         (m.number() != 0 ? kNumber : 0U) | (m.tiles() != nullptr ? kTiles : 0U);
}

bool sound(const wire::Batch& batch) {
  return batch.coordinator() > 0 && batch.number() > 0 && batch.yes() <= 1;
}

bool sound_runs(const wire::Message& message, bool with_body, const Block& body) {
  if (!aligned(message.runs()) || message.runs()->size() == 0) return false;
  std::uint64_t writes = 0;
  for (const wire::Run* run : *message.runs()) {
    if (run->count() == 0 || run->number() == 0 || run->origin() == 0) return false;
    writes += run->count();
  }
  return body.size() == (with_body ? writes * sizeof(CellWrite) : 0);
}

bool sound_clock(ClockView clock) {
  // Before anything of it is read.
  const bool aligned = reinterpret_cast<std::uintptr_t>(clock.data()) % alignof(UpdateTime) == 0;
  return aligned && !clock.empty() && clock.size() <= kMaxNodes &&
         std::all_of(clock.begin(), clock.end(),
                     [](UpdateTime time) { return time < kLatestTime; });
}

bool sound_tiles(const wire::Message& message) {
  if (message.tiles() == nullptr) return true;
  return aligned(message.tiles()) && message.tiles()->size() <= kMostTiles;
}

// The clock of a message with cells stands for the length of theirs.
bool sound_cells(const wire::Message& message, const Block& body) {
  const std::size_t nodes = message.clock()->size();
  if (nodes == 0 || nodes > kMaxNodes) return false;
  if (body.size() % (sizeof(WireCell) + nodes * 8) != 0) return false;
  CellReader cells(body, nodes);
  WireCell cell;
  ClockView clock;
  while (cells.next(cell, clock)) {
    if (cell.stamp == Stamp{} || cell.stamp.major >= kLatestTime || !sound_clock(clock)) {
      return false;
    }
  }
  return true;
}

bool sound_outcome(const wire::Message& message) {
  const bool committed = message.batch()->yes() == 1;
  return sound(*message.batch()) && committed == (message.clock() != nullptr) &&
         (!committed || sound_clock(clock_of(message)));
}

wire::Batch to_wire(const BatchId& batch, bool yes = false) {
  return {batch.incarnation.value, batch.number, batch.coordinator.value, yes ? 1U : 0U};
}

// What stands before the clock in a record's header.
struct RecordFields {
  LogRecord::Kind kind{};
  std::uint32_t coordinator = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t number = 0;
};
static_assert(sizeof(RecordFields) == 24);

}  // namespace

bool verify(const Block& header, const Block& body) {
  flatbuffers::Verifier verifier = message_verifier(header);
  if (!wire::VerifyMessageBuffer(verifier)) return false;
  const wire::Message& m = decode(header);
  const unsigned has = present(m);
  switch (m.kind()) {
    case wire::Kind::heartbeat:
      return has == kHeartbeat && body.empty();
    case wire::Kind::election:
    case wire::Kind::answer:
    case wire::Kind::coordinator:
      return has == 0 && body.empty();
    case wire::Kind::forward:
      return has == (kRuns | kClock | kNumber) && sound_runs(m, /*with_body=*/true, body) &&
             sound_clock(clock_of(m));
    case wire::Kind::refuse:
      return has == kRuns && sound_runs(m, /*with_body=*/false, body);
    case wire::Kind::prepare:
      return has == (kBatch | kRuns) && sound(*m.batch()) &&
             sound_runs(m, /*with_body=*/true, body);
    case wire::Kind::vote:
    case wire::Kind::inquire:
      return has == kBatch && body.empty() && sound(*m.batch());
    case wire::Kind::outcome:
      return (has & ~kClock) == kBatch && body.empty() && sound_outcome(m);
    case wire::Kind::hash:
      return (has & ~kNumber) == 0 && body.empty();
    case wire::Kind::tiles:
      return (has & ~kTiles) == 0 && body.empty() && sound_tiles(m);
    case wire::Kind::want:
      return has == kTiles && body.empty() && sound_tiles(m) && m.tiles()->size() <= kTilesAsked;
    case wire::Kind::cells:
      return (has & ~kNumber) == kClock && sound_cells(m, body);
    case wire::Kind::none:
      break;
  }
  return false;
}

std::string describe(const Block& header, const Block& body) {
  const wire::Message& m = decode(header);
  std::string text = wire::EnumNameKind(m.kind());
  if (m.heartbeat() != nullptr && m.heartbeat()->leads()) text += " of a coordinator";
  if (m.heartbeat() != nullptr && m.heartbeat()->joining()) text += ", joining";
  if (m.batch() != nullptr) {
    text += " batch " + std::to_string(m.batch()->number()) + " of node " +
            std::to_string(m.batch()->coordinator());
  }
  if (m.kind() == wire::Kind::vote) text += m.batch()->yes() == 1 ? ": yes" : ": no";
  if (m.kind() == wire::Kind::outcome) text += m.batch()->yes() == 1 ? ": commit" : ": abort";
  if (m.runs() != nullptr) {
    text += ", " + std::to_string(m.runs()->size()) + " runs, " +
            std::to_string(writes_of(body).size()) + " writes";
  }
  if (m.tiles() != nullptr) text += " " + std::to_string(m.tiles()->size());
  if (m.kind() == wire::Kind::cells) text += " of tile " + std::to_string(m.number());
  return text;
}

void fields(const Block& header, FieldSink& to) {
  const wire::Message& m = decode(header);
  to.text("type", wire::EnumNameKind(m.kind()));
  if (m.heartbeat() != nullptr) {
    to.flag("leads", m.heartbeat()->leads());
    to.flag("joining", m.heartbeat()->joining());
  }
  if (m.batch() != nullptr) {
    to.number("coordinator", m.batch()->coordinator());
    to.number("incarnation", m.batch()->incarnation());
    to.number("batch", m.batch()->number());
    to.flag("yes", m.batch()->yes() == 1);
  }
  std::vector<std::uint64_t> rows;
  if (m.runs() != nullptr) {
    for (const wire::Run* run : *m.runs()) {
      rows.insert(rows.end(), {run->origin(), run->incarnation(), run->number(), run->count()});
    }
    to.rows("runs", 4, rows);
  }
  if (m.clock() != nullptr) to.rows("clock", 1, clock_of(m));
  if (m.number() != 0) to.text("number", std::to_string(m.number()));
  if (m.tiles() == nullptr) return;
  rows.clear();
  for (const wire::Tile* tile : *m.tiles()) rows.push_back(tile->index());
  to.rows("tiles", 1, rows);
}

// --- reading ---

BatchId decode(const wire::Batch& batch) {
  return {{batch.coordinator()}, {batch.incarnation()}, batch.number()};
}

std::vector<RunPart> runs_of(const wire::Message& message) {
  std::vector<RunPart> runs;
  runs.reserve(message.runs()->size());
  for (const wire::Run* run : *message.runs()) {
    runs.push_back({{{run->origin()}, {run->incarnation()}, run->number()}, run->count()});
  }
  return runs;
}

ClockView clock_of(const wire::Message& message) {
  return {message.clock()->data(), message.clock()->size()};
}

std::span<const CellWrite> writes_of(const Block& body) {
  return {reinterpret_cast<const CellWrite*>(body.data()), body.size() / sizeof(CellWrite)};
}

bool CellReader::next(WireCell& cell, ClockView& clock) {
  if (offset_ + stride_ > body_.size()) return false;
  std::memcpy(&cell, body_.data() + offset_, sizeof(cell));
  clock = words_of(body_.bytes().subspan(offset_ + sizeof(cell), stride_ - sizeof(cell)));
  offset_ += stride_;
  return true;
}

void CellReader::append(std::vector<std::byte>& to, const WireCell& cell, ClockView clock) {
  const Bytes fields = std::as_bytes(std::span(&cell, 1));
  const Bytes numbers = std::as_bytes(clock);
  to.insert(to.end(), fields.begin(), fields.end());
  to.insert(to.end(), numbers.begin(), numbers.end());
}

// --- writing ---

// `fill(MessageBuilder&)` adds the fields; vectors must have been created before.
template <class Fill>
Block Encoder::finish(wire::Kind kind, Fill&& fill) {
  return finish_message<wire::MessageBuilder>(builder_, [&](wire::MessageBuilder& message) {
    fill(message);
    message.add_kind(kind);
  });
}

Block Encoder::heartbeat(bool leads, bool joining) {
  const wire::Heartbeat fields(leads, joining);
  return finish(wire::Kind::heartbeat, [&](auto& to) { to.add_heartbeat(&fields); });
}

Block Encoder::plain(wire::Kind kind) {
  return finish(kind, [](auto&) {});
}

flatbuffers::Offset<flatbuffers::Vector<const wire::Run*>> Encoder::add_runs(
    std::span<const RunPart> runs) {
  wire::Run* to = nullptr;
  const auto vector = builder_.CreateUninitializedVectorOfStructs(runs.size(), &to);
  for (const RunPart& run : runs) {
    *to++ = wire::Run(run.id.incarnation.value, run.id.number, run.id.origin.value, run.count);
  }
  return vector;
}

Block Encoder::forward(Incarnation to_life, std::span<const RunPart> runs, ClockView clock) {
  const auto vector = add_runs(runs);
  const auto numbers = builder_.CreateVector(clock.data(), clock.size());
  return finish(wire::Kind::forward, [&](auto& to) {
    to.add_runs(vector);
    to.add_number(to_life.value);
    to.add_clock(numbers);
  });
}

Block Encoder::refuse(const RunPart& run) {
  const auto vector = add_runs(std::span(&run, 1));
  return finish(wire::Kind::refuse, [&](auto& to) { to.add_runs(vector); });
}

Block Encoder::prepare(const BatchId& batch, std::span<const RunPart> runs) {
  const auto vector = add_runs(runs);
  const wire::Batch fields = to_wire(batch);
  return finish(wire::Kind::prepare, [&](auto& to) {
    to.add_batch(&fields);
    to.add_runs(vector);
  });
}

Block Encoder::vote(const BatchId& batch, bool yes) {
  const wire::Batch fields = to_wire(batch, yes);
  return finish(wire::Kind::vote, [&](auto& to) { to.add_batch(&fields); });
}

Block Encoder::committed(const BatchId& batch, ClockView clock) {
  const auto numbers = builder_.CreateVector(clock.data(), clock.size());
  const wire::Batch fields = to_wire(batch, true);
  return finish(wire::Kind::outcome, [&](auto& to) {
    to.add_batch(&fields);
    to.add_clock(numbers);
  });
}

Block Encoder::aborted(const BatchId& batch) {
  const wire::Batch fields = to_wire(batch);
  return finish(wire::Kind::outcome, [&](auto& to) { to.add_batch(&fields); });
}

Block Encoder::inquire(const BatchId& batch) {
  const wire::Batch fields = to_wire(batch);
  return finish(wire::Kind::inquire, [&](auto& to) { to.add_batch(&fields); });
}

Block Encoder::hash(std::uint64_t digest) {
  return finish(wire::Kind::hash, [&](auto& to) { to.add_number(digest); });
}

Block Encoder::tiles(wire::Kind kind, std::span<const wire::Tile> tiles) {
  flatbuffers::Offset<flatbuffers::Vector<const wire::Tile*>> vector;
  if (!tiles.empty()) vector = builder_.CreateVectorOfStructs(tiles.data(), tiles.size());
  return finish(kind, [&](auto& to) {
    if (!vector.IsNull()) to.add_tiles(vector);
  });
}

Block Encoder::cells(std::uint32_t tile, std::size_t nodes) {
  const std::vector<UpdateTime> length(nodes);
  const auto numbers = builder_.CreateVector(length);
  return finish(wire::Kind::cells, [&](auto& to) {
    to.add_number(tile);
    to.add_clock(numbers);
  });
}

// --- records ---

Block encode_record(LogRecord::Kind kind, const BatchId& batch, ClockView clock) {
  const RecordFields fields{kind, batch.coordinator.value, batch.incarnation.value, batch.number};
  return Block::make(sizeof(fields) + clock.size_bytes(), [&](std::byte* to) {
    std::memcpy(to, &fields, sizeof(fields));
    if (!clock.empty()) std::memcpy(to + sizeof(fields), clock.data(), clock.size_bytes());
  });
}

std::optional<LogRecord> decode_record(const Record& record, std::size_t nodes) {
  RecordFields fields;
  if (record.header.size() < sizeof(fields)) return std::nullopt;
  std::memcpy(&fields, record.header.data(), sizeof(fields));
  const ClockView clock = words_of(record.header.bytes().subspan(sizeof(fields)));
  LogRecord decoded;
  decoded.kind = fields.kind;
  decoded.batch = {{fields.coordinator}, {fields.incarnation}, fields.number};
  decoded.clock = VectorClock(clock);
  decoded.body = record.body;
  const bool writes =
      fields.kind == LogRecord::Kind::prepared || fields.kind == LogRecord::Kind::committed;
  const bool committed = fields.kind == LogRecord::Kind::committed;
  if (clock.size() != (committed ? nodes : 0)) return std::nullopt;
  if (writes) {
    const bool whole = !record.body.empty() && record.body.size() % sizeof(CellWrite) == 0;
    return whole ? std::optional(std::move(decoded)) : std::nullopt;
  }
  if (fields.kind == LogRecord::Kind::aborted && record.body.empty()) return decoded;
  const bool cells = fields.kind == LogRecord::Kind::cells &&
                     record.body.size() % (sizeof(WireCell) + nodes * 8) == 0;
  return cells ? std::optional(std::move(decoded)) : std::nullopt;
}

}  // namespace parley::bully_2pc::textbook
