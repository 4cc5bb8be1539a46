// States: every now and then a node asks another one whether theirs are the same, by the store's
// hash, and fetches the tiles that differ. Each fetches for itself. Who has just started does so
// before it takes part in elections.
#include <algorithm>

#include "algorithms/bully_2pc/textbook/core.h"

namespace parley::bully_2pc::textbook {

void Core::compare_with_next() {
  const Duration interval = options_.hash_interval;
  next_comparison_ = now_ + random_.between(interval * 3 / 4, interval * 5 / 4);
  if (exchange_) return;
  for (std::size_t tried = 0; tried < peers_.size(); ++tried) {
    const Peer& peer = peers_[next_partner_++ % peers_.size()];
    if (alive(peer)) return compare_with(peer);
  }
}

void Core::compare_with(const Peer& peer) {
  if (holds(guards::kStatesCompared)) send_now(peer.id, encoder_.hash(store_->digest()));
}

// Of equal states nothing is listed.
void Core::on_hash(const Peer& peer, std::uint64_t digest) {
  std::vector<wire::Tile> tiles;
  for (std::size_t i = 0; digest != store_->digest() && i < store_->tile_count(); ++i) {
    const std::uint64_t own = store_->tile_digest(i);
    if (own != 0) tiles.emplace_back(own, static_cast<std::uint32_t>(i), /*reserved=*/0);
  }
  send_now(peer.id, encoder_.tiles(wire::Kind::tiles, tiles));
}

void Core::on_tiles(const Peer& peer, const wire::Message& message) {
  if (exchange_) return;
  exchange_.emplace();
  exchange_->peer = peer.id;
  if (message.tiles() != nullptr) {
    for (const wire::Tile* tile : *message.tiles()) {
      if (tile->index() >= store_->tile_count()) continue;
      if (tile->digest() != store_->tile_digest(tile->index())) exchange_->tiles.push_back(*tile);
    }
  }
  ask_for_tiles();
}

void Core::ask_for_tiles() {
  auto& tiles = exchange_->tiles;
  if (tiles.empty()) return end_exchange(/*whole=*/true);
  const std::size_t count = std::min(tiles.size(), kTilesAsked);
  const std::span<const wire::Tile> asked(tiles.data() + tiles.size() - count, count);
  for (const wire::Tile& tile : asked) exchange_->asked.push_back(tile.index());
  exchange_->progress = now_;
  send_now(exchange_->peer, encoder_.tiles(wire::Kind::want, asked));
  tiles.erase(tiles.end() - static_cast<std::ptrdiff_t>(count), tiles.end());
}

void Core::on_want(const Peer& peer, const wire::Message& message) {
  for (const wire::Tile* tile : *message.tiles()) {
    if (tile->index() >= store_->tile_count()) continue;
    std::vector<std::byte> cells;
    const std::uint32_t first = tile->index() * kCellsPerTile;
    const std::uint32_t end = std::min(first + kCellsPerTile, store_->key_count());
    for (Key key{first}; key.value < end; ++key.value) {
      const Cell& cell = store_->at(key);
      if (cell.stamp == Stamp{}) continue;
      CellReader::append(cells, {key, 0, cell.value, cell.writer, cell.stamp},
                         clock_of_cell(key, cell.stamp).view());
    }
    send_now(peer.id, encoder_.cells(tile->index(), members_.size()), Block::copy_of(cells));
  }
}

// Of a state that a snapshot brought back the cell's clock is not known, only its author's time.
VectorClock Core::clock_of_cell(Key key, Stamp stamp) const {
  if (const ClockView known = cells_.clock(key, stamp); !known.empty()) return VectorClock(known);
  VectorClock clock(members_.size());
  if (const auto place = place_of(author_of(stamp))) clock.raise(*place, stamp.major);
  return clock;
}

void Core::on_cells(const Peer& peer, const wire::Message& message, const Block& body) {
  if (!exchange_ || exchange_->peer != peer.id) return;
  if (std::erase(exchange_->asked, static_cast<std::uint32_t>(message.number())) == 0) return;
  CellReader cells(body, members_.size());
  std::vector<std::byte> news;
  WireCell cell;
  ClockView clock;
  while (cells.next(cell, clock)) {
    if (offer(cell, clock)) CellReader::append(news, cell, clock);
  }
  if (!news.empty()) append(LogRecord::Kind::cells, {}, {}, Block::copy_of(news));
  exchange_->progress = now_;
  if (exchange_->asked.empty()) ask_for_tiles();
}

void Core::end_exchange(bool whole) {
  exchange_.reset();
  if (!whole || role_ != Role::joining) return;
  role_ = Role::participant;
  if (coordinator_ == kNoNode || outranks(self_, coordinator_)) election_at_ = now_;
  if (coordinator_ != kNoNode && outranks(self_, coordinator_)) call_election();
}

Instant Core::exchange_deadline() const {
  return exchange_ ? exchange_->progress + options_.timeout : kNever;
}

}  // namespace parley::bully_2pc::textbook
