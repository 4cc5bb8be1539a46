#include "algorithms/raft/inspection.h"

#include "algorithms/raft/codec.h"
#include "algorithms/raft/membership.h"

namespace parley::raft {
namespace {

Epoch record_epoch(const Record& record) {
  const auto entry = decode_record(record);
  return entry ? entry->term : Epoch{};
}

Promise promise(const Block& state) {
  const auto held = decode_state(state);
  return held ? Promise{held->term, held->vote} : Promise{};
}

// Dissertation §3.8: a server stores its term, vote and entries before it answers for them. A
// candidate answers for the log that its request boasts of, too.
std::optional<Vouched> vouched(const Block& header, NodeId from, NodeId to) {
  const wire::Message& message = decode(header);
  switch (message.kind()) {
    case wire::Kind::vote_request: {
      const VoteRequest request = decode(*message.vote_request());
      if (request.pre) return std::nullopt;
      return Vouched{{request.term, from}, request.last_index, request.last_term};
    }
    case wire::Kind::vote_reply: {
      const VoteReply reply = decode(*message.vote_reply());
      if (reply.pre || !reply.granted) return std::nullopt;
      return Vouched{{reply.term, to}, {}, {}};
    }
    case wire::Kind::append_reply: {
      const AppendReply reply = decode(*message.append_reply());
      return Vouched{{reply.term, kNoNode}, reply.agreed, {}, /*agrees_with_receiver=*/true};
    }
    default:
      return std::nullopt;
  }
}

std::optional<Membership> members(const Record& record) {
  const auto entry = decode_record(record);
  if (!entry || entry->run.count > 0 || entry->run.body.empty()) return std::nullopt;
  return decode_members(entry->run.body.bytes());
}

Epoch snapshot_epoch(const Block& header) {
  const auto base = decode_base(header);
  return base ? base->term : Epoch{};
}

}  // namespace

const Inspection kInspection{record_epoch, promise, vouched, members, snapshot_epoch};

}  // namespace parley::raft
