#include <algorithm>

#include "algorithms/gossip_lww/core.h"

namespace parley::gossip_lww {
namespace {

// For answers, before others are asked.
constexpr Duration kBetweenAsking = std::chrono::milliseconds(100);

std::vector<TreePlace> blocks_of(std::span<const Key> keys) {
  std::vector<TreePlace> places;
  for (const Key key : keys) {
    const TreePlace place{0, key.value / kCellsPerBlock};
    if (std::find(places.begin(), places.end(), place) == places.end()) places.push_back(place);
    if (places.size() > kPlacesAsked) break;
  }
  return places;
}

}  // namespace

void Core::read(const ReadRequest& request) {
  Read read;
  read.id = request.id;
  read.since = now_;
  read.seen = request.seen;
  if (options_.read > 1) read.places = blocks_of(request.keys);
  const bool too_wide = read.places.size() > kPlacesAsked;
  const bool unnamed = options_.read > 1 && read.places.empty();
  if (request.mode != ReadMode::local || too_wide || unnamed) {
    return refuse_read(read, Refusal::Reason::not_offered);
  }
  reads_.push_back(std::move(read));
}

void Core::refuse_read(const Read& read, Refusal::Reason reason) {
  effects_->refused.push_back({Refusal::Kind::read, reason, read.id});
}

void Core::serve_reads() {
  std::erase_if(reads_, [this](Read& read) { return serve(read); });
}

// True when the read is answered or refused. Quorum reads as in Gifford, "Weighted Voting for
// Replicated Data" (SOSP 1979): whoever asks as many as do not miss those who acknowledged sees
// what was acknowledged.
bool Core::serve(Read& read) {
  const bool late = now_ >= read.since + options_.read_wait;
  if (!reached(read.seen)) {
    if (late) refuse_read(read, Refusal::Reason::behind);
    return late;
  }
  const bool enough = read.answered.size() + 1 >= options_.read || !holds(guards::kReadAsks);
  if (enough) {
    effects_->reads_ready.push_back({read.id, {}});
    return true;
  }
  if (late) refuse_read(read, Refusal::Reason::unanswered);
  if (!late && (read.number == 0 || now_ >= read.asked + kBetweenAsking)) ask_others(read);
  return late;
}

// As many as are missing; when they do not answer, the next ones.
void Core::ask_others(Read& read) {
  read.asked = now_;
  if (read.number == 0) read.number = ++requests_;
  std::vector<std::size_t> asked = read.answered;
  while (asked.size() + 1 < options_.read) {
    const auto partner = read_ring_.next(random_, [&](std::size_t peer) {
      return peer != place_ && !detector_.dead(peer) &&
             std::find(asked.begin(), asked.end(), peer) == asked.end();
    });
    if (!partner) return;
    asked.push_back(*partner);
    send(*partner, encoder_.tree_request(read.number, read.places));
  }
}

// True if it was one. The latest write of each cell wins here and now (read repair).
bool Core::take_read_answer(std::size_t from, std::uint64_t number, const Block& cells) {
  const auto read = std::find_if(reads_.begin(), reads_.end(),
                                 [number](const Read& r) { return r.number == number; });
  if (read == reads_.end()) return false;
  const bool again =
      std::find(read->answered.begin(), read->answered.end(), from) != read->answered.end();
  if (take_cells(cells) && !again) read->answered.push_back(from);
  return true;
}

// Whether this node holds all that the client has seen: for each author the latest time stands for
// all before it, so what arrived ahead of a gap is not enough (Terry et al., "Session Guarantees
// for Weakly Consistent Replicated Data", PDIS 1994, §4).
bool Core::reached(std::span<const Seen> seen) const {
  if (!holds(guards::kTokenReached)) return true;
  return std::all_of(seen.begin(), seen.end(), [this](const Seen& s) {
    const auto place = place_of(s.node);
    return place && known_.through(*place) >= HybridTime{s.time};
  });
}

}  // namespace parley::gossip_lww
