#include "algorithms/raft/fields.h"

#include <gtest/gtest.h>

#include "algorithms/contract/test_fields.h"
#include "algorithms/raft/codec.h"

namespace parley::raft {
namespace {

constexpr DiskId kOwn{2};
constexpr DiskId kOther{3};

// What a message of that type says behind what each says.
std::string said(const std::string& type, const std::string& rest) {
  return "type='" + type + "' from_disk='2' to_disk='3' " + rest;
}

std::vector<FieldCase> elections() {
  Encoder to(kOwn);
  return {
      {to.encode(VoteRequest{{3}, {9}, {2}, true, false}, kOther),
       said("vote_request", "term=3 last_index=9 last_term=2 pre=true handed_over=false")},
      {to.encode(VoteRequest{{4}, {10}, {1}, false, true}, kOther),
       said("vote_request", "term=4 last_index=10 last_term=1 pre=false handed_over=true")},
      {to.encode(VoteReply{{3}, false, true}, kOther),
       said("vote_reply", "term=3 pre=false granted=true")},
      {to.encode(VoteReply{{3}, true, false}, kOther),
       said("vote_reply", "term=3 pre=true granted=false")},
      {to.encode(TimeoutNow{{7}, {12}}, kOther), said("timeout_now", "term=7 last=12")},
  };
}

std::vector<FieldCase> replication() {
  Encoder to(kOwn);
  Log log;
  for (std::uint64_t i = 1; i <= 12; ++i) log.append({(i + 3) / 4}, {}, {});
  const std::vector<TermStart> starts{{{4}, {8}}, {{2}, {3}}, {{1}, {1}}};
  return {
      {to.encode(AppendEntries{{5}, {2}, {1}, {6}, 8, true}, log, log.last(), kOther),
       said("append",
            "term=5 prev_index=2 prev_term=1 commit=6 entries=10 last_index=12 "
            "entry_terms=[1 2; 2 4; 3 4] round=8 wants_ack=true")},
      {to.encode(AppendEntries{{5}, {2}, {1}, {6}, 8, false}, log, {2}, kOther),
       said("append",
            "term=5 prev_index=2 prev_term=1 commit=6 entries=0 last_index=2 entry_terms=[] "
            "round=8 wants_ack=false")},
      {to.encode(AppendReply{{5}, {2}, {11}, {9}, 8}, starts, kOther),
       said("append_reply",
            "term=5 success=false agreed=2 rejected=11 last=9 term_starts=[4 8; 2 3; 1 1] "
            "round=8")},
      {to.encode(AppendReply{{5}, {12}, {}, {}, 7}, {}, kOther),
       said("append_reply",
            "term=5 success=true agreed=12 rejected=0 last=0 term_starts=[] round=7")},
  };
}

std::vector<FieldCase> snapshots() {
  Encoder to(kOwn);
  const SnapshotId snapshot{{9}, 3, 77};
  Membership members;
  members.voters = {NodeId{1}, NodeId{2}};
  members.outgoing = {NodeId{1}, NodeId{4}};
  members.disks = {{NodeId{2}, DiskId{8417}}};
  return {
      {to.encode(InstallSnapshot{{5}, snapshot, {4}, 1, 2}, members, kOther),
       said("install",
            "term=5 snapshot_index=9 snapshot_term=4 parts=3 checksum=77 part=1 "
            "members={1 2, from 1 4, disk 8417 of 2} round=2")},
      {to.encode(InstallReply{{5}, snapshot, 2, 6}, kOther),
       said("install_reply", "term=5 snapshot_index=9 parts=3 checksum=77 next=2 round=6")},
  };
}

std::vector<FieldCase> clients() {
  Encoder to(kOwn);
  const CommandRun one{{NodeId{1}, {1}, 21}, 3, {}};
  const CommandRun two{{NodeId{1}, {1}, 22}, 5, {}};
  const CommandRun* runs[] = {&one, &two};
  return {
      {to.encode(Forward{{7}}, runs, kOther), said("forward", "incarnation=7 runs=[21 3; 22 5]")},
      {to.encode(ReadIndexRequest{{7}, 41}, kOther),
       said("read_request", "incarnation=7 number=41")},
      {to.encode(ReadIndexReply{{7}, 41, {99}}, kOther),
       said("read_reply", "incarnation=7 number=41 index=99")},
  };
}

TEST(RaftFields, SayWhatIsInEachMessage) {
  std::vector<FieldCase> cases;
  for (const auto& some : {elections(), replication(), snapshots(), clients()}) {
    cases.insert(cases.end(), some.begin(), some.end());
  }
  expect_fields(fields, cases, wire::EnumNamesKind());
}

}  // namespace
}  // namespace parley::raft
