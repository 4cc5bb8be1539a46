#include "harness/load/rplace.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace parley::load {
namespace {

constexpr double kCooldown = event::kCooldownHours / event::kHours;  // of the event
constexpr double kHalfHour = 0.5 / event::kHours;
constexpr int kTriesForAUser = 8;
static_assert(event::kBlocksASide <= 256, "a block is two bytes: its row and its column");

double normal_above(double z) {
  return std::erfc(z / std::numbers::sqrt2) / 2;
}

// The z above which that share of a normal distribution lies.
double normal_quantile(double share_above) {
  double low = -9;
  double high = 9;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (normal_above(middle) > share_above ? low : high) = middle;
  }
  return low;
}

// The z between which lie `parts` equal parts of a normal distribution, the highest first.
std::vector<double> normal_edges(std::uint32_t parts) {
  std::vector<double> edges;
  for (std::uint32_t i = 1; i < parts; ++i) edges.push_back(normal_quantile(1.0 * i / parts));
  return edges;
}

// How much each of these parts weighs, if the logarithm of a weight is `sigma` times its z.
std::vector<double> log_normal_shares(std::span<const double> edges, double sigma) {
  std::vector<double> shares;
  double above = 0;
  for (const double z : edges) {
    const double next = normal_above(z - sigma);
    shares.push_back(next - above);
    above = next;
  }
  shares.push_back(1 - above);
  return shares;
}

std::vector<std::uint16_t> edges_of(std::uint32_t cells, std::uint32_t parts) {
  std::vector<std::uint16_t> edges(parts + 1);
  for (std::uint32_t i = 0; i <= parts; ++i) {
    edges[i] = static_cast<std::uint16_t>(std::uint64_t{i} * cells / parts);
  }
  return edges;
}

// Uniform in [0, bound) from 32 random bits. The bias, at most bound / 2^32, is far below what any
// run could show.
std::uint32_t scaled(std::uint64_t bits, std::uint32_t bound) {
  return static_cast<std::uint32_t>((bits & UINT32_MAX) * bound >> 32);
}

// A draw of 64 random bits is enough for two small choices.
std::uint32_t upper_half(std::uint64_t bits) {
  return static_cast<std::uint32_t>(bits >> 32);
}

std::uint32_t lower_half(std::uint64_t bits) {
  return static_cast<std::uint32_t>(bits);
}

}  // namespace

// --- time ---

EventClock::EventClock(double start) : position_(start) {
  if (start >= 0) enter(0);
}

void EventClock::enter(std::uint32_t half_hour) {
  half_hour_ = half_hour;
  end_ = lap_ + (half_hour + 1) * kHalfHour;
  pace_ = 1000.0 / event::half_hours()[half_hour].rate_per_mille;
}

void EventClock::advance(double share) {
  const auto half_hours = static_cast<std::uint32_t>(event::half_hours().size());
  for (;;) {
    const double left = std::max(end_ - position_, 0.0);
    if (share * pace_ < left) {
      position_ += share * pace_;
      return;
    }
    share -= left / pace_;
    const bool warming_up = end_ == 0;
    position_ = end_;
    if (half_hour_ + 1 == half_hours) lap_ = end_;
    enter(warming_up ? 0 : (half_hour_ + 1) % half_hours);
  }
}

// --- cells ---

EventCells::EventCells(std::uint32_t width, std::uint32_t height, std::uint64_t seed)
    : column_edges_(edges_of(width, std::min(width, event::kBlocksASide))),
      row_edges_(edges_of(height, std::min(height, event::kBlocksASide))),
      turns_(mixed(seed)) {
  const auto columns = static_cast<std::uint32_t>(column_edges_.size() - 1);
  const std::uint32_t count = columns * static_cast<std::uint32_t>(row_edges_.size() - 1);
  for (std::uint32_t block = 0; block < count; ++block) {
    blocks_.push_back(static_cast<std::uint16_t>(block / columns << 8 | block % columns));
    const std::uint64_t at = turns_.below(block + 1);
    std::swap(blocks_.back(), blocks_[at]);
  }
  make_classes(count);
  make_hot_pixels(count);
  enter(0);
}

