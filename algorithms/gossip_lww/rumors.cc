#include <algorithm>

#include "algorithms/gossip_lww/core.h"

namespace parley::gossip_lww {

void Core::on_rumors(std::size_t from, const wire::Message& message, const Block& body) {
  decode_deltas(message, body, deltas_);
  bool news = false;
  for (const Delta& delta : deltas_) {
    if (take(delta, near(from))) news = true;
  }
  // There is more where this came from. Without news it would only come again.
  if (message.rumors()->more() && news) send_summary(from, Summary::Stage::opening);
}

// True if it was new, and is here now.
bool Core::take(const Delta& delta, bool from_near) {
  const auto origin = place_of(delta.origin);
  if (!origin || !in_store(delta.cells)) return false;
  if (known_.has(*origin, delta.last())) {
    if (!holds(guards::kPassOnNew)) heat(delta, /*to_near=*/true);
    return false;
  }
  if (from_the_future(delta.last())) {
    set_aside(delta);
    return false;
  }
  return apply(delta, *origin, from_near);
}

bool Core::apply(const Delta& delta, std::size_t origin, bool from_near) {
  if (!known_.add(origin, delta.previous, delta.last())) return false;
  clock_.observe(delta.last());
  const std::span<const WireCell> cells = cells_of(delta.cells);
  for (std::uint32_t i = 0; i < cells.size(); ++i) {
    const Stamp stamp = stamp_of(delta, i);
    if (origin != place_) count_superseded(cells[i], stamp);
    merge(cells[i], stamp);
  }
  append(encode_record(delta), delta.cells);
  recent_.add(origin, delta, now_);
  acks_due_[origin] = true;
  // If every node's fanout reaches everyone near, what came from there needs no help.
  heat(delta, regions_.size(regions_.of(place_)) > options_.fanout + 1 || !from_near);
  return true;
}

// Only the node whose write is overwritten counts it, if the author of the later one did not know
// it: so each is counted once.
void Core::count_superseded(const WireCell& cell, Stamp stamp) {
  const Stamp held = turn_stamps_.at(*store_, cell.key);
  if (held.minor >> 32 == self_.value && held < stamp && cell.stamp < held) ++superseded_;
}

// --- writes from the future ---

// Not computed anew for every write of a turn.
HybridTime Core::reference_time() const {
  if (!reference_time_) reference_time_ = reference_.now(wall_, now_);
  return *reference_time_;
}

// Where all clocks are right within the allowed skew, so are the times by which nodes judge them.
// A node takes writes while its clock is ahead of its own such time by no more than the skew: of
// the right time by no more than two, and of what others go by by no more than three.
HybridTime Core::latest_allowed() const {
  return reference_time().plus(3 * static_cast<std::uint64_t>(options_.max_clock_skew.count()));
}

bool Core::from_the_future(HybridTime time) const {
  return time > latest_allowed();
}

// Kept until its time comes. It is not known until then: what is lost here comes again.
void Core::set_aside(const Delta& delta) {
  if (set_aside_bytes_ + delta.cells.size() > options_.max_set_aside_bytes) return;
  const bool here = std::any_of(set_aside_.begin(), set_aside_.end(), [&delta](const Delta& d) {
    return d.origin == delta.origin && d.first == delta.first;
  });
  if (here) return;
  set_aside_bytes_ += delta.cells.size();
  set_aside_.push_back(delta);
}

void Core::retry_set_aside() {
  if (set_aside_.empty()) return;
  const HybridTime latest = latest_allowed();
  std::erase_if(set_aside_, [this, latest](const Delta& delta) {
    if (delta.last() > latest) return false;
    set_aside_bytes_ -= delta.cells.size();
    // Where there are regions, it is not known any more from which one it came.
    apply(delta, *place_of(delta.origin), /*from_near=*/regions_.count() == 1);
    return true;
  });
}

// --- passing on ---

// To the own region if `to_near`. Beyond it relays tell of what was written in their region; only
// where their fanout does not reach all other regions those of others pass it on, too: so a rumour
// goes from region to region a bounded number of times.
void Core::heat(const Delta& delta, bool to_near) {
  if (members_.size() == 1) return;
  const bool others_help = regions_.count() > options_.far_fanout + 1;
  const auto from_here = [&] {
    const auto origin = place_of(delta.origin);
    return origin && near(*origin);
  };
  const bool far = regions_.count() > 1 && (others_help || from_here()) && speaks();
  if (!to_near && !far) return;
  hot_.push_back({delta, to_near ? options_.rounds : 0, far ? options_.far_rounds : 0});
}

// Rumor mongering by pushing, with a counter that does not look whether it was news (Demers et al.,
// §1.4, "blind" and "counter").
void Core::spread_rumors() {
  // What is passed on more than once, or at intervals of its own, waits; the first round of a
  // profile without an interval leaves with the turn.
  constexpr Duration kBetweenRounds = std::chrono::milliseconds(5);
  if (hot_.empty()) return;
  const bool fresh = options_.rumor_interval == Duration{} && hot_.back().fresh;
  if (!fresh && now_ < next_rumors_ && !rumors_fill_a_message()) return;
  if (choose_rumors(&Hot::rounds)) {
    choose_partners(options_.fanout, regions_.size(regions_.of(place_)) - 1,
                    [this] { return next_near(rumor_ring_); });
    push_rumors();
  }
  if (choose_rumors(&Hot::far_rounds)) {
    choose_partners(options_.far_fanout, regions_.count() - 1,
                    [this] { return next_far(far_rumor_ring_); });
    push_rumors();
  }
  std::erase_if(hot_, [](const Hot& hot) { return hot.rounds == 0 && hot.far_rounds == 0; });
  for (Hot& hot : hot_) hot.fresh = false;
  next_rumors_ = now_ + std::max<Duration>(options_.rumor_interval, kBetweenRounds);
}

// Rumours that wait are bounded: what makes up a message does not wait for company.
bool Core::rumors_fill_a_message() const {
  std::uint64_t bytes = 0;
  for (const Hot& hot : hot_) {
    if (hot.fresh) bytes += hot.delta.cells.size();
  }
  return bytes >= options_.max_message_bytes;
}

// Those that have `rounds` left, of which this is one. False if there are none.
bool Core::choose_rumors(std::uint64_t Hot::*rounds) {
  outgoing_.clear();
  for (Hot& hot : hot_) {
    if (hot.*rounds == 0) continue;
    --(hot.*rounds);
    outgoing_.push_back(&hot.delta);
  }
  return !outgoing_.empty();
}

// As many of the `peers` there are as the fanout says, each once. Where some of them are dead the
// ring begins anew before there are as many, and comes by others again.
template <class Next>
void Core::choose_partners(std::uint64_t fanout, std::size_t peers, Next&& next) {
  partners_.clear();
  const std::size_t most = std::min<std::size_t>(fanout, peers);
  for (std::size_t tries = 0; tries < 2 * peers && partners_.size() < most; ++tries) {
    const auto partner = next();
    if (!partner) break;
    const bool again = std::find(partners_.begin(), partners_.end(), *partner) != partners_.end();
    if (!again) partners_.push_back(*partner);
  }
}

void Core::push_rumors() {
  if (partners_.empty()) return;
  // A stamp that is not reserved on disk yet must not be seen by others before it is.
  const bool when_durable = reserved_ticket_ > durable_;
  send_deltas(partners_, outgoing_, /*more=*/false, when_durable);
}

// As many messages as the bound on their size demands, each encoded once. `more` goes with the
// last.
void Core::send_deltas(std::span<const std::size_t> to, std::span<const Delta* const> deltas,
                       bool more, bool when_durable) {
  while (!deltas.empty()) {
    std::uint64_t bytes = 0;
    BodyRange body{static_cast<std::uint32_t>(effects_->bodies.size()), 0};
    for (const Delta* delta : deltas) {
      if (bytes > 0 && bytes + delta->cells.size() > options_.max_message_bytes) break;
      bytes += delta->cells.size();
      effects_->bodies.push_back(delta->cells);
      ++body.count;
    }
    const auto part = deltas.first(body.count);
    deltas = deltas.subspan(body.count);
    const Block header = encoder_.rumors(part, more && deltas.empty());
    for (const std::size_t peer : to) {
      if (when_durable) {
        send_when_durable(peer, header, body);
      } else {
        send(peer, header, body);
      }
    }
  }
}

// Whoever waits for others' disks hears of this one's, once what came is on it.
void Core::send_acks() {
  for (std::size_t origin = 0; origin < acks_due_.size(); ++origin) {
    if (!acks_due_[origin]) continue;
    acks_due_[origin] = false;
    if (options_.ack == 1 || origin == place_) continue;
    send_when_durable(origin, encoder_.ack(known_.through(origin)));
  }
}

}  // namespace parley::gossip_lww
