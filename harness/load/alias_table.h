// Draws indices with given probabilities in constant time: Walker's alias method, built after Vose
// ("A linear algorithm for generating random numbers with a given distribution", 1991).
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace parley::load {

class AliasTable {
 public:
  AliasTable() = default;
  // One to 2^16 weights, none negative and their sum above 0; they need not add up to 1.
  explicit AliasTable(std::span<const double> weights) { build(weights); }

  // Replaces the weights; memory is kept.
  void build(std::span<const double> weights);

  // `bits` are 32 random ones: of their product with the number of columns the upper half is a
  // column, and the lower half, still even within it, a side of it. A probability is off by at most
  // 2^-32 for that.
  [[nodiscard]] std::uint32_t draw(std::uint32_t bits) const {
    const std::uint64_t product = bits * std::uint64_t{columns_.size()};
    const auto index = static_cast<std::uint32_t>(product >> 32);
    const Column& column = columns_[index];
    return static_cast<std::uint32_t>(product) < column.own ? index : column.alias;
  }

 private:
  struct Column {
    std::uint32_t own = 0;  // of the 2^32 lower halves, those that mean the column itself
    std::uint32_t alias = 0;
  };
  std::vector<Column> columns_;
  std::vector<double> share_;         // while building: of a column, 1 being full
  std::vector<std::uint32_t> small_;  // columns that are not full
  std::vector<std::uint32_t> large_;  // columns with more than their own
};

}  // namespace parley::load
