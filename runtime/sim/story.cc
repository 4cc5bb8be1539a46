#include "runtime/sim/story.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

namespace parley::sim {
namespace {

constexpr std::size_t kLate = 8192;
constexpr std::size_t kEarly = 1024;
constexpr std::size_t kRemembered = 4;  // messages of a link
constexpr std::size_t kViolations = 3;  // that are looked at
constexpr std::size_t kLines = 60;

// Weights: of what a violation names, of what is told with the last thing that its node heard
// before, of what is kept when messages are not.
constexpr double kNamed = 500;
constexpr double kHasACause = 20;
constexpr double kTurningPoint = 5;

// How much a fact matters: one of weight 3 is as interesting as one of weight 1 that is three times
// nearer to the end.
double weight_of(const Fact& fact) {
  switch (fact.kind) {
    case FactKind::violation:
    case FactKind::heal:
      return 1000;
    case FactKind::status:
      return fact.b == fact.node ? 20 : fact.b == 0 ? 6 : 5;
    case FactKind::network:  // a shape that happens to cut nothing says little
      return fact.a > 0 || fact.node == 0 ? 12 : 1;
    case FactKind::start:
    case FactKind::crash:
    case FactKind::install:
    case FactKind::truncate:
      return 12;
    case FactKind::snapshot:
    case FactKind::no_save:
    case FactKind::no_sync:
    case FactKind::pause:
    case FactKind::resume:
    case FactKind::stall:
      return 4;
    case FactKind::result:
    case FactKind::answer:
    case FactKind::commit:
      return 3;
    case FactKind::clock:
    case FactKind::slow_disk:
      return 0.3;
    default:
      return 1;
  }
}

std::string_view kind_of(const Moment& moment) {
  return std::string_view(moment.words).substr(0, moment.words.find(' '));
}

// Rare kinds of messages say more than common ones.
class Rarity {
 public:
  explicit Rarity(std::span<const Moment> moments) {
    for (const Moment& moment : moments) {
      if (moment.fact.kind != FactKind::send) continue;
      ++counts_[kind_of(moment)];
      ++messages_;
    }
  }
  [[nodiscard]] double of(const Moment& moment) const {
    const auto it = counts_.find(kind_of(moment));
    const double count = it == counts_.end() ? 1 : it->second;
    return std::clamp(messages_ / count / 4, 1.0, 5.0);
  }

 private:
  std::map<std::string_view, double> counts_;
  double messages_ = 0;
};

// How much a message matters.
double weight_of(const Moment& moment, const Rarity& rarity) {
  if (moment.words.empty()) return 0.05;
  return moment.fact.kind == FactKind::send && moment.fact.c != 0 ? 0.5 : rarity.of(moment);
}

bool is_message(const Fact& fact) {
  return fact.kind == FactKind::send || fact.kind == FactKind::delivery ||
         fact.kind == FactKind::lost;
}

}  // namespace

void Named::take(std::string_view text) {
  std::string_view before;  // the word before a number
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" ,:;()'."), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (word.empty()) continue;
    std::uint64_t number = 0;
    const auto [stop, error] = std::from_chars(word.data(), word.data() + word.size(), number);
    if (error == std::errc() && stop == word.data() + word.size()) {
      const bool after_number =
          !before.empty() && before.find_first_not_of("0123456789") == before.npos;
      if (before == "that" || after_number) sequences_.insert(number);
      if (before == "index" || before == "stamp" || before == "at") indices_.insert(number);
      if (before == "client") clients_.insert(number);
      if (before == "cell") cells_.insert(number);
    }
    before = word;
  }
}

bool Named::has(const Fact& fact) const {
  switch (fact.kind) {
    case FactKind::commit:
    case FactKind::install:
    case FactKind::truncate:
      return indices_.contains(fact.a);
    case FactKind::result:
    case FactKind::refused:
    case FactKind::unknown:
      return clients_.contains(fact.a) && sequences_.contains(fact.b);
    case FactKind::answer:
      return clients_.contains(fact.a) && cells_.contains(fact.b);
    case FactKind::applied:
      return cells_.contains(fact.a);
    default:
      return false;
  }
}

Story::Story(std::span<const std::string> violations) {
  for (const std::string& violation : violations.first(std::min(violations.size(), kViolations))) {
    named_.take(violation);
  }
}

