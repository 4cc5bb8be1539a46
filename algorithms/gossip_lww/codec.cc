#include "algorithms/gossip_lww/codec.h"

#include <bit>

#include "algorithms/contract/flat_message.h"
#include "algorithms/gossip_lww/digest_tree.h"

namespace parley::gossip_lww {
namespace {

// FlatBuffers are little-endian; cells are sent and stored as they are.
static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(wire::Delta) == 32 && alignof(wire::Delta) == 8);
static_assert(sizeof(wire::Known) == 16 && sizeof(wire::Update) == 16);

// Times beyond this are not reached in any lifetime; sums of them do not overflow.
constexpr std::uint64_t kMaxTime = std::uint64_t{1} << 63;
constexpr std::uint32_t kMaxLevel = 8;
constexpr std::uint32_t kMaxPlaces = 4096;

// Which optional fields a message has, as bits; each kind allows one set.
enum Field : unsigned {
  kRumors = 1U << 0,
  kDeltas = 1U << 1,
  kSummary = 1U << 2,
  kKnown = 1U << 3,
  kTree = 1U << 4,
  kPlaces = 1U << 5,
  kDigests = 1U << 6,
  kAck = 1U << 7,
  kProbe = 1U << 8,
  kUpdates = 1U << 9,
};

unsigned fields(const wire::Message& m) {
  return (m.rumors() != nullptr ? kRumors : 0U) | (m.deltas() != nullptr ? kDeltas : 0U) |
         (m.summary() != nullptr ? kSummary : 0U) | (m.known() != nullptr ? kKnown : 0U) |
         (m.tree() != nullptr ? kTree : 0U) | (m.places() != nullptr ? kPlaces : 0U) |
         (m.digests() != nullptr ? kDigests : 0U) | (m.ack() != nullptr ? kAck : 0U) |
         (m.probe() != nullptr ? kProbe : 0U) | (m.updates() != nullptr ? kUpdates : 0U);
}

bool has_fields(const wire::Message& message, unsigned needed, unsigned allowed = 0) {
  return (fields(message) & ~allowed) == needed;
}

bool sound(const wire::Delta& delta) {
  return delta.count() > 0 && delta.first() > 0 && delta.first() < kMaxTime &&
         delta.previous() < delta.first() && delta.origin() != 0;
}

bool verify_rumors(const wire::Message& message, std::size_t body_size) {
  if (!aligned(message.deltas())) return false;
  std::uint64_t cells = 0;
  for (const wire::Delta* delta : *message.deltas()) {
    if (!sound(*delta)) return false;
    cells += delta->count();
  }
  return cells * sizeof(WireCell) == body_size;
}

bool verify_known(const wire::Message& message) {
  if (message.known() == nullptr) return true;
  if (!aligned(message.known())) return false;
  std::uint32_t node = 0;
  for (const wire::Known* known : *message.known()) {
    if (known->node() <= node || known->through() >= kMaxTime) return false;
    node = known->node();
  }
  return true;
}

bool verify_cells(const Block& body) {
  if (body.size() % sizeof(WireCell) != 0) return false;
  for (const WireCell& cell : cells_of(body)) {
    if (cell.stamp == Stamp{} || cell.stamp.major >= kMaxTime) return false;
  }
  return true;
}

bool verify_tree(const wire::Message& message, const Block& body) {
  if (message.kind() == wire::Kind::tree_request) {
    if (!body.empty() || message.places()->size() > kMaxPlaces) return false;
    for (const wire::TreePlace* place : *message.places()) {
      if (place->level() > kMaxLevel) return false;
    }
    return true;
  }
  if (message.digests() != nullptr) {
    if (!aligned(message.digests()) || message.digests()->size() > kMaxPlaces) return false;
    for (const wire::TreeDigest* digest : *message.digests()) {
      if (digest->level() > kMaxLevel) return false;
    }
  }
  return verify_cells(body);
}

bool verify_updates(const wire::Message& message) {
  if (message.updates() == nullptr) return true;
  if (message.updates()->size() > FailureDetector::kMaxUpdates) return false;
  for (const wire::Update* update : *message.updates()) {
    if (update->standing() > static_cast<std::uint32_t>(Standing::dead)) return false;
    if (update->incarnation() == UINT32_MAX) return false;  // it could not be contradicted
  }
  return true;
}

wire::Delta to_wire(const Delta& delta) {
  return {delta.first.value, delta.previous.value, delta.origin.value,
          delta.incarnation, delta.count,          /*reserved=*/0};
}

Delta from_wire(const wire::Delta& delta) {
  return {{delta.origin()},   delta.incarnation(), {delta.first()},
          {delta.previous()}, delta.count(),       {}};
}

}  // namespace

