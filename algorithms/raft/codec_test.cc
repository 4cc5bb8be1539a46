#include "algorithms/raft/codec.h"

#include <gtest/gtest.h>

#include <cstring>

#include "algorithms/contract/random.h"
#include "algorithms/raft/membership.h"
#include "algorithms/raft/replica.h"
#include "algorithms/raft/test_text.h"
#include "algorithms/raft/text.h"

namespace parley::raft::test {
namespace {

constexpr DiskId kOther{3};

struct Sample {
  Block header;
  Block body;
};

// One message of each kind, with bodies of all sizes modulo 8.
std::vector<Sample> samples() {
  Encoder encoder(DiskId{2});
  std::vector<Sample> all;
  all.push_back({encoder.encode(VoteRequest{{3}, {9}, {2}, true}, kOther), {}});
  all.push_back({encoder.encode(VoteReply{{3}, false, true}, kOther), {}});

  Log log;
  Effects append;
  for (std::uint64_t i = 1; i <= 12; ++i) {
    const CommandRun run = run_of(NodeId{2}, {1}, i, std::string(i * 3, 'a'));
    log.append({(i + 3) / 4}, {}, run);
    if (i > 2) encoder.add_body(run.body, append.bodies);
  }
  const BodyRange bodies{0, static_cast<std::uint32_t>(append.bodies.size())};
  all.push_back(
      {encoder.encode(AppendEntries{{5}, {2}, {1}, {1}, 8, true}, log, log.last(), kOther),
       join(append, bodies)});
  all.push_back(
      {encoder.encode(AppendEntries{{5}, {2}, {1}, {1}, 8, false}, log, {2}, kOther), {}});

  const std::vector<TermStart> starts{{{4}, {8}}, {{2}, {3}}, {{1}, {1}}};
  all.push_back({encoder.encode(AppendReply{{5}, {2}, {11}, {9}, 8}, starts, kOther), {}});
  all.push_back({encoder.encode(AppendReply{{5}, {12}, {}, {12}, 8}, {}, kOther), {}});

  const CommandRun one = run_of(NodeId{1}, {1}, 1, "abc");
  const CommandRun two = run_of(NodeId{1}, {1}, 2, "defghijk");
  const CommandRun* runs[] = {&one, &two};
  Effects forward;
  encoder.add_body(one.body, forward.bodies);
  encoder.add_body(two.body, forward.bodies);
  all.push_back({encoder.encode(Forward{{7}}, runs, kOther),
                 join(forward, {0, static_cast<std::uint32_t>(forward.bodies.size())})});
  all.push_back({encoder.encode(ReadIndexRequest{{7}, 41}, kOther), {}});
  all.push_back({encoder.encode(ReadIndexReply{{7}, 41, {99}}, kOther), {}});
  all.push_back({encoder.encode(TimeoutNow{{7}, {12}}, kOther), {}});

  const Membership members{{NodeId{1}, NodeId{2}}, {NodeId{1}, NodeId{3}}};
  Log changes;
  Effects change;
  changes.append({1}, {}, {{NodeId{1}, {1}, 0}, 0, encode_members(members)});
  encoder.add_body(changes.at({1}).run.body, change.bodies);
  all.push_back({encoder.encode(AppendEntries{{1}, {}, {}, {}, 0, true}, changes, {1}, kOther),
                 join(change, {0, static_cast<std::uint32_t>(change.bodies.size())})});
  return all;
}

TEST(RaftCodec, EveryMessageComesBackAsItWas) {
  std::vector<std::string> texts;
  for (const Sample& sample : samples()) {
    ASSERT_TRUE(verify(sample.header, sample.body));
    texts.push_back(text_of_message(sample.header, sample.body));
  }
  EXPECT_EQ(texts, (std::vector<std::string>{
                       "pre_vote_request term 3 log 9@2",
                       "vote_reply term 3 granted",
                       "append term 5 after 2@1: 3@1 \"aaaaaaaaa\" 4@1 \"aaaaaaaaaaaa\" 5@2 "
                       "\"aaaaaaaaaaaaaaa\" 6@2 \"aaaaaaaaaaaaaaaaaa\" 7@2 \"aaaa...\" (21 bytes) "
                       "8@2 \"aaaa...\" (24 bytes) 9@3 \"aaaa...\" (27 bytes) 10@3 \"aaaa...\" (30 "
                       "bytes) 11@3 \"aaaa...\" (33 bytes) 12@3 \"aaaa...\" (36 bytes); commit 1; "
                       "round 8",
                       "append term 5 after 2@1: nothing; commit 1; round 8; no answer wanted",
                       "append_reply term 5 agreed 2 round 8 rejected 11; last 9, terms 4 from 8 2 "
                       "from 3 1 from 1",
                       "append_reply term 5 agreed 12 round 8",
                       "forward #1 \"abc\" #2 \"defghijk\"",
                       "read_request #41",
                       "read_reply #41 index 99",
                       "timeout_now term 7 log 12",
                       "append term 1 after 0@0: 1@1 members 1 2, from 1 3; commit 0",
                   }));
}

TEST(RaftCodec, MessagesAreDescribedWithoutTheirRuns) {
  const std::vector<Sample> all = samples();
  const auto text = [&all](std::size_t i) { return describe(all[i].header, all[i].body); };
  EXPECT_EQ(text(2), "append term 5 after 2@1: 3-4@1 5-8@2 9-12@3; commit 1; round 8");
  EXPECT_EQ(text(3), "append term 5 after 2@1: nothing; commit 1; round 8; no answer wanted");
  EXPECT_EQ(text(6), "forward #1 #2");
  EXPECT_EQ(text(8), text_of_message(all[8].header, all[8].body));
}

TEST(RaftCodec, EntriesShareTheFrameAndStartAligned) {
  const Sample append = samples()[2];
  EntryReader entries(decode(append.header), append.header, append.body);
  while (!entries.done()) {
    const EntryReader::Item item = entries.take();
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(item.run.body.data()) % 8, 0U);
    EXPECT_GE(item.run.body.data(), append.body.data());
    EXPECT_LE(item.run.body.data() + item.run.body.size(), append.body.data() + append.body.size());
  }
}

TEST(RaftCodec, TheEntryOfAMessageIsTheRecordOfStorage) {
  const Sample append = samples()[2];
  EntryReader entries(decode(append.header), append.header, append.body);
  const EntryReader::Item item = entries.take();
  const auto recorded = decode_record({{3}, item.record, item.run.body});
  ASSERT_TRUE(recorded);
  EXPECT_EQ(recorded->term, item.term);
  EXPECT_EQ(recorded->run.id, item.run.id);
  EXPECT_EQ(recorded->run.count, item.run.count);
  const Block own = encode_record(item.term, item.run);
  EXPECT_TRUE(std::ranges::equal(own.bytes(), item.record.bytes()));
}

TEST(RaftCodec, HardStateComesBackAsItWas) {
  const auto state = decode_state(encode_state({{12}, NodeId{3}}));
  ASSERT_TRUE(state);
  EXPECT_EQ(state->term, Epoch{12});
  EXPECT_EQ(state->vote, NodeId{3});
  EXPECT_FALSE(decode_state({}));
}

TEST(RaftCodec, ASnapshotComesWithPossibleMembers) {
  Encoder encoder;
  const InstallSnapshot install{{5}, {{9}, 3, 77}, {4}, 1, 2};
  const Block part = run_of({}, {}, 0, "a part").body;
  const Membership members{{NodeId{1}, NodeId{4}}, {NodeId{1}, NodeId{3}}};
  const Block header = encoder.encode(install, members, kOther);
  ASSERT_TRUE(verify(header, part));
  EXPECT_EQ(text_of_message(header, part), "install term 5 snapshot 9@4 part 1 of 3");
  EXPECT_EQ(decode_members(decode(header)), members);
  EXPECT_FALSE(verify(encoder.encode(install, {}, kOther), part)) << "there is always somebody";
  EXPECT_FALSE(verify(encoder.encode(install, {{NodeId{2}, NodeId{1}}}, kOther), part));
}

TEST(RaftCodec, AnEntryWithoutCommandsIsEmptyOrNamesMembers) {
  Encoder encoder;
  Log log;
  Effects effects;
  const CommandRun run{{NodeId{1}, {1}, 0}, 0, run_of({}, {}, 0, "not members").body};
  log.append({1}, {}, run);
  encoder.add_body(run.body, effects.bodies);
  const Block header = encoder.encode(AppendEntries{{1}, {}, {}, {}, 0, true}, log, {1}, kOther);
  EXPECT_FALSE(
      verify(header, join(effects, {0, static_cast<std::uint32_t>(effects.bodies.size())})));
  EXPECT_FALSE(decode_record({{1}, encode_record({1}, run), run.body}));
}

TEST(RaftCodec, ABodyOfTheWrongSizeIsRefused) {
  for (const Sample& sample : samples()) {
    const Block longer = Block::make(sample.body.size() + 8, [](std::byte* to) { *to = {}; });
    EXPECT_FALSE(verify(sample.header, longer));
    if (!sample.body.empty()) {
      EXPECT_FALSE(verify(sample.header, sample.body.part(0, sample.body.size() - 8)));
    }
  }
}

TEST(RaftCodec, TermsThatCannotBeAreRefused) {
  Encoder encoder;
  const Log log;
  const auto verified = [&](std::uint64_t term, std::uint64_t index, std::uint64_t prev_term) {
    const AppendEntries message{{term}, {index}, {prev_term}, {}, 0, true};
    return verify(encoder.encode(message, log, {}, kOther), {});
  };
  EXPECT_TRUE(verified(3, 5, 2));
  EXPECT_FALSE(verified(3, 5, 4)) << "an entry of a term to come";
  EXPECT_FALSE(verified(3, 5, 0)) << "an entry without a term";
  EXPECT_FALSE(verified(3, 0, 2)) << "a term before the first entry";
  EXPECT_FALSE(verified(3, std::uint64_t{1} << 63, 2)) << "sums would overflow";
}

// Reads all that a replica would read of a message, so that sanitizers see it.
void use(const Sample& sample) {
  (void)text_of_message(sample.header, sample.body);
  (void)describe(sample.header, sample.body);
}

Block mutated(const Block& block, Random& random) {
  std::vector<std::byte> bytes(block.bytes().begin(), block.bytes().end());
  const std::uint64_t changes = 1 + random.below(4);
  for (std::uint64_t i = 0; i < changes && !bytes.empty(); ++i) {
    const std::uint64_t place = random.below(bytes.size());
    switch (random.below(4)) {
      case 0:
        bytes[place] ^= std::byte{1} << random.below(8);
        break;
      case 1:
        bytes[place] = static_cast<std::byte>(random.below(256));
        break;
      case 2:
        bytes.resize(place);
        break;
      default: {
        const std::uint64_t from = random.below(bytes.size());
        const std::uint64_t size = std::min<std::uint64_t>(8, bytes.size() - std::max(from, place));
        std::memmove(bytes.data() + place, bytes.data() + from, size);
      }
    }
  }
  return Block::copy_of(bytes);
}

TEST(RaftCodec, HostileFramesAreRefusedOrReadable) {
  Random random(1);
  const std::vector<Sample> originals = samples();
  std::uint64_t accepted = 0;
  for (int i = 0; i < 50'000; ++i) {
    const Sample& original = originals[random.below(originals.size())];
    const Sample hostile{mutated(original.header, random), original.body};
    if (!verify(hostile.header, hostile.body)) continue;
    ++accepted;
    use(hostile);
  }
  EXPECT_GT(accepted, 0U) << "a changed number makes another valid message";
}

TEST(RaftCodec, RandomBytesAreRefusedOrReadable) {
  Random random(2);
  for (int i = 0; i < 50'000; ++i) {
    const std::uint64_t size = random.below(200);
    const Sample hostile{Block::make(size,
                                     [&](std::byte* to) {
                                       for (std::uint64_t b = 0; b < size; ++b) {
                                         // Small numbers look like offsets.
                                         const std::uint64_t bound =
                                             random.chance(500'000) ? 256 : 24;
                                         to[b] = static_cast<std::byte>(random.below(bound));
                                       }
                                     }),
                         {}};
    if (verify(hostile.header, hostile.body)) use(hostile);
  }
}

// What passes verification may still be a lie. It may cost progress, never the process.
TEST(RaftCodec, MutatedFramesDoNotCrashAReplica) {
  Random random(3);
  const std::vector<Sample> originals = samples();
  ReplicaConfig config;
  config.self = NodeId{1};
  config.incarnation = {1};
  config.members = {NodeId{1}, NodeId{2}, NodeId{3}};
  config.options = default_options(kRaft.options);
  const Store store(1);
  Effects effects;
  auto replica = kRaft.make(config, {});
  Ticket durable;
  Instant now;
  for (int i = 0; i < 5'000; ++i) {
    std::vector<Frame> frames;
    for (int k = 0; k < 3; ++k) {
      const Sample& original = originals[random.below(originals.size())];
      const NodeId from{static_cast<std::uint32_t>(2 + random.below(2))};
      Frame frame{{}, from, {1}, mutated(original.header, random), original.body};
      if (verify(frame.header, frame.body)) frames.push_back(std::move(frame));
    }
    now += std::chrono::milliseconds(random.below(100));
    Turn turn;
    turn.now = now;
    turn.durable_through = durable;
    turn.frames = frames;
    effects.clear();
    replica->step(turn, store, effects);
    if (!effects.writes.empty()) durable = effects.writes.back().ticket;
    if (!effects.broken_invariant.empty()) {  // a lie was found out
      replica = kRaft.make(config, {});
      durable = {};
    }
  }
}

}  // namespace
}  // namespace parley::raft::test
