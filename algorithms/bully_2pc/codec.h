// Messages and records to bytes and back.
#pragma once

#include <flatbuffers/flatbuffer_builder.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "algorithms/bully_2pc/messages.h"
#include "algorithms/bully_2pc/messages_generated.h"
#include "algorithms/bully_2pc/vector_clock.h"
#include "algorithms/contract/block.h"
#include "algorithms/contract/command.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/held_runs.h"
#include "algorithms/contract/log.h"
#include "algorithms/contract/replica.h"

namespace parley::bully_2pc {

inline constexpr std::uint32_t kMaxNodes = 64;

// An entry without its run's body, as it stands on the wire and in storage; its clock follows.
struct EntryFields {
  std::uint64_t epoch = 0;
  std::uint64_t incarnation = 0;
  std::uint64_t number = 0;
  std::uint32_t origin = 0;
  std::uint32_t count = 0;
  std::uint32_t size = 0;  // of the run's body in bytes; on the wire padded to a multiple of 8
  std::uint32_t left = 0;  // so many runs of its batch follow
};
static_assert(sizeof(EntryFields) == 40);

// What the log keeps of an entry besides its run.
struct EntryNote {
  Block record;  // EntryFields and clock

  // A buffer of its own, as a rule.
  [[nodiscard]] std::uint64_t cost() const { return kBodyOverhead + record.size(); }
  [[nodiscard]] std::uint32_t left() const;
  [[nodiscard]] ClockView clock() const {
    return words_of(record.bytes().subspan(sizeof(EntryFields)));
  }
};

using BatchLog = BasicLog<EntryNote>;

// The body of a message with runs is the concatenation of their bodies, each padded with zeros to a
// multiple of 8 bytes, so that each one starts aligned and can be cut out without copying.
inline constexpr std::size_t padded(std::size_t size) {
  return (size + 7) / 8 * 8;
}

// Whether the parts of a frame are a message that the functions below can read. Withstands any
// bytes; both blocks must start at a multiple of 8. Whether clocks have as many numbers as there
// are members is not known here (`nodes`).
bool verify(const Block& header, const Block& body);

// The message of a verified header; its fields are read in place.
inline const wire::Message& decode(const Block& header) {
  return *wire::GetMessage(header.data());
}
Election decode(const wire::Election& message);
Answer decode(const wire::Answer& message);
Coordinator decode(const wire::Coordinator& message);
Claim decode(const wire::Claim& message);
Promised decode(const wire::Promised& message);
Prepare decode(const wire::Prepare& message);
Vote decode(const wire::Vote& message);
Commit decode(const wire::Commit& message);
Fetch decode(const wire::Fetch& message);
Batches decode(const wire::Batches& message);
Part decode(const wire::Part& message);
Forward decode(const wire::Forward& message);
ReadRequest decode(const wire::ReadRequest& message);
ReadReply decode(const wire::ReadReply& message);

// Walks through the entries of a verified message: whole batches.
class EntryReader {
 public:
  struct Item {
    Epoch epoch;
    CommandRun run;  // shares the frame's body
    EntryNote note;  // shares the frame's header
  };

  EntryReader(const wire::Message& message, const Block& header, const Block& body);

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool done() const { return next_ == count_; }
  [[nodiscard]] Epoch next_epoch() const { return {fields().epoch}; }
  void skip();
  Item take();

 private:
  [[nodiscard]] EntryFields fields() const;

  const Block& header_;
  const Block& body_;
  std::size_t first_ = 0;  // byte of the header
  std::size_t stride_ = 0;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  std::size_t offset_ = 0;  // of its body
};

struct ForwardedRun {
  CommandRun run;
  Block clock;
};

// Walks through the runs of a verified forward message that came from `origin`.
class ForwardReader {
 public:
  ForwardReader(const wire::Message& message, const Block& header, const Block& body,
                NodeId origin);
  // The next run; nothing at the end.
  std::optional<ForwardedRun> next();
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  const Block& header_;
  const Block& body_;
  NodeId origin_;
  Incarnation incarnation_;
  std::size_t first_ = 0;  // byte of the header
  std::size_t stride_ = 0;
  std::size_t count_ = 0;
  std::size_t next_ = 0;
  std::size_t offset_ = 0;
};

// Makes the headers of messages. One per replica: its buffer is reused.
class Encoder {
 public:
  Block encode(const Election& message);
  Block encode(const Answer& message);
  Block encode(const Coordinator& message);
  Block encode(const Claim& message);
  Block encode(const Promised& message);
  // With the entries of `log` after `prev` up to `last`.
  Block encode(const Prepare& message, const BatchLog& log, LogIndex last);
  Block encode(const Batches& message, const BatchLog& log, LogIndex last);
  Block encode(const Vote& message);
  Block encode(const Commit& message);
  Block encode(const Fetch& message);
  Block encode(const Part& message, ClockView clock);
  // The note of each run is its clock.
  Block encode(const Forward& message, std::span<const HeldRun* const> runs);
  Block encode(const ReadRequest& message);
  Block encode(const ReadReply& message);

  // Adds the body of a run, with its padding, to the bodies of a message.
  void add_body(const Block& body, std::vector<Block>& bodies) const;

 private:
  template <class Fill>
  Block finish(wire::Kind kind, Fill&& fill);
  flatbuffers::Offset<flatbuffers::Vector<std::uint64_t>> add_entries(const BatchLog& log,
                                                                      LogIndex prev, LogIndex last);

  flatbuffers::FlatBufferBuilder builder_{4096};
  Block zeros_ = Block::copy_of(std::as_bytes(std::span("\0\0\0\0\0\0\0")));  // 8 bytes
};

// What must survive a crash besides the log.
struct HardState {
  Epoch epoch;       // nothing of an earlier one is obeyed any more
  NodeId promised;   // who may lead that epoch; kNoNode: nobody asked this node
  LogIndex decided;  // committed up to here, at least
  constexpr bool operator==(const HardState&) const = default;
};
Block encode_state(const HardState& state);
// Nothing if the block is not one that encode_state made.
std::optional<HardState> decode_state(const Block& block);

// What the log has to know of what a snapshot took its place.
struct Base {
  Epoch epoch;        // of the entry at its index
  VectorClock clock;  // of all runs up to there
};
Block encode_base(Epoch epoch, ClockView clock);
// Nothing if the block is not one that encode_base made in a cluster of so many nodes.
std::optional<Base> decode_base(const Block& block, std::size_t nodes);
// The epoch of a block that is one of ours.
std::optional<Epoch> epoch_of_base(const Block& block);

// The header of the record of an entry.
Block encode_record(Epoch epoch, const CommandRun& run, std::uint32_t left, ClockView clock);
struct RecordedEntry {
  Epoch epoch;
  CommandRun run;
  EntryNote note;
};
// Nothing if the record is not one of ours, in a cluster of so many nodes.
std::optional<RecordedEntry> decode_record(const Record& record, std::size_t nodes);
// The epoch of a record that is one of ours.
std::optional<Epoch> epoch_of_record(const Record& record);

}  // namespace parley::bully_2pc
