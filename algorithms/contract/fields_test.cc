#include "algorithms/contract/test_fields.h"

namespace parley {
namespace {

std::string rows_of(std::initializer_list<std::uint64_t> epochs) {
  EpochRuns runs;
  for (const std::uint64_t epoch : epochs) runs.add(Epoch{epoch});
  FieldText said;
  runs.put("epochs", said);
  return said.text();
}

TEST(EpochRuns, AreAnEpochAndHowManyEntriesOfItFollowEachOther) {
  EXPECT_EQ(rows_of({}), "epochs=[]");
  EXPECT_EQ(rows_of({3}), "epochs=[3 1]");
  EXPECT_EQ(rows_of({1, 1, 1, 4, 6, 6}), "epochs=[1 3; 4 1; 6 2]");
  // A count that looks like the next epoch is none.
  EXPECT_EQ(rows_of({2, 2, 2, 2, 1}), "epochs=[2 4; 1 1]");
  EXPECT_EQ(rows_of({0, 0, 2, 2}), "epochs=[0 2; 2 2]");
  // Not sorted: an epoch that comes again has a row again.
  EXPECT_EQ(rows_of({5, 7, 5}), "epochs=[5 1; 7 1; 5 1]");
}

}  // namespace
}  // namespace parley
