#include "apps/kv/kv.h"

#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "algorithms/contract/random.h"
#include "runtime/applier.h"

namespace parley::kv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Payload = std::vector<std::byte>;

// An ordered strategy's replica: what is applied to it, and what it answers.
class Map : public ::testing::Test {
 protected:
  Map() {
    std::vector<std::byte> open;
    append_open_session(1, open);
    session_ = static_cast<std::uint32_t>(apply(open, 1).front().value);
  }

  // Carries out commands as one run; their codes.
  std::vector<std::uint16_t> run(const std::vector<Payload>& payloads) {
    std::vector<std::byte> body;
    for (const Payload& payload : payloads) {
      append_command({session_, ++sequence_, static_cast<std::uint16_t>(payload.size()), 0},
                     payload, body);
    }
    std::vector<std::uint16_t> codes;
    for (const Result& result : apply(body, static_cast<std::uint32_t>(payloads.size()))) {
      EXPECT_EQ(result.outcome, Outcome::ok);
      codes.push_back(result.code);
    }
    return codes;
  }
  std::uint16_t run(const Payload& payload) { return run(std::vector<Payload>{payload}).front(); }

  std::optional<std::string> get(std::string_view key) {
    Payload answer;
    EXPECT_EQ(application_.query(applier_.store(), encode_get(key), answer), "");
    return decode_value(answer);
  }

  std::vector<std::string> elements() {
    Payload answer;
    EXPECT_EQ(application_.query(applier_.store(), encode_elements(), answer), "");
    return decode_elements(answer);
  }

  std::span<const Result> apply(Bytes body, std::uint32_t count) {
    return applier_.apply(
        {++index_, {RunId{NodeId{1}, Incarnation{1}, index_.value}, count, Block::copy_of(body)}});
  }

  // Of indices that rise before use.
  struct Index : LogIndex {
    LogIndex operator++() { return *this = Index{next()}; }
  };

  Application application_{Application::Kind::map_and_set};
  Applier applier_{application_, 4, 0, nullptr};
  Index index_;
  std::uint32_t session_ = 0;
  std::uint32_t sequence_ = 0;
};

TEST_F(Map, AKeyHasTheValueThatWasWrittenLast) {
  EXPECT_EQ(get("1"), std::nullopt);
  EXPECT_EQ(run(encode_write("1", "\"a\"")), kDone);
  EXPECT_EQ(get("1"), "\"a\"");
  EXPECT_EQ(run(encode_write("1", "[1,2,3,4,5,6,7,8]")), kDone);
  EXPECT_EQ(run(encode_write("1", "2")), kDone);
  EXPECT_EQ(get("1"), "2") << "shorter than the one before";
  EXPECT_EQ(get("2"), std::nullopt);
}

TEST_F(Map, ComparesAndSets) {
  EXPECT_EQ(run(encode_compare_and_set("k", "1", "2", false)), kMissing);
  EXPECT_EQ(get("k"), std::nullopt);
  run(encode_write("k", "1"));
  EXPECT_EQ(run(encode_compare_and_set("k", "3", "4", false)), kMismatch);
  EXPECT_EQ(get("k"), "1");
  EXPECT_EQ(run(encode_compare_and_set("k", "1", "2", false)), kDone);
  EXPECT_EQ(get("k"), "2");
}

TEST_F(Map, CreatesWhatIsNotThere) {
  EXPECT_EQ(run(encode_compare_and_set("k", "1", "2", true)), kDone);
  EXPECT_EQ(get("k"), "2");
  EXPECT_EQ(run(encode_compare_and_set("k", "1", "3", true)), kMismatch);
  EXPECT_EQ(run(encode_compare_and_set("k", "2", "3", true)), kDone);
  EXPECT_EQ(get("k"), "3");
}

TEST_F(Map, CommandsOfARunSeeThoseBeforeThem) {
  EXPECT_THAT(run({encode_write("k", "1"), encode_compare_and_set("k", "1", "2", false),
                   encode_compare_and_set("k", "1", "3", false)}),
              ElementsAre(kDone, kDone, kMismatch));
  EXPECT_EQ(get("k"), "2");
}

