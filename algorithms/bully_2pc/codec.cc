#include "algorithms/bully_2pc/codec.h"

#include <bit>
#include <cstring>

#include "algorithms/contract/flat_message.h"

namespace parley::bully_2pc {
namespace {

// FlatBuffers are little-endian, and so are the bodies of runs; records are stored as they came.
static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kEntryWords = sizeof(EntryFields) / 8;

// What stands before the clock of a forwarded run.
struct ForwardFields {
  std::uint64_t number = 0;
  std::uint32_t count = 0;
  std::uint32_t size = 0;  // as in EntryFields
};
constexpr std::size_t kForwardWords = sizeof(ForwardFields) / 8;
static_assert(sizeof(ForwardFields) == 16);

// Indices and epochs beyond this are not reached in any lifetime; sums of them do not overflow.
constexpr std::uint64_t kMaxOrdinal = std::uint64_t{1} << 62;

template <class... Numbers>
bool in_range(Numbers... numbers) {
  return ((numbers < kMaxOrdinal) && ...);
}

// Which optional fields a message has, as bits by their order in the schema.
unsigned fields(const wire::Message& m) {
  unsigned bits = 0;
  unsigned bit = 1;
  const auto add = [&](bool present) {
    if (present) bits |= bit;
    bit <<= 1;
  };
  add(m.election() != nullptr);
  add(m.answer() != nullptr);
  add(m.coordinator() != nullptr);
  add(m.claim() != nullptr);
  add(m.promised() != nullptr);
  add(m.prepare() != nullptr);
  add(m.vote() != nullptr);
  add(m.commit() != nullptr);
  add(m.fetch() != nullptr);
  add(m.batches() != nullptr);
  add(m.part() != nullptr);
  add(m.forward() != nullptr);
  add(m.read_request() != nullptr);
  add(m.read_reply() != nullptr);
  return bits;
}

// Each kind has exactly the field of its name.
bool has_its_field(const wire::Message& message) {
  const auto kind = static_cast<unsigned>(message.kind());
  return kind >= 1 && kind <= static_cast<unsigned>(wire::Kind::MAX) &&
         fields(message) == 1U << (kind - 1);
}

bool carries_words(wire::Kind kind) {
  return kind == wire::Kind::prepare || kind == wire::Kind::batches ||
         kind == wire::Kind::forward || kind == wire::Kind::part;
}

// Words without a number of nodes, or at an odd address, cannot be read.
bool verify_words(const wire::Message& message) {
  if (message.words() == nullptr) return message.nodes() == 0;
  return carries_words(message.kind()) && message.nodes() > 0 && message.nodes() <= kMaxNodes &&
         reinterpret_cast<std::uintptr_t>(message.words()->Data()) % alignof(std::uint64_t) == 0;
}

template <class Fields>
Fields fields_at(const std::uint8_t* words, std::size_t stride, std::size_t number) {
  Fields fields;
  std::memcpy(&fields, words + number * stride * 8, sizeof(fields));
  return fields;
}

// Whole batches, each of one epoch, in the order of their epochs.
bool verify_entries(const wire::Message& message, std::uint64_t epoch, std::uint64_t prev_epoch,
                    std::size_t body_size) {
  std::uint64_t body = 0;
  std::uint64_t latest = std::max<std::uint64_t>(prev_epoch, 1);
  std::uint32_t left = 0;
  if (message.words() != nullptr) {
    const std::size_t stride = kEntryWords + message.nodes();
    if (message.words()->size() % stride != 0) return false;
    for (std::size_t i = 0; i < message.words()->size() / stride; ++i) {
      const auto entry = fields_at<EntryFields>(message.words()->Data(), stride, i);
      if (entry.epoch < latest || entry.epoch > epoch) return false;
      if (entry.size > 0 && entry.count == 0) return false;
      if (left > 0 && (entry.left != left - 1 || entry.epoch != latest)) return false;
      latest = entry.epoch;
      left = entry.left;
      body += padded(entry.size);
    }
  }
  return body == body_size && left == 0;
}

bool verify_place(std::uint64_t epoch, std::uint64_t prev_epoch, std::uint64_t prev) {
  return in_range(epoch, prev) && prev_epoch <= epoch && (prev == 0) == (prev_epoch == 0);
}

bool verify_snapshot(std::uint64_t index, std::uint32_t parts) {
  return in_range(index) && parts <= kMaxSnapshotParts;
}

bool verify_part(const wire::Message& message, std::size_t body_size) {
  const wire::Part& part = *message.part();
  return in_range(part.epoch()) && verify_snapshot(part.index(), part.parts()) &&
         part.index() > 0 && part.index_epoch() > 0 && part.index_epoch() <= part.epoch() &&
         part.part() < part.parts() && body_size > 0 && message.words() != nullptr &&
         message.words()->size() == message.nodes();
}

bool verify_forward(const wire::Message& message, std::size_t body_size) {
  if (message.words() == nullptr) return false;
  const std::size_t stride = kForwardWords + message.nodes();
  if (message.words()->size() % stride != 0) return false;
  std::uint64_t body = 0;
  for (std::size_t i = 0; i < message.words()->size() / stride; ++i) {
    const auto run = fields_at<ForwardFields>(message.words()->Data(), stride, i);
    if (run.number == 0 || run.count == 0) return false;
    body += padded(run.size);
  }
  return body == body_size;
}

bool verify_without_body(const wire::Message& m) {
  switch (m.kind()) {
    case wire::Kind::election:
      return true;
    case wire::Kind::answer:
      return in_range(m.answer()->epoch()) &&
             m.answer()->objection() <= static_cast<std::uint8_t>(Objection::has_coordinator);
    case wire::Kind::coordinator:
      return in_range(m.coordinator()->epoch()) && m.coordinator()->epoch() > 0;
    case wire::Kind::claim:
      return in_range(m.claim()->epoch()) && m.claim()->epoch() > 0;
    case wire::Kind::promised:
      return verify_place(m.promised()->epoch(), m.promised()->last_epoch(), m.promised()->last());
    case wire::Kind::vote:
      return in_range(m.vote()->epoch(), m.vote()->prepared(), m.vote()->refused());
    case wire::Kind::commit:
      return in_range(m.commit()->epoch(), m.commit()->decided());
    case wire::Kind::fetch:
      return in_range(m.fetch()->epoch(), m.fetch()->after()) &&
             verify_snapshot(m.fetch()->index(), m.fetch()->parts()) &&
             m.fetch()->part() <= m.fetch()->parts();
    case wire::Kind::read_request:
      return true;
    case wire::Kind::read_reply:
      return in_range(m.read_reply()->index());
    default:
      return false;
  }
}

}  // namespace

bool verify(const Block& header, const Block& body) {
  flatbuffers::Verifier verifier = message_verifier(header);
  if (!wire::VerifyMessageBuffer(verifier)) return false;
  const wire::Message& message = decode(header);
  if (!has_its_field(message) || !verify_words(message)) return false;
  switch (message.kind()) {
    case wire::Kind::prepare: {
      const wire::Prepare& prepare = *message.prepare();
      return verify_place(prepare.epoch(), prepare.prev_epoch(), prepare.prev()) &&
             in_range(prepare.base(), prepare.decided()) && prepare.epoch() > 0 &&
             verify_entries(message, prepare.epoch(), prepare.prev_epoch(), body.size());
    }
    case wire::Kind::batches: {
      const wire::Batches& batches = *message.batches();
      return verify_place(batches.epoch(), batches.prev_epoch(), batches.prev()) &&
             verify_entries(message, batches.epoch(), batches.prev_epoch(), body.size());
    }
    case wire::Kind::part:
      return verify_part(message, body.size());
    case wire::Kind::forward:
      return verify_forward(message, body.size());
    default:
      return body.empty() && verify_without_body(message);
  }
}

// --- reading ---

Election decode(const wire::Election& m) {
  return {m.round()};
}
Answer decode(const wire::Answer& m) {
  return {m.round(), {m.epoch()}, static_cast<Objection>(m.objection())};
}
Promised decode(const wire::Promised& m) {
  return {{m.epoch()}, m.granted(), {{m.last_epoch()}, {m.last()}}};
}
Prepare decode(const wire::Prepare& m) {
  return {{m.epoch()},   {{m.prev_epoch()}, {m.prev()}}, {m.base()}, {m.decided()}, m.round(),
          m.wants_vote()};
}
Vote decode(const wire::Vote& m) {
  return {{m.epoch()}, {m.prepared()}, {m.refused()}, m.round()};
}
Commit decode(const wire::Commit& m) {
  return {{m.epoch()}, {m.decided()}};
}
Fetch decode(const wire::Fetch& m) {
  return {{m.epoch()}, {m.after()}, {{m.index()}, m.parts(), m.sum()}, m.part()};
}
Batches decode(const wire::Batches& m) {
  return {{m.epoch()}, {{m.prev_epoch()}, {m.prev()}}};
}
Part decode(const wire::Part& m) {
  return {{m.epoch()}, {{m.index()}, m.parts(), m.sum()}, {m.index_epoch()}, m.part()};
}
Coordinator decode(const wire::Coordinator& m) {
  return {{m.epoch()}, m.ready()};
}
Claim decode(const wire::Claim& m) {
  return {{m.epoch()}};
}
Forward decode(const wire::Forward& m) {
  return {{m.incarnation()}};
}
ReadRequest decode(const wire::ReadRequest& m) {
  return {{m.incarnation()}, m.number()};
}
ReadReply decode(const wire::ReadReply& m) {
  return {{m.incarnation()}, m.number(), {m.index()}};
}

namespace {

std::size_t offset_of_words(const wire::Message& message, const Block& header) {
  return static_cast<std::size_t>(reinterpret_cast<const std::byte*>(message.words()->Data()) -
                                  header.data());
}

CommandRun run_of(const EntryFields& fields, const Block& body, std::size_t offset) {
  CommandRun run{{{fields.origin}, {fields.incarnation}, fields.number}, fields.count, {}};
  if (fields.size > 0) run.body = body.part(offset, fields.size);
  return run;
}

}  // namespace

std::uint32_t EntryNote::left() const {
  EntryFields fields;
  std::memcpy(&fields, record.data(), sizeof(fields));
  return fields.left;
}

EntryReader::EntryReader(const wire::Message& message, const Block& header, const Block& body)
    : header_(header), body_(body) {
  if (message.words() == nullptr) return;
  first_ = offset_of_words(message, header);
  stride_ = (kEntryWords + message.nodes()) * 8;
  count_ = message.words()->size() * 8 / stride_;
}

EntryFields EntryReader::fields() const {
  EntryFields fields;
  std::memcpy(&fields, header_.data() + first_ + next_ * stride_, sizeof(fields));
  return fields;
}

void EntryReader::skip() {
  offset_ += padded(fields().size);
  ++next_;
}

EntryReader::Item EntryReader::take() {
  const EntryFields entry = fields();
  Item item{{entry.epoch},
            run_of(entry, body_, offset_),
            {header_.part(first_ + next_ * stride_, stride_)}};
  skip();
  return item;
}

ForwardReader::ForwardReader(const wire::Message& message, const Block& header, const Block& body,
                             NodeId origin)
    : header_(header),
      body_(body),
      origin_(origin),
      incarnation_{message.forward()->incarnation()},
      first_(offset_of_words(message, header)),
      stride_((kForwardWords + message.nodes()) * 8),
      count_(message.words()->size() * 8 / stride_) {}

std::optional<ForwardedRun> ForwardReader::next() {
  if (next_ == count_) return std::nullopt;
  const std::size_t at = first_ + next_++ * stride_;
  ForwardFields fields;
  std::memcpy(&fields, header_.data() + at, sizeof(fields));
  ForwardedRun forwarded{{{origin_, incarnation_, fields.number}, fields.count, {}},
                         header_.part(at + sizeof(fields), stride_ - sizeof(fields))};
  if (fields.size > 0) forwarded.run.body = body_.part(offset_, fields.size);
  offset_ += padded(fields.size);
  return forwarded;
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

Block Encoder::encode(const Election& m) {
  const wire::Election fields(m.round);
  return finish(wire::Kind::election, [&](auto& to) { to.add_election(&fields); });
}

Block Encoder::encode(const Answer& m) {
  const wire::Answer fields(m.round, m.epoch.value, static_cast<std::uint8_t>(m.objection));
  return finish(wire::Kind::answer, [&](auto& to) { to.add_answer(&fields); });
}

Block Encoder::encode(const Coordinator& m) {
  const wire::Coordinator fields(m.epoch.value, m.ready);
  return finish(wire::Kind::coordinator, [&](auto& to) { to.add_coordinator(&fields); });
}

Block Encoder::encode(const Claim& m) {
  const wire::Claim fields(m.epoch.value);
  return finish(wire::Kind::claim, [&](auto& to) { to.add_claim(&fields); });
}

Block Encoder::encode(const Promised& m) {
  const wire::Promised fields(m.epoch.value, m.last.epoch.value, m.last.index.value, m.granted);
  return finish(wire::Kind::promised, [&](auto& to) { to.add_promised(&fields); });
}

flatbuffers::Offset<flatbuffers::Vector<std::uint64_t>> Encoder::add_entries(const BatchLog& log,
                                                                             LogIndex prev,
                                                                             LogIndex last) {
  if (last <= prev) return {};
  const std::size_t bytes = log.at(last).note.record.size();
  std::uint64_t* to = nullptr;
  const auto words =
      builder_.CreateUninitializedVector((last.value - prev.value) * (bytes / 8), &to);
  for (LogIndex i = prev.next(); i <= last; i = i.next()) {
    std::memcpy(to, log.at(i).note.record.data(), bytes);
    to += bytes / 8;
  }
  return words;
}

namespace {

std::uint16_t nodes_of(const BatchLog& log, LogIndex index) {
  return static_cast<std::uint16_t>(log.at(index).note.clock().size());
}

}  // namespace

Block Encoder::encode(const Prepare& m, const BatchLog& log, LogIndex last) {
  const wire::Prepare fields(m.epoch.value, m.prev.epoch.value, m.prev.index.value, m.base.value,
                             m.decided.value, m.round, m.wants_vote);
  const auto words = add_entries(log, m.prev.index, last);
  return finish(wire::Kind::prepare, [&](auto& to) {
    to.add_prepare(&fields);
    if (words.IsNull()) return;
    to.add_words(words);
    to.add_nodes(nodes_of(log, last));
  });
}

Block Encoder::encode(const Batches& m, const BatchLog& log, LogIndex last) {
  const wire::Batches fields(m.epoch.value, m.prev.epoch.value, m.prev.index.value);
  const auto words = add_entries(log, m.prev.index, last);
  return finish(wire::Kind::batches, [&](auto& to) {
    to.add_batches(&fields);
    if (words.IsNull()) return;
    to.add_words(words);
    to.add_nodes(nodes_of(log, last));
  });
}

Block Encoder::encode(const Vote& m) {
  const wire::Vote fields(m.epoch.value, m.prepared.value, m.refused.value, m.round);
  return finish(wire::Kind::vote, [&](auto& to) { to.add_vote(&fields); });
}

Block Encoder::encode(const Commit& m) {
  const wire::Commit fields(m.epoch.value, m.decided.value);
  return finish(wire::Kind::commit, [&](auto& to) { to.add_commit(&fields); });
}

Block Encoder::encode(const Fetch& m) {
  const wire::Fetch fields(m.epoch.value, m.after.value, m.snapshot.index.value, m.snapshot.parts,
                           m.snapshot.sum, m.part, /*reserved=*/0);
  return finish(wire::Kind::fetch, [&](auto& to) { to.add_fetch(&fields); });
}

Block Encoder::encode(const Part& m, ClockView clock) {
  const wire::Part fields(m.epoch.value, m.snapshot.index.value, m.snapshot_epoch.value,
                          m.snapshot.parts, m.snapshot.sum, m.part, /*reserved=*/0);
  const auto words = builder_.CreateVector(clock.data(), clock.size());
  return finish(wire::Kind::part, [&](auto& to) {
    to.add_part(&fields);
    to.add_words(words);
    to.add_nodes(static_cast<std::uint16_t>(clock.size()));
  });
}

Block Encoder::encode(const Forward& m, std::span<const HeldRun* const> runs) {
  const wire::Forward fields(m.incarnation.value);
  const std::size_t nodes = runs.front()->note.size() / 8;
  std::uint64_t* to = nullptr;
  const auto words = builder_.CreateUninitializedVector(runs.size() * (kForwardWords + nodes), &to);
  for (const HeldRun* held : runs) {
    const ForwardFields run{held->run.id.number, held->run.count,
                            static_cast<std::uint32_t>(held->run.body.size())};
    std::memcpy(to, &run, sizeof(run));
    std::memcpy(to + kForwardWords, held->note.data(), nodes * 8);
    to += kForwardWords + nodes;
  }
  return finish(wire::Kind::forward, [&](auto& message) {
    message.add_forward(&fields);
    message.add_words(words);
    message.add_nodes(static_cast<std::uint16_t>(nodes));
  });
}

Block Encoder::encode(const ReadRequest& m) {
  const wire::ReadRequest fields(m.incarnation.value, m.number);
  return finish(wire::Kind::read_request, [&](auto& to) { to.add_read_request(&fields); });
}

Block Encoder::encode(const ReadReply& m) {
  const wire::ReadReply fields(m.incarnation.value, m.number, m.index.value);
  return finish(wire::Kind::read_reply, [&](auto& to) { to.add_read_reply(&fields); });
}

void Encoder::add_body(const Block& body, std::vector<Block>& bodies) const {
  if (body.empty()) return;
  bodies.push_back(body);
  const std::size_t padding = padded(body.size()) - body.size();
  if (padding > 0) bodies.push_back(zeros_.part(0, padding));
}

// --- storage ---

namespace {

struct StateRecord {
  std::uint64_t epoch = 0;
  std::uint64_t promised = 0;
  std::uint64_t decided = 0;
};
static_assert(sizeof(StateRecord) == 24);

}  // namespace

Block encode_state(const HardState& state) {
  const StateRecord record{state.epoch.value, state.promised.value, state.decided.value};
  return Block::copy_of(std::as_bytes(std::span(&record, 1)));
}

std::optional<HardState> decode_state(const Block& block) {
  StateRecord record;
  if (block.size() != sizeof(record)) return std::nullopt;
  std::memcpy(&record, block.data(), sizeof(record));
  if (!in_range(record.epoch, record.decided) || record.promised > UINT32_MAX) return std::nullopt;
  return HardState{{record.epoch}, {static_cast<std::uint32_t>(record.promised)}, {record.decided}};
}

Block encode_base(Epoch epoch, ClockView clock) {
  return Block::make(8 + clock.size_bytes(), [&](std::byte* to) {
    std::memcpy(to, &epoch.value, 8);
    std::memcpy(to + 8, clock.data(), clock.size_bytes());
  });
}

std::optional<Base> decode_base(const Block& block, std::size_t nodes) {
  if (block.size() != 8 + nodes * 8) return std::nullopt;
  std::vector<std::uint64_t> words(1 + nodes);
  std::memcpy(words.data(), block.data(), block.size());
  if (words[0] == 0 || !in_range(words[0])) return std::nullopt;
  return Base{{words[0]}, VectorClock(ClockView(words).subspan(1))};
}

std::optional<Epoch> epoch_of_base(const Block& block) {
  std::uint64_t epoch = 0;
  if (block.size() < sizeof(epoch)) return std::nullopt;
  std::memcpy(&epoch, block.data(), sizeof(epoch));
  return Epoch{epoch};
}

Block encode_record(Epoch epoch, const CommandRun& run, std::uint32_t left, ClockView clock) {
  const EntryFields fields{epoch.value,   run.id.incarnation.value,
                           run.id.number, run.id.origin.value,
                           run.count,     static_cast<std::uint32_t>(run.body.size()),
                           left};
  return Block::make(sizeof(fields) + clock.size_bytes(), [&](std::byte* to) {
    std::memcpy(to, &fields, sizeof(fields));
    std::memcpy(to + sizeof(fields), clock.data(), clock.size_bytes());
  });
}

std::optional<Epoch> epoch_of_record(const Record& record) {
  EntryFields fields;
  if (record.header.size() < sizeof(fields)) return std::nullopt;
  std::memcpy(&fields, record.header.data(), sizeof(fields));
  return Epoch{fields.epoch};
}

std::optional<RecordedEntry> decode_record(const Record& record, std::size_t nodes) {
  EntryFields fields;
  if (record.header.size() != sizeof(fields) + nodes * 8) return std::nullopt;
  std::memcpy(&fields, record.header.data(), sizeof(fields));
  if (fields.epoch == 0 || !in_range(fields.epoch) || fields.size != record.body.size()) {
    return std::nullopt;
  }
  return RecordedEntry{{fields.epoch}, run_of(fields, record.body, 0), {record.header}};
}

}  // namespace parley::bully_2pc
