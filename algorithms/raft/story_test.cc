// The stories of testdata/ and the traces that they leave (algorithms/contract/story/play.h).
#include <gtest/gtest.h>

#include "algorithms/contract/story/files.h"
#include "algorithms/raft/test_text.h"

namespace parley::raft::test {
namespace {

constexpr char kFolder[] = "algorithms/raft/testdata";

class Story : public testing::TestWithParam<std::string> {};

TEST_P(Story, LeavesTheTraceThatItTells) {
  story::expect_told(kStrategy, kFolder, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Raft, Story, testing::ValuesIn(story::stories(kFolder)),
                         [](const auto& told) { return told.param; });

}  // namespace
}  // namespace parley::raft::test
