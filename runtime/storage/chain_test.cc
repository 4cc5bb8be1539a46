#include "runtime/storage/chain.h"

#include <gtest/gtest.h>

#include <array>

namespace parley {
namespace {

Bytes bytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

TEST(Chain, CoversContentsPlaceAndPredecessor) {
  const ChainSum sum = chain_sum(7, LogIndex{3}, bytes("head"), bytes("body"));
  EXPECT_EQ(sum, chain_sum(7, LogIndex{3}, bytes("head"), bytes("body")));
  EXPECT_NE(sum, chain_sum(8, LogIndex{3}, bytes("head"), bytes("body")));
  EXPECT_NE(sum, chain_sum(7, LogIndex{4}, bytes("head"), bytes("body")));
  EXPECT_NE(sum, chain_sum(7, LogIndex{3}, bytes("heae"), bytes("body")));
  EXPECT_NE(sum, chain_sum(7, LogIndex{3}, bytes("head"), bytes("bodz")));
  EXPECT_NE(sum, chain_sum(7, LogIndex{3}, bytes("headb"), bytes("ody")))
      << "the border between header and body is covered";
}

TEST(Chain, AnEmptyPartIsTheSameWhereverItPoints) {
  EXPECT_EQ(chain_sum(7, LogIndex{3}, bytes("head"), Bytes()),
            chain_sum(7, LogIndex{3}, bytes("head"), bytes("body").first(0)));
  EXPECT_NE(chain_sum(7, LogIndex{3}, bytes("head"), Bytes()),
            chain_sum(7, LogIndex{3}, bytes("heaf"), Bytes()));
}

TEST(Chain, SeesEveryFlippedBit) {
  std::array<std::byte, 24> body{};
  const ChainSum sum = chain_sum(1, LogIndex{1}, {}, body);
  for (std::size_t bit = 0; bit < body.size() * 8; ++bit) {
    body[bit / 8] ^= std::byte{1} << (bit % 8);
    EXPECT_NE(chain_sum(1, LogIndex{1}, {}, body), sum) << bit;
    body[bit / 8] ^= std::byte{1} << (bit % 8);
  }
}

}  // namespace
}  // namespace parley
