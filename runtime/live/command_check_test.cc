#include "runtime/live/command_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/test_application.h"

namespace parley {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const TestApplication kApplication;

TEST(CommandCheck, CountsGoodCommands) {
  std::vector<std::byte> body;
  TestApplication::append_open(body, 5);
  TestApplication::append(body, 1, 1, 3, 4);
  TestApplication::append(body, 1, 2, 63, 4);
  const CheckedCommands checked = check_commands(kApplication, body);
  EXPECT_THAT(checked.error, IsEmpty());
  EXPECT_EQ(checked.count, 3u);
}

TEST(CommandCheck, NamesTheCommandAndTheField) {
  std::vector<std::byte> body;
  TestApplication::append(body, 1, 1, 3, 4);
  TestApplication::append(body, 1, 2, 64, 4);
  EXPECT_EQ(check_commands(kApplication, body).error, "command 1: key: must be below 64");
}

TEST(CommandCheck, RefusesWhatIsNoCommand) {
  EXPECT_THAT(check_commands(kApplication, {}).error, HasSubstr("there is none"));
  std::vector<std::byte> body;
  TestApplication::append(body, 1, 1, 3, 4);
  for (std::size_t size = 1; size < body.size(); ++size) {
    EXPECT_THAT(check_commands(kApplication, Bytes(body).first(size)).error, HasSubstr("cut short"))
        << size;
  }
  body.clear();
  TestApplication::append(body, 1, 0, 3, 4);
  EXPECT_THAT(check_commands(kApplication, body).error, HasSubstr("sequence"));
}

TEST(CommandCheck, RefusesUnknownKindsAndShortNonces) {
  std::vector<std::byte> body;
  TestApplication::append(body, 1, 1, 3, 4);
  body[10] = std::byte{9};
  EXPECT_EQ(check_commands(kApplication, body).error, "command 0: kind: 9 is neither 0 nor 1");
  body.clear();
  const CommandHeader open{0, 0, 0, static_cast<std::uint16_t>(CommandKind::open_session)};
  const Bytes bytes = std::as_bytes(std::span(&open, 1));
  EXPECT_THAT(check_commands(kApplication, bytes).error, HasSubstr("nonce"));
}

TEST(CommandCheck, LimitsTheCommandsOfARequest) {
  std::vector<std::byte> body;
  for (std::uint32_t i = 1; i <= kMaxSubmitCommands; ++i) TestApplication::append(body, 1, i, 0, 0);
  EXPECT_THAT(check_commands(kApplication, body).error, IsEmpty());
  TestApplication::append(body, 1, 1, 0, 0);
  EXPECT_EQ(check_commands(kApplication, body).error, "commands: more than 4096 in one request");
}

}  // namespace
}  // namespace parley
