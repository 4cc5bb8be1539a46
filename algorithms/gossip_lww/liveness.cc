#include <algorithm>

#include "algorithms/gossip_lww/core.h"

namespace parley::gossip_lww {
namespace {

constexpr std::size_t kMaxRelayed = 256;  // pings on behalf of others that are not answered yet

}  // namespace

void Core::ping() {
  actions_.clear();
  detector_.tick(now_, random_, actions_);
  for (const FailureDetector::Action& action : actions_) {
    const NodeId target = action.target ? members_[*action.target] : kNoNode;
    send_probe(action.to, action.target ? wire::Kind::ping_request : wire::Kind::ping,
               {++probes_, wall_, target});
  }
}

void Core::send_probe(std::size_t to, wire::Kind kind, const Probe& probe) {
  detector_.tell(updates_);
  send(to, encoder_.probe(kind, probe, updates_));
}

void Core::on_probe(std::size_t from, const wire::Message& message) {
  const Probe probe = decode(*message.probe());
  reference_.heard(from, probe.wall, now_);
  reference_time_.reset();
  if (message.updates() != nullptr) {
    for (const wire::Update* update : *message.updates()) {
      const auto member = place_of({update->node()});
      if (!member) continue;
      detector_.take({*member, static_cast<Standing>(update->standing()), update->incarnation()},
                     now_);
    }
  }
  const auto target = place_of(probe.target);
  if (message.kind() == wire::Kind::ping) {
    return send_probe(from, wire::Kind::pong, {probe.number, wall_, kNoNode});
  }
  if (message.kind() == wire::Kind::ping_request) {
    if (!target || *target == place_) return;
    if (relayed_.size() == kMaxRelayed) relayed_.erase(relayed_.begin());
    relayed_.push_back({from, *target, probe.number, now_});
    return send_probe(*target, wire::Kind::ping, {++probes_, wall_, kNoNode});
  }
  if (target) return detector_.heard_by_other(*target, now_);
  // Whoever asked for it hears that this peer is there.
  const Instant forgotten = now_ - options_.detector.period;
  std::erase_if(relayed_, [&](const Relayed& relayed) {
    if (relayed.target != from) return relayed.asked < forgotten;
    send_probe(relayed.asker, wire::Kind::pong, {relayed.number, wall_, members_[from]});
    return true;
  });
}

}  // namespace parley::gossip_lww