TEST_F(Map, TakesTextsOfEverySize) {
  for (const std::size_t size : {0, 1, 7, 8, 9, 119, 120}) {
    const std::string key(size, 'k');
    const std::string value(size * kMaxValueBytes / kMaxKeyBytes, 'v');
    EXPECT_EQ(run(encode_write(key, value)), kDone);
    EXPECT_EQ(get(key), value);
  }
  EXPECT_EQ(get(std::string(118, 'k')), std::nullopt);
}

TEST_F(Map, IsFullAtItsLimitAndGoesOnWithTheKeysThatItHas) {
  std::vector<Payload> writes;
  for (std::uint32_t i = 0; i < kMaxEntries; ++i) {
    writes.push_back(encode_write(std::to_string(i), "1"));
  }
  for (const std::uint16_t code : run(writes)) EXPECT_EQ(code, kDone);
  EXPECT_EQ(run(encode_write("another", "1")), kFull);
  EXPECT_EQ(run(encode_compare_and_set("another", "1", "2", true)), kFull);
  EXPECT_EQ(run(encode_compare_and_set("another", "1", "2", false)), kMissing);
  EXPECT_EQ(get("another"), std::nullopt);
  EXPECT_EQ(run(encode_compare_and_set("17", "1", "2", false)), kDone);
  EXPECT_EQ(get("17"), "2");
}

TEST_F(Map, HasASetBesideIt) {
  run(encode_add(NodeId{2}, 0, "\"of some length\""));
  run(encode_write("1", "2"));
  run(encode_add(NodeId{1}, 0, "7"));
  EXPECT_THAT(elements(), ElementsAre("\"of some length\"", "7"));
}

TEST_F(Map, ACommandThatIsNoneIsRefusedOnEveryReplica) {
  EXPECT_EQ(run(Payload(8)), kInvalid);
  EXPECT_EQ(run(Payload(4)), kInvalid);
  EXPECT_THAT(elements(), IsEmpty());
}

TEST_F(Map, CommandsAreValidWithinTheirLimits) {
  EXPECT_EQ(application_.validate(encode_write("k", "v")), "");
  EXPECT_EQ(application_.validate(encode_compare_and_set("k", "", "v", true)), "");
  EXPECT_EQ(application_.validate(encode_write(std::string(121, 'k'), "")),
            "key: has 121 bytes, more than 120");
  EXPECT_EQ(application_.validate(encode_write("k", std::string(897, 'v'))),
            "value: has 897 bytes, more than 896");
  EXPECT_EQ(application_.validate(encode_compare_and_set("k", std::string(897, 'v'), "", false)),
            "from: has 897 bytes, more than 896");
  Payload cut = encode_write("key", "value");
  cut.resize(cut.size() - 4);
  EXPECT_THAT(application_.validate(cut), HasSubstr("payload: "));
  Payload add = encode_add(NodeId{kMaxLists}, kListCells - 1, "1").front();
  EXPECT_EQ(application_.validate(add), "");
  add = encode_add(NodeId{kMaxLists}, kListCells, "1").front();
  EXPECT_THAT(application_.validate(add), HasSubstr("cell: must be below"));
  EXPECT_THAT(application_.validate(Payload(8)), HasSubstr("kind: "));
}

TEST(Set, HasNoMap) {
  const Application application(Application::Kind::set);
  EXPECT_FALSE(application.state_dependent());
  EXPECT_THAT(application.validate(encode_write("k", "v")), HasSubstr("only a set"));
  const Store store(application.key_count());
  Payload answer;
  EXPECT_THAT(application.query(store, encode_get("k"), answer), HasSubstr("only a set"));
  EXPECT_EQ(application.validate(encode_add(NodeId{1}, 0, "1").front()), "");
}

// --- the laws of merging ---

// An element at its place in a list.
struct Added {
  NodeId owner;
  std::uint32_t first = 0;
  std::string element;
};

// The writes of cells that elements come down to.
std::vector<CellWrite> writes_of(const std::vector<Added>& added) {
  const Application application(Application::Kind::set);
  std::vector<CellWrite> writes;
  for (const Added& one : added) {
    for (const Payload& payload : encode_add(one.owner, one.first, one.element)) {
      Command command;
      command.payload = payload;
      application.translate(command, writes.emplace_back());
      writes.back().writer = {one.owner.value, 1};
    }
  }
  return writes;
}

