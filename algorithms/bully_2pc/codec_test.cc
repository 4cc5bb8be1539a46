#include "algorithms/bully_2pc/codec.h"

#include <gtest/gtest.h>

#include <cstring>

#include "algorithms/bully_2pc/test_text.h"
#include "algorithms/contract/random.h"

namespace parley::bully_2pc::test {
namespace {

struct Sample {
  Block header;
  Block body;
};

constexpr std::size_t kNodes = 3;

Block clock_of(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
  const std::uint64_t counts[] = {a, b, c};
  return Block::copy_of(std::as_bytes(std::span(counts)));
}

// Batches of three runs, with bodies of all sizes modulo 8.
BatchLog log_of(std::uint64_t count) {
  BatchLog log;
  for (std::uint64_t i = 1; i <= count; ++i) {
    const CommandRun run = run_of(NodeId{2}, {1}, i, std::string(i * 3, 'a'));
    const Epoch epoch{(i + 2) / 3};
    const auto left = static_cast<std::uint32_t>((count - i) % 3);
    log.append(epoch, {}, run,
               {encode_record(epoch, run, left, words_of(clock_of(i, 0, 7).bytes()))});
  }
  return log;
}

Sample with_entries(auto message, LogIndex last) {
  Encoder encoder;
  const BatchLog log = log_of(12);
  Effects effects;
  for (LogIndex i = message.prev.index.next(); i <= last; i = i.next()) {
    encoder.add_body(log.at(i).run.body, effects.bodies);
  }
  const BodyRange all{0, static_cast<std::uint32_t>(effects.bodies.size())};
  return {encoder.encode(message, log, last), join(effects, all)};
}

Sample forwarded() {
  Encoder encoder;
  Effects effects;
  HeldRuns held;
  held.add(run_of(NodeId{1}, {1}, 1, "abc"), {}, clock_of(1, 2, 3));
  held.add(run_of(NodeId{1}, {1}, 2, "defghijk"), {}, clock_of(2, 2, 3));
  std::vector<const HeldRun*> runs;
  held.send_unsent({}, [&](const HeldRun& run) {
    runs.push_back(&run);
    encoder.add_body(run.run.body, effects.bodies);
  });
  const BodyRange all{0, static_cast<std::uint32_t>(effects.bodies.size())};
  return {encoder.encode(Forward{{7}}, runs), join(effects, all)};
}

// One message of each kind.
std::vector<Sample> samples() {
  Encoder encoder;
  const SnapshotId snapshot{{9}, 3, 77};
  const Block clock = clock_of(4, 5, 6);
  return {
      {encoder.encode(Election{5}), {}},
      {encoder.encode(Answer{5, {3}, Objection::has_coordinator}), {}},
      {encoder.encode(Coordinator{{3}, true}), {}},
      {encoder.encode(Claim{{4}}), {}},
      {encoder.encode(Promised{{4}, true, {{3}, {9}}}), {}},
      with_entries(Prepare{{5}, {{1}, {3}}, {0}, {1}, 8, true}, {12}),
      with_entries(Prepare{{5}, {{1}, {3}}, {2}, {1}, 0, false}, {3}),
      {encoder.encode(Vote{{5}, {12}, {}, 8}), {}},
      {encoder.encode(Vote{{5}, {2}, {7}, 0}), {}},
      {encoder.encode(Commit{{5}, {12}}), {}},
      {encoder.encode(Fetch{{5}, {2}, snapshot, 1}), {}},
      with_entries(Batches{{5}, {{2}, {6}}}, {9}),
      {encoder.encode(Part{{5}, snapshot, {2}, 1}, words_of(clock.bytes())),
       run_of({}, {}, 0, "a part").body},
      forwarded(),
      {encoder.encode(ReadRequest{{7}, 41}), {}},
      {encoder.encode(ReadReply{{7}, 41, {99}}), {}},
  };
}

TEST(BullyCodec, EveryMessageComesBackAsItWas) {
  std::vector<std::string> texts;
  for (const Sample& sample : samples()) {
    ASSERT_TRUE(verify(sample.header, sample.body)) << texts.size();
    texts.push_back(text_of_message(sample.header, sample.body));
  }
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "election #5",
                       "answer #5 has a coordinator; epoch 3",
                       "coordinator epoch 3",
                       "claim epoch 4",
                       "promised epoch 4 granted; log 9@3",
                       "prepare epoch 5 after 3@1: "
                       "[4@2 \"aaaaaaaaaaaa\" 5@2 \"aaaaaaaaaaaaaaa\" 6@2 \"aaaaaaaaaaaaaaaaaa\"] "
                       "[7@3 \"aaaa...\" (21 bytes) 8@3 \"aaaa...\" (24 bytes) 9@3 \"aaaa...\" (27 "
                       "bytes)] [10@4 \"aaaa...\" (30 bytes) 11@4 \"aaaa...\" (33 bytes) 12@4 "
                       "\"aaaa...\" (36 bytes)]; decided 1; round 8",
                       "prepare epoch 5 after 3@1: nothing; decided 1; log after 2",
                       "vote epoch 5 prepared 12; round 8",
                       "vote epoch 5 prepared 2; no to what follows 7",
                       "commit epoch 5 decided 12",
                       "fetch epoch 5 after 2; snapshot 9 of 3 parts from 1",
                       "batches epoch 5 after 6@2: [7@3 \"aaaa...\" (21 bytes) 8@3 \"aaaa...\" (24 "
                       "bytes) 9@3 \"aaaa...\" (27 bytes)]",
                       "part epoch 5 1 of snapshot 9 of 3 parts",
                       "forward #1 \"abc\" #2 \"defghijk\"",
                       "read_request #41",
                       "read_reply #41 index 99",
                   }));
}

