#include "runtime/sim/network.h"

#include <algorithm>
#include <bit>

namespace parley::sim {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Frames of the past that are kept for each link.
constexpr std::size_t kRemembered = 8;

std::uint64_t bytes_of(const Frame& frame) {
  return frame.header.size() + frame.body.size();
}

}  // namespace

Network::Network(Engine& engine, std::uint32_t nodes)
    : engine_(engine),
      random_(engine.stream(Stream::network)),
      nodes_(nodes),
      slowness_(static_cast<std::size_t>(nodes) * nodes, 1),
      cut_(slowness_.size()),
      slower_(slowness_.size()),
      last_arrival_(cut_.size()),
      stalled_until_(cut_.size()),
      past_(cut_.size()) {}

void Network::draw_slow_links() {
  const bool some = random_.chance(500'000);
  if (!some) return;
  for (std::uint8_t& factor : slowness_) factor = random_.chance(300'000) ? 8 : 1;
}

void Network::shape(const std::vector<LinkRule>& rules) {
  const bool first = shapers_.empty();
  for (std::uint32_t on = 0; on < cut_.size(); ++on) {
    const NodeId from{on / nodes_ + 1};
    const NodeId to{on % nodes_ + 1};
    const LinkProfile profile = profile_of(shape_of(rules, from, to).value_or(LinkShape{}));
    if (first) shapers_.emplace_back(profile, engine_.stream_seed(Stream::link, on));
    shapers_[on].set_profile(profile);
  }
}

Instant Network::arrival(std::size_t link, Instant leaves) {
  const Weather& weather = engine_.weather;
  Duration delay = slowness_[link] * random_.between(weather.delay_min, weather.delay_max);
  for (const LinkShape& by : slower_[link]) {
    const Duration least = microseconds(by.delay_us - std::min(by.delay_us, by.jitter_us));
    delay += random_.between(least, microseconds(by.delay_us + by.jitter_us));
  }
  Instant when = std::max(leaves + delay, stalled_until_[link]);
  if (weather.reordering_per_million > 0 && random_.chance(weather.reordering_per_million)) {
    engine_.count(FaultKind::reordering);
    return when + 4 * delay;
  }
  const bool in_order = shapers_.empty() || !shapers_[link].profile().allow_reorder;
  if (in_order) when = std::max(when, last_arrival_[link]);
  last_arrival_[link] = when;
  return when;
}

// On purpose.
bool Network::loses(std::size_t link) {
  const auto lost = [this](const LinkShape& by) {
    return by.loss_per_million > 0 && random_.chance(by.loss_per_million);
  };
  return std::ranges::any_of(slower_[link], lost);
}

void Network::send(NodeId to, const Frame& frame) {
  const std::size_t on = link(frame.from, to);
  const std::uint32_t from = frame.from.value;
  const auto words = [&] { return engine_.words_of(frame); };
  std::uint64_t number = engine_.sent(from, to.value, words);
  if (cut_[on] != 0) return engine_.lost(number, from, to.value, Loss::cut, words);
  const Weather& weather = engine_.weather;
  if (weather.loss_per_million > 0 && random_.chance(weather.loss_per_million)) {
    engine_.count(FaultKind::loss);
    return engine_.lost(number, from, to.value, Loss::chance, words);
  }
  if (loses(on)) return engine_.lost(number, from, to.value, Loss::chance, words);
  const auto leaves =
      shapers_.empty() ? std::optional(engine_.now) : shapers_[on].pass(engine_.now);
  if (!leaves) {
    const Loss why = shapers_[on].profile().cut ? Loss::cut : Loss::chance;
    return engine_.lost(number, from, to.value, why, words);
  }
  const auto put = [&](Instant when) { launch(when, {to, frame, number}); };
  put(arrival(on, *leaves));
  if (weather.duplication_per_million > 0) remember(on, {to, frame, number});
  if (weather.duplication_per_million == 0 || !random_.chance(weather.duplication_per_million)) {
    return;
  }
  // The copy may come after others, or even in another epoch.
  engine_.count(FaultKind::duplication);
  number = engine_.sent(from, to.value, words, number);
  const bool late = random_.chance(500'000);
  put(late ? engine_.now + random_.between(milliseconds(50), seconds(2)) : arrival(on, *leaves));
}

// The first place gets another frame every fourth time, on average, and each place half as often as
// the one before it: some are of just now, others of several leaders ago.
void Network::remember(std::size_t link, const Flight& flight) {
  std::vector<Flight>& past = past_[link];
  if (past.size() < kRemembered) return past.push_back(flight);
  constexpr std::uint64_t kTimes = std::uint64_t{4} << (kRemembered - 1);
  const std::uint64_t draw = random_.below(kTimes);
  const auto place = static_cast<std::size_t>(std::countr_zero(draw | kTimes));
  if (place >= 1 && place <= kRemembered) past[place - 1] = flight;
}

void Network::echo(NodeId to) {
  for (std::uint32_t from = 1; from <= nodes_; ++from) {
    const std::size_t on = link(NodeId{from}, to);
    if (cut_[on] != 0) continue;
    for (Flight copy : past_[on]) {
      engine_.count(FaultKind::duplication);
      copy.number = engine_.sent(
          from, to.value, [&] { return engine_.words_of(copy.frame); }, copy.number);
      const Instant when = engine_.now + random_.between(Duration{}, milliseconds(100));
      launch(when, std::move(copy));
    }
  }
}

void Network::launch(Instant when, Flight flight) {
  bytes_under_way_ += bytes_of(flight.frame);
  const std::uint32_t to = flight.to.value;
  engine_.queue.push(when, EventKind::frame, to, flights_.put(std::move(flight)));
}

std::optional<Network::Flight> Network::arrive(std::uint32_t item) {
  Flight flight = flights_.take(item);
  bytes_under_way_ -= bytes_of(flight.frame);
  if (!is_cut(flight.frame.from, flight.to)) return flight;
  engine_.lost(flight.number, flight.frame.from.value, flight.to.value, Loss::cut_under_way,
               [&] { return engine_.words_of(flight.frame); });
  return std::nullopt;
}

void Network::cut_both(std::uint32_t a, std::uint32_t b) {
  if (a == b) return;
  cut_[a * nodes_ + b] = 1;
  cut_[b * nodes_ + a] = 1;
}

std::string_view Network::cut_one_way(std::uint32_t center, Random& random) {
  const std::uint64_t shape = random.below(4);
  for (std::uint32_t other = 0; other < nodes_; ++other) {
    if (other == center) continue;
    if (shape == 0) cut_[center * nodes_ + other] = 1;
    if (shape == 1) cut_[other * nodes_ + center] = 1;
    if (shape == 2 && random.chance(500'000)) cut_[center * nodes_ + other] = 1;
  }
  if (shape == 0) return "a node is not heard";
  if (shape == 1) return "a node hears nothing";
  if (shape == 2) return "a node is not heard by some";
  for (std::uint32_t from = 0; from < nodes_; ++from) {
    for (std::uint32_t to = 0; to < nodes_; ++to) {
      if (from != to && random.chance(300'000)) cut_[from * nodes_ + to] = 1;
    }
  }
  return "links cut one way at random";
}

// A majority is whole; each of the others reaches only one node of it, and none of the others.
std::string_view Network::cut_to_a_thread(Random& random) {
  std::vector<std::uint32_t> order(nodes_);
  for (std::uint32_t i = 0; i < nodes_; ++i) {
    order[i] = i;
    std::swap(order[i], order[random.below(i + 1)]);
  }
  const std::uint32_t majority = nodes_ / 2 + 1;
  for (std::uint32_t i = majority; i < nodes_; ++i) {
    const std::uint64_t reached = random.below(majority);
    for (std::uint32_t other = 0; other < i; ++other) {
      if (other != reached) cut_both(order[i], order[other]);
    }
  }
  return "each of a minority reaches one node only";
}

std::string_view Network::cut_apart(std::uint32_t center, Random& random) {
  const std::uint64_t shape = random.below(5);
  if (shape == 4) return cut_to_a_thread(random);
  if (shape == 0) {
    for (std::uint32_t other = 0; other < nodes_; ++other) cut_both(center, other);
    return "a node is alone";
  }
  std::vector<std::uint8_t> side(nodes_);
  for (std::uint8_t& s : side) s = static_cast<std::uint8_t>(random.below(2));
  if (random.chance(500'000)) {  // the centre with a few others, who cannot decide anything
    std::fill(side.begin(), side.end(), std::uint8_t{0});
    side[center] = 1;
    for (std::uint32_t with = 2; with <= (nodes_ - 1) / 2; ++with) {
      side[random.below(nodes_)] = 1;
    }
  }
  for (std::uint32_t a = 0; a < nodes_; ++a) {
    for (std::uint32_t b = a + 1; b < nodes_; ++b) {
      const bool at_center = a == center || b == center;
      if (shape == 1 && side[a] != side[b]) cut_both(a, b);
      if (shape == 2 && side[a] != side[b] && !at_center) cut_both(a, b);
      if (shape == 3 && !at_center) cut_both(a, b);
    }
  }
  if (shape == 1) return "two sides";
  return shape == 2 ? "two sides that overlap in one node" : "a star around one node";
}

std::uint32_t Network::cut_at_random(bool one_way, NodeId center, Random& random) {
  std::fill(cut_.begin(), cut_.end(), std::uint8_t{0});
  const std::string_view shape =
      one_way ? cut_one_way(center.value - 1, random) : cut_apart(center.value - 1, random);
  note_cuts(center, shape);
  return ++pattern_;
}

std::uint64_t Network::cut_links() const {
  return static_cast<std::uint64_t>(
      std::count_if(cut_.begin(), cut_.end(), [](std::uint8_t cuts) { return cuts != 0; }));
}

void Network::note_cuts(NodeId center, std::string_view shape) {
  engine_.trace.note({engine_.now, FactKind::network, center.value, cut_links(), 0, 0, shape},
                     [this] { return text_of_cuts(); });
}

// "1|2 3->1": nothing passes between nodes 1 and 2, nor from 3 to 1.
std::string Network::text_of_cuts() const {
  std::string text;
  const auto add = [&text](std::uint32_t from, std::string_view sign, std::uint32_t to) {
    if (!text.empty()) text += ' ';
    text.append(std::to_string(from)).append(sign).append(std::to_string(to));
  };
  for (std::uint32_t a = 1; a <= nodes_; ++a) {
    for (std::uint32_t b = a + 1; b <= nodes_; ++b) {
      const bool there = is_cut(NodeId{a}, NodeId{b});
      const bool back = is_cut(NodeId{b}, NodeId{a});
      if (there && back) add(a, "|", b);
      if (there && !back) add(a, "->", b);
      if (!there && back) add(b, "->", a);
    }
  }
  return text;
}

void Network::repair(std::uint32_t pattern) {
  if (pattern != pattern_) return;
  std::fill(cut_.begin(), cut_.end(), std::uint8_t{0});
  engine_.note(FactKind::network, 0, 0, 0, 0, "whole again");
}

void Network::cut(std::span<const DirectedLink> links, std::string_view why) {
  for (const DirectedLink& each : links) ++cut_[link(each.from, each.to)];
  note_cuts(kNoNode, why);
}

void Network::mend(std::span<const DirectedLink> links) {
  for (const DirectedLink& each : links) {
    std::uint8_t& cuts = cut_[link(each.from, each.to)];
    if (cuts > 0) --cuts;  // none are left once everything has healed
  }
  note_cuts(kNoNode, "some links pass again");
}

void Network::slow(std::span<const DirectedLink> links, const LinkShape& by) {
  for (const DirectedLink& each : links) slower_[link(each.from, each.to)].push_back(by);
  note_cuts(kNoNode, "some links are slow");
}

void Network::speed_up(std::span<const DirectedLink> links, const LinkShape& by) {
  for (const DirectedLink& each : links) {
    std::vector<LinkShape>& slower = slower_[link(each.from, each.to)];
    const auto one = std::ranges::find(slower, by);
    if (one != slower.end()) slower.erase(one);  // none are left once everything has healed
  }
  note_cuts(kNoNode, "some links are quick again");
}

void Network::stall(NodeId from, NodeId to, Duration duration) {
  stalled_until_[link(from, to)] = engine_.now + duration;
  engine_.note(FactKind::stall, from.value, to.value, static_cast<std::uint64_t>(duration.count()));
}

void Network::heal() {
  std::fill(cut_.begin(), cut_.end(), std::uint8_t{0});
  std::fill(stalled_until_.begin(), stalled_until_.end(), Instant{});
  std::fill(last_arrival_.begin(), last_arrival_.end(), Instant{});
  std::fill(slowness_.begin(), slowness_.end(), std::uint8_t{1});
  for (std::vector<LinkShape>& slower : slower_) slower.clear();
  for (LinkShaper& shaper : shapers_) {
    LinkProfile sound = shaper.profile();
    sound.cut = false;
    sound.loss_per_million = 0;
    shaper.set_profile(sound);
  }
  ++pattern_;
}

}  // namespace parley::sim
