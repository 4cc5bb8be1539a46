#include "algorithms/gossip_lww/codec.h"

#include <gtest/gtest.h>

#include "algorithms/contract/random.h"
#include "algorithms/gossip_lww/text.h"

namespace parley::gossip_lww {
namespace {

struct Sample {
  Block header;
  Block body;
};

Block cells(std::size_t count, Stamp stamp) {
  std::vector<WireCell> all;
  for (std::uint32_t i = 0; i < count; ++i) all.push_back({{i}, 0, 100 + i, {1, i}, stamp});
  return Block::copy_of(std::as_bytes(std::span(all)));
}

Delta delta_of(std::uint32_t origin, std::uint64_t previous, std::uint64_t first,
               std::uint32_t count) {
  return {{origin}, 3, {first}, {previous}, count, cells(count, {})};
}

// One message of each kind.
std::vector<Sample> samples() {
  Encoder encoder({{1}, {2}, {7}});
  std::vector<Sample> all;
  const Delta one = delta_of(1, 0, 10, 1);
  const Delta two = delta_of(7, 10, 20, 3);
  const Delta* deltas[] = {&one, &two};
  all.push_back({encoder.rumors(deltas, true), cells(4, {})});
  Known known(3);
  all.push_back({encoder.summary({99, Summary::Stage::opening, true, true, false}, known), {}});
  known.join(0, {12});
  known.join(2, {22});
  all.push_back({encoder.summary({99, Summary::Stage::answer, true, false, true}, known), {}});
  const TreePlace places[] = {{2, 0}, {0, 17}};
  all.push_back({encoder.tree_request(5, places), {}});
  const TreeDigest digests[] = {{{1, 0}, 77}, {{1, 3}, 78}};
  all.push_back({encoder.tree_reply(5, digests), cells(2, {9, 9})});
  all.push_back({encoder.tree_reply(6, {}), {}});
  all.push_back({encoder.ack({55}), {}});
  const Probe probe{8, WallTime(Duration(1000)), {7}};
  std::vector<Update> updates;
  for (std::size_t i = 0; i <= 3; ++i) {
    all.push_back({encoder.probe(wire::Kind::ping, probe, updates), {}});
    updates.push_back({i % 3, static_cast<Standing>(i % 3), static_cast<std::uint32_t>(i)});
  }
  all.push_back({encoder.probe(wire::Kind::ping_request, probe, updates), {}});
  all.push_back({encoder.probe(wire::Kind::pong, probe, {}), {}});
  return all;
}

TEST(GossipCodec, EveryMessageComesBackAsItWas) {
  std::vector<std::string> texts;
  for (const Sample& sample : samples()) {
    ASSERT_TRUE(verify(sample.header, sample.body));
    texts.push_back(describe(sample.header, sample.body));
  }
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "rumors 1:10 7:20+2 and more",
                       "summary opening: knows nothing",
                       "summary answer: 1:12 7:22; what you lack is not at hand",
                       "tree_request of 2 places",
                       "tree_reply: 2 digests, 2 cells",
                       "tree_reply: 0 digests, 0 cells",
                       "ack through 55",
                       "ping about 7",
                       "ping about 7; 1 alive",
                       "ping about 7; 1 alive 2 suspect",
                       "ping about 7; 1 alive 2 suspect 7 dead",
                       "ping_request about 7; 1 alive 2 suspect 7 dead 1 alive",
                       "pong about 7",
                   }));
}

TEST(GossipCodec, DeltasShareTheBodyOfTheirMessage) {
  const Sample sample = samples().front();
  std::vector<Delta> deltas;
  decode_deltas(decode(sample.header), sample.body, deltas);
  ASSERT_EQ(deltas.size(), 2U);
  EXPECT_EQ(deltas[1].origin, NodeId{7});
  EXPECT_EQ(deltas[1].last(), HybridTime{22});
  EXPECT_EQ(deltas[1].previous, HybridTime{10});
  ASSERT_EQ(cells_of(deltas[1].cells).size(), 3U);
  EXPECT_EQ(deltas[1].cells.data(), sample.body.data() + sizeof(WireCell));
}