// 50 classes of 800 blocks: the part that moves varies more and needs the finer steps.
void EventCells::make_classes(std::uint32_t count) {
  const auto classes = std::max(1U, static_cast<std::uint32_t>(std::sqrt(count)) / 4);
  std::uint32_t largest = 0;
  for (std::uint32_t i = 0; i < classes; ++i) {
    Class made;
    made.first = i * count / classes;
    made.size = (i + 1) * count / classes - made.first;
    made.turn = static_cast<std::uint32_t>(turns_.below(made.size));
    largest = std::max(largest, made.size);
    classes_.push_back(made);
  }
  std::vector<double> shares = log_normal_shares(normal_edges(classes), event::kPersistentSigma);
  shares.push_back(event::kHotShare / (1 - event::kHotShare));
  classes_or_hot_.build(shares);
  member_edges_ = normal_edges(largest);
}

// In blocks all over the canvas: the order of the blocks is random already.
void EventCells::make_hot_pixels(std::uint32_t count) {
  const std::uint32_t pixels = std::min(event::kHotPixels, count);
  std::vector<double> weights;
  for (std::uint32_t i = 0; i < pixels; ++i) {
    weights.push_back(std::pow(i + 1, -event::kHotExponent));
    hot_.push_back(cell_in(blocks_[i * count / pixels], turns_.bits()));
  }
  hot_ranks_.build(weights);
}

void EventCells::change(std::uint32_t half_hour) {
  half_hour_ = half_hour;
  const double sigma = event::half_hours()[half_hour].moving_per_mille / 1000.0;
  moving_.build(log_normal_shares(member_edges_, sigma));
  for (std::uint32_t i = 0; i < classes_.size(); ++i) {
    if ((half_hour + i) % event::kMovesAfter != 0) continue;
    classes_[i].turn = static_cast<std::uint32_t>(turns_.below(classes_[i].size));
  }
}

Cell EventCells::cell_in(std::uint16_t block, std::uint64_t bits) const {
  const std::uint32_t column = block & 0xFFU;
  const std::uint32_t row = block >> 8U;
  const std::uint32_t left = column_edges_[column];
  const std::uint32_t top = row_edges_[row];
  return {static_cast<std::uint16_t>(left + scaled(bits >> 32, column_edges_[column + 1] - left)),
          static_cast<std::uint16_t>(top + scaled(bits, row_edges_[row + 1] - top))};
}

Cell EventCells::next(Random& random) const {
  const std::uint64_t bits = random.bits();
  const std::uint32_t rank = lower_half(bits);
  const std::uint32_t drawn = classes_or_hot_.draw(upper_half(bits));
  if (drawn == classes_.size()) return hot_[hot_ranks_.draw(rank)];
  const Class& one = classes_[drawn];
  // A class may be one smaller than the largest; its last two ranks are one.
  std::uint32_t member = std::min(moving_.draw(rank), one.size - 1) + one.turn;
  if (member >= one.size) member -= one.size;
  const std::uint64_t within = random.bits();
  return cell_in(blocks_[one.first + member], within);
}

// --- users ---

EventUsers::EventUsers(double placements) {
  double per_million = 0;
  for (const event::UserGroup& group : event::user_groups()) {
    per_million += 1.0 * group.placements * group.users_per_million;
  }
  // Users by whom the groups make up all placements; a number has 32 bits, and newcomers need some.
  const double millions = std::min(placements / per_million, 4000.0);
  double users = 0;
  std::vector<double> weights;
  for (const event::UserGroup& group : event::user_groups()) {
    const auto first = static_cast<std::uint32_t>(std::lround(users));
    users += group.users_per_million * millions;
    const auto size = static_cast<std::uint32_t>(std::lround(users)) - first;
    if (size == 0) continue;
    Group made{.first = first + 1, .size = size, .batch = (size + kBatches - 1) / kBatches};
    made.last.fill(-HUGE_VAL);
    groups_.push_back(made);
    weights.push_back(1.0 * size * group.placements);
  }
  newcomer_ += static_cast<std::uint32_t>(std::lround(users));
  if (!groups_.empty()) shares_.build(weights);
}

