#include "algorithms/bully_2pc/fields.h"

#include "algorithms/bully_2pc/codec.h"

namespace parley::bully_2pc {
namespace {

const Block kNoBody;

void put(const Answer& answer, FieldSink& to) {
  static constexpr std::string_view kObjections[] = {"none", "ranks_higher", "has_coordinator"};
  to.number("round", answer.round);
  to.number("epoch", answer.epoch);
  to.text("objection", kObjections[static_cast<std::size_t>(answer.objection)]);
}

void put(const Promised& promised, FieldSink& to) {
  to.number("epoch", promised.epoch);
  to.flag("granted", promised.granted);
  to.number("last_index", promised.last.index);
  to.number("last_epoch", promised.last.epoch);
}

void put_entries(const Position& prev, EntryReader entries, FieldSink& to) {
  to.number("prev_index", prev.index);
  to.number("prev_epoch", prev.epoch);
  to.number("entries", entries.size());
  to.number("last_index", prev.index.plus(entries.size()));
  EpochRuns epochs;
  for (; !entries.done(); entries.skip()) epochs.add(entries.next_epoch());
  epochs.put("entry_epochs", to);
}

void put(const Prepare& prepare, const EntryReader& entries, FieldSink& to) {
  to.number("epoch", prepare.epoch);
  put_entries(prepare.prev, entries, to);
  to.number("base", prepare.base);
  to.number("decided", prepare.decided);
  to.number("round", prepare.round);
  to.flag("wants_vote", prepare.wants_vote);
}

void put(const Vote& vote, FieldSink& to) {
  to.number("epoch", vote.epoch);
  to.flag("yes", vote.refused == LogIndex{});
  to.number("prepared", vote.prepared);
  to.number("refused", vote.refused);
  to.number("round", vote.round);
}

void put(const SnapshotId& snapshot, FieldSink& to) {
  to.number("snapshot_index", snapshot.index);
  to.number("parts", snapshot.parts);
}

void put(const Fetch& fetch, FieldSink& to) {
  to.number("epoch", fetch.epoch);
  to.number("after", fetch.after);
  put(fetch.snapshot, to);
  to.number("part", fetch.part);
}

void put(const Part& part, FieldSink& to) {
  to.number("epoch", part.epoch);
  put(part.snapshot, to);
  to.number("snapshot_epoch", part.snapshot_epoch);
  to.number("part", part.part);
}

void put(const ReadRequest& request, FieldSink& to) {
  to.number("incarnation", request.incarnation);
  to.number("number", request.number);
}

void put(const ReadReply& reply, FieldSink& to) {
  to.number("incarnation", reply.incarnation);
  to.number("number", reply.number);
  to.number("index", reply.index);
}

// Of elections.
void put_election(const wire::Message& message, FieldSink& to) {
  switch (message.kind()) {
    case wire::Kind::election:
      return to.number("round", decode(*message.election()).round);
    case wire::Kind::answer:
      return put(decode(*message.answer()), to);
    case wire::Kind::coordinator:
      to.number("epoch", decode(*message.coordinator()).epoch);
      return to.flag("ready", decode(*message.coordinator()).ready);
    case wire::Kind::claim:
      return to.number("epoch", decode(*message.claim()).epoch);
    default:
      return put(decode(*message.promised()), to);
  }
}

}  // namespace

void fields(const Block& header, FieldSink& to) {
  const wire::Message& message = decode(header);
  to.text("type", wire::EnumNameKind(message.kind()));
  switch (message.kind()) {
    case wire::Kind::election:
    case wire::Kind::answer:
    case wire::Kind::coordinator:
    case wire::Kind::claim:
    case wire::Kind::promised:
      return put_election(message, to);
    case wire::Kind::prepare:
      return put(decode(*message.prepare()), EntryReader(message, header, kNoBody), to);
    case wire::Kind::vote:
      return put(decode(*message.vote()), to);
    case wire::Kind::commit:
      to.number("epoch", decode(*message.commit()).epoch);
      return to.number("decided", decode(*message.commit()).decided);
    case wire::Kind::fetch:
      return put(decode(*message.fetch()), to);
    case wire::Kind::batches:
      to.number("epoch", decode(*message.batches()).epoch);
      return put_entries(decode(*message.batches()).prev, EntryReader(message, header, kNoBody),
                         to);
    case wire::Kind::part:
      return put(decode(*message.part()), to);
    case wire::Kind::forward:
      to.number("incarnation", decode(*message.forward()).incarnation);
      return to.number("runs", ForwardReader(message, header, kNoBody, {}).size());
    case wire::Kind::read_request:
      return put(decode(*message.read_request()), to);
    case wire::Kind::read_reply:
      return put(decode(*message.read_reply()), to);
    case wire::Kind::none:
      break;
  }
}

}  // namespace parley::bully_2pc
