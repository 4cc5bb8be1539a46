#include "harness/load/workload.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "harness/load/replay.h"

namespace parley::load {
namespace {

constexpr double kNsPerSecond = 1e9;
constexpr double kMaxExponent = 10;

// (e^t - 1) / t and ln(1 + t) / t, also where t is next to 0: exponents next to 1 lead there.
double expm1_over(double t) {
  return std::abs(t) < 1e-8 ? 1 + t / 2 : std::expm1(t) / t;
}
double log1p_over(double t) {
  return std::abs(t) < 1e-8 ? 1 - t / 2 : std::log1p(t) / t;
}

// Mixes all bits of x (the finaliser of SplitMix64: Steele, Lea and Flood, OOPSLA 2014).
std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Draws cells: each equally often, or by a Zipf law over the cells in an order given by the seed.
class CellChooser {
 public:
  CellChooser(const LoadSpec& spec, const WorkloadSpec& workload)
      : cells_(std::uint64_t{spec.canvas_width} * spec.canvas_height),
        zipf_(workload.kind == WorkloadSpec::Kind::zipf),
        sampler_(cells_, workload.exponent) {
    // rank -> (rank * factor + shift) mod cells is a permutation.
    Random random(mixed(spec.seed));
    do {
      factor_ = 1 + random.below(cells_);
    } while (std::gcd(factor_, cells_) != 1);
    shift_ = random.below(cells_);
  }

  std::uint64_t next(Random& random) const {
    if (!zipf_) return random.below(cells_);
    return ((sampler_.draw(random) - 1) * factor_ + shift_) % cells_;
  }

 private:
  std::uint64_t cells_;
  bool zipf_;
  ZipfSampler sampler_;
  std::uint64_t factor_ = 1;
  std::uint64_t shift_ = 0;
};

class Synthetic final : public Source {
 public:
  Synthetic(const LoadSpec& spec, const WorkloadSpec& workload)
      : spec_(spec),
        chooser_(spec, workload),
        random_(spec.seed),
        mean_gap_ns_(kNsPerSecond * spec.batch / spec.rate) {
    advance();
  }

  [[nodiscard]] std::int64_t due_ns() const override { return static_cast<std::int64_t>(due_ns_); }

  Message take(std::span<canvas::Place> places) override {
    Message message;
    message.due_ns = due_ns();
    message.client = client_;
    if (++client_ == spec_.clients) client_ = 0;
    message.is_read = spec_.read_share > 0 && unit(random_) < spec_.read_share;
    for (canvas::Place& place : places) {
      const auto cell = static_cast<std::uint32_t>(chooser_.next(random_));
      const auto color = static_cast<std::uint32_t>(random_.bits() >> 40);
      place = {static_cast<std::uint16_t>(cell % spec_.canvas_width),
               static_cast<std::uint16_t>(cell / spec_.canvas_width), color, message.client + 1};
    }
    advance();
    return message;
  }

 private:
  void advance() {
    if (spec_.loop == Loop::closed) return;
    const double gaps = spec_.arrivals == Arrivals::constant ? 1 : -std::log1p(-unit(random_));
    due_ns_ += gaps * mean_gap_ns_;
  }

  LoadSpec spec_;
  CellChooser chooser_;
  Random random_;
  double mean_gap_ns_;
  double due_ns_ = 0;
  std::uint32_t client_ = 0;
};

class Replay final : public Source {
 public:
  Replay(const LoadSpec& spec, const std::string& file) : spec_(spec), reader_(file) { advance(); }

  [[nodiscard]] std::int64_t due_ns() const override { return due_ns_; }

  Message take(std::span<canvas::Place> places) override {
    Message message;
    message.due_ns = due_ns_;
    // A user stays on one session, so that its placements keep their order.
    message.client = static_cast<std::uint32_t>(mixed(next_.user) % spec_.clients);
    places.front() = {static_cast<std::uint16_t>(next_.x), static_cast<std::uint16_t>(next_.y),
                      next_.color, static_cast<std::uint32_t>(next_.user)};
    advance();
    return message;
  }

  [[nodiscard]] ReplayFigures replay_figures() const override {
    ReplayFigures figures = figures_;
    figures.lines = reader_.lines();
    figures.moderation = reader_.moderation();
    figures.malformed = reader_.malformed();
    figures.examples = reader_.examples();
    return figures;
  }

