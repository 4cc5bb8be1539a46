#include "runtime/maelstrom/base64.h"

#include <gtest/gtest.h>

#include "algorithms/contract/random.h"

namespace parley::maelstrom {
namespace {

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// The test vectors of RFC 4648, §10.
TEST(Base64, IsThatOfTheStandard) {
  const std::map<std::string, std::string> vectors = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    EXPECT_EQ(to_base64(bytes_of(plain)), text);
    std::vector<std::byte> bytes;
    EXPECT_TRUE(from_base64(text, bytes));
    EXPECT_TRUE(std::ranges::equal(bytes, bytes_of(plain))) << text;
  }
}

TEST(Base64, GivesBackEveryByte) {
  Random random(1);
  for (std::size_t size = 0; size < 300; ++size) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
    std::vector<std::byte> again;
    ASSERT_TRUE(from_base64(to_base64(bytes), again));
    EXPECT_EQ(again, bytes);
  }
}

TEST(Base64, RefusesWhatItIsNot) {
  std::vector<std::byte> bytes;
  for (const char* text :
       {"Z", "Zg", "Zg=", "Zm9v=", "Zm9\n", "Z-9v", "Zg==Zg==", "Zm9v====", "=Zg=", "===="}) {
    EXPECT_FALSE(from_base64(text, bytes)) << text;
  }
}

}  // namespace
}  // namespace parley::maelstrom