bool verify(const Block& header, const Block& body) {
  flatbuffers::Verifier verifier = message_verifier(header);
  if (!wire::VerifyMessageBuffer(verifier)) return false;
  const wire::Message& message = decode(header);
  switch (message.kind()) {
    case wire::Kind::rumors:
      return has_fields(message, kRumors | kDeltas) && verify_rumors(message, body.size());
    case wire::Kind::summary:
      return has_fields(message, kSummary, kKnown) && body.empty() &&
             message.summary()->stage() <= static_cast<std::uint8_t>(Summary::Stage::question) &&
             verify_known(message);
    case wire::Kind::tree_request:
      return has_fields(message, kTree | kPlaces) && verify_tree(message, body);
    case wire::Kind::tree_reply:
      return has_fields(message, kTree, kDigests) && verify_tree(message, body);
    case wire::Kind::ack:
      return has_fields(message, kAck) && body.empty() && message.ack()->through() < kMaxTime;
    case wire::Kind::ping:
    case wire::Kind::ping_request:
    case wire::Kind::pong:
      return has_fields(message, kProbe, kUpdates) && body.empty() &&
             message.probe()->wall() < kMaxTime && verify_updates(message);
    case wire::Kind::none:
      break;
  }
  return false;
}

Summary decode(const wire::Summary& m) {
  return {m.digest(), static_cast<Summary::Stage>(m.stage()), m.settled(), m.whole(),
          m.out_of_reach()};
}

Probe decode(const wire::Probe& m) {
  return {m.number(), WallTime(Duration(static_cast<std::int64_t>(m.wall()))), {m.target()}};
}

void decode_deltas(const wire::Message& message, const Block& body, std::vector<Delta>& deltas) {
  deltas.clear();
  std::size_t offset = 0;
  for (const wire::Delta* delta : *message.deltas()) {
    const std::size_t size = delta->count() * sizeof(WireCell);
    deltas.push_back(from_wire(*delta));
    deltas.back().cells = body.part(offset, size);
    offset += size;
  }
}

// `fill(MessageBuilder&)` adds the fields; vectors must have been created before.
template <class Fill>
Block Encoder::finish(wire::Kind kind, Fill&& fill) {
  return finish_message<wire::MessageBuilder>(builder_, [&](wire::MessageBuilder& message) {
    fill(message);
    message.add_kind(kind);
  });
}

Block Encoder::rumors(std::span<const Delta* const> deltas, bool more) {
  const wire::Rumors fields(more);
  wire::Delta* to = nullptr;
  const auto vector = builder_.CreateUninitializedVectorOfStructs(deltas.size(), &to);
  for (const Delta* delta : deltas) *to++ = to_wire(*delta);
  return finish(wire::Kind::rumors, [&](auto& message) {
    message.add_rumors(&fields);
    message.add_deltas(vector);
  });
}

Block Encoder::summary(const Summary& summary, const Known& known) {
  const wire::Summary fields(summary.digest, static_cast<std::uint8_t>(summary.stage),
                             summary.settled, summary.whole, summary.out_of_reach);
  std::vector<wire::Known> entries;
  for (std::size_t i = 0; i < known.size(); ++i) {
    const HybridTime through = known.through(i);
    if (through != HybridTime{}) {
      entries.emplace_back(through.value, members_[i].value, /*reserved=*/0);
    }
  }
  flatbuffers::Offset<flatbuffers::Vector<const wire::Known*>> vector;
  if (!entries.empty()) vector = builder_.CreateVectorOfStructs(entries);
  return finish(wire::Kind::summary, [&](auto& message) {
    message.add_summary(&fields);
    if (!vector.IsNull()) message.add_known(vector);
  });
}