 private:
  void advance() {
    while (const auto placement = reader_.next()) {
      if (placement->x >= spec_.canvas_width || placement->y >= spec_.canvas_height) {
        ++figures_.outside;
        continue;
      }
      next_ = *placement;
      if (figures_.placements++ == 0) {
        first_ms_ = next_.t_ms;
        latest_ms_ = next_.t_ms;
      }
      if (next_.t_ms < latest_ms_) ++figures_.out_of_order;
      latest_ms_ = std::max(latest_ms_, next_.t_ms);
      const double ms = static_cast<double>(latest_ms_ - first_ms_) / spec_.replay_speed;
      due_ns_ = static_cast<std::int64_t>(ms * 1e6);
      return;
    }
    figures_.finished = true;
    due_ns_ = kNoMore;
  }

  LoadSpec spec_;
  ReplayReader reader_;
  ReplayFigures figures_;
  LoggedPlacement next_;
  std::int64_t first_ms_ = 0;
  std::int64_t latest_ms_ = 0;
  std::int64_t due_ns_ = 0;
};

}  // namespace

double unit(Random& random) {
  return static_cast<double>(random.bits() >> 11) * 0x1.0p-53;
}

ZipfSampler::ZipfSampler(std::uint64_t count, double exponent)
    : count_(static_cast<double>(count)), exponent_(exponent) {
  low_ = integral(1.5) - 1;
  high_ = integral(count_ + 0.5);
  cut_ = 2 - integral_inverse(integral(2.5) - hat(2));
}

double ZipfSampler::hat(double x) const {
  return std::exp(-exponent_ * std::log(x));
}

// The integral of the hat from 1 to x, and its inverse.
double ZipfSampler::integral(double x) const {
  const double log_x = std::log(x);
  return expm1_over((1 - exponent_) * log_x) * log_x;
}

double ZipfSampler::integral_inverse(double y) const {
  // Rounding may bring the argument of the logarithm below 0.
  const double t = std::max((1 - exponent_) * y, -1.0);
  return std::exp(log1p_over(t) * y);
}

std::uint64_t ZipfSampler::draw(Random& random) const {
  for (;;) {
    const double y = high_ + unit(random) * (low_ - high_);
    const double x = integral_inverse(y);
    const double rank = std::clamp(std::floor(x + 0.5), 1.0, count_);
    if (rank - x <= cut_ || y >= integral(rank + 0.5) - hat(rank)) {
      return static_cast<std::uint64_t>(rank);
    }
  }
}

WorkloadSpec parse_workload(const std::string& text) {
  WorkloadSpec workload;
  if (text == "uniform") return workload;
  if (text == "zipf" || text.starts_with("zipf:")) {
    workload.kind = WorkloadSpec::Kind::zipf;
    if (text == "zipf") return workload;
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + 5, end, workload.exponent);
    if (error == std::errc{} && stop == end && workload.exponent > 0 &&
        workload.exponent <= kMaxExponent) {
      return workload;
    }
    throw LoadError("workload: the exponent of \"" + text + "\" must be above 0 and at most 10");
  }
  if (text.starts_with("replay:") && text.size() > 7) {
    workload.kind = WorkloadSpec::Kind::replay;
    workload.file = text.substr(7);
    return workload;
  }
  throw LoadError("workload: \"" + text +
                  "\" is not known; allowed are uniform, zipf, zipf:EXPONENT and replay:FILE");
}

std::unique_ptr<Source> make_source(const LoadSpec& spec) {
  const WorkloadSpec workload = parse_workload(spec.workload);
  if (workload.kind == WorkloadSpec::Kind::replay) {
    return std::make_unique<Replay>(spec, workload.file);
  }
  return std::make_unique<Synthetic>(spec, workload);
}

bool recorded(std::uint32_t x, std::uint32_t y, double share) {
  if (share >= 1) return true;
  const std::uint64_t hash = mixed((std::uint64_t{x} << 32 | y) + 0x9e3779b97f4a7c15);
  return static_cast<double>(hash >> 11) * 0x1.0p-53 < share;
}

}  // namespace parley::load
