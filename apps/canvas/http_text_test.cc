#include "apps/canvas/http_text.h"

#include <gtest/gtest.h>

#include <array>

namespace parley {
namespace {

TEST(HttpHosts, AreCutOutOfTheirAuthority) {
  EXPECT_EQ(host_of("LocalHost:8080"), "localhost");
  EXPECT_EQ(host_of("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(host_of("[::1]:80"), "::1");
  EXPECT_EQ(host_of("[::1"), "");
  EXPECT_EQ(host_of(""), "");
}

TEST(HttpHosts, OfThisMachineAreKnown) {
  for (const char* host : {"localhost", "a.localhost", "127.0.0.1", "127.1.2.3", "::1"}) {
    EXPECT_TRUE(is_loopback_host(host)) << host;
  }
  for (const char* host : {"", "example.org", "127.0.0.1.example.org", "127.example.org", "127.0.0",
                           "127.0.0.256", "localhost.example.org", "10.0.0.1"}) {
    EXPECT_FALSE(is_loopback_host(host)) << host;
  }
}

TEST(HttpOrigins, HaveAnAuthorityOrNone) {
  EXPECT_EQ(origin_authority("http://localhost:80"), "localhost:80");
  EXPECT_EQ(origin_authority("https://example.org"), "example.org");
  EXPECT_EQ(origin_authority("null"), "");
  EXPECT_EQ(origin_authority("file://"), "");
}

TEST(HttpAccept, ChoosesByWeightThenByOrder) {
  const std::array<std::string_view, 2> offered{"application/json", "application/octet-stream"};
  const auto choose = [&](std::string_view accept) { return choose_media_type(accept, offered); };
  EXPECT_EQ(choose(""), 0);
  EXPECT_EQ(choose("*/*"), 0);
  EXPECT_EQ(choose("application/*"), 0);
  EXPECT_EQ(choose("application/octet-stream"), 1);
  EXPECT_EQ(choose("Application/Octet-Stream"), 1);
  EXPECT_EQ(choose("text/html, */*;q=0.8"), 0);
  EXPECT_EQ(choose("application/json;q=0.5, application/octet-stream;q=0.51"), 1);
  EXPECT_EQ(choose("application/json;q=0, */*"), 1);
  EXPECT_EQ(choose("application/octet-stream, */*;q=0.1"), 1);
  EXPECT_EQ(choose("image/png"), -1);
  EXPECT_EQ(choose("application/json;q=0"), -1);
  EXPECT_EQ(choose("application/json;q=x"), -1);
  EXPECT_EQ(choose(",;,=;q"), -1);
}

TEST(HttpEtags, AreComparedWeakly) {
  EXPECT_TRUE(etag_matches("\"a\"", "\"a\""));
  EXPECT_TRUE(etag_matches("\"b\", W/\"a\"", "\"a\""));
  EXPECT_TRUE(etag_matches("*", "\"a\""));
  EXPECT_FALSE(etag_matches("", "\"a\""));
  EXPECT_FALSE(etag_matches("a", "\"a\""));
}

TEST(HttpQueries, AreCutIntoParameters) {
  using Parameters = std::vector<std::pair<std::string_view, std::string_view>>;
  EXPECT_EQ(query_parameters("x=1&y=2"), (Parameters{{"x", "1"}, {"y", "2"}}));
  EXPECT_EQ(query_parameters(""), Parameters{});
  EXPECT_EQ(query_parameters("&a&=b&c=d=e"), (Parameters{{"a", ""}, {"", "b"}, {"c", "d=e"}}));
}

TEST(HttpNumbers, AreDigitsOnly) {
  std::uint64_t number = 0;
  EXPECT_TRUE(parse_number("18446744073709551615", number));
  EXPECT_EQ(number, UINT64_MAX);
  for (const char* bad : {"", "-1", "+1", " 1", "1 ", "0x1", "1.0", "18446744073709551616"}) {
    EXPECT_FALSE(parse_number(bad, number)) << bad;
  }
}

}  // namespace
}  // namespace parley
