#include "algorithms/gossip_lww/fields.h"

#include <vector>

#include "algorithms/gossip_lww/codec.h"

namespace parley::gossip_lww {
namespace {

using Rows = std::vector<std::uint64_t>;

void put_rumors(const wire::Message& message, FieldSink& to) {
  Rows rows;
  for (const wire::Delta* delta : *message.deltas()) {
    rows.insert(rows.end(), {delta->origin(), delta->incarnation(), delta->first(),
                             delta->previous(), delta->count()});
  }
  to.rows("deltas", 5, rows);
  to.flag("more", message.rumors()->more());
}

void put_summary(const wire::Message& message, FieldSink& to) {
  static constexpr std::string_view kStages[] = {"opening", "answer", "notice", "question"};
  const Summary summary = decode(*message.summary());
  to.text("stage", kStages[static_cast<std::size_t>(summary.stage)]);
  to.text("digest", std::to_string(summary.digest));
  to.flag("settled", summary.settled);
  to.flag("whole", summary.whole);
  to.flag("out_of_reach", summary.out_of_reach);
  Rows rows;
  if (message.known() != nullptr) {
    for (const wire::Known* known : *message.known()) {
      rows.insert(rows.end(), {known->node(), known->through()});
    }
  }
  to.rows("known", 2, rows);
}

void put_tree_request(const wire::Message& message, FieldSink& to) {
  to.number("number", message.tree()->number());
  Rows rows;
  for (const wire::TreePlace* place : *message.places()) {
    rows.insert(rows.end(), {place->level(), place->index()});
  }
  to.rows("places", 2, rows);
}

void put_tree_reply(const wire::Message& message, FieldSink& to) {
  to.number("number", message.tree()->number());
  to.number("digests", message.digests() == nullptr ? 0 : message.digests()->size());
}

void put_probe(const wire::Message& message, FieldSink& to) {
  const Probe probe = decode(*message.probe());
  to.number("number", probe.number);
  to.number("target", probe.target);
  to.number("wall", static_cast<std::uint64_t>(probe.wall.time_since_epoch().count()));
  Rows rows;
  if (message.updates() != nullptr) {
    for (const wire::Update* update : *message.updates()) {
      rows.insert(rows.end(), {update->node(), update->incarnation(), update->standing()});
    }
  }
  to.rows("updates", 3, rows);
}

}  // namespace

void fields(const Block& header, FieldSink& to) {
  const wire::Message& message = decode(header);
  to.text("type", wire::EnumNameKind(message.kind()));
  switch (message.kind()) {
    case wire::Kind::rumors:
      return put_rumors(message, to);
    case wire::Kind::summary:
      return put_summary(message, to);
    case wire::Kind::tree_request:
      return put_tree_request(message, to);
    case wire::Kind::tree_reply:
      return put_tree_reply(message, to);
    case wire::Kind::ack:
      return to.number("through", message.ack()->through());
    case wire::Kind::ping:
    case wire::Kind::ping_request:
    case wire::Kind::pong:
      return put_probe(message, to);
    case wire::Kind::none:
      break;
  }
}

}  // namespace parley::gossip_lww
