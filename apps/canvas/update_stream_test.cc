#include "apps/canvas/update_stream.h"

#include <gtest/gtest.h>

#include "algorithms/contract/random.h"

namespace parley {
namespace {

constexpr CanvasSize kSize{4096, 2048};

std::vector<PixelChange> changes_of(const std::string& frame) {
  FrameReader reader(frame);
  std::vector<PixelChange> changes;
  PixelChange change;
  while (reader.next(change)) changes.push_back(change);
  return changes;
}

TEST(Frames, AreAsTheReadmeSays) {
  const std::string frame = encode_changes(
      {FrameKind::changes, {1000, 500}, 0x0102030405, 7, 0},
      std::vector<PixelChange>{{2, 1, 0xAABBCC}, {3, 1, 0x112233}, {999, 499, 0x000001}});
  const unsigned char expected[] = {
      2,    1,    0xE8, 3, 0xF4, 1,    0,    0,                 // kind, format, width, height
      5,    4,    3,    2, 1,    0,    0,    0,                 // sequence
      7,    0,    0,    0, 2,    0,    0,    0,                 // viewers, runs
      2,    0x10, 0,    1, 0xAA, 0xBB, 0xCC, 0x11, 0x22, 0x33,  // two cells from 2,1 on
      0xE7, 0x33, 0x1F, 0, 0,    0,    1};                      // one at 999,499
  EXPECT_EQ(frame, std::string(reinterpret_cast<const char*>(expected), sizeof(expected)));
}

TEST(Frames, HoldAnyChanges) {
  Random random(5);
  for (int round = 0; round < 50; ++round) {
    std::vector<PixelChange> changes;
    while (changes.size() < 300) {
      PixelChange at{static_cast<std::uint16_t>(random.below(4096)),
                     static_cast<std::uint16_t>(random.below(2048)), 0};
      for (std::uint64_t i = random.below(400); i > 0 && at.x < 4096; --i, ++at.x) {
        at.color = static_cast<std::uint32_t>(random.below(kMaxColor + 1));
        changes.push_back(at);
      }
    }
    const std::string frame = encode_changes({FrameKind::changes, kSize, 9, 1, 0}, changes);
    EXPECT_EQ(changes_of(frame), changes);
    EXPECT_EQ(FrameReader(frame).header().sequence, 9U);
    EXPECT_EQ(FrameReader(frame).header().size, kSize);
  }
}

TEST(Frames, AreRefusedWhereTheyAreMalformed) {
  const std::vector<PixelChange> one = {{2, 1, 7}, {3, 1, 8}};
  const auto broken = [&one](std::size_t at, char value) {
    std::string frame = encode_changes({FrameKind::changes, {4, 2}, 9, 1, 0}, one);
    frame[at] = value;
    return frame;
  };
  EXPECT_EQ(changes_of(broken(0, 2)), one) << "a kind that it is";
  EXPECT_THROW(changes_of(broken(0, 3)), FrameError) << "kind";
  EXPECT_THROW(changes_of(broken(1, 2)), FrameError) << "format";
  EXPECT_THROW(changes_of(broken(2, 0)), FrameError) << "width";
  EXPECT_THROW(changes_of(broken(5, 17)), FrameError) << "height";
  EXPECT_THROW(changes_of(broken(2, 3)), FrameError) << "a run outside the canvas";
  EXPECT_THROW(changes_of(broken(20, 0)), FrameError) << "more bytes than runs";
  EXPECT_THROW(changes_of(broken(20, 2)), FrameError) << "fewer bytes than runs";
  EXPECT_THROW(changes_of(broken(27, 2)), FrameError) << "a longer run";
  EXPECT_THROW(changes_of(broken(0, 1)), FrameError) << "a picture of another size";
  EXPECT_THROW(FrameReader("short"), FrameError);
}

TEST(UpdateStreams, LeadFromNumberToNumber) {
  UpdateStream stream(kSize, {}, 100);
  EXPECT_TRUE(stream.follows(100));
  EXPECT_FALSE(stream.follows(99));
  EXPECT_FALSE(stream.follows(101));
  for (std::uint16_t i = 0; i < 5; ++i) {
    EXPECT_TRUE(stream.push(std::vector<PixelChange>{{i, 0, i}}, 1));
  }
  EXPECT_EQ(stream.sequence(), 105U);
  for (std::uint16_t i = 0; i < 5; ++i) {
    ASSERT_TRUE(stream.follows(100U + i));
    const std::string& frame = *stream.after(100U + i);
    EXPECT_EQ(FrameReader(frame).header().sequence, 101U + i);
    EXPECT_EQ(changes_of(frame), (std::vector<PixelChange>{{i, 0, i}}));
  }
}

TEST(UpdateStreams, ForgetTheOldest) {
  UpdateStream stream(kSize, {1000, 100}, 0);  // three frames of 31 bytes
  for (std::uint16_t i = 0; i < 10; ++i) stream.push(std::vector<PixelChange>{{i, 0, i}}, 1);
  EXPECT_FALSE(stream.follows(6));
  EXPECT_TRUE(stream.follows(7));
}

TEST(UpdateStreams, HaveGaps) {
  UpdateStream stream(kSize, {40, 1000}, 0);
  EXPECT_TRUE(stream.push(std::vector<PixelChange>{{1, 1, 1}}, 1));
  EXPECT_FALSE(stream.push(std::vector<PixelChange>(3), 1)) << "too large";
  EXPECT_EQ(stream.sequence(), 1U);
  stream.push_gap();
  EXPECT_EQ(stream.sequence(), 2U);
  EXPECT_FALSE(stream.follows(1));
  EXPECT_TRUE(stream.follows(2));
}

TEST(UpdateStreams, CountWhatSlowViewersStillHold) {
  UpdateStream stream(kSize, {1000, 1}, 0);
  stream.push(std::vector<PixelChange>{{1, 1, 1}}, 1);
  UpdateStream::Frame held = stream.after(0);
  EXPECT_EQ(stream.held_bytes(), 0U);
  stream.push({}, 1);
  stream.push({}, 1);
  EXPECT_EQ(stream.held_bytes(), 31U);
  held.reset();
  EXPECT_EQ(stream.held_bytes(), 0U);
}

}  // namespace
}  // namespace parley
