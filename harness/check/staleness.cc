#include "harness/check/staleness.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <tuple>
#include <utility>

namespace parley::history {
namespace {

constexpr std::size_t kDraws = 100'000;
constexpr double kEndless = std::numeric_limits<double>::infinity();
// Of the curve's bins: the first one begins at nothing.
constexpr double kFirstEdgeMs = 0.01;
constexpr int kEdgesPerDecade = 8;
constexpr int kEdges = 7 * kEdgesPerDecade;

double ms_between(std::int64_t from_ns, std::int64_t to_ns) {
  return static_cast<double>(to_ns - from_ns) / 1e6;
}

// To two digits.
std::uint64_t rounded_up(std::uint64_t value) {
  std::uint64_t unit = 1;
  while (value / unit > 99) unit *= 10;
  return (value + unit - 1) / unit * unit;
}

// Keeps a uniform sample of what is offered (algorithm R: Vitter, "Random Sampling with a
// Reservoir", TOMS 1985).
template <class Item>
class Reservoir {
 public:
  Reservoir(std::vector<Item>& kept, std::size_t size, std::uint64_t seed)
      : kept_(kept), size_(size), random_(seed) {}
  void offer(Item item) {
    ++offered_;
    if (kept_.size() < size_) {
      kept_.push_back(item);
    } else if (const std::uint64_t place = random_.below(offered_); place < size_) {
      kept_[place] = item;
    }
  }

 private:
  std::vector<Item>& kept_;
  std::size_t size_;
  Random random_;
  std::uint64_t offered_ = 0;
};

}  // namespace

void Staleness::turn_stale(double ms, std::uint64_t versions) {
  ++stale_;
  const double place = std::ceil(kPerDecade * std::log10(ms / kLeastMs));
  ++by_ms_[static_cast<std::size_t>(std::clamp(place, 0.0, double{kBins - 1}))];
  ++by_versions_[rounded_up(versions)];
}

double Staleness::ms_at(double share) const {
  const double wanted = share * static_cast<double>(reads_);
  std::uint64_t below = fresh();
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (static_cast<double>(below) >= wanted) {
      return bin == 0 ? 0 : kLeastMs * std::pow(10, static_cast<double>(bin - 1) / kPerDecade);
    }
    below += by_ms_[bin];
  }
  return kLeastMs * std::pow(10, static_cast<double>(kBins - 1) / kPerDecade);
}

std::uint64_t Staleness::versions_at(double share) const {
  const double wanted = share * static_cast<double>(reads_);
  std::uint64_t below = fresh();
  std::uint64_t at_most = 0;
  for (const auto& [versions, reads] : by_versions_) {
    if (static_cast<double>(below) >= wanted) break;
    below += reads;
    at_most = versions;
  }
  return at_most;
}

std::string Staleness::csv() const {
  std::string text = "unit,at_most,reads,share\n";
  if (reads_ == 0) return text;
  const auto line = [&](std::string_view unit, double at_most, std::uint64_t reads) {
    fmt::format_to(std::back_inserter(text), "{},{:.6g},{},{:.6g}\n", unit, at_most, reads,
                   static_cast<double>(reads) / static_cast<double>(reads_));
  };
  std::uint64_t below = fresh();
  line("ms", 0, below);
  for (std::size_t bin = 0; bin < kBins; ++bin) {
    if (by_ms_[bin] == 0) continue;
    below += by_ms_[bin];
    line("ms", kLeastMs * std::pow(10, static_cast<double>(bin) / kPerDecade), below);
  }
  below = fresh();
  line("versions", 0, below);
  for (const auto& [versions, reads] : by_versions_) {
    below += reads;
    line("versions", static_cast<double>(versions), below);
  }
  return text;
}

Visibility::Visibility(const WarsLegs& legs, std::uint64_t seed) {
  Random random(seed);
  const auto draw = [&random](const std::vector<double>& samples) {
    return samples[random.below(samples.size())];
  };
  needed_ms_.reserve(kDraws);
  for (std::size_t i = 0; i < kDraws; ++i) {
    const bool at_origin = random.below(legs.replicas) == 0;
    const double write = at_origin ? 0 : draw(legs.write);
    const double ack = draw(legs.ack);
    const double read = draw(legs.read);
    needed_ms_.push_back(write - ack - read);
  }
  std::sort(needed_ms_.begin(), needed_ms_.end());
}

double Visibility::within(double t_ms) const {
  const auto above = std::upper_bound(needed_ms_.begin(), needed_ms_.end(), t_ms);
  return static_cast<double>(above - needed_ms_.begin()) / static_cast<double>(needed_ms_.size());
}

