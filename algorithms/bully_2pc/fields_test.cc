#include "algorithms/bully_2pc/fields.h"

#include <gtest/gtest.h>

#include "algorithms/bully_2pc/codec.h"
#include "algorithms/contract/test_fields.h"

namespace parley::bully_2pc {
namespace {

constexpr SnapshotId kSnapshot{{9}, 3, 77};
constexpr std::uint64_t kClock[] = {4, 5, 6};

std::vector<FieldCase> elections() {
  Encoder to;
  return {
      {to.encode(Election{5}), "type='election' round=5"},
      {to.encode(Answer{5, {3}, Objection::none}),
       "type='answer' round=5 epoch=3 objection='none'"},
      {to.encode(Answer{6, {3}, Objection::ranks_higher}),
       "type='answer' round=6 epoch=3 objection='ranks_higher'"},
      {to.encode(Answer{7, {4}, Objection::has_coordinator}),
       "type='answer' round=7 epoch=4 objection='has_coordinator'"},
      {to.encode(Coordinator{{3}, true}), "type='coordinator' epoch=3 ready=true"},
      {to.encode(Coordinator{{4}, false}), "type='coordinator' epoch=4 ready=false"},
      {to.encode(Claim{{4}}), "type='claim' epoch=4"},
      {to.encode(Promised{{4}, true, {{3}, {9}}}),
       "type='promised' epoch=4 granted=true last_index=9 last_epoch=3"},
      {to.encode(Promised{{5}, false, {{2}, {8}}}),
       "type='promised' epoch=5 granted=false last_index=8 last_epoch=2"},
  };
}

std::vector<FieldCase> batches() {
  Encoder to;
  BatchLog log;  // of batches of three runs, each of an epoch of its own
  for (std::uint64_t i = 1; i <= 12; ++i) {
    const Epoch epoch{(i + 2) / 3};
    const auto left = static_cast<std::uint32_t>((12 - i) % 3);
    log.append(epoch, {}, {}, {encode_record(epoch, {}, left, kClock)});
  }
  return {
      {to.encode(Prepare{{5}, {{1}, {3}}, {2}, {7}, 8, true}, log, {12}),
       "type='prepare' epoch=5 prev_index=3 prev_epoch=1 entries=9 last_index=12 "
       "entry_epochs=[2 3; 3 3; 4 3] base=2 decided=7 round=8 wants_vote=true"},
      {to.encode(Prepare{{5}, {{1}, {3}}, {2}, {1}, 0, false}, log, {3}),
       "type='prepare' epoch=5 prev_index=3 prev_epoch=1 entries=0 last_index=3 entry_epochs=[] "
       "base=2 decided=1 round=0 wants_vote=false"},
      {to.encode(Vote{{5}, {12}, {}, 8}),
       "type='vote' epoch=5 yes=true prepared=12 refused=0 round=8"},
      {to.encode(Vote{{5}, {2}, {7}, 0}),
       "type='vote' epoch=5 yes=false prepared=2 refused=7 round=0"},
      {to.encode(Commit{{5}, {12}}), "type='commit' epoch=5 decided=12"},
      {to.encode(Batches{{5}, {{2}, {6}}}, log, {9}),
       "type='batches' epoch=5 prev_index=6 prev_epoch=2 entries=3 last_index=9 "
       "entry_epochs=[3 3]"},
  };
}

std::vector<FieldCase> snapshots() {
  Encoder to;
  return {
      {to.encode(Fetch{{5}, {2}, kSnapshot, 1}),
       "type='fetch' epoch=5 after=2 snapshot_index=9 parts=3 part=1"},
      {to.encode(Part{{5}, kSnapshot, {4}, 1}, kClock),
       "type='part' epoch=5 snapshot_index=9 parts=3 snapshot_epoch=4 part=1"},
  };
}

std::vector<FieldCase> clients() {
  Encoder to;
  HeldRun held;
  held.note = Block::copy_of(std::as_bytes(std::span(kClock)));
  const HeldRun* runs[] = {&held, &held};
  return {
      {to.encode(Forward{{7}}, runs), "type='forward' incarnation=7 runs=2"},
      {to.encode(ReadRequest{{7}, 41}), "type='read_request' incarnation=7 number=41"},
      {to.encode(ReadReply{{7}, 41, {99}}), "type='read_reply' incarnation=7 number=41 index=99"},
  };
}

TEST(BullyFields, SayWhatIsInEachMessage) {
  std::vector<FieldCase> cases;
  for (const auto& some : {elections(), batches(), snapshots(), clients()}) {
    cases.insert(cases.end(), some.begin(), some.end());
  }
  expect_fields(fields, cases, wire::EnumNamesKind());
}

}  // namespace
}  // namespace parley::bully_2pc