TEST(GossipCodec, WhatDoesNotFitIsRefused) {
  Encoder encoder({{1}, {2}, {7}});
  const auto rumors = [&](const Delta& delta) {
    const Delta* deltas[] = {&delta};
    return encoder.rumors(deltas, false);
  };
  EXPECT_TRUE(verify(rumors(delta_of(1, 5, 10, 2)), cells(2, {})));
  EXPECT_FALSE(verify(rumors(delta_of(1, 5, 10, 2)), cells(3, {}))) << "another size";
  EXPECT_FALSE(verify(rumors(delta_of(1, 10, 10, 2)), cells(2, {}))) << "before itself";
  EXPECT_FALSE(verify(rumors(delta_of(1, 5, 10, 0)), {})) << "without cells";
  EXPECT_FALSE(verify(rumors(delta_of(0, 5, 10, 2)), cells(2, {}))) << "of nobody";
  EXPECT_FALSE(verify(rumors(delta_of(1, 5, std::uint64_t{1} << 63, 2)), cells(2, {})));
  EXPECT_FALSE(verify(encoder.tree_reply(1, {}), cells(1, {}))) << "a cell that nobody wrote";
  EXPECT_FALSE(verify(encoder.ack({1}), cells(1, {}))) << "a body where none belongs";
}

// Cut off, flipped and random bytes: never accepted half, never a crash. (Under ASan this proves
// more.)
TEST(GossipCodec, WithstandsBrokenFrames) {
  Random random(4);
  std::uint64_t accepted = 0;
  for (const Sample& sample : samples()) {
    for (int i = 0; i < 300; ++i) {
      std::vector<std::byte> header(sample.header.bytes().begin(), sample.header.bytes().end());
      std::vector<std::byte> body(sample.body.bytes().begin(), sample.body.bytes().end());
      const std::uint64_t how = random.below(3);
      if (how == 0) {
        const std::uint64_t size = random.below(header.size());
        header.resize(size);
      } else {
        std::vector<std::byte>& part = how == 1 || body.empty() ? header : body;
        const std::uint64_t at = random.below(part.size());
        const std::uint64_t bit = random.below(8);
        part[at] ^= static_cast<std::byte>(1U << bit);
      }
      const Block broken_header = Block::copy_of(header);
      const Block broken_body = Block::copy_of(body);
      if (!verify(broken_header, broken_body)) continue;
      ++accepted;
      EXPECT_FALSE(describe(broken_header, broken_body).empty());
    }
  }
  EXPECT_GT(accepted, 0U) << "a flipped bit of a number is another number";
}

TEST(GossipCodec, RecordsComeBackAsTheyWere) {
  const Delta delta = delta_of(7, 10, 20, 3);
  const auto again = decode_record({{1}, encode_record(delta), delta.cells});
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->origin, delta.origin);
  EXPECT_EQ(again->first, delta.first);
  EXPECT_EQ(again->previous, delta.previous);
  EXPECT_EQ(again->count, 3U);
  const auto walked = decode_record({{1}, encode_walked_record(2), cells(2, {9, 9})});
  ASSERT_TRUE(walked.has_value());
  EXPECT_EQ(walked->origin, kNoNode);
  EXPECT_FALSE(decode_record({{1}, encode_record(delta), cells(2, {})}).has_value());
  EXPECT_FALSE(decode_record({{1}, cells(1, {}), {}}).has_value());
}

TEST(GossipCodec, HardStateComesBackAsItWas) {
  HardState state{{77}, {}};
  state.known.emplace_back(12, 3, 0);
  const auto again = decode_state(encode_state(state));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->reserved, HybridTime{77});
  ASSERT_EQ(again->known.size(), 1U);
  EXPECT_EQ(again->known[0].through(), 12U);
  EXPECT_FALSE(decode_state(cells(1, {}).part(0, 12)).has_value());
}

}  // namespace
}  // namespace parley::gossip_lww