VisibilityCurve::VisibilityCurve(std::optional<Visibility> predicted)
    : predicted_(std::move(predicted)) {
  double low = 0;
  for (int edge = 0; edge <= kEdges; ++edge) {
    const double high = kFirstEdgeMs * std::pow(10, static_cast<double>(edge) / kEdgesPerDecade);
    bins_.push_back({.low_ms = low, .high_ms = high});
    low = high;
  }
}

void VisibilityCurve::add(double t_ms, bool seen) {
  const auto at = std::find_if(bins_.begin(), bins_.end() - 1,
                               [t_ms](const VisibilityBin& bin) { return t_ms < bin.high_ms; });
  ++reads_;
  ++at->reads;
  if (seen) ++at->seen;
  if (predicted_) at->predicted += predicted_->within(t_ms);
}

std::vector<VisibilityBin> VisibilityCurve::bins() const {
  std::vector<VisibilityBin> bins = bins_;
  for (VisibilityBin& bin : bins) {
    if (bin.reads > 0) {
      bin.predicted /= static_cast<double>(bin.reads);
    } else if (predicted_) {
      bin.predicted = predicted_->within((bin.low_ms + bin.high_ms) / 2);
    }
  }
  return bins;
}

std::string visibility_csv(std::span<const VisibilityBin> bins, bool predicted) {
  std::string text = "t_ms_low,t_ms_high,reads,seen,predicted\n";
  for (const VisibilityBin& bin : bins) {
    fmt::format_to(std::back_inserter(text), "{:.6g},{:.6g},{},{},{}\n", bin.low_ms, bin.high_ms,
                   bin.reads, bin.seen, predicted ? fmt::format("{:.6g}", bin.predicted) : "");
  }
  return text;
}

Propagation::Propagation(const RecordTable& table, std::uint64_t seed) : table_(table) {
  Reservoir<RecordIndex> writes(sample_, kSample, seed);
  Reservoir<double> reads(read_legs_ms_, kSample, seed);
  for (RecordIndex i = 0; i < table.size(); ++i) {
    const Record& record = table[i];
    if (record.is_ok_write() && record.version != Stamp{}) writes.offer(i);
    if (record.is_ok_read() && record.read_mode == ReadMode::local) {
      reads.offer(ms_between(record.invoke_ns, record.return_ns) / 2);
    }
  }
  std::sort(sample_.begin(), sample_.end(), [&table](RecordIndex left, RecordIndex right) {
    const Record& a = table[left];
    const Record& b = table[right];
    return std::tie(a.cell, a.version) < std::tie(b.cell, b.version);
  });
  for (std::uint32_t place = 0; place < sample_.size(); ++place) {
    const Range fresh{place, place, place};
    cells_.try_emplace(table[sample_[place]].cell, fresh).first->second.end = place + 1;
  }
}

void Propagation::begin(std::uint32_t node) {
  Journal& journal = journals_.emplace_back();
  journal.node = node;
  journal.t_ns.assign(sample_.size(), kNoTime);
  for (auto& [cell, range] : cells_) range.next = range.begin;
}

void Propagation::applied(std::uint32_t cell, Stamp stamp, std::int64_t t_ns) {
  const auto known = cells_.find(cell);
  if (known == cells_.end()) return;
  Range& range = known->second;
  for (; range.next < range.end && table_[sample_[range.next]].version <= stamp; ++range.next) {
    journals_.back().t_ns[range.next] = t_ns;
  }
}

void Propagation::add_write(const Record& write, std::size_t place,
                            std::span<const std::uint32_t> live, WarsLegs& legs) const {
  const auto origin = std::find_if(journals_.begin(), journals_.end(), [&](const Journal& journal) {
    return journal.node == write.node;
  });
  if (origin == journals_.end() || origin->t_ns[place] == kNoTime) return;
  const std::int64_t from_ns = origin->t_ns[place];
  legs.ack.push_back(ms_between(from_ns, write.return_ns));
  for (const Journal& journal : journals_) {
    if (journal.node == write.node) continue;
    if (!std::binary_search(live.begin(), live.end(), journal.node)) continue;
    const std::int64_t to_ns = journal.t_ns[place];
    if (to_ns != kNoTime) {
      legs.write.push_back(ms_between(from_ns, to_ns));
    } else if (!journal.restored) {
      legs.write.push_back(kEndless);
    }
  }
}

WarsLegs Propagation::legs(std::span<const std::uint32_t> live) const {
  WarsLegs legs;
  legs.replicas = std::max<std::size_t>(live.size(), 1);
  legs.read = read_legs_ms_;
  for (std::size_t place = 0; place < sample_.size(); ++place) {
    add_write(table_[sample_[place]], place, live, legs);
  }
  return legs;
}

}  // namespace parley::history