// The moments from the one that matters most to the one that matters least.
std::vector<std::size_t> Story::by_importance(std::span<const Moment> moments) const {
  const Rarity rarity(moments);
  std::vector<double> age(moments.size());
  std::map<std::uint32_t, std::size_t> last_arrival;  // by node
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const Fact& fact = moments[i].fact;
    const bool between_nodes = is_message(fact) && !is_client(fact.b);
    double weight = between_nodes ? weight_of(moments[i], rarity) : weight_of(fact);
    if (named_.has(fact)) weight = kNamed;
    age[i] = static_cast<double>(moments.size() - i) / weight;
    if (fact.kind == FactKind::delivery) last_arrival[fact.node] = i;
    const auto cause = last_arrival.find(fact.node);
    if (weight >= kHasACause && cause != last_arrival.end()) {
      age[cause->second] = std::min(age[cause->second], age[i]);
    }
  }
  std::vector<std::size_t> order(moments.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&age](std::size_t a, std::size_t b) { return age[a] < age[b]; });
  return order;
}

// A message repeats if its link carried the same words lately, and its sender has not changed
// since; a copy, if the other one does.
bool Story::repeats(const Fact& fact, std::string_view words) {
  if (fact.kind != FactKind::send) return repeating_.erase(fact.a) > 0;
  std::deque<std::string>& said = said_[{fact.node, fact.b}];
  const bool again = fact.c != 0 ? repeating_.contains(fact.c)
                                 : !words.empty() && std::ranges::find(said, words) != said.end();
  if (again) {
    repeating_.insert(fact.a);
    ++repeats_;
  } else if (fact.c == 0) {
    said.emplace_back(words);
    if (said.size() > kRemembered) said.pop_front();
  }
  return again;
}

void Story::take(const Fact& fact, std::string_view words) {
  if (fact.kind == FactKind::step) return;
  if (fact.kind == FactKind::violation) ++violations_;
  if (violations_ > 0 && (fact.kind != FactKind::violation || violations_ > kViolations)) return;
  if (is_message(fact)) {
    const bool asked = fact.kind == FactKind::delivery && is_client(fact.b);
    if (!asked && (is_client(fact.node) || is_client(fact.b) || repeats(fact, words))) return;
  }
  if (fact.kind == FactKind::status || fact.kind == FactKind::start) {
    for (std::uint32_t to = 1; to <= nodes_; ++to) said_.erase({fact.node, to});
  }
  keep(fact, words);
}

void Story::keep(const Fact& fact, std::string_view words) {
  if (late_.size() == kLate) let_go();
  late_.push_back({fact, std::string(words), {.repeats = repeats_}});
  repeats_ = 0;
}

// The oldest of the late moments becomes an early one or a number.
void Story::let_go() {
  Moment& moment = late_.front();
  let_go_ += moment.before;
  const bool pause = moment.fact.kind == FactKind::pause || moment.fact.kind == FactKind::resume;
  if (!is_message(moment.fact) &&
      (pause || weight_of(moment.fact) >= kTurningPoint || named_.has(moment.fact))) {
    if (early_.size() == kEarly) {
      before_.take(early_.front().fact);
      early_.pop_front();
    }
    early_.push_back(std::move(moment));
    early_.back().before = std::exchange(let_go_, {});
  } else {
    let_go_.add(moment.fact);
  }
  late_.pop_front();
}

std::vector<std::string> Story::lines() const {
  std::vector<Moment> moments(early_.begin(), early_.end());
  moments.insert(moments.end(), late_.begin(), late_.end());
  if (!late_.empty()) moments[early_.size()].before += let_go_;
  const auto partners = find_partners(moments);
  PictureOf picture{nodes_, before_, moments, partners, std::vector<bool>(moments.size())};
  std::vector<std::string> best;
  std::size_t count = 0;
  for (const std::size_t i : by_importance(moments)) {
    picture.chosen[i] = true;
    if (partners[i] != kNoPartner) picture.chosen[partners[i]] = true;
    if (++count % 4 != 0 && count != moments.size()) continue;
    std::vector<std::string> lines = draw(picture);
    if (lines.size() > kLines && !best.empty()) break;
    best = std::move(lines);
  }
  if (violations_ > kViolations) {
    best.push_back(fmt::format("... and {} more violations", violations_ - kViolations));
  }
  return best;
}

std::vector<std::string> tell_story(const Algorithm& algorithm, const OptionValues& values,
                                    const SimOptions& options,
                                    std::span<const std::string> violations) {
  Story story(violations);
  SimOptions again = options;
  again.trace = &story;
  (void)simulate(algorithm, values, again);
  return story.lines();
}

}  // namespace parley::sim
