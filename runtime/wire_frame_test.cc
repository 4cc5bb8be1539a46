#include "runtime/wire_frame.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string_view>

#include "algorithms/contract/random.h"

namespace parley {
namespace {

constexpr std::size_t kLimit = 1024;

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

std::vector<std::byte> first_part(const WireHeader& header, std::string_view own) {
  std::vector<std::byte> part(sizeof(header) + own.size());
  std::memcpy(part.data(), &header, sizeof(header));
  std::memcpy(part.data() + sizeof(header), own.data(), own.size());
  return part;
}

WireHeader header_for(std::string_view own, std::string_view body) {
  WireHeader header;
  header.group = 9;
  header.from = 2;
  header.incarnation = 77;
  header.header_size = static_cast<std::uint32_t>(own.size());
  header.body_size = static_cast<std::uint32_t>(body.size());
  return header;
}

FrameFault check(const std::vector<std::byte>& first, std::string_view second) {
  WireHeader header;
  return check_parts(second.empty() ? 1 : 2, first, bytes_of(second), kLimit, header);
}

TEST(WireFrame, CarriesHeaderAndBodyAligned) {
  const auto first = first_part(header_for("hello", "the body"), "hello");
  // Received bytes may stand anywhere: one byte off here.
  std::vector<std::byte> shifted(first.size() + 1);
  std::memcpy(shifted.data() + 1, first.data(), first.size());
  const Bytes received = Bytes(shifted).subspan(1);
  WireHeader header;
  ASSERT_EQ(check_parts(2, received, bytes_of("the body"), kLimit, header), FrameFault::none);
  Frame frame;
  copy_parts(header, received, bytes_of("the body"), frame);
  EXPECT_EQ(frame.group, GroupId{9});
  EXPECT_EQ(frame.from, NodeId{2});
  EXPECT_EQ(frame.incarnation, Incarnation{77});
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(frame.header.data()), 5), "hello");
  EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(frame.body.data()), 8), "the body");
  EXPECT_EQ(frame.header.size(), 5u);
  EXPECT_EQ(frame.body.size(), 8u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame.header.data()) % 8, 0u);
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(frame.body.data()) % 8, 0u);
}

TEST(WireFrame, CarriesEmptyParts) {
  const auto first = first_part(header_for("", ""), "");
  WireHeader header;
  ASSERT_EQ(check_parts(1, first, {}, kLimit, header), FrameFault::none);
  Frame frame;
  copy_parts(header, first, {}, frame);
  EXPECT_TRUE(frame.header.empty());
  EXPECT_TRUE(frame.body.empty());
}

TEST(WireFrame, RefusesEveryTruncation) {
  const auto whole = first_part(header_for("header", "body"), "header");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_EQ(check(cut, "body"), FrameFault::malformed) << size;
  }
  EXPECT_EQ(check(whole, "bod"), FrameFault::malformed);
  EXPECT_EQ(check(whole, ""), FrameFault::malformed);
  EXPECT_EQ(check(whole, "body"), FrameFault::none);
}

TEST(WireFrame, RefusesOtherMagicVersionAndFlags) {
  WireHeader header = header_for("", "");
  header.magic ^= 1;
  EXPECT_EQ(check(first_part(header, ""), ""), FrameFault::malformed);
  header = header_for("", "");
  ++header.version;
  EXPECT_EQ(check(first_part(header, ""), ""), FrameFault::malformed);
  header = header_for("", "");
  header.forgets = 2;
  EXPECT_EQ(check(first_part(header, ""), ""), FrameFault::malformed);
}

TEST(WireFrame, RefusesTooManyPartsAndTooManyBytes) {
  const auto first = first_part(header_for("", "b"), "");
  WireHeader header;
  EXPECT_EQ(check_parts(3, first, bytes_of("b"), kLimit, header), FrameFault::malformed);
  const std::string big(kLimit, 'x');
  EXPECT_EQ(check(first_part(header_for("", big), ""), big), FrameFault::oversized);
}

TEST(WireFrame, WithstandsRandomBytes) {
  Random random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> part = first_part(header_for("header", ""), "header");
    const std::uint64_t changes = random.below(4);
    for (std::uint64_t i = 0; i < changes; ++i) {
      const std::uint64_t place = random.below(part.size());
      part[place] = static_cast<std::byte>(random.below(256));
    }
    part.resize(random.below(part.size() + 1));
    WireHeader header;
    if (check_parts(1, part, {}, kLimit, header) != FrameFault::none) continue;
    Frame frame;
    copy_parts(header, part, {}, frame);
    EXPECT_EQ(frame.header.size(), 6u);
  }
}

}  // namespace
}  // namespace parley
