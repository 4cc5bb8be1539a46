// Who leads (Garcia-Molina 1982, §III, "the bully algorithm"): the highest rank of those that are
// heard. Nobody counts how many that are.
#include <algorithm>

#include "algorithms/bully_2pc/textbook/core.h"

namespace parley::bully_2pc::textbook {

bool Core::outranks(NodeId a, NodeId b) const {
  return options_.elect_highest ? a > b : a < b;
}

void Core::tend_election() {
  if (now_ >= next_heartbeat_) {
    const Duration earlier =
        random_.between(Duration{}, options_.heartbeat * options_.jitter_percent / 200);
    next_heartbeat_ = now_ + options_.heartbeat - earlier;
    send_all(encoder_.heartbeat(role_ == Role::coordinator, role_ == Role::joining));
  }
  if (role_ == Role::coordinator) return;
  if (coordinator_ != kNoNode && !alive(*find_peer(coordinator_))) {
    coordinator_ = kNoNode;
    election_at_ = now_;
  }
  if (coordinator_ != kNoNode || now_ < election_at_) return;
  if (role_ == Role::electing && !answered_) return lead();
  if (role_ == Role::electing) {  // whoever answered leads soon, or another election is called
    role_ = Role::participant;
    election_at_ = now_ + with_jitter(options_.timeout);
    return;
  }
  call_election();  // who joins has found nobody to join
}

void Core::on_heartbeat(Peer& peer, const wire::Heartbeat& heartbeat) {
  if (role_ == Role::joining && !heartbeat.joining() && !exchange_) compare_with(peer);
  if (heartbeat.leads()) return on_coordinator(peer);
  if (peer.id != coordinator_) return;
  coordinator_ = kNoNode;  // it has started again, or given way
  election_at_ = now_ + options_.answer_timeout;
}

void Core::on_election(const Peer& peer) {
  if (role_ == Role::joining || !outranks(self_, peer.id)) return;
  send_now(peer.id, encoder_.plain(wire::Kind::answer));
  if (role_ == Role::coordinator) {
    send_now(peer.id, encoder_.plain(wire::Kind::coordinator));
  } else if (role_ != Role::electing) {
    call_election();
  }
}

// Of two that lead, the one of the lower rank gives way when they hear of each other.
void Core::on_coordinator(const Peer& peer) {
  if (role_ == Role::joining || !outranks(self_, peer.id)) return follow(peer.id);
  if (role_ == Role::coordinator) {
    send_now(peer.id, encoder_.plain(wire::Kind::coordinator));
  } else if (role_ != Role::electing) {
    call_election();
  }
}

void Core::call_election() {
  role_ = Role::electing;
  coordinator_ = kNoNode;
  answered_ = false;
  ++elections_;
  election_at_ = now_ + options_.answer_timeout;
  bool highest = true;
  for (const Peer& peer : peers_) {
    if (!outranks(peer.id, self_)) continue;
    highest = false;
    send_now(peer.id, encoder_.plain(wire::Kind::election));
  }
  if (highest) lead();
}

void Core::lead() {
  role_ = Role::coordinator;
  coordinator_ = self_;
  batch_at_ = now_;
  send_all(encoder_.plain(wire::Kind::coordinator));
}

void Core::follow(NodeId coordinator) {
  if (role_ == Role::coordinator) resign();
  if (role_ != Role::joining) role_ = Role::participant;
  coordinator_ = coordinator;
}

Instant Core::election_deadline() const {
  if (role_ == Role::coordinator) return kNever;
  if (coordinator_ == kNoNode) return election_at_;
  const auto leads = std::ranges::find(peers_, coordinator_, &Peer::id);
  return leads->heard + options_.timeout;
}

}  // namespace parley::bully_2pc::textbook