std::uint32_t EventUsers::next(double position, std::uint32_t bits, Random& random) {
  for (int i = 0; i < kTriesForAUser && !groups_.empty(); ++i) {
    if (i > 0) bits = upper_half(random.bits());
    Group& group = groups_[shares_.draw(bits)];
    double& last = group.last[group.at];
    // All of a batch have rested when the last one of it has.
    if (group.placed == 0 && position - last < kCooldown) continue;
    last = position;
    const std::uint32_t turn = group.at * group.batch + group.placed;
    if (++group.placed == group.batch || turn + 1 == group.size) {
      group.placed = 0;
      group.at = turn + 1 == group.size ? 0 : group.at + 1;
    }
    return group.first + turn;
  }
  // Everybody rests, as may happen among few: somebody new comes.
  return newcomer_++;
}

// --- the load ---

namespace {

class Rplace final : public Source {
 public:
  explicit Rplace(const LoadSpec& spec)
      : spec_(spec),
        closed_(spec.loop == Loop::closed),
        placements_(closed_ ? event::kPlacements : spec.rate * seconds_of(spec.duration)),
        gap_(spec.batch / placements_),
        clock_(closed_ ? 0 : -seconds_of(spec.warmup) / seconds_of(spec.duration)),
        cells_(spec.canvas_width, spec.canvas_height, spec.seed),
        users_(placements_ * (1 - spec.read_share)),
        random_(spec.seed) {
    std::vector<double> shares;
    for (const event::ColorShare& color : event::colors()) shares.push_back(color.per_million);
    colors_.build(shares);
    if (!closed_) advance();
  }

  [[nodiscard]] std::int64_t due_ns() const override { return due_ns_; }

  Message take(std::span<canvas::Place> places) override {
    Message message;
    message.due_ns = due_ns_;
    message.is_read = spec_.read_share > 0 && unit(random_) < spec_.read_share;
    cells_.enter(clock_.half_hour());
    for (canvas::Place& place : places) {
      const Cell cell = cells_.next(random_);
      const std::uint64_t bits = random_.bits();
      const std::uint32_t color = event::colors()[colors_.draw(lower_half(bits))].rgb;
      std::uint32_t user = 0;
      if (!message.is_read) user = users_.next(clock_.position(), upper_half(bits), random_);
      place = {cell.x, cell.y, color, user};
    }
    // A user stays on one session; who only reads has none.
    const std::uint64_t whose = message.is_read ? random_.bits() : mixed(places.front().user());
    message.client = scaled(whose, spec_.clients);
    advance();
    return message;
  }

 private:
  static double seconds_of(Duration time) { return static_cast<double>(time.count()) / 1e9; }

  void advance() {
    const bool even = closed_ || spec_.arrivals == Arrivals::constant;
    clock_.advance(even ? gap_ : gap_ * exponential(random_));
    if (closed_) return;
    const auto duration_ns = static_cast<double>(spec_.duration.count());
    due_ns_ = spec_.warmup.count() + std::llround(clock_.position() * duration_ns);
  }

  LoadSpec spec_;
  bool closed_;
  double placements_;  // of a whole event, reads among them
  double gap_;         // the mean from one message to the next, of the event
  std::int64_t due_ns_ = 0;
  EventClock clock_;
  EventCells cells_;
  EventUsers users_;
  AliasTable colors_;
  Random random_;
};

}  // namespace

std::unique_ptr<Source> make_rplace_source(const LoadSpec& spec) {
  return std::make_unique<Rplace>(spec);
}

}  // namespace parley::load
