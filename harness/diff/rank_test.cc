#include "harness/diff/rank_test.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

namespace parley::diff {
namespace {

// Twice the rank of each value of both, so that the mean ranks of ties are whole numbers.
std::vector<std::size_t> double_ranks(std::span<const double> a, std::span<const double> b) {
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  std::vector<double> sorted = all;
  std::ranges::sort(sorted);
  std::vector<std::size_t> ranks;
  for (const double value : all) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    // Ranks first + 1 to last, as distances from the beginning.
    ranks.push_back(
        static_cast<std::size_t>((first - sorted.begin()) + 1 + (last - sorted.begin())));
  }
  return ranks;
}

// How likely each sum of the double ranks of `chosen` of the values is, if all choices are equally
// likely. counts[k][s]: choices of k values with the sum s; as shares, lest they grow too large.
std::vector<double> sums_of_choices(const std::vector<std::size_t>& ranks, std::size_t chosen) {
  std::size_t total = 0;
  for (const std::size_t rank : ranks) total += rank;
  std::vector<std::vector<double>> shares(chosen + 1, std::vector<double>(total + 1, 0.0));
  shares[0][0] = 1;
  std::size_t seen = 0;
  for (const std::size_t rank : ranks) {
    ++seen;
    // The share of choices of k out of `seen` that hold the latest is k / seen.
    for (std::size_t k = std::min(seen, chosen) + 1; k-- > 0;) {
      const double with = static_cast<double>(k) / static_cast<double>(seen);
      for (std::size_t sum = total + 1; sum-- > 0;) {
        double share = k < seen ? shares[k][sum] * (1 - with) : 0;
        if (k > 0 && sum >= rank) share += shares[k - 1][sum - rank] * with;
        shares[k][sum] = share;
      }
    }
  }
  return shares[chosen];
}

double p_value(std::span<const double> a, std::span<const double> b) {
  const std::vector<std::size_t> ranks = double_ranks(a, b);
  const std::vector<double> shares = sums_of_choices(ranks, a.size());
  std::size_t observed = 0;
  for (std::size_t i = 0; i < a.size(); ++i) observed += ranks[i];
  double below = 0;
  double above = 0;
  for (std::size_t sum = 0; sum < shares.size(); ++sum) {
    if (sum <= observed) below += shares[sum];
    if (sum >= observed) above += shares[sum];
  }
  return std::min(1.0, 2 * std::min(below, above));
}

// The interval for the median quotient: the k-th smallest to the k-th largest of all quotients,
// with the largest k that still has the confidence, or 1.
Ratio ratio_of(std::span<const double> a, std::span<const double> b, double confidence) {
  std::vector<double> quotients;
  for (const double x : a) {
    for (const double y : b) quotients.push_back(y / x);
  }
  std::ranges::sort(quotients);
  // Without ties: ranks are 1, 2, ..., and U is the sum of ranks less the smallest one.
  std::vector<std::size_t> ranks;
  for (std::size_t i = 1; i <= a.size() + b.size(); ++i) ranks.push_back(i);
  const std::vector<double> shares = sums_of_choices(ranks, a.size());
  const std::size_t least = a.size() * (a.size() + 1) / 2;
  std::size_t k = 1;
  double tail = shares[least];
  while (2 * (k + 1) <= quotients.size() && 2 * (tail + shares[least + k]) <= 1 - confidence) {
    tail += shares[least + k];
    ++k;
  }
  Ratio ratio;
  const std::size_t middle = quotients.size() / 2;
  ratio.estimate = quotients.size() % 2 == 1 ? quotients[middle]
                                             : std::sqrt(quotients[middle - 1] * quotients[middle]);
  ratio.low = quotients[k - 1];
  ratio.high = quotients[quotients.size() - k];
  ratio.confidence = std::max(0.0, 1 - 2 * tail);
  return ratio;
}

}  // namespace

RankTest compare_samples(std::span<const double> a, std::span<const double> b, double confidence) {
  RankTest test;
  test.p = p_value(a, b);
  double larger = 0;
  for (const double x : a) {
    for (const double y : b) larger += y > x ? 1 : y == x ? 0.5 : 0;
  }
  test.larger = larger / static_cast<double>(a.size() * b.size());
  const auto plain = [](double value) { return std::isfinite(value) && value > 0; };
  if (std::ranges::all_of(a, plain) && std::ranges::all_of(b, plain)) {
    test.ratio = ratio_of(a, b, confidence);
  }
  return test;
}

double smallest_p(std::size_t a, std::size_t b) {
  double choices = 1;
  for (std::size_t i = 1; i <= a; ++i) {
    choices = choices * static_cast<double>(b + i) / static_cast<double>(i);
  }
  return std::min(1.0, 2 / choices);
}

}  // namespace parley::diff
