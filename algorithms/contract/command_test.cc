#include "algorithms/contract/command.h"

#include <gtest/gtest.h>

#include <vector>

namespace parley {
namespace {

void add(std::vector<std::byte>& body, std::uint32_t sequence, std::size_t payload) {
  const CommandHeader header{1, sequence, static_cast<std::uint16_t>(payload), 0};
  append_command(header, std::vector(payload, std::byte{7}), body);
}

TEST(CommandReader, WalksThroughARun) {
  std::vector<std::byte> body;
  add(body, 1, 12);
  add(body, 2, 0);
  add(body, 3, 4);
  CommandReader reader(body);
  for (std::uint32_t i = 0; i < 3; ++i) {
    Command command;
    ASSERT_TRUE(reader.next(command));
    EXPECT_EQ(command.header.sequence, i + 1);
    EXPECT_EQ(command.offset, i);
    EXPECT_EQ(command.payload.size(), command.header.payload_size);
  }
  Command command;
  EXPECT_FALSE(reader.next(command));
  EXPECT_FALSE(reader.malformed());
  EXPECT_EQ(reader.count(), 3U);
}

TEST(CommandReader, StopsAtEveryTruncation) {
  std::vector<std::byte> body;
  add(body, 1, 12);
  for (std::size_t size = 1; size < body.size(); ++size) {
    CommandReader reader(Bytes(body).first(size));
    Command command;
    EXPECT_FALSE(reader.next(command)) << size;
    EXPECT_TRUE(reader.malformed()) << size;
  }
}

TEST(CommandReader, RefusesAPayloadThatIsNoMultipleOfFour) {
  std::vector<std::byte> body;
  add(body, 1, 6);
  CommandReader reader(body);
  Command command;
  EXPECT_FALSE(reader.next(command));
  EXPECT_TRUE(reader.malformed());
}

TEST(CommandReader, ReadsTheOpeningOfASession) {
  std::vector<std::byte> body;
  append_open_session(0x0102030405060708, body);
  CommandReader reader(body);
  Command command;
  ASSERT_TRUE(reader.next(command));
  EXPECT_EQ(command.header.kind, static_cast<std::uint16_t>(CommandKind::open_session));
  ASSERT_EQ(command.payload.size(), 8U);
  EXPECT_EQ(command.payload[0], std::byte{8});
  EXPECT_FALSE(reader.next(command));
  EXPECT_FALSE(reader.malformed());
}

TEST(Block, AreJoinedInTheirOrder) {
  const Block one = Block::copy_of(std::vector(3, std::byte{1}));
  const Block two = Block::copy_of(std::vector(2, std::byte{2}));
  EXPECT_TRUE(Block::joined({}).empty());
  EXPECT_EQ(Block::joined(std::span(&one, 1)).data(), one.data()) << "a single one is shared";
  const std::vector<Block> blocks{one, Block(), two};
  const Block joined = Block::joined(blocks);
  const std::vector<std::byte> expected{std::byte{1}, std::byte{1}, std::byte{1}, std::byte{2},
                                        std::byte{2}};
  EXPECT_TRUE(
      std::equal(joined.bytes().begin(), joined.bytes().end(), expected.begin(), expected.end()));
}

TEST(Block, PartsShareTheBytesAndKeepThemAlive) {
  Block part;
  {
    const std::vector<std::byte> bytes(24, std::byte{3});
    const Block whole = Block::copy_of(bytes);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(whole.data()) % 8, 0U);
    part = whole.part(8, 16);
    EXPECT_EQ(part.data(), whole.data() + 8);
  }
  EXPECT_EQ(part.size(), 16U);
  EXPECT_EQ(part.bytes().back(), std::byte{3});
}

}  // namespace
}  // namespace parley
