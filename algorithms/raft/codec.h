// Messages and records to bytes and back.
#pragma once

#include <flatbuffers/flatbuffer_builder.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/command.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/log.h"
#include "algorithms/contract/membership.h"
#include "algorithms/contract/replica.h"
#include "algorithms/raft/messages.h"
#include "algorithms/raft/messages_generated.h"

namespace parley::raft {

// The body of a message with runs is the concatenation of their bodies, each padded with zeros to a
// multiple of 8 bytes, so that each one starts aligned and can be cut out without copying.
inline constexpr std::size_t padded(std::size_t size) {
  return (size + 7) / 8 * 8;
}

// Whether the parts of a frame are a message that the functions below can read. Withstands any
// bytes; both blocks must start at a multiple of 8.
bool verify(const Block& header, const Block& body);

// The message of a verified header; its fields are read in place.
inline const wire::Message& decode(const Block& header) {
  return *wire::GetMessage(header.data());
}
VoteRequest decode(const wire::VoteRequest& message);
VoteReply decode(const wire::VoteReply& message);
AppendEntries decode(const wire::Append& message);
AppendReply decode(const wire::AppendReply& message);
Forward decode(const wire::Forward& message);
ReadIndexRequest decode(const wire::ReadRequest& message);
ReadIndexReply decode(const wire::ReadReply& message);
InstallSnapshot decode(const wire::Install& message);
InstallReply decode(const wire::InstallReply& message);
TimeoutNow decode(const wire::TimeoutNow& message);
void decode_term_starts(const wire::Message& message, std::vector<TermStart>& starts);
// Of a verified install message.
Membership decode_members(const wire::Message& message);

// Walks through the entries of a verified append message.
class EntryReader {
 public:
  struct Item {
    Epoch term;
    CommandRun run;  // shares the frame's body
    Block record;    // the header of the entry's record in storage; shares the frame's header
  };

  EntryReader(const wire::Message& message, const Block& header, const Block& body)
      : entries_(message.entries()), header_(header), body_(body) {}

  [[nodiscard]] std::size_t size() const { return entries_ == nullptr ? 0 : entries_->size(); }
  [[nodiscard]] bool done() const { return next_ == size(); }
  [[nodiscard]] Epoch next_term() const { return {entry().term()}; }
  void skip();
  Item take();

 private:
  [[nodiscard]] const wire::Entry& entry() const {
    return *entries_->Get(static_cast<flatbuffers::uoffset_t>(next_));
  }

  const flatbuffers::Vector<const wire::Entry*>* entries_;
  const Block& header_;
  const Block& body_;
  std::size_t next_ = 0;
  std::size_t offset_ = 0;  // of its body
};

// Walks through the runs of a verified forward message that came from `origin`.
class ForwardReader {
 public:
  ForwardReader(const wire::Message& message, const Block& body, NodeId origin);
  // The next run; nothing at the end.
  std::optional<CommandRun> next();

 private:
  const flatbuffers::Vector<const wire::ForwardedRun*>* runs_;
  const Block& body_;
  NodeId origin_;
  Incarnation incarnation_;
  flatbuffers::uoffset_t next_ = 0;
  std::size_t offset_ = 0;
};

// Makes the headers of messages. One per replica: its buffer is reused.
class Encoder {
 public:
  // `own`: the sender's disk.
  explicit Encoder(DiskId own = {}) : own_(own) {}

  // Each for the node with the disk `to`.
  Block encode(const VoteRequest& message, DiskId to);
  Block encode(const VoteReply& message, DiskId to);
  // With the entries of `log` from prev_index + 1 to `last`.
  Block encode(const AppendEntries& message, const Log& log, LogIndex last, DiskId to);
  Block encode(const AppendReply& message, std::span<const TermStart> starts, DiskId to);
  Block encode(const Forward& message, std::span<const CommandRun* const> runs, DiskId to);
  Block encode(const ReadIndexRequest& message, DiskId to);
  Block encode(const ReadIndexReply& message, DiskId to);
  // `members`: in force at the snapshot's end.
  Block encode(const InstallSnapshot& message, const Membership& members, DiskId to);
  Block encode(const InstallReply& message, DiskId to);
  Block encode(const TimeoutNow& message, DiskId to);

  // Adds the body of a run, with its padding, to the bodies of a message.
  void add_body(const Block& body, std::vector<Block>& bodies) const;

 private:
  template <class Fill>
  Block finish(wire::Kind kind, DiskId to, Fill&& fill);

  DiskId own_;
  flatbuffers::FlatBufferBuilder builder_{4096};
  Block zeros_ = Block::copy_of(std::as_bytes(std::span("\0\0\0\0\0\0\0")));  // 8 bytes
};

// What must survive a crash besides the log (dissertation §3.8).
struct HardState {
  Epoch term;
  NodeId vote;
};
Block encode_state(const HardState& state);
// Nothing if the block is not one that encode_state made.
std::optional<HardState> decode_state(const Block& block);

// What the log has to know of what a snapshot took the place of: the term of the entry at its
// index, and the members in force there.
struct Base {
  Epoch term;
  Membership members;
};
Block encode_base(const Base& base);
// Nothing if the block is not one that encode_base made.
std::optional<Base> decode_base(const Block& block);

// The header of the record of an entry.
Block encode_record(Epoch term, const CommandRun& run);
struct RecordedEntry {
  Epoch term;
  CommandRun run;
};
// Nothing if the record is not one of ours.
std::optional<RecordedEntry> decode_record(const Record& record);

}  // namespace parley::raft
