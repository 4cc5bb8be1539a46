#include <algorithm>

#include "algorithms/gossip_lww/core.h"

namespace parley::gossip_lww {

namespace {

// Of a larger cluster the version vector is so long that it is told only to those who differ.
constexpr std::size_t kFewMembers = 32;

}  // namespace

// Anti-entropy (Demers et al., §1.3), with version vectors to see at once what is missing: the
// peers' stores are compared by digests only when those agree or the deltas are gone.
void Core::compare_with_next() {
  const Duration interval = options_.anti_entropy;
  const Duration wait = random_.between(interval * 3 / 4, interval * 5 / 4);
  next_comparison_ = now_ + wait;
  const auto partner = next_to_compare();
  if (!partner || !holds(guards::kRepair)) return;
  const bool ask_first = members_.size() > kFewMembers;
  send_summary(*partner, ask_first ? Summary::Stage::question : Summary::Stage::opening);
}

// Whoever was away lacks most, and may know what nobody else does. Of another region it is for the
// relays to look after it.
void Core::welcome_back(std::size_t peer) {
  if (!near(peer) && !speaks()) return;
  returned_ = peer;
  next_comparison_ = now_;
}

// Whether the store holds what the version vector says. In a turn with writes it does not: they
// reach the store when the turn is over.
bool Core::settled() const {
  return effects_->merge.empty() || !holds(guards::kDigestSettled);
}

// Whether nothing is missing that may still arrive by itself. A gap that stays will not be filled:
// whoever could fill it is dead, or has lost it.
bool Core::whole() const {
  constexpr int kPatience = 3;  // comparisons
  return known_.whole() || now_ >= whole_at_ + kPatience * options_.anti_entropy;
}

// It waits for the disk, so that what it says is known may count as acknowledged.
void Core::send_summary(std::size_t to, Summary::Stage stage, bool out_of_reach) {
  const Summary summary{store_->digest(), stage, settled(), whole(), out_of_reach};
  const bool brief = stage == Summary::Stage::question;
  send_when_durable(to, encoder_.summary(summary, brief ? Known(0) : known_));
}

void Core::on_summary(std::size_t from, const Summary& summary, const wire::Message& message) {
  const bool equal = summary.settled && summary.digest == store_->digest();
  if (summary.stage == Summary::Stage::question) {
    // Equal stores may still know different things of what they hold.
    if (!equal || !summary.whole || !whole()) return send_summary(from, Summary::Stage::opening);
    if (options_.ack > 1) acks_due_[from] = true;
    return;
  }
  Known theirs(members_.size());
  if (message.known() != nullptr) {
    for (const wire::Known* known : *message.known()) {
      if (const auto place = place_of({known->node()})) theirs.join(*place, {known->through()});
    }
  }
  acked_[from] = std::max(acked_[from], theirs.through(place_));
  const bool comparable = settled() && whole() && summary.settled && summary.whole;
  bool lacking = false;
  bool ahead = false;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    // Equal stores hold what either of them knows.
    if (equal) known_.join(i, theirs.through(i));
    lacking = lacking || known_.through(i) < theirs.through(i);
    ahead = ahead || known_.through(i) > theirs.through(i);
  }
  const bool differs = comparable && !lacking && !ahead && !equal;
  if (differs || summary.out_of_reach) start_walk(from, theirs);
  if (equal || summary.stage == Summary::Stage::notice) return;
  const bool out_of_reach = ahead && offer_deltas(from, theirs);
  if (summary.stage == Summary::Stage::opening) {
    if (lacking || differs || out_of_reach) {
      send_summary(from, Summary::Stage::answer, out_of_reach);
    }
  } else if (out_of_reach) {
    send_summary(from, Summary::Stage::notice, out_of_reach);
  }
}

// Sends what the peer lacks, some messages full. True if some of it is no longer here as deltas.
bool Core::offer_deltas(std::size_t to, const Known& theirs) {
  // Until the peer asks on: where messages are small, many of them.
  constexpr std::uint64_t kMessages = 8;
  constexpr std::uint64_t kLeastBytes = 32 * 1024;
  const std::uint64_t most = std::max(kMessages * options_.max_message_bytes, kLeastBytes);
  const Instant until = now_ - options_.repair_after;
  const RecentDeltas::Offer offer = recent_.offer(known_, theirs, until, most);
  send_deltas(std::span(&to, 1), offer.deltas, offer.more, /*when_durable=*/true);
  return offer.out_of_reach;
}

}  // namespace parley::gossip_lww
