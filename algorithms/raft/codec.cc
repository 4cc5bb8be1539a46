#include "algorithms/raft/codec.h"

#include <bit>
#include <cstring>

#include "algorithms/contract/flat_message.h"
#include "algorithms/raft/membership.h"

namespace parley::raft {
namespace {

// FlatBuffers are little-endian, and so are the bodies of runs; records are stored as they came.
static_assert(std::endian::native == std::endian::little);
static_assert(sizeof(wire::Entry) == 40 && alignof(wire::Entry) == 8);
static_assert(sizeof(wire::ForwardedRun) == 16);

// Indices and terms beyond this are not reached in any lifetime; sums of them do not overflow.
constexpr std::uint64_t kMaxOrdinal = std::uint64_t{1} << 62;

template <class... Numbers>
bool in_range(Numbers... numbers) {
  return ((numbers < kMaxOrdinal) && ...);
}

// Which optional fields a message has, as bits; each kind allows one set.
enum Field : unsigned {
  kVoteRequest = 1U << 0,
  kVoteReply = 1U << 1,
  kAppend = 1U << 2,
  kAppendReply = 1U << 3,
  kForward = 1U << 4,
  kReadRequest = 1U << 5,
  kReadReply = 1U << 6,
  kEntries = 1U << 7,
  kTermStarts = 1U << 8,
  kRuns = 1U << 9,
  kInstall = 1U << 10,
  kInstallReply = 1U << 11,
  kMembers = 1U << 12,
  kTimeoutNow = 1U << 13,
};

unsigned fields(const wire::Message& message) {
  return (message.vote_request() != nullptr ? kVoteRequest : 0U) |
         (message.vote_reply() != nullptr ? kVoteReply : 0U) |
         (message.append() != nullptr ? kAppend : 0U) |
         (message.append_reply() != nullptr ? kAppendReply : 0U) |
         (message.forward() != nullptr ? kForward : 0U) |
         (message.read_request() != nullptr ? kReadRequest : 0U) |
         (message.read_reply() != nullptr ? kReadReply : 0U) |
         (message.entries() != nullptr ? kEntries : 0U) |
         (message.term_starts() != nullptr ? kTermStarts : 0U) |
         (message.runs() != nullptr ? kRuns : 0U) | (message.install() != nullptr ? kInstall : 0U) |
         (message.install_reply() != nullptr ? kInstallReply : 0U) |
         (message.members() != nullptr ? kMembers : 0U) |
         (message.timeout_now() != nullptr ? kTimeoutNow : 0U);
}

bool has_fields(const wire::Message& message, unsigned needed, unsigned allowed = 0) {
  return (fields(message) & ~allowed) == needed;
}

Bytes bytes_of(const flatbuffers::Vector<std::uint8_t>& vector) {
  return std::as_bytes(std::span(vector.data(), vector.size()));
}

// An entry of commands, or of none: then it is empty, or says who the members are.
bool verify_entry(const wire::Entry& entry, const Block& body, std::uint64_t offset) {
  if (entry.count() > 0 || entry.size() == 0) return true;
  if (body.size() < offset + entry.size()) return false;
  return decode_members(body.bytes().subspan(offset, entry.size())).has_value();
}

bool verify_append(const wire::Message& message, const Block& frame_body) {
  const wire::Append& append = *message.append();
  if (!in_range(append.term(), append.prev_index(), append.prev_term(), append.commit())) {
    return false;
  }
  if (append.prev_term() > append.term()) return false;
  if ((append.prev_index() == 0) != (append.prev_term() == 0)) return false;
  if (!aligned(message.entries())) return false;
  std::uint64_t body = 0;
  std::uint64_t term = std::max<std::uint64_t>(append.prev_term(), 1);
  if (message.entries() != nullptr) {
    for (const wire::Entry* entry : *message.entries()) {
      if (entry->term() < term || entry->term() > append.term()) return false;
      if (!verify_entry(*entry, frame_body, body)) return false;
      term = entry->term();
      body += padded(entry->size());
    }
  }
  return body == frame_body.size();
}

bool verify_append_reply(const wire::Message& message) {
  const wire::AppendReply& reply = *message.append_reply();
  if (!in_range(reply.term(), reply.agreed(), reply.rejected(), reply.last())) return false;
  const auto* starts = message.term_starts();
  if (starts == nullptr) return true;
  if (!aligned(starts) || starts->size() > kMaxTermStarts) return false;
  std::uint64_t first = reply.last() + 1;
  std::uint64_t term = kMaxOrdinal;
  for (const wire::TermStart* start : *starts) {
    if (start->first() == 0 || start->first() >= first || start->term() >= term) return false;
    first = start->first();
    term = start->term();
  }
  return true;
}

bool verify_install(const wire::Message& message, std::size_t body_size) {
  const wire::Install& install = *message.install();
  return decode_members(bytes_of(*message.members())) &&
         in_range(install.term(), install.index(), install.index_term()) && install.index() > 0 &&
         install.index_term() > 0 && install.index_term() <= install.term() &&
         install.parts() <= kMaxSnapshotParts && install.part() < install.parts() && body_size > 0;
}

bool verify_install_reply(const wire::InstallReply& reply) {
  return in_range(reply.term(), reply.index()) && reply.parts() <= kMaxSnapshotParts &&
         reply.next() <= reply.parts();
}

bool verify_forward(const wire::Message& message, std::size_t body_size) {
  if (!aligned(message.runs())) return false;
  std::uint64_t body = 0;
  for (const wire::ForwardedRun* run : *message.runs()) {
    if (run->number() == 0 || run->count() == 0) return false;
    body += padded(run->size());
  }
  return body == body_size;
}

}  // namespace

bool verify(const Block& header, const Block& body) {
  flatbuffers::Verifier verifier = message_verifier(header);
  if (!wire::VerifyMessageBuffer(verifier)) return false;
  const wire::Message& message = decode(header);
  const std::size_t size = body.size();
  switch (message.kind()) {
    case wire::Kind::vote_request:
      return has_fields(message, kVoteRequest) && size == 0 &&
             in_range(message.vote_request()->term(), message.vote_request()->last_index(),
                      message.vote_request()->last_term());
    case wire::Kind::vote_reply:
      return has_fields(message, kVoteReply) && size == 0 && in_range(message.vote_reply()->term());
    case wire::Kind::append:
      return has_fields(message, kAppend, kEntries) && verify_append(message, body);
    case wire::Kind::append_reply:
      return has_fields(message, kAppendReply, kTermStarts) && size == 0 &&
             verify_append_reply(message);
    case wire::Kind::forward:
      return has_fields(message, kForward | kRuns) && verify_forward(message, size);
    case wire::Kind::read_request:
      return has_fields(message, kReadRequest) && size == 0;
    case wire::Kind::read_reply:
      return has_fields(message, kReadReply) && size == 0 &&
             in_range(message.read_reply()->index());
    case wire::Kind::install:
      return has_fields(message, kInstall | kMembers) && verify_install(message, size);
    case wire::Kind::install_reply:
      return has_fields(message, kInstallReply) && size == 0 &&
             verify_install_reply(*message.install_reply());
    case wire::Kind::timeout_now:
      return has_fields(message, kTimeoutNow) && size == 0 &&
             in_range(message.timeout_now()->term(), message.timeout_now()->last());
    case wire::Kind::none:
      break;
  }
  return false;
}

VoteRequest decode(const wire::VoteRequest& m) {
  return {{m.term()}, {m.last_index()}, {m.last_term()}, m.pre(), m.handed_over()};
}
VoteReply decode(const wire::VoteReply& m) {
  return {{m.term()}, m.pre(), m.granted()};
}
AppendEntries decode(const wire::Append& m) {
  return {{m.term()}, {m.prev_index()}, {m.prev_term()}, {m.commit()}, m.round(), m.wants_ack()};
}
AppendReply decode(const wire::AppendReply& m) {
  return {{m.term()}, {m.agreed()}, {m.rejected()}, {m.last()}, m.round()};
}
Forward decode(const wire::Forward& m) {
  return {{m.incarnation()}};
}
ReadIndexRequest decode(const wire::ReadRequest& m) {
  return {{m.incarnation()}, m.number()};
}
ReadIndexReply decode(const wire::ReadReply& m) {
  return {{m.incarnation()}, m.number(), {m.index()}};
}
TimeoutNow decode(const wire::TimeoutNow& m) {
  return {{m.term()}, {m.last()}};
}
Membership decode_members(const wire::Message& message) {
  return *decode_members(bytes_of(*message.members()));
}
InstallSnapshot decode(const wire::Install& m) {
  return {{m.term()}, {{m.index()}, m.parts(), m.sum()}, {m.index_term()}, m.part(), m.round()};
}
InstallReply decode(const wire::InstallReply& m) {
  return {{m.term()}, {{m.index()}, m.parts(), m.sum()}, m.next(), m.round()};
}

void decode_term_starts(const wire::Message& message, std::vector<TermStart>& starts) {
  starts.clear();
  if (message.term_starts() == nullptr) return;
  for (const wire::TermStart* start : *message.term_starts()) {
    starts.push_back({{start->term()}, {start->first()}});
  }
}

void EntryReader::skip() {
  offset_ += padded(entry().size());
  ++next_;
}

EntryReader::Item EntryReader::take() {
  const wire::Entry& e = entry();
  const auto* bytes = reinterpret_cast<const std::byte*>(&e);
  Item item;
  item.term = {e.term()};
  item.run.id = {{e.origin()}, {e.incarnation()}, e.number()};
  item.run.count = e.count();
  if (e.size() > 0) item.run.body = body_.part(offset_, e.size());
  item.record = header_.part(static_cast<std::size_t>(bytes - header_.data()), sizeof(e));
  skip();
  return item;
}

ForwardReader::ForwardReader(const wire::Message& message, const Block& body, NodeId origin)
    : runs_(message.runs()),
      body_(body),
      origin_(origin),
      incarnation_{message.forward()->incarnation()} {}

std::optional<CommandRun> ForwardReader::next() {
  if (next_ == runs_->size()) return std::nullopt;
  const wire::ForwardedRun& forwarded = *runs_->Get(next_++);
  CommandRun run{{origin_, incarnation_, forwarded.number()}, forwarded.count(), {}};
  if (forwarded.size() > 0) run.body = body_.part(offset_, forwarded.size());
  offset_ += padded(forwarded.size());
  return run;
}

// `fill(MessageBuilder&)` adds the fields; vectors must have been created before.
template <class Fill>
Block Encoder::finish(wire::Kind kind, DiskId to, Fill&& fill) {
  return finish_message<wire::MessageBuilder>(builder_, [&](wire::MessageBuilder& message) {
    message.add_from_disk(own_.value);
    message.add_to_disk(to.value);
    fill(message);
    message.add_kind(kind);
  });
}

Block Encoder::encode(const VoteRequest& m, DiskId to) {
  const wire::VoteRequest fields(m.term.value, m.last_index.value, m.last_term.value, m.pre,
                                 m.handed_over);
  return finish(wire::Kind::vote_request, to,
                [&](auto& message) { message.add_vote_request(&fields); });
}

Block Encoder::encode(const VoteReply& m, DiskId to) {
  const wire::VoteReply fields(m.term.value, m.pre, m.granted);
  return finish(wire::Kind::vote_reply, to,
                [&](auto& message) { message.add_vote_reply(&fields); });
}

namespace {

wire::Entry to_wire(Epoch term, const CommandRun& run) {
  return {term.value,    run.id.incarnation.value,
          run.id.number, run.id.origin.value,
          run.count,     static_cast<std::uint32_t>(run.body.size()),
          /*reserved=*/0};
}

}  // namespace

Block Encoder::encode(const AppendEntries& m, const Log& log, LogIndex last, DiskId to) {
  const wire::Append fields(m.term.value, m.prev_index.value, m.prev_term.value, m.commit.value,
                            m.round, m.wants_ack);
  flatbuffers::Offset<flatbuffers::Vector<const wire::Entry*>> entries;
  if (last > m.prev_index) {
    wire::Entry* entry_at = nullptr;
    entries =
        builder_.CreateUninitializedVectorOfStructs(last.value - m.prev_index.value, &entry_at);
    for (LogIndex i = m.prev_index.next(); i <= last; i = i.next()) {
      const Entry& entry = log.at(i);
      *entry_at++ = to_wire(entry.term, entry.run);
    }
  }
  return finish(wire::Kind::append, to, [&](auto& message) {
    message.add_append(&fields);
    if (!entries.IsNull()) message.add_entries(entries);
  });
}

Block Encoder::encode(const AppendReply& m, std::span<const TermStart> starts, DiskId to) {
  const wire::AppendReply fields(m.term.value, m.agreed.value, m.rejected.value, m.last.value,
                                 m.round);
  flatbuffers::Offset<flatbuffers::Vector<const wire::TermStart*>> vector;
  if (!starts.empty()) {
    wire::TermStart* start_at = nullptr;
    vector = builder_.CreateUninitializedVectorOfStructs(starts.size(), &start_at);
    for (const TermStart& start : starts) {
      *start_at++ = wire::TermStart(start.term.value, start.first.value);
    }
  }
  return finish(wire::Kind::append_reply, to, [&](auto& message) {
    message.add_append_reply(&fields);
    if (!vector.IsNull()) message.add_term_starts(vector);
  });
}

Block Encoder::encode(const Forward& m, std::span<const CommandRun* const> runs, DiskId to) {
  const wire::Forward fields(m.incarnation.value);
  wire::ForwardedRun* run_at = nullptr;
  const auto vector = builder_.CreateUninitializedVectorOfStructs(runs.size(), &run_at);
  for (const CommandRun* run : runs) {
    *run_at++ = wire::ForwardedRun(run->id.number, run->count,
                                   static_cast<std::uint32_t>(run->body.size()));
  }
  return finish(wire::Kind::forward, to, [&](auto& message) {
    message.add_forward(&fields);
    message.add_runs(vector);
  });
}

Block Encoder::encode(const ReadIndexRequest& m, DiskId to) {
  const wire::ReadRequest fields(m.incarnation.value, m.number);
  return finish(wire::Kind::read_request, to,
                [&](auto& message) { message.add_read_request(&fields); });
}

Block Encoder::encode(const ReadIndexReply& m, DiskId to) {
  const wire::ReadReply fields(m.incarnation.value, m.number, m.index.value);
  return finish(wire::Kind::read_reply, to,
                [&](auto& message) { message.add_read_reply(&fields); });
}

Block Encoder::encode(const InstallSnapshot& m, const Membership& members, DiskId to) {
  const wire::Install fields(m.term.value, m.snapshot.index.value, m.snapshot_term.value, m.round,
                             m.snapshot.parts, m.snapshot.sum, m.part, /*reserved=*/0);
  const Block encoded = encode_members(members);
  const auto vector =
      builder_.CreateVector(reinterpret_cast<const std::uint8_t*>(encoded.data()), encoded.size());
  return finish(wire::Kind::install, to, [&](auto& message) {
    message.add_install(&fields);
    message.add_members(vector);
  });
}

Block Encoder::encode(const InstallReply& m, DiskId to) {
  const wire::InstallReply fields(m.term.value, m.snapshot.index.value, m.round, m.snapshot.parts,
                                  m.snapshot.sum, m.next, /*reserved=*/0);
  return finish(wire::Kind::install_reply, to,
                [&](auto& message) { message.add_install_reply(&fields); });
}

Block Encoder::encode(const TimeoutNow& m, DiskId to) {
  const wire::TimeoutNow fields(m.term.value, m.last.value);
  return finish(wire::Kind::timeout_now, to,
                [&](auto& message) { message.add_timeout_now(&fields); });
}

void Encoder::add_body(const Block& body, std::vector<Block>& bodies) const {
  if (body.empty()) return;
  bodies.push_back(body);
  const std::size_t padding = padded(body.size()) - body.size();
  if (padding > 0) bodies.push_back(zeros_.part(0, padding));
}

namespace {

struct StateRecord {
  std::uint64_t term = 0;
  std::uint64_t vote = 0;
};
static_assert(sizeof(StateRecord) == 16);

}  // namespace

Block encode_state(const HardState& state) {
  const StateRecord record{state.term.value, state.vote.value};
  return Block::copy_of(std::as_bytes(std::span(&record, 1)));
}

std::optional<HardState> decode_state(const Block& block) {
  StateRecord record;
  if (block.size() != sizeof(record)) return std::nullopt;
  std::memcpy(&record, block.data(), sizeof(record));
  if (record.term >= kMaxOrdinal || record.vote > UINT32_MAX) return std::nullopt;
  return HardState{{record.term}, {static_cast<std::uint32_t>(record.vote)}};
}

Block encode_base(const Base& base) {
  const Block members = encode_members(base.members);
  return Block::make(sizeof(base.term.value) + members.size(), [&](std::byte* to) {
    std::memcpy(to, &base.term.value, sizeof(base.term.value));
    std::memcpy(to + sizeof(base.term.value), members.data(), members.size());
  });
}

std::optional<Base> decode_base(const Block& block) {
  Base base;
  if (block.size() < sizeof(base.term.value)) return std::nullopt;
  std::memcpy(&base.term.value, block.data(), sizeof(base.term.value));
  auto members = decode_members(block.bytes().subspan(sizeof(base.term.value)));
  if (base.term.value == 0 || base.term.value >= kMaxOrdinal || !members) return std::nullopt;
  base.members = std::move(*members);
  return base;
}

Block encode_record(Epoch term, const CommandRun& run) {
  const wire::Entry entry = to_wire(term, run);
  return Block::copy_of(std::as_bytes(std::span(&entry, 1)));
}

std::optional<RecordedEntry> decode_record(const Record& record) {
  wire::Entry entry;
  if (record.header.size() != sizeof(entry)) return std::nullopt;
  std::memcpy(&entry, record.header.data(), sizeof(entry));
  if (entry.term() == 0 || entry.term() >= kMaxOrdinal || entry.size() != record.body.size()) {
    return std::nullopt;
  }
  if (entry.count() == 0 && entry.size() > 0 && !decode_members(record.body.bytes())) {
    return std::nullopt;
  }
  return RecordedEntry{
      {entry.term()},
      {{{entry.origin()}, {entry.incarnation()}, entry.number()}, entry.count(), record.body}};
}

}  // namespace parley::raft