TEST(BullyCodec, ClocksTravelWithTheirRuns) {
  const Sample prepare = samples()[5];
  EntryReader entries(decode(prepare.header), prepare.header, prepare.body);
  ASSERT_EQ(entries.size(), 9U);
  const EntryReader::Item item = entries.take();
  EXPECT_EQ(std::vector<std::uint64_t>(item.note.clock().begin(), item.note.clock().end()),
            (std::vector<std::uint64_t>{4, 0, 7}));
  EXPECT_EQ(item.note.left(), 2U);
  const Sample sample = forwarded();
  ForwardReader runs(decode(sample.header), sample.header, sample.body, NodeId{1});
  const auto run = runs.next();
  ASSERT_TRUE(run.has_value());
  EXPECT_EQ(run->run.id, (RunId{NodeId{1}, {7}, 1}));
  EXPECT_EQ(words_of(run->clock.bytes())[2], 3U);
}

TEST(BullyCodec, APartOfABatchIsRefused) {
  const Sample sample = with_entries(Prepare{{5}, {{1}, {3}}, {0}, {1}, 8, true}, {11});
  EXPECT_FALSE(verify(sample.header, sample.body));
}

TEST(BullyCodec, BodiesMustFit) {
  for (const Sample& sample : samples()) {
    const Block longer = Block::make(sample.body.size() + 8, [&](std::byte* to) {
      std::memset(to, 0, sample.body.size() + 8);
      if (!sample.body.empty()) std::memcpy(to, sample.body.data(), sample.body.size());
    });
    const bool is_part = decode(sample.header).kind() == wire::Kind::part;  // of any size
    EXPECT_EQ(verify(sample.header, longer), is_part);
    if (!sample.body.empty()) EXPECT_FALSE(verify(sample.header, {}));
  }
}

// Whatever is accepted can be read to its end.
bool readable(const Sample& sample) {
  if (!verify(sample.header, sample.body)) return false;
  return text_of_message(sample.header, sample.body) != "?";
}

TEST(BullyCodec, WithstandsTruncatedAndMutatedFrames) {
  Random random(1);
  int refused = 0;
  for (const Sample& sample : samples()) {
    for (std::size_t size = 0; size < sample.header.size() / 2; ++size) {
      EXPECT_FALSE(readable({Block::copy_of(sample.header.bytes().first(size)), sample.body}));
    }
    for (int i = 0; i < 2000; ++i) {
      const std::uint64_t place = random.below(sample.header.size());
      const auto value = static_cast<std::byte>(random.below(256));
      const Block header = Block::make(sample.header.size(), [&](std::byte* to) {
        std::memcpy(to, sample.header.data(), sample.header.size());
        to[place] = value;
      });
      if (!readable({header, sample.body})) ++refused;
    }
  }
  EXPECT_GT(refused, 1000);
}

TEST(BullyCodec, StatesAndRecordsComeBackAsTheyWere) {
  const HardState state{{7}, NodeId{2}, {41}};
  EXPECT_EQ(decode_state(encode_state(state)), state);
  EXPECT_EQ(decode_state(Block::copy_of(encode_state(state).bytes().first(16))), std::nullopt);
  const Block clock = clock_of(1, 2, 3);
  const auto base = decode_base(encode_base({4}, words_of(clock.bytes())), kNodes);
  ASSERT_TRUE(base.has_value());
  EXPECT_EQ(base->epoch, Epoch{4});
  EXPECT_EQ(base->clock[1], 2U);
  EXPECT_FALSE(decode_base(encode_base({4}, words_of(clock.bytes())), kNodes + 1).has_value());
  const CommandRun run = run_of(NodeId{2}, {3}, 4, "hello");
  const Block header = encode_record({5}, run, 6, words_of(clock.bytes()));
  const auto entry = decode_record({{1}, header, run.body}, kNodes);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(entry->run.id, run.id);
  EXPECT_EQ(entry->note.left(), 6U);
  EXPECT_FALSE(decode_record({{1}, header, {}}, kNodes).has_value()) << "its body is missing";
  EXPECT_FALSE(decode_record({{1}, header, run.body}, kNodes + 1).has_value());
}

}  // namespace
}  // namespace parley::bully_2pc::test
