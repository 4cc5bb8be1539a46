#include "harness/load/workload.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numeric>

#include "harness/load/replay.h"
#include "harness/load/rplace.h"

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

// Draws cells: each equally often, by a Zipf law, or the first few with a share of their own; over
// the cells in an order given by the seed.
class CellChooser {
 public:
  CellChooser(const LoadSpec& spec, const WorkloadSpec& workload)
      : cells_(std::uint64_t{spec.canvas_width} * spec.canvas_height),
        workload_(workload),
        sampler_(cells_, workload.exponent) {
    // rank -> (rank * factor + shift) mod cells is a permutation.
    Random random(mixed(spec.seed));
    do {
      factor_ = 1 + random.below(cells_);
    } while (std::gcd(factor_, cells_) != 1);
    shift_ = random.below(cells_);
  }

  std::uint64_t next(Random& random) const {
    switch (workload_.kind) {
      case WorkloadSpec::Kind::zipf:
        return cell_of(sampler_.draw(random) - 1);
      case WorkloadSpec::Kind::hotspot:
        return cell_of(next_of_hotspot(random));
      default:
        return random.below(cells_);
    }
  }

 private:
  [[nodiscard]] std::uint64_t cell_of(std::uint64_t rank) const {
    return (rank * factor_ + shift_) % cells_;
  }

  std::uint64_t next_of_hotspot(Random& random) const {
    const std::uint64_t hot = workload_.hot_cells;
    const bool is_hot = unit(random) < workload_.hot_share;
    if (is_hot || hot == cells_) return random.below(hot);
    return hot + random.below(cells_ - hot);
  }

  std::uint64_t cells_;
  WorkloadSpec workload_;
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
    const double gaps = spec_.arrivals == Arrivals::constant ? 1 : exponential(random_);
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

// Whether the whole text is one number, which goes to `value`.
template <class Number>
bool read_whole(std::string_view text, Number& value) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc{} && stop == end;
}

void read_exponent(const std::string& text, std::string_view parameter, WorkloadSpec& workload) {
  double& exponent = workload.exponent;
  if (read_whole(parameter, exponent) && exponent > 0 && exponent <= kMaxExponent) return;
  throw LoadError("workload: the exponent of \"" + text + "\" must be above 0 and at most 10");
}

// SHARE or SHARE@CELLS.
void read_hotspot(const std::string& text, std::string_view parameter, WorkloadSpec& workload) {
  const std::size_t at = parameter.find('@');
  const double& share = workload.hot_share;
  if (!read_whole(parameter.substr(0, at), workload.hot_share) || !(share > 0 && share <= 1)) {
    throw LoadError("workload: the share of \"" + text +
                    "\" must be above 0 and at most 1, as in hotspot:0.9@16");
  }
  if (at == std::string_view::npos) return;
  if (!read_whole(parameter.substr(at + 1), workload.hot_cells) || workload.hot_cells == 0) {
    throw LoadError("workload: the hot cells of \"" + text +
                    "\" must be a whole number from 1 on, as in hotspot:0.9@16");
  }
}

}  // namespace

std::uint64_t mixed(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double unit(Random& random) {
  return static_cast<double>(random.bits() >> 11) * 0x1.0p-53;
}

double exponential(Random& random) {
  // 1 - u has no rounding and is never 0; log1p would give the same in twice the time.
  return -std::log(1 - unit(random));
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
  const std::size_t colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  const bool has_parameter = colon != std::string::npos;
  const std::string parameter = has_parameter ? text.substr(colon + 1) : "";
  if (text == "uniform") return workload;
  if (kind == "zipf") {
    workload.kind = WorkloadSpec::Kind::zipf;
    if (has_parameter) read_exponent(text, parameter, workload);
    return workload;
  }
  if (kind == "hotspot") {
    workload.kind = WorkloadSpec::Kind::hotspot;
    if (has_parameter) read_hotspot(text, parameter, workload);
    return workload;
  }
  if (text == "rplace") {
    workload.kind = WorkloadSpec::Kind::rplace;
    return workload;
  }
  if (kind == "replay" && !parameter.empty()) {
    workload.kind = WorkloadSpec::Kind::replay;
    workload.file = parameter;
    return workload;
  }
  throw LoadError("workload: \"" + text +
                  "\" is not one of uniform, zipf, zipf:EXPONENT, hotspot, hotspot:SHARE, "
                  "hotspot:SHARE@CELLS, rplace, replay:FILE");
}

WorkloadSpec parse_workload(const std::string& text, std::uint64_t canvas_cells) {
  WorkloadSpec workload = parse_workload(text);
  if (workload.kind == WorkloadSpec::Kind::hotspot && workload.hot_cells > canvas_cells) {
    throw LoadError("workload: the hot cells of \"" + text + "\" must be at most the " +
                    std::to_string(canvas_cells) + " cells of the canvas, but are " +
                    std::to_string(workload.hot_cells));
  }
  return workload;
}

std::unique_ptr<Source> make_source(const LoadSpec& spec) {
  const WorkloadSpec workload = parse_workload(spec.workload);
  switch (workload.kind) {
    case WorkloadSpec::Kind::replay:
      return std::make_unique<Replay>(spec, workload.file);
    case WorkloadSpec::Kind::rplace:
      return make_rplace_source(spec);
    default:
      return std::make_unique<Synthetic>(spec, workload);
  }
}

bool recorded(std::uint32_t x, std::uint32_t y, double share) {
  if (share >= 1) return true;
  const std::uint64_t hash = mixed((std::uint64_t{x} << 32 | y) + 0x9e3779b97f4a7c15);
  return static_cast<double>(hash >> 11) * 0x1.0p-53 < share;
}

}  // namespace parley::load
