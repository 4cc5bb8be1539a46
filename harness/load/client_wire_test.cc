#include "harness/load/client_wire.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace parley::load {
namespace {

std::string reply_with(const std::vector<client::Done>& done) {
  flatbuffers::FlatBufferBuilder builder;
  builder.Finish(client::CreateReply(builder, builder.CreateVectorOfStructs(done)));
  return {reinterpret_cast<const char*>(builder.GetBufferPointer()), builder.GetSize()};
}

// All that follows the offset of the root comes four bytes later: every offset still leads to what
// it led to, but numbers of 64 bits stand at odd places.
std::string moved_by_four(std::string reply) {
  std::uint32_t root = 0;
  std::memcpy(&root, reply.data(), sizeof(root));
  root += 4;
  std::memcpy(reply.data(), &root, sizeof(root));
  reply.insert(4, 4, '\0');
  return reply;
}

const client::Reply* read(ReplyReader& reader, const std::string& bytes) {
  return reader.read(zmq::message_t(bytes.data(), bytes.size()));
}

TEST(ReplyReader, RefusesStructsThatAreNotAligned) {
  const std::string reply = reply_with({{7, 1, 0, 3, ~0U, 0, 0, 0, 0}});
  ReplyReader reader;
  ASSERT_NE(read(reader, reply), nullptr);
  EXPECT_EQ(read(reader, reply)->done()->Get(0)->id(), 7U);
  EXPECT_EQ(read(reader, moved_by_four(reply)), nullptr);
}

TEST(ReplyReader, AnEmptyVectorHasNothingToBeAligned) {
  const std::string reply = reply_with({});
  ReplyReader reader;
  EXPECT_NE(read(reader, reply), nullptr);
  EXPECT_NE(read(reader, moved_by_four(reply)), nullptr);
}

}  // namespace
}  // namespace parley::load
