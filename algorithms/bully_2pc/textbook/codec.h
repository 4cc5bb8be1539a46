// Messages and records of the textbook variant to bytes and back.
#pragma once

#include <flatbuffers/flatbuffer_builder.h>

#include <optional>
#include <span>
#include <vector>

#include "algorithms/bully_2pc/textbook/messages.h"
#include "algorithms/bully_2pc/textbook/messages_generated.h"
#include "algorithms/bully_2pc/vector_clock.h"
#include "algorithms/contract/block.h"
#include "algorithms/contract/fields.h"
#include "algorithms/contract/replica.h"

namespace parley::bully_2pc::textbook {

// Whether the parts of a frame are a message that the functions below can read. Withstands any
// bytes; both blocks must start at a multiple of 8. Whether clocks have as many numbers as there
// are members, and keys are in the store, is not known here.
bool verify(const Block& header, const Block& body);

// What a verified frame says, in a few words.
std::string describe(const Block& header, const Block& body);

// See Algorithm::fields. Besides those of messages.h: `coordinator`, `incarnation`, `batch` (its
// number) and `yes` of a batch; `runs`, rows of origin, incarnation, number and writes; `clock`, a
// number a node; `tiles`, rows of an index.
void fields(const Block& header, FieldSink& to);

// The message of a verified header; its fields are read in place.
inline const wire::Message& decode(const Block& header) {
  return *wire::GetMessage(header.data());
}
BatchId decode(const wire::Batch& batch);
std::vector<RunPart> runs_of(const wire::Message& message);
ClockView clock_of(const wire::Message& message);
// Writes of verified runs.
std::span<const CellWrite> writes_of(const Block& body);

// Walks through cells with clocks of so many numbers: a verified message's, or a record's.
class CellReader {
 public:
  CellReader(const Block& body, std::size_t nodes)
      : body_(body), stride_(sizeof(WireCell) + nodes * 8) {}
  // False at the end.
  bool next(WireCell& cell, ClockView& clock);
  static void append(std::vector<std::byte>& to, const WireCell& cell, ClockView clock);

 private:
  const Block& body_;
  std::size_t stride_;
  std::size_t offset_ = 0;
};

// Makes the headers of messages. One per replica: its buffer is reused.
class Encoder {
 public:
  Block heartbeat(bool leads, bool joining);
  // A message without fields: election, answer, coordinator.
  Block plain(wire::Kind kind);
  // To a coordinator in that life of it.
  Block forward(Incarnation to_life, std::span<const RunPart> runs, ClockView clock);
  Block refuse(const RunPart& run);
  Block prepare(const BatchId& batch, std::span<const RunPart> runs);
  Block vote(const BatchId& batch, bool yes);
  Block committed(const BatchId& batch, ClockView clock);
  Block aborted(const BatchId& batch);
  Block inquire(const BatchId& batch);
  Block hash(std::uint64_t digest);
  // tiles, want
  Block tiles(wire::Kind kind, std::span<const wire::Tile> tiles);
  Block cells(std::uint32_t tile, std::size_t nodes);

 private:
  template <class Fill>
  Block finish(wire::Kind kind, Fill&& fill);
  flatbuffers::Offset<flatbuffers::Vector<const wire::Run*>> add_runs(
      std::span<const RunPart> runs);

  flatbuffers::FlatBufferBuilder builder_{4096};
};

// What the disk holds, one after the other.
struct LogRecord {
  enum class Kind : std::uint32_t {
    prepared = 1,  // voted for; the outcome is not known
    committed,     // with the writes again: the state up to a snapshot may lack what was prepared
    aborted,
    cells,  // taken from another node; no batch
  };
  Kind kind = Kind::prepared;
  BatchId batch;
  VectorClock clock;  // of committed; otherwise empty
  Block body;         // writes, or cells with their clocks
};
Block encode_record(LogRecord::Kind kind, const BatchId& batch, ClockView clock);
// Nothing if the record is not one of ours, in a cluster of so many nodes.
std::optional<LogRecord> decode_record(const Record& record, std::size_t nodes);

}  // namespace parley::bully_2pc::textbook