Block Encoder::tree_request(std::uint64_t number, std::span<const TreePlace> places) {
  const wire::Tree fields(number);
  wire::TreePlace* to = nullptr;
  const auto vector = builder_.CreateUninitializedVectorOfStructs(places.size(), &to);
  for (const TreePlace& place : places) *to++ = wire::TreePlace(place.level, place.index);
  return finish(wire::Kind::tree_request, [&](auto& message) {
    message.add_tree(&fields);
    message.add_places(vector);
  });
}

Block Encoder::tree_reply(std::uint64_t number, std::span<const TreeDigest> digests) {
  const wire::Tree fields(number);
  flatbuffers::Offset<flatbuffers::Vector<const wire::TreeDigest*>> vector;
  if (!digests.empty()) {
    wire::TreeDigest* to = nullptr;
    vector = builder_.CreateUninitializedVectorOfStructs(digests.size(), &to);
    for (const TreeDigest& d : digests) {
      *to++ = wire::TreeDigest(d.digest, d.place.level, d.place.index);
    }
  }
  return finish(wire::Kind::tree_reply, [&](auto& message) {
    message.add_tree(&fields);
    if (!vector.IsNull()) message.add_digests(vector);
  });
}

Block Encoder::ack(HybridTime through) {
  const wire::Ack fields(through.value);
  return finish(wire::Kind::ack, [&](auto& message) { message.add_ack(&fields); });
}

Block Encoder::probe(wire::Kind kind, const Probe& probe, std::span<const Update> updates) {
  const auto wall = std::max<WallTime::rep>(probe.wall.time_since_epoch().count(), 0);
  const wire::Probe fields(probe.number, static_cast<std::uint64_t>(wall), probe.target.value,
                           /*reserved=*/0);
  flatbuffers::Offset<flatbuffers::Vector<const wire::Update*>> vector;
  if (!updates.empty()) {
    wire::Update* to = nullptr;
    vector = builder_.CreateUninitializedVectorOfStructs(updates.size(), &to);
    for (const Update& u : updates) {
      *to++ = wire::Update(u.incarnation, members_[u.member].value,
                           static_cast<std::uint32_t>(u.standing), /*reserved=*/0);
    }
  }
  return finish(kind, [&](auto& message) {
    message.add_probe(&fields);
    if (!vector.IsNull()) message.add_updates(vector);
  });
}

Block encode_record(const Delta& delta) {
  const wire::Delta header = to_wire(delta);
  return Block::copy_of(std::as_bytes(std::span(&header, 1)));
}

Block encode_walked_record(std::uint32_t count) {
  Delta walked;
  walked.count = count;
  return encode_record(walked);
}

std::optional<Delta> decode_record(const Record& record) {
  wire::Delta header;
  if (record.header.size() != sizeof(header)) return std::nullopt;
  std::memcpy(&header, record.header.data(), sizeof(header));
  const bool walked = header.origin() == 0;
  if (!walked && !sound(header)) return std::nullopt;
  if (header.count() * sizeof(WireCell) != record.body.size()) return std::nullopt;
  if (walked && !verify_cells(record.body)) return std::nullopt;
  Delta delta = from_wire(header);
  delta.cells = record.body;
  return delta;
}

Block encode_state(const HardState& state) {
  return Block::make(sizeof(state.reserved) + state.known.size() * sizeof(wire::Known),
                     [&state](std::byte* to) {
                       std::memcpy(to, &state.reserved, sizeof(state.reserved));
                       if (state.known.empty()) return;
                       std::memcpy(to + sizeof(state.reserved), state.known.data(),
                                   state.known.size() * sizeof(wire::Known));
                     });
}

std::optional<HardState> decode_state(const Block& block) {
  HardState state;
  if (block.size() < sizeof(state.reserved)) return std::nullopt;
  const std::size_t rest = block.size() - sizeof(state.reserved);
  if (rest % sizeof(wire::Known) != 0) return std::nullopt;
  std::memcpy(&state.reserved, block.data(), sizeof(state.reserved));
  state.known.resize(rest / sizeof(wire::Known));
  if (rest > 0) std::memcpy(state.known.data(), block.data() + sizeof(state.reserved), rest);
  return state;
}

}  // namespace parley::gossip_lww
