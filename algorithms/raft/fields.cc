#include "algorithms/raft/fields.h"

#include <string>
#include <vector>

#include "algorithms/raft/codec.h"

namespace parley::raft {
namespace {

const Block kNoBody;

void put(const VoteRequest& request, FieldSink& to) {
  to.number("term", request.term);
  to.number("last_index", request.last_index);
  to.number("last_term", request.last_term);
  to.flag("pre", request.pre);
  to.flag("handed_over", request.handed_over);
}

void put(const VoteReply& reply, FieldSink& to) {
  to.number("term", reply.term);
  to.flag("pre", reply.pre);
  to.flag("granted", reply.granted);
}

void put(const AppendEntries& append, EntryReader entries, FieldSink& to) {
  to.number("term", append.term);
  to.number("prev_index", append.prev_index);
  to.number("prev_term", append.prev_term);
  to.number("commit", append.commit);
  to.number("entries", entries.size());
  to.number("last_index", append.prev_index.plus(entries.size()));
  EpochRuns terms;
  for (; !entries.done(); entries.skip()) terms.add(entries.next_term());
  terms.put("entry_terms", to);
  to.number("round", append.round);
  to.flag("wants_ack", append.wants_ack);
}

void put(const AppendReply& reply, const wire::Message& message, FieldSink& to) {
  to.number("term", reply.term);
  to.flag("success", reply.rejected == LogIndex{});
  to.number("agreed", reply.agreed);
  to.number("rejected", reply.rejected);
  to.number("last", reply.last);
  std::vector<TermStart> starts;
  decode_term_starts(message, starts);
  std::vector<std::uint64_t> rows;
  for (const TermStart& start : starts)
    rows.insert(rows.end(), {start.term.value, start.first.value});
  to.rows("term_starts", 2, rows);
  to.number("round", reply.round);
}

void put(const InstallSnapshot& install, const wire::Message& message, FieldSink& to) {
  to.number("term", install.term);
  to.number("snapshot_index", install.snapshot.index);
  to.number("snapshot_term", install.snapshot_term);
  to.number("parts", install.snapshot.parts);
  to.number("checksum", install.snapshot.sum);
  to.number("part", install.part);
  to.members("members", decode_members(message));
  to.number("round", install.round);
}

void put(const InstallReply& reply, FieldSink& to) {
  to.number("term", reply.term);
  to.number("snapshot_index", reply.snapshot.index);
  to.number("parts", reply.snapshot.parts);
  to.number("checksum", reply.snapshot.sum);
  to.number("next", reply.next);
  to.number("round", reply.round);
}

void put_forward(const wire::Message& message, FieldSink& to) {
  to.number("incarnation", decode(*message.forward()).incarnation);
  std::vector<std::uint64_t> rows;
  for (const wire::ForwardedRun* run : *message.runs()) {
    rows.insert(rows.end(), {run->number(), run->count()});
  }
  to.rows("runs", 2, rows);
}

void put(const ReadIndexRequest& request, FieldSink& to) {
  to.number("incarnation", request.incarnation);
  to.number("number", request.number);
}

void put(const ReadIndexReply& reply, FieldSink& to) {
  to.number("incarnation", reply.incarnation);
  to.number("number", reply.number);
  to.number("index", reply.index);
}

void put(const TimeoutNow& message, FieldSink& to) {
  to.number("term", message.term);
  to.number("last", message.last);
}

}  // namespace

void fields(const Block& header, FieldSink& to) {
  const wire::Message& message = decode(header);
  to.text("type", wire::EnumNameKind(message.kind()));
  // They only name disks.
  to.text("from_disk", std::to_string(message.from_disk()));
  to.text("to_disk", std::to_string(message.to_disk()));
  switch (message.kind()) {
    case wire::Kind::vote_request:
      return put(decode(*message.vote_request()), to);
    case wire::Kind::vote_reply:
      return put(decode(*message.vote_reply()), to);
    case wire::Kind::append:
      return put(decode(*message.append()), EntryReader(message, header, kNoBody), to);
    case wire::Kind::append_reply:
      return put(decode(*message.append_reply()), message, to);
    case wire::Kind::forward:
      return put_forward(message, to);
    case wire::Kind::read_request:
      return put(decode(*message.read_request()), to);
    case wire::Kind::read_reply:
      return put(decode(*message.read_reply()), to);
    case wire::Kind::install:
      return put(decode(*message.install()), message, to);
    case wire::Kind::install_reply:
      return put(decode(*message.install_reply()), to);
    case wire::Kind::timeout_now:
      return put(decode(*message.timeout_now()), to);
    case wire::Kind::none:
      break;
  }
}

}  // namespace parley::raft
