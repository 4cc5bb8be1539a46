#include <algorithm>

#include "algorithms/gossip_lww/core.h"

namespace parley::gossip_lww {
// Down the digest tree, from the root to the blocks in which the stores differ. This node only
// fetches: what the peer lacks, it will fetch by itself. The peer holds all that is in `theirs`,
// and so does this node once the walk is over.
void Core::start_walk(std::size_t peer, const Known& theirs) {
  if (walk_ || !holds(guards::kWalk)) return;
  walk_.emplace(Walk{.peer = peer,
                     .number = 0,
                     .asked = now_,
                     .places = {tree_root(store_->key_count())},
                     .reached = theirs,
                     .complete = true});
  ask_on();
}

// The places found last are the lowest: first down, then on, so that few are held.
void Core::ask_on() {
  auto& places = walk_->places;
  if (places.empty()) return finish_walk();
  const std::size_t count = std::min(places.size(), kPlacesAsked);
  const std::span<const TreePlace> asked(places.data() + places.size() - count, count);
  walk_->number = ++requests_;
  walk_->asked = now_;
  send(walk_->peer, encoder_.tree_request(walk_->number, asked));
  places.resize(places.size() - count);
}

void Core::on_tree_request(std::size_t from, const wire::Message& message) {
  if (replaying_) return;  // the store is not there yet; it will be asked for again
  digests_.clear();
  std::vector<WireCell> cells;
  std::size_t answered = 0;
  for (const wire::TreePlace* asked : *message.places()) {
    const TreePlace place{asked->level(), asked->index()};
    if (++answered > kPlacesAsked || !is_tree_place(place, store_->key_count())) break;
    if (place.level > 0) {
      tree_children(*store_, place, digests_);
      continue;
    }
    const std::uint32_t begin = place.index * kCellsPerBlock;
    const std::uint32_t end = std::min(begin + kCellsPerBlock, store_->key_count());
    for (Key key{begin}; key.value < end; ++key.value) {
      const Cell& cell = store_->at(key);
      if (cell.stamp == Stamp{}) continue;
      cells.push_back({key, 0, cell.value, cell.writer, cell.stamp});
    }
  }
  BodyRange body;
  if (!cells.empty()) body = add_body(Block::copy_of(std::as_bytes(std::span(cells))));
  // What this node has not on its disk yet, others must not take for known.
  send_when_durable(from, encoder_.tree_reply(message.tree()->number(), digests_), body);
}

void Core::on_tree_reply(std::size_t from, const wire::Message& message, const Block& body) {
  if (take_read_answer(from, message.tree()->number(), body)) return;
  if (!walk_ || walk_->peer != from || walk_->number != message.tree()->number()) return;
  if (message.digests() != nullptr) {
    for (const wire::TreeDigest* theirs : *message.digests()) {
      const TreePlace place{theirs->level(), theirs->index()};
      if (!is_tree_place(place, store_->key_count())) continue;
      if (tree_digest(*store_, place) != theirs->digest()) walk_->places.push_back(place);
    }
  }
  if (!take_cells(body)) walk_->complete = false;
  ask_on();
}

// False if some are from the future and had to stay out.
bool Core::take_cells(const Block& cells) {
  std::vector<WireCell> news;
  bool complete = true;
  const HybridTime latest = latest_allowed();
  for (const WireCell& cell : cells_of(cells)) {
    if (cell.key.value >= store_->key_count()) continue;
    if (HybridTime{cell.stamp.major} > latest) {
      complete = false;
      continue;
    }
    if (cell.stamp == turn_stamps_.at(*store_, cell.key)) continue;
    clock_.observe({cell.stamp.major});
    if (merge(cell, cell.stamp)) news.push_back(cell);
  }
  if (news.empty()) return complete;
  append(encode_walked_record(static_cast<std::uint32_t>(news.size())),
         Block::copy_of(std::as_bytes(std::span(news))));
  return complete;
}

void Core::finish_walk() {
  if (walk_->complete) {
    for (std::size_t i = 0; i < members_.size(); ++i) known_.join(i, walk_->reached.through(i));
    save_state(std::max(reserved_, clock_.last()));
  }
  walk_.reset();
}

Instant Core::walk_deadline() const {
  // Then the walk is given up, and a later comparison may begin another: not in haste, since the
  // link may be slow, and not so late that what an answer lost delays much.
  constexpr Duration kLeast = std::chrono::milliseconds(100);
  constexpr Duration kMost = std::chrono::seconds(1);
  if (!walk_) return kNever;
  return walk_->asked + std::clamp<Duration>(3 * options_.anti_entropy, kLeast, kMost);
}

}  // namespace parley::gossip_lww
