#include "harness/load/alias_table.h"

#include <algorithm>
#include <numeric>

namespace parley::load {

void AliasTable::build(std::span<const double> weights) {
  const std::size_t count = weights.size();
  const double scale =
      static_cast<double>(count) / std::accumulate(weights.begin(), weights.end(), 0.0);
  columns_.resize(count);
  share_.resize(count);
  small_.clear();
  large_.clear();
  for (std::uint32_t i = 0; i < count; ++i) {
    share_[i] = weights[i] * scale;
    columns_[i] = {0, i};
    (share_[i] < 1 ? small_ : large_).push_back(i);
  }
  // What is left over in the end is full but for rounding: its alias is the column itself.
  while (!small_.empty() && !large_.empty()) {
    const std::uint32_t low = small_.back();
    const std::uint32_t high = large_.back();
    small_.pop_back();
    columns_[low] = {static_cast<std::uint32_t>(std::max(share_[low], 0.0) * 0x1p32), high};
    share_[high] -= 1 - share_[low];
    if (share_[high] < 1) {
      large_.pop_back();
      small_.push_back(high);
    }
  }
}

}  // namespace parley::load
