#include "apps/canvas/gateway_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace parley {
namespace {

constexpr CanvasSize kSize{1000, 500};

TEST(PlaceJson, IsReadCompletely) {
  PlaceRequest place;
  EXPECT_FALSE(parse_place(
      R"({"x":999,"y":0,"color":"#ff5733","user":4294967295,"client":9007199254740991,"seq":1})",
      kSize, place));
  EXPECT_EQ(place.x, 999U);
  EXPECT_EQ(place.y, 0U);
  EXPECT_EQ(place.color, 0xFF5733U);
  EXPECT_EQ(place.user, 4294967295U);
  EXPECT_EQ(place.client, kMaxClient);
  EXPECT_EQ(place.seq, 1U);
}

TEST(PlaceJson, NeedsNeitherUserNorClient) {
  PlaceRequest place;
  EXPECT_FALSE(parse_place(R"( {"y":1, "x":2, "color":"#000000"} )", kSize, place));
  EXPECT_EQ(place.user, 0U);
  EXPECT_FALSE(place.client);
}

struct Bad {
  std::string body;
  std::string field;
  std::string allowed;
};

class BadPlaceJson : public ::testing::TestWithParam<Bad> {};

TEST_P(BadPlaceJson, NamesTheFieldAndWhatIsAllowed) {
  PlaceRequest place;
  const auto complaint = parse_place(GetParam().body, kSize, place);
  ASSERT_TRUE(complaint) << GetParam().body;
  EXPECT_EQ(complaint->field, GetParam().field) << complaint->error;
  EXPECT_EQ(complaint->allowed, GetParam().allowed) << complaint->error;
  EXPECT_EQ(complaint->reason, "invalid");
  EXPECT_TRUE(complaint->error.starts_with(GetParam().field + ": ")) << complaint->error;
  const auto json = nlohmann::json::parse(complaint_json(*complaint));
  EXPECT_EQ(json["field"], GetParam().field);
}

const char kFieldNames[] = "x, y, color, user, client, seq";

INSTANTIATE_TEST_SUITE_P(
    All, BadPlaceJson,
    ::testing::Values(
        Bad{"", "body", "a JSON object"}, Bad{"[1]", "body", "a JSON object"},
        Bad{"{\"x\":1", "body", "a JSON object"}, Bad{"\xff\xfe", "body", "a JSON object"},
        Bad{std::string(60000, '['), "body", "a JSON object"},
        Bad{R"({"y":1,"color":"#000000"})", "x", "0 to 999"},
        Bad{R"({"x":1000,"y":1,"color":"#000000"})", "x", "0 to 999"},
        Bad{R"({"x":-1,"y":1,"color":"#000000"})", "x", "0 to 999"},
        Bad{R"({"x":1.5,"y":1,"color":"#000000"})", "x", "0 to 999"},
        Bad{R"({"x":1e99,"y":1,"color":"#000000"})", "x", "0 to 999"},
        Bad{R"({"x":99999999999999999999,"y":1,"color":"#000000"})", "x", "0 to 999"},
        Bad{R"({"x":"1","y":1,"color":"#000000"})", "x", "0 to 999"},
        Bad{R"({"x":null,"y":1,"color":"#000000"})", "x", "0 to 999"},
        Bad{R"({"x":1,"y":500,"color":"#000000"})", "y", "0 to 499"},
        Bad{R"({"x":1,"y":1})", "color", "#000000 to #FFFFFF"},
        Bad{R"({"x":1,"y":1,"color":"red"})", "color", "#000000 to #FFFFFF"},
        Bad{R"({"x":1,"y":1,"color":16711680})", "color", "#000000 to #FFFFFF"},
        Bad{R"({"x":1,"y":1,"color":["#000000"]})", "color", "#000000 to #FFFFFF"},
        Bad{R"({"x":1,"y":1,"color":"#000000","user":"eve"})", "user", "0 to 4294967295"},
        Bad{R"({"x":1,"y":1,"color":"#000000","client":1})", "seq", "1 to 4294967295"},
        Bad{R"({"x":1,"y":1,"color":"#000000","seq":1})", "client", "0 to 9007199254740991"},
        Bad{R"({"x":1,"y":1,"color":"#000000","client":1,"seq":0})", "seq", "1 to 4294967295"},
        Bad{R"({"x":1,"y":1,"color":"#000000","client":9007199254740992,"seq":1})", "client",
            "0 to 9007199254740991"},
        Bad{R"({"x":1,"x":2,"y":1,"color":"#000000"})", "x", "once"},
        Bad{R"({"x":1,"y":1,"colour":"#000000"})", "colour", kFieldNames}));

const std::vector<NodeId> kNodes{{1}, {2}, {4}};

TEST(MemberChangeJson, IsReadCompletely) {
  MemberChange change;
  const auto read = [&change](std::string_view body) {
    change = {};
    return parse_member_change(body, kNodes, change).value_or(Complaint{});
  };
  EXPECT_EQ(read(R"({"add":4,"disk":"18446744073709551615","remove":2})").error, "");
  EXPECT_EQ(change.add, NodeId{4});
  EXPECT_EQ(change.disk, DiskId{UINT64_MAX});
  EXPECT_EQ(change.remove, NodeId{2});
  EXPECT_EQ(read(R"({"remove":9})").error, "");
  EXPECT_EQ(change.add, kNoNode);
  EXPECT_EQ(change.remove, NodeId{9}) << "whether it is a member the replica knows";
}

TEST(MemberChangeJson, NamesTheFieldAndWhatIsAllowed) {
  const auto complaint = [](std::string_view body) {
    MemberChange change;
    return parse_member_change(body, kNodes, change).value_or(Complaint{});
  };
  EXPECT_EQ(complaint("[]").field, "body");
  EXPECT_EQ(complaint("{}").allowed, "add, remove, or both");
  EXPECT_EQ(complaint(R"({"add":3,"disk":"5"})").error, "add: 3 is not a node of [peers]: 1, 2, 4");
  EXPECT_EQ(complaint(R"({"add":-1,"disk":"5"})").allowed, "1, 2, 4");
  EXPECT_EQ(complaint(R"({"add":4})").field, "disk");
  EXPECT_EQ(complaint(R"({"add":4,"disk":5})").field, "disk") << "JavaScript would round it";
  EXPECT_EQ(complaint(R"({"add":4,"disk":"18446744073709551616"})").field, "disk");
  EXPECT_EQ(complaint(R"({"add":4,"disk":"x"})").field, "disk");
  EXPECT_EQ(complaint(R"({"remove":4,"disk":"5"})").field, "disk");
  EXPECT_EQ(complaint(R"({"remove":0})").field, "remove");
  EXPECT_EQ(complaint(R"({"add":4,"disk":"5","remove":4})").field, "remove");
  EXPECT_EQ(complaint(R"({"remove":2,"remove":4})").error, "remove: stands there twice");
  EXPECT_EQ(complaint(R"({"removed":2})").allowed, "add, disk, remove");
}

TEST(ComplaintJson, WithstandsBytesThatAreNoText) {
  const auto json = nlohmann::json::parse(complaint_json({"field\xff", "invalid", "\xc3\x28", ""}));
  EXPECT_EQ(json["reason"], "invalid");
}

TEST(StatusJson, ShowsWhatTheNodeReports) {
  NodeReport report;
  report.node = {2};
  report.incarnation = {UINT64_MAX};
  report.algorithm = "raft";
  report.role = "leader";
  report.status.epoch = {4};
  report.status.leader = {2};
  report.status.commit = {10};
  report.status.last = {12};
  report.applied = {9};
  report.disk = {UINT64_MAX};
  report.members = {.voters = {{1}, {2}}, .outgoing = {{1}, {3}}, .disks = {{{2}, {UINT64_MAX}}}};
  report.digest = 0xABC;
  report.client_endpoint = "tcp://127.0.0.1:4711";
  report.peers = {{{1}, true, 3, 4, 5}, {{3}, false, 0, 0, 0}};
  const std::map<NodeId, std::string> pages{{{1}, "http://127.0.0.1:8080/"},
                                            {{2}, "http://127.0.0.1:8081/"}};
  const auto json = nlohmann::json::parse(status_json(report, pages, Canvas(kSize), {}, 0, true));
  EXPECT_EQ(json["node"], 2);
  EXPECT_EQ(json["incarnation"], "18446744073709551615");
  EXPECT_EQ(json["role"], "leader");
  EXPECT_EQ(json["epoch"], 4);
  EXPECT_EQ(json["leader"], 2);
  EXPECT_EQ(json["indices"], nlohmann::json({{"commit", 10}, {"last", 12}, {"applied", 9}}));
  EXPECT_EQ(json["part"], "voter");
  EXPECT_EQ(json["disk"], "18446744073709551615");
  EXPECT_EQ(json["members"]["voters"], nlohmann::json({1, 2}));
  EXPECT_EQ(json["members"]["outgoing"], nlohmann::json({1, 3}));
  EXPECT_EQ(json["members"]["disks"], nlohmann::json({{"2", "18446744073709551615"}}));
  EXPECT_EQ(json["digest"], "0000000000000abc");
  EXPECT_EQ(json["client_port"], 4711);
  EXPECT_EQ(json["peers"][0]["dropped"], 5);
  EXPECT_EQ(json["peers"][0]["page"], "http://127.0.0.1:8080/");
  EXPECT_TRUE(json["peers"][1]["page"].is_null());
  EXPECT_EQ(json["canvas"]["width"], 1000);
  EXPECT_EQ(json["canvas"]["cooldown_ms"], 0);

  report.disk = {};
  EXPECT_EQ(part_of(report), "outsider") << "with another disk it is somebody else";
  report.status.leader = kNoNode;
  report.client_endpoint = "ipc:///tmp/x";
  const auto without = nlohmann::json::parse(status_json(report, {}, Canvas(kSize), {}, 0, false));
  EXPECT_TRUE(without["leader"].is_null());
  EXPECT_TRUE(without["client_port"].is_null());
}

}  // namespace
}  // namespace parley
