#include "algorithms/gossip_lww/fields.h"

#include <gtest/gtest.h>

#include "algorithms/contract/test_fields.h"
#include "algorithms/gossip_lww/codec.h"

namespace parley::gossip_lww {
namespace {

const std::vector<NodeId> kMembers{{1}, {2}, {7}};

std::vector<FieldCase> rumors() {
  Encoder to(kMembers);
  const Delta one{{1}, 3, {10}, {}, 1, {}};
  const Delta two{{7}, 4, {20}, {12}, 3, {}};
  const Delta* deltas[] = {&one, &two};
  return {
      {to.rumors(deltas, true), "type='rumors' deltas=[1 3 10 0 1; 7 4 20 12 3] more=true"},
      {to.rumors(std::span(deltas).first(1), false),
       "type='rumors' deltas=[1 3 10 0 1] more=false"},
      {to.ack({55}), "type='ack' through=55"},
  };
}

std::vector<FieldCase> summaries() {
  Encoder to(kMembers);
  const Known nothing(3);
  Known known(3);
  known.join(0, {12});
  known.join(2, {22});
  using Stage = Summary::Stage;
  return {
      {to.summary({99, Stage::opening, true, false, false}, nothing),
       "type='summary' stage='opening' digest='99' settled=true whole=false out_of_reach=false "
       "known=[]"},
      {to.summary({UINT64_MAX, Stage::answer, false, true, false}, known),
       "type='summary' stage='answer' digest='18446744073709551615' settled=false whole=true "
       "out_of_reach=false known=[1 12; 7 22]"},
      {to.summary({98, Stage::notice, false, false, true}, known),
       "type='summary' stage='notice' digest='98' settled=false whole=false out_of_reach=true "
       "known=[1 12; 7 22]"},
      {to.summary({97, Stage::question, false, false, false}, nothing),
       "type='summary' stage='question' digest='97' settled=false whole=false out_of_reach=false "
       "known=[]"},
  };
}

std::vector<FieldCase> trees() {
  Encoder to(kMembers);
  const TreePlace places[] = {{2, 0}, {0, 17}};
  const TreeDigest digests[] = {{{1, 0}, 77}, {{1, 3}, 78}};
  return {
      {to.tree_request(5, places), "type='tree_request' number=5 places=[2 0; 0 17]"},
      {to.tree_reply(5, digests), "type='tree_reply' number=5 digests=2"},
      {to.tree_reply(6, {}), "type='tree_reply' number=6 digests=0"},
  };
}

std::vector<FieldCase> probes() {
  Encoder to(kMembers);
  const WallTime wall(Duration(1000));
  const std::vector<Update> updates{
      {0, Standing::alive, 4}, {1, Standing::suspect, 5}, {2, Standing::dead, 6}};
  return {
      {to.probe(wire::Kind::ping, {8, wall, {}}, updates),
       "type='ping' number=8 target=0 wall=1000 updates=[1 4 0; 2 5 1; 7 6 2]"},
      {to.probe(wire::Kind::ping_request, {9, wall, {7}}, {}),
       "type='ping_request' number=9 target=7 wall=1000 updates=[]"},
      {to.probe(wire::Kind::pong, {10, wall, {2}}, std::span(updates).first(1)),
       "type='pong' number=10 target=2 wall=1000 updates=[1 4 0]"},
  };
}

TEST(GossipFields, SayWhatIsInEachMessage) {
  std::vector<FieldCase> cases;
  for (const auto& some : {rumors(), summaries(), trees(), probes()}) {
    cases.insert(cases.end(), some.begin(), some.end());
  }
  expect_fields(fields, cases, wire::EnumNamesKind());
}

}  // namespace
}  // namespace parley::gossip_lww
