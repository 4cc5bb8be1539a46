#include "algorithms/gossip_lww/text.h"

#include "algorithms/gossip_lww/codec.h"

namespace parley::gossip_lww {
namespace {

std::string text_of_rumors(const wire::Message& message) {
  std::string text = "rumors";
  for (const wire::Delta* delta : *message.deltas()) {
    text += " " + std::to_string(delta->origin()) + ":" + std::to_string(delta->first());
    if (delta->count() > 1) text += "+" + std::to_string(delta->count() - 1);
  }
  return text + (message.rumors()->more() ? " and more" : "");
}

std::string text_of_summary(const wire::Message& message) {
  static constexpr std::string_view kStages[] = {"opening", "answer", "notice", "question"};
  const wire::Summary& summary = *message.summary();
  std::string text = "summary " + std::string(kStages[summary.stage()]) + ":";
  if (message.known() == nullptr) return text + " knows nothing";
  for (const wire::Known* known : *message.known()) {
    text += " " + std::to_string(known->node()) + ":" + std::to_string(known->through());
  }
  if (summary.out_of_reach()) text += "; what you lack is not at hand";
  return text;
}

std::string text_of_update(const wire::Update& update) {
  static constexpr std::string_view kStandings[] = {"alive", "suspect", "dead"};
  return " " + std::to_string(update.node()) + " " + std::string(kStandings[update.standing()]);
}

std::string text_of_probe(std::string_view kind, const wire::Message& message) {
  std::string text(kind);
  if (message.probe()->target() != 0) {
    text += " about " + std::to_string(message.probe()->target());
  }
  if (message.updates() == nullptr) return text;
  text += ";";
  for (const wire::Update* update : *message.updates()) text += text_of_update(*update);
  return text;
}

}  // namespace

std::string describe(const Block& header, const Block& body) {
  const wire::Message& message = decode(header);
  switch (message.kind()) {
    case wire::Kind::rumors:
      return text_of_rumors(message);
    case wire::Kind::summary:
      return text_of_summary(message);
    case wire::Kind::tree_request:
      return "tree_request of " + std::to_string(message.places()->size()) + " places";
    case wire::Kind::tree_reply:
      return "tree_reply: " +
             std::to_string(message.digests() == nullptr ? 0 : message.digests()->size()) +
             " digests, " + std::to_string(cells_of(body).size()) + " cells";
    case wire::Kind::ack:
      return "ack through " + std::to_string(message.ack()->through());
    case wire::Kind::ping:
      return text_of_probe("ping", message);
    case wire::Kind::ping_request:
      return text_of_probe("ping_request", message);
    case wire::Kind::pong:
      return text_of_probe("pong", message);
    case wire::Kind::none:
      break;
  }
  return "nothing";
}

}  // namespace parley::gossip_lww
