#include "harness/load/replay.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "harness/load/workload.h"

namespace parley::load {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class Replay : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder_ = std::filesystem::path(testing::TempDir()) / (std::string("replay_") + test->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path file(const std::string& text) {
    const auto path = folder_ / "log.csv";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  std::filesystem::path compressed(const std::string& text) {
    const auto path = folder_ / "log.csv.gz";
    gzFile out = gzopen(path.c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    return path;
  }
  static std::vector<LoggedPlacement> all(ReplayReader& reader) {
    std::vector<LoggedPlacement> placements;
    while (const auto placement = reader.next()) placements.push_back(*placement);
    return placements;
  }
  static std::string problem_of(const std::filesystem::path& path) {
    try {
      ReplayReader reader(path);
      all(reader);
    } catch (const LoadError& error) {
      return error.what();
    }
    return {};
  }

  std::filesystem::path folder_;
};

const char* const kSample =
    "t_ms,user,x,y,color\n"
    "0,0,1873,1172,#00CCC0\n"
    "343,1,1999,0,#94b3ff\r\n"
    "578,0,117,1449,#00CCC0\n";

TEST_F(Replay, ReadsTheSample) {
  ReplayReader reader(file(kSample));
  EXPECT_EQ(reader.format(), LogFormat::sample);
  const auto placements = all(reader);
  ASSERT_EQ(placements.size(), 3u);
  EXPECT_EQ(placements[1].t_ms, 343);
  EXPECT_EQ(placements[1].user, 1u);
  EXPECT_EQ(placements[1].x, 1999u);
  EXPECT_EQ(placements[1].y, 0u);
  EXPECT_EQ(placements[1].color, 0x94B3FFu);
  EXPECT_EQ(reader.malformed(), 0u);
  EXPECT_EQ(reader.lines(), 4u);
}

TEST_F(Replay, ReadsGzip) {
  ReplayReader reader(compressed(kSample));
  EXPECT_EQ(all(reader).size(), 3u);
}

TEST_F(Replay, ReadsTheLogOf2017) {
  ReplayReader reader(
      file("ts,user,x_coordinate,y_coordinate,color\n"
           "1490979533000,dXqmZ7fHKeFtH2DXEjJL5w==,328,460,13\n"
           "1490979533123,aaaaaaaaaaaaaaaaaaaaaa==,0,999,0\n"
           "1490979534000,dXqmZ7fHKeFtH2DXEjJL5w==,5,5,15\n"));
  EXPECT_EQ(reader.format(), LogFormat::event_2017);
  const auto placements = all(reader);
  ASSERT_EQ(placements.size(), 3u);
  EXPECT_EQ(placements[0].t_ms, 1'490'979'533'000);
  EXPECT_EQ(placements[0].color, 0x0000EAu);
  EXPECT_EQ(placements[1].color, 0xFFFFFFu);
  EXPECT_EQ(placements[2].color, 0x820080u);
  EXPECT_EQ(placements[0].user, placements[2].user);
  EXPECT_NE(placements[0].user, placements[1].user);
}

TEST_F(Replay, ReadsTheLogOf2022) {
  ReplayReader reader(
      file("timestamp,user_id,pixel_color,coordinate\n"
           "2022-04-04 00:53:51.577 UTC,ovTZk4GyTS1mDQnT==,#00CCC0,\"826,1048\"\n"
           "2022-04-04 00:53:53.7 UTC,6NSgFa1CvIPly1VniNhlbrmoN==,#94B3FF,\"583,1031\"\n"
           "2022-04-04 00:53:54 UTC,other,#6A5CFF,\"1873,558\"\n"));
  EXPECT_EQ(reader.format(), LogFormat::event_2022);
  const auto placements = all(reader);
  ASSERT_EQ(placements.size(), 3u);
  EXPECT_EQ(placements[0].t_ms, 1'649'033'631'577);
  EXPECT_EQ(placements[1].t_ms - placements[0].t_ms, 2123);
  EXPECT_EQ(placements[2].t_ms - placements[0].t_ms, 2423);
  EXPECT_EQ(placements[2].x, 1873u);
  EXPECT_EQ(placements[2].y, 558u);
}

TEST_F(Replay, CountsModerationAndLeavesItOut) {
  ReplayReader reader(
      file("timestamp,user_id,pixel_color,coordinate\n"
           "2022-04-04 00:53:51.577 UTC,a,#00CCC0,\"10,10,20,20\"\n"
           "2022-04-04 00:53:51.600 UTC,a,#00CCC0,\"1,2\"\n"));
  EXPECT_EQ(all(reader).size(), 1u);
  EXPECT_EQ(reader.moderation(), 1u);
  EXPECT_EQ(reader.malformed(), 0u);
}

TEST_F(Replay, ReportsMalformedLinesWithTheirNumbers) {
  ReplayReader reader(
      file("t_ms,user,x,y,color\n"
           "0,0,1,1,#000000\n"
           "1,0,1\n"
           "x,0,1,1,#000000\n"
           "3,0,-1,1,#000000\n"
           "4,0,1,1,#00000\n"
           "5,0,1,1,#00000G\n"
           "6,\"0,1,1,#000000\n"
           "\n"
           "7,0,70000,1,#000000\n"
           "8,0,2,2,#000001\n"));
  EXPECT_EQ(all(reader).size(), 2u);
  EXPECT_EQ(reader.malformed(), 8u);
  const std::string path = (folder_ / "log.csv").string();
  EXPECT_THAT(reader.examples(),
              ElementsAre(path + ":3: has 3 fields, not 5",
                          path + ":4: t_ms: \"x\" is not a whole number from 0 to 1125899906842624",
                          path + ":5: x: \"-1\" is not a whole number from 0 to 65535",
                          path + ":6: color: \"#00000\" is not #RRGGBB",
                          path + ":7: color: \"#00000G\" is not #RRGGBB",
                          path + ":8: a quote is not closed", path + ":9: has 1 fields, not 5",
                          path + ":10: x: \"70000\" is not a whole number from 0 to 65535"));
}

TEST_F(Replay, ReportsMalformedLinesOfTheEventLogs) {
  ReplayReader of_2017(file("ts,user,x_coordinate,y_coordinate,color\n1,u,1,1,16\n1,u,,1,1\n"));
  EXPECT_TRUE(all(of_2017).empty());
  EXPECT_THAT(of_2017.examples(),
              ElementsAre(HasSubstr(":2: color: \"16\""), HasSubstr(":3: x_coordinate: \"\"")));
  ReplayReader of_2022(
      file("timestamp,user_id,pixel_color,coordinate\n"
           "2022-13-04 00:53:51.577 UTC,a,#00CCC0,\"1,1\"\n"
           "2022-04-31 00:53:51.577 UTC,a,#00CCC0,\"1,1\"\n"
           "2022-04-04 00:53:51.5777 UTC,a,#00CCC0,\"1,1\"\n"
           "2022-04-04,a,#00CCC0,\"1,1\"\n"
           "2022-04-04 00:53:51.577 UTC,a,#00CCC0,\"1,1,1\"\n"
           "2022-04-04 00:53:51.577 UTC,a,#00CCC0,\"1,1\"x\n"));
  EXPECT_TRUE(all(of_2022).empty());
  EXPECT_EQ(of_2022.malformed(), 6u);
  EXPECT_THAT(of_2022.examples()[4], HasSubstr("is neither x,y nor x1,y1,x2,y2"));
}

TEST_F(Replay, KeepsTwentyExamplesAndCountsAll) {
  std::string text = "t_ms,user,x,y,color\n";
  for (int i = 0; i < 100; ++i) text += "nonsense\n";
  ReplayReader reader(file(text));
  EXPECT_TRUE(all(reader).empty());
  EXPECT_EQ(reader.malformed(), 100u);
  EXPECT_EQ(reader.examples().size(), 20u);
}

TEST_F(Replay, AVeryLongLineIsOneMalformedLine) {
  ReplayReader reader(
      file("t_ms,user,x,y,color\n" + std::string(100'000, '1') + "\n1,1,1,1,#000000\n"));
  EXPECT_EQ(all(reader).size(), 1u);
  EXPECT_EQ(reader.malformed(), 1u);
  EXPECT_EQ(reader.lines(), 3u);
}

TEST_F(Replay, RefusesFilesThatAreNoLogs) {
  EXPECT_THAT(problem_of(folder_ / "absent.csv"), HasSubstr("cannot be opened"));
  EXPECT_THAT(problem_of(file("")), HasSubstr("is empty"));
  EXPECT_THAT(problem_of(file("a,b,c\n1,2,3\n")), HasSubstr("is not the header of a known log"));
}

TEST_F(Replay, ADamagedArchiveIsAnError) {
  std::string text = "t_ms,user,x,y,color\n";
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i) + ",7,1,1,#000000\n";
  const auto path = compressed(text);
  std::filesystem::resize_file(path, std::filesystem::file_size(path) / 2);
  EXPECT_THAT(problem_of(path), HasSubstr("after line"));
}

TEST_F(Replay, SourcePlaysAtItsSpeedAndKeepsUsersOnTheirSession) {
  LoadSpec spec;
  spec.workload = "replay:" + file(
                                  "t_ms,user,x,y,color\n"
                                  "1000,7,1,1,#000001\n"
                                  "1600,8,2,2,#000002\n"
                                  "1400,7,3,3,#000003\n"
                                  "bad\n"
                                  "2200,7,5000,4,#000004\n"
                                  "3400,7,5,5,#000005\n")
                                  .string();
  spec.replay_speed = 60;
  spec.clients = 1000;
  const auto source = make_source(spec);
  std::vector<canvas::Place> place(1);
  std::vector<std::int64_t> due_us;
  std::vector<std::uint32_t> clients;
  while (source->due_ns() != kNoMore) {
    const Message message = source->take(place);
    due_us.push_back(message.due_ns / 1000);
    clients.push_back(message.client);
  }
  // The third is earlier than the second: it keeps its place and takes the second's time.
  EXPECT_THAT(due_us, ElementsAre(0, 10'000, 10'000, 40'000));
  EXPECT_EQ(clients[0], clients[2]);
  EXPECT_EQ(clients[0], clients[3]);
  EXPECT_NE(clients[0], clients[1]);
  EXPECT_EQ(place[0].x(), 5);
  EXPECT_EQ(place[0].user(), 7u);
  const ReplayFigures figures = source->replay_figures();
  EXPECT_EQ(figures.placements, 4u);
  EXPECT_EQ(figures.outside, 1u);
  EXPECT_EQ(figures.malformed, 1u);
  EXPECT_EQ(figures.out_of_order, 1u);
  EXPECT_TRUE(figures.finished);
}

}  // namespace
}  // namespace parley::load
