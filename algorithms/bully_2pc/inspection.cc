#include "algorithms/bully_2pc/inspection.h"

#include "algorithms/bully_2pc/codec.h"

namespace parley::bully_2pc {
namespace {

Epoch record_epoch(const Record& record) {
  return epoch_of_record(record).value_or(Epoch{});
}

Promise promise(const Block& state) {
  const auto held = decode_state(state);
  return held ? Promise{held->epoch, held->promised, held->decided} : Promise{};
}

// Claims, promises, votes and decisions are durable before the message that speaks of them leaves.
std::optional<Vouched> vouched(const Block& header, NodeId from, NodeId to) {
  const wire::Message& message = decode(header);
  switch (message.kind()) {
    case wire::Kind::claim:
      return Vouched{{decode(*message.claim()).epoch, from}, {}, {}};
    case wire::Kind::promised: {
      const Promised promised = decode(*message.promised());
      if (!promised.granted) return std::nullopt;
      return Vouched{{promised.epoch, to}, promised.last.index, promised.last.epoch};
    }
    case wire::Kind::vote: {
      const Vote vote = decode(*message.vote());
      return Vouched{{vote.epoch, kNoNode}, vote.prepared, {}, /*agrees_with_receiver=*/true};
    }
    case wire::Kind::prepare: {
      const Prepare prepare = decode(*message.prepare());
      return Vouched{{prepare.epoch, kNoNode, prepare.decided}, {}, {}};
    }
    case wire::Kind::commit: {
      const Commit commit = decode(*message.commit());
      return Vouched{{commit.epoch, kNoNode, commit.decided}, {}, {}};
    }
    default:
      return std::nullopt;
  }
}

Epoch snapshot_epoch(const Block& header) {
  return epoch_of_base(header).value_or(Epoch{});
}

}  // namespace

const Inspection kInspection{record_epoch, promise, vouched, nullptr, snapshot_epoch};

}  // namespace parley::bully_2pc
