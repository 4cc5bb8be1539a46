// Every decoder with some thousand broken inputs: what libFuzzer does at length, shortly and the
// same each time.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "harness/fuzz/bytes.h"
#include "harness/fuzz/mutate.h"
#include "harness/fuzz/target.h"

namespace parley::fuzz {
namespace {

constexpr std::size_t kMaxBytes = 16'384;

// Inputs that once broke a target: testdata/<target>/<what it was>.
const std::filesystem::path kFound =
    std::filesystem::path(PARLEY_SOURCE_DIR) / "harness/fuzz/testdata";

std::vector<std::string> found_earlier(const std::string& target) {
  const std::filesystem::path folder = kFound / target;
  std::vector<std::string> inputs;
  if (!std::filesystem::exists(folder)) return inputs;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path(), std::ios::binary);
    inputs.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return inputs;
}

class Decoder : public ::testing::TestWithParam<std::size_t> {};

TEST_P(Decoder, WithstandsAnyBytes) {
  const FuzzTarget& target = targets()[GetParam()];
  const std::vector<std::string> seeds = target.seeds();
  ASSERT_FALSE(seeds.empty());
  for (const std::string& input : found_earlier(target.name)) target.run(bytes_of(input));
  for (const std::string& seed : seeds) target.run(bytes_of(seed));
  target.run({});
  Random random(1);
  for (std::size_t i = 0; i < target.test_inputs; ++i) {
    const std::string input = mutate(seeds, kMaxBytes, random);
    try {
      target.run(bytes_of(input));
    } catch (const std::exception& error) {
      FAIL() << error.what() << "\ninput " << i << ": " << ::testing::PrintToString(input);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Fuzz, Decoder, ::testing::Range(std::size_t{0}, targets().size()),
                         [](const auto& instance) { return targets()[instance.param].name; });

TEST(Targets, HaveWhatBrokeThemEarlier) {
  EXPECT_FALSE(found_earlier("bully_2pc_fencing_none_frame").empty());
  for (const auto& entry : std::filesystem::directory_iterator(kFound)) {
    const std::string name = entry.path().filename();
    const auto is_it = [&name](const FuzzTarget& target) { return target.name == name; };
    EXPECT_TRUE(std::ranges::any_of(targets(), is_it)) << name << " is no target";
  }
}

TEST(Targets, HaveNamesOfTheirOwn) {
  std::set<std::string> names;
  for (const FuzzTarget& target : targets()) names.insert(target.name);
  EXPECT_EQ(names.size(), targets().size());
}

TEST(Mutate, IsTheSameForTheSameSeed) {
  const std::vector<std::string> seeds{"a valid input", "another one"};
  Random first(7);
  Random second(7);
  std::set<std::string> different;
  for (int i = 0; i < 1000; ++i) {
    const std::string input = mutate(seeds, 20, first);
    EXPECT_EQ(input, mutate(seeds, 20, second));
    EXPECT_LE(input.size(), 20U);
    different.insert(input);
  }
  EXPECT_GT(different.size(), 800U);
}

}  // namespace
}  // namespace parley::fuzz