// Elements of three nodes, from their lists one after the other; some are the same.
std::vector<Added> some_elements() {
  const auto texts = *rc::gen::container<std::vector<std::string>>(
      rc::gen::nonEmpty(rc::gen::container<std::string>(rc::gen::inRange('a', 'c'))));
  std::vector<Added> added;
  std::map<std::uint32_t, std::uint32_t> ends;
  for (const std::string& text : texts) {
    const auto owner = *rc::gen::inRange<std::uint32_t>(1, 4);
    added.push_back({NodeId{owner}, ends[owner], text.substr(0, kMaxElementBytes)});
    ends[owner] += cells_of(added.back().element);
  }
  return added;
}

// Offers the writes, whose stamps say nothing of their order: each cell has one write only.
void merge(const std::vector<CellWrite>& writes, Store& store) {
  for (const CellWrite& write : writes) {
    store.write(write.key, write.value, Stamp{1 + write.key.value, write.writer.session},
                write.writer);
  }
}

std::vector<std::string> elements_of(const Store& store) {
  Payload answer;
  EXPECT_EQ(Application(Application::Kind::set).query(store, encode_elements(), answer), "");
  return decode_elements(answer);
}

std::vector<std::string> texts_of(const std::vector<Added>& added) {
  std::set<std::string> texts;
  for (const Added& one : added) texts.insert(one.element);
  return {texts.begin(), texts.end()};
}

Store empty_store() {
  return Store(Application(Application::Kind::set).key_count());
}

RC_GTEST_PROP(SetMerging, KeepsEveryElementInAnyOrderHoweverOften, ()) {
  const std::vector<Added> added = some_elements();
  std::vector<CellWrite> writes = writes_of(added);
  const std::size_t count = writes.size();
  for (std::size_t i = 0; i < count; i += 2) writes.push_back(writes[i]);
  std::shuffle(writes.begin(), writes.end(), std::mt19937_64(*rc::gen::arbitrary<std::uint64_t>()));
  Store store = empty_store();
  merge(writes, store);
  RC_ASSERT(elements_of(store) == texts_of(added));
}

RC_GTEST_PROP(SetMerging, IsTheUnionWhoeverMergesFirst, ()) {
  const std::vector<Added> added = some_elements();
  std::vector<Added> of_first;
  std::vector<Added> of_others;
  for (const Added& one : added) (one.owner == NodeId{1} ? of_first : of_others).push_back(one);
  Store one_way = empty_store();
  merge(writes_of(of_first), one_way);
  merge(writes_of(of_others), one_way);
  Store other_way = empty_store();
  merge(writes_of(of_others), other_way);
  merge(writes_of(of_first), other_way);
  RC_ASSERT(one_way.digest() == other_way.digest());
  RC_ASSERT(elements_of(one_way) == texts_of(added));
}

// While only a part has arrived, what is seen is a part of what was added, and of every element all
// or nothing.
RC_GTEST_PROP(SetMerging, ShowsElementsWholeOrNotAtAll, ()) {
  const std::vector<Added> added = some_elements();
  const std::vector<std::string> all = texts_of(added);
  Store store = empty_store();
  std::vector<CellWrite> writes = writes_of(added);
  std::shuffle(writes.begin(), writes.end(), std::mt19937_64(*rc::gen::arbitrary<std::uint64_t>()));
  writes.resize(writes.size() / 2);
  merge(writes, store);
  for (const std::string& element : elements_of(store)) {
    RC_ASSERT(std::binary_search(all.begin(), all.end(), element));
  }
}

// A merge strategy hands on what other nodes sent.
TEST(Set, WithstandsCellsThatNobodyEncoded) {
  Store store = empty_store();
  Random random(1);
  for (std::uint32_t key = 0; key < 4096; ++key) {
    store.write(Key{key}, random.bits(), Stamp{1, 1}, Writer{1, 1});
  }
  for (const std::string& element : elements_of(store)) {
    EXPECT_LE(element.size(), 4096 * kBytesPerCell);
  }
}

}  // namespace
}  // namespace parley::kv
