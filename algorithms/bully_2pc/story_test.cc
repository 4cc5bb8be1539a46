// The stories of testdata/ and the traces that they leave (algorithms/contract/story/play.h).
#include <gtest/gtest.h>

#include "algorithms/bully_2pc/test_text.h"
#include "algorithms/contract/story/files.h"

namespace parley::bully_2pc::test {
namespace {

constexpr char kFolder[] = "algorithms/bully_2pc/testdata";

class Story : public testing::TestWithParam<std::string> {};

TEST_P(Story, LeavesTheTraceThatItTells) {
  story::expect_told(kStrategy, kFolder, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Bully, Story, testing::ValuesIn(story::stories(kFolder)),
                         [](const auto& told) { return told.param; });

}  // namespace
}  // namespace parley::bully_2pc::test
