#include "runtime/maelstrom/message.h"

#include <gmock/gmock.h>

namespace parley::maelstrom {
namespace {

using ::testing::StartsWith;

TEST(Message, IsReadAsTheProtocolHasIt) {
  Message message;
  ASSERT_EQ(
      decode(R"({"src":"c1","dest":"n1","body":{"type":"read","msg_id":7,"key":3}})", message), "");
  EXPECT_EQ(message.src, "c1");
  EXPECT_EQ(message.dest, "n1");
  EXPECT_EQ(message.type, "read");
  EXPECT_EQ(message.msg_id, 7);
  EXPECT_EQ(message.in_reply_to, std::nullopt);
  EXPECT_EQ(message.body.at("key"), 3);
  ASSERT_EQ(
      decode(R"({"id":1,"src":"n2","dest":"n1","body":{"type":"ok","in_reply_to":-1}})", message),
      "");
  EXPECT_EQ(message.msg_id, std::nullopt);
  EXPECT_EQ(message.in_reply_to, -1);
}

TEST(Message, SaysWhatIsWrong) {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"", "line: "},
      {"no json", "line: "},
      {"[]", "line: "},
      {R"({"src":"c1","dest":"n1","body":{"type":"read"})", "line: "},
      {R"({"src":"c1","dest":"n1","body":{"type":"read","x":1e999}})", "line: "},
      {"{\"src\":\"c1\",\"dest\":\"n1\",\"body\":{\"type\":\"\xff\"}}", "line: "},
      {R"({"dest":"n1","body":{"type":"read"}})", "src: is missing"},
      {R"({"src":1,"dest":"n1","body":{"type":"read"}})", "src: must be a string"},
      {R"({"src":"c1","body":{"type":"read"}})", "dest: is missing"},
      {R"({"src":"c1","dest":"n1"})", "body: must be an object"},
      {R"({"src":"c1","dest":"n1","body":[]})", "body: must be an object"},
      {R"({"src":"c1","dest":"n1","body":{}})", "type: is missing"},
      {R"({"src":"c1","dest":"n1","body":{"type":2}})", "type: must be a string"},
      {R"({"src":"c1","dest":"n1","body":{"type":"x","msg_id":"1"}})", "msg_id: must be a whole"},
      {R"({"src":"c1","dest":"n1","body":{"type":"x","in_reply_to":1.5}})", "in_reply_to: must be"},
      {R"({"src":"c1","dest":"n1","body":{"type":"x","msg_id":9223372036854775808}})",
       "msg_id: must be"}};
  for (const auto& [line, problem] : lines) {
    Message message;
    EXPECT_THAT(decode(line, message), StartsWith(problem)) << line;
  }
}

// Whoever sent it is to be told.
TEST(Message, HasWhatCouldBeReadOfAWrongOne) {
  Message message;
  EXPECT_NE(decode(R"({"src":"c1","dest":"n1","body":{"msg_id":5}})", message), "");
  EXPECT_EQ(message.src, "c1");
  EXPECT_EQ(message.dest, "n1");
  EXPECT_EQ(message.msg_id, 5);
}

TEST(Message, IsOfBoundedDepth) {
  const auto nested = [](int levels) {
    return R"({"src":"c1","dest":"n1","body":{"type":"x","value":)" + std::string(levels, '[') +
           std::string(levels, ']') + "}}";
  };
  Message message;
  EXPECT_EQ(decode(nested(kMaxDepth - 2), message), "");
  EXPECT_THAT(decode(nested(kMaxDepth - 1), message), StartsWith("line: "));
  EXPECT_THAT(decode(nested(1'000'000), message), StartsWith("line: "));
}

TEST(Message, IsWrittenAsALine) {
  EXPECT_EQ(encode("n1", "c1", error_body(ErrorCode::precondition_failed, "a\nb")),
            R"({"body":{"code":22,"text":"a\nb","type":"error"},"dest":"c1","src":"n1"})"
            "\n");
}

}  // namespace
}  // namespace parley::maelstrom
