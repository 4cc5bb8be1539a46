// Messages and records to bytes and back.
#pragma once

#include <flatbuffers/flatbuffer_builder.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/replica.h"
#include "algorithms/gossip_lww/failure_detector.h"
#include "algorithms/gossip_lww/known.h"
#include "algorithms/gossip_lww/messages.h"
#include "algorithms/gossip_lww/messages_generated.h"

namespace parley::gossip_lww {

// A cell in the body of a message or record.
struct WireCell {
  Key key;
  std::uint32_t reserved = 0;
  std::uint64_t value = 0;
  Writer writer;
  // The cell's stamp. Of a delta's cell, whose stamp follows from the delta: that of the write
  // which the origin saw there before, so that it shows whether another one was known to it.
  Stamp stamp;
};
static_assert(sizeof(WireCell) == 40);

// The cells of a body that was verified.
inline std::span<const WireCell> cells_of(const Block& block) {
  return {reinterpret_cast<const WireCell*>(block.data()), block.size() / sizeof(WireCell)};
}

// Whether the parts of a frame are a message that the functions below can read. Withstands any
// bytes; both blocks must start at a multiple of 8.
bool verify(const Block& header, const Block& body);

// The message of a verified header; its fields are read in place.
inline const wire::Message& decode(const Block& header) {
  return *wire::GetMessage(header.data());
}
Summary decode(const wire::Summary& message);
Probe decode(const wire::Probe& message);
// The deltas of a verified message, which share its body.
void decode_deltas(const wire::Message& message, const Block& body, std::vector<Delta>& deltas);

// Makes the headers of messages. One per replica: its buffer is reused. Members are named by their
// place in `members`.
class Encoder {
 public:
  explicit Encoder(std::vector<NodeId> members) : members_(std::move(members)) {}

  Block rumors(std::span<const Delta* const> deltas, bool more);
  Block summary(const Summary& summary, const Known& known);
  Block tree_request(std::uint64_t number, std::span<const TreePlace> places);
  Block tree_reply(std::uint64_t number, std::span<const TreeDigest> digests);
  Block ack(HybridTime through);
  Block probe(wire::Kind kind, const Probe& probe, std::span<const Update> updates);

 private:
  template <class Fill>
  Block finish(wire::Kind kind, Fill&& fill);

  std::vector<NodeId> members_;
  flatbuffers::FlatBufferBuilder builder_{4096};
};

// The header of the record of a delta; its body are the cells.
Block encode_record(const Delta& delta);
// The header of the record of cells that came by a walk.
Block encode_walked_record(std::uint32_t count);
// The delta of a record, of origin kNoNode if it came by a walk. Nothing if it is not one of ours.
std::optional<Delta> decode_record(const Record& record);

// What must survive a crash besides the records.
struct HardState {
  HybridTime reserved;                  // every stamp given out is at most this, or in a record
  std::vector<wire::Known> known = {};  // by node, rising
};
Block encode_state(const HardState& state);
// Nothing if the block is not one that encode_state made.
std::optional<HardState> decode_state(const Block& block);

}  // namespace parley::gossip_lww
