#include "apps/canvas/canvas.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "algorithms/contract/random.h"
#include "runtime/snapshot.h"

namespace parley {
namespace {

Bytes bytes_of(const canvas::Place& place) {
  return std::as_bytes(std::span(&place, 1));
}

// Stamps writes with the run's index and the command's offset, as the applier does.
class RecordingSink : public WriteSink, public ReplySink {
 public:
  explicit RecordingSink(Store& store, std::uint64_t index = 1) : store_(store), index_(index) {}

  void put(const Command& command, Key key, std::uint64_t value) override {
    CellWrite write;
    write.key = key;
    write.value = value;
    write.writer = {command.header.session, command.header.sequence};
    writes.push_back(write);
    store_.write(key, value, {index_, command.offset}, write.writer);
  }
  void set(const Command& command, std::uint16_t code, std::uint64_t) override {
    codes.emplace_back(command.offset, code);
  }

  std::vector<CellWrite> writes;
  std::vector<std::pair<std::uint32_t, std::uint16_t>> codes;

 private:
  Store& store_;
  std::uint64_t index_;
};

std::vector<Command> commands_of(const std::vector<std::byte>& body) {
  std::vector<Command> commands;
  CommandReader reader(body);
  Command command;
  while (reader.next(command)) commands.push_back(command);
  EXPECT_FALSE(reader.malformed());
  return commands;
}

std::vector<std::byte> random_run(const Canvas& canvas, std::uint64_t seed, std::uint32_t count) {
  Random random(seed);
  std::vector<std::byte> body;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto x = static_cast<std::uint16_t>(random.below(canvas.size().width));
    const auto y = static_cast<std::uint16_t>(random.below(canvas.size().height));
    const auto color = static_cast<std::uint32_t>(random.below(kMaxColor + 1));
    encode_place({i % 5 + 1}, i / 5 + 1, {x, y, color, i}, body);
  }
  return body;
}

TEST(CanvasKeys, MapEveryCellToAKeyOfItsOwnAndBack) {
  for (const CanvasSize size : {CanvasSize{1, 1}, CanvasSize{32, 32}, CanvasSize{33, 31},
                                CanvasSize{100, 7}, CanvasSize{64, 96}}) {
    const Canvas canvas(size);
    std::vector<bool> taken(canvas.key_count());
    for (std::uint32_t y = 0; y < size.height; ++y) {
      for (std::uint32_t x = 0; x < size.width; ++x) {
        const Key key = canvas.key_of(x, y);
        ASSERT_LT(key.value, canvas.key_count());
        ASSERT_FALSE(taken[key.value]) << x << ',' << y;
        taken[key.value] = true;
        ASSERT_EQ(canvas.xy_of(key), (Canvas::Point{x, y}));
      }
    }
    for (std::uint32_t key = 0; key < canvas.key_count(); ++key) {
      const auto [x, y] = canvas.xy_of({key});
      ASSERT_EQ(canvas.contains(x, y), taken[key]) << "overhang";
    }
  }
}

TEST(CanvasKeys, PutSquaresIntoOneTile) {
  const Canvas canvas({100, 100});
  const std::uint32_t tile = canvas.key_of(32, 64).value / kCellsPerTile;
  EXPECT_EQ(canvas.key_of(63, 95).value / kCellsPerTile, tile);
  EXPECT_NE(canvas.key_of(64, 64).value / kCellsPerTile, tile);
  EXPECT_EQ(canvas.key_count() % kCellsPerTile, 0U);
}

TEST(CanvasKeys, ReachTheCornersOfTheLargestCanvas) {
  const Canvas canvas({4096, 4096});
  EXPECT_EQ(canvas.key_count(), 4096U * 4096U);
  EXPECT_EQ(canvas.key_of(4095, 4095).value, canvas.key_count() - 1);
  EXPECT_EQ(canvas.xy_of(canvas.key_of(4095, 0)), (Canvas::Point{4095, 0}));
}

TEST(CanvasSizes, OutOfRangeAreRefused) {
  EXPECT_THROW(Canvas({0, 10}), std::invalid_argument);
  EXPECT_THROW(Canvas({10, 4097}), std::invalid_argument);
  CanvasSize size;
  EXPECT_EQ(parse_canvas_size("640x480", size), "");
  EXPECT_EQ(size, (CanvasSize{640, 480}));
  for (const char* bad :
       {"", "x", "640", "640x", "x480", "0x1", "4097x1", "64x64x64", "-1x5", "1 x2"}) {
    const std::string error = parse_canvas_size(bad, size);
    EXPECT_NE(error.find("from 1 to 4096"), std::string::npos) << bad << ": " << error;
    EXPECT_EQ(size, (CanvasSize{640, 480})) << "left as it was";
  }
}

TEST(CanvasPixels, SurvivePacking) {
  EXPECT_EQ(unpack_pixel(0), Pixel{});
  for (const Pixel pixel :
       {Pixel{0, 0, true}, Pixel{0xFFFFFF, 0xFFFFFFFF, true}, Pixel{0x123456, 42, true}}) {
    EXPECT_EQ(unpack_pixel(pack_pixel(pixel.color, pixel.user)), pixel);
  }
}

TEST(CanvasValidate, NamesTheFieldAndItsRange) {
  const Canvas canvas({1000, 500});
  EXPECT_EQ(canvas.validate(bytes_of({999, 499, 0xFFFFFF, 0xFFFFFFFF})), "");
  EXPECT_EQ(canvas.validate(bytes_of({5000, 0, 0, 0})), "x: 5000 is outside 0 to 999");
  EXPECT_EQ(canvas.validate(bytes_of({0, 500, 0, 0})), "y: 500 is outside 0 to 499");
  EXPECT_EQ(canvas.validate(bytes_of({0, 0, 0x1000000, 0})),
            "color: 16777216 is outside 0 to 16777215");
  EXPECT_EQ(canvas.validate({}), "payload: 0 bytes, a placement has 12");
  const std::vector<std::byte> long_payload(16);
  EXPECT_EQ(canvas.validate(long_payload), "payload: 16 bytes, a placement has 12");
}

TEST(CanvasExecute, IsDeterministicAndLaterCommandsWin) {
  const Canvas canvas({50, 50});
  const std::vector<std::byte> body = random_run(canvas, 1, 5000);
  const std::vector<Command> commands = commands_of(body);
  std::array<std::uint64_t, 2> digests{};
  for (std::uint64_t& digest : digests) {
    Store store(canvas.key_count());
    RecordingSink sink(store);
    canvas.execute(store, commands, sink, sink);
    EXPECT_EQ(sink.writes.size(), commands.size());
    EXPECT_TRUE(sink.codes.empty());
    digest = store.digest();
    const CellWrite& last = sink.writes.back();
    EXPECT_EQ(store.at(last.key).value, last.value);
  }
  EXPECT_EQ(digests[0], digests[1]);
}

TEST(CanvasExecute, DoesWhatTranslateSays) {
  const Canvas canvas({123, 77});
  ASSERT_FALSE(canvas.state_dependent());
  const std::vector<std::byte> body = random_run(canvas, 2, 1000);
  const std::vector<Command> commands = commands_of(body);
  Store store(canvas.key_count());
  RecordingSink sink(store);
  canvas.execute(store, commands, sink, sink);
  ASSERT_EQ(sink.writes.size(), commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i) {
    CellWrite write;
    canvas.translate(commands[i], write);
    EXPECT_EQ(write.key, sink.writes[i].key);
    EXPECT_EQ(write.value, sink.writes[i].value);
  }
}

TEST(CanvasExecute, WritesNothingForWhatIsInvalid) {
  const Canvas canvas({10, 10});
  std::vector<std::byte> body;
  encode_place({1}, 1, {10, 0, 0, 0}, body);
  encode_place({1}, 2, {3, 4, 0xABCDEF, 9}, body);
  encode_place({1}, 3, {0, 0, 0x1000000, 0}, body);
  CommandHeader no_payload;
  const auto* bytes = reinterpret_cast<const std::byte*>(&no_payload);
  body.insert(body.end(), bytes, bytes + sizeof(no_payload));
  Store store(canvas.key_count());
  RecordingSink sink(store);
  canvas.execute(store, commands_of(body), sink, sink);
  ASSERT_EQ(sink.writes.size(), 1U);
  EXPECT_EQ(unpack_pixel(store.at(canvas.key_of(3, 4)).value), (Pixel{0xABCDEF, 9, true}));
  const std::vector<std::pair<std::uint32_t, std::uint16_t>> expected{
      {0, Canvas::kInvalid}, {2, Canvas::kInvalid}, {3, Canvas::kInvalid}};
  EXPECT_EQ(sink.codes, expected);
}

TEST(CanvasQuery, AnswersManyCellsInTheirOrder) {
  const Canvas canvas({100, 100});
  Store store(canvas.key_count());
  store.write(canvas.key_of(50, 30), pack_pixel(0xFF5733, 12), {9, 2}, {7, 41});
  std::vector<std::byte> query;
  encode_cell_ref(0, 0, query);
  encode_cell_ref(50, 30, query);
  std::vector<std::byte> answer;
  ASSERT_EQ(canvas.query(store, query, answer), "");
  const auto cells = decode_cells(answer, 2);
  ASSERT_EQ(cells.size(), 2U);
  EXPECT_EQ(cells[0].painted(), 0);
  EXPECT_EQ(cells[0].stamp_major(), 0U);
  EXPECT_EQ(cells[1].painted(), 1);
  EXPECT_EQ(cells[1].color(), 0xFF5733U);
  EXPECT_EQ(cells[1].user(), 12U);
  EXPECT_EQ(cells[1].stamp_major(), 9U);
  EXPECT_EQ(cells[1].stamp_minor(), 2U);
  EXPECT_EQ(cells[1].writer_session(), 7U);
  EXPECT_EQ(cells[1].writer_sequence(), 41U);
  EXPECT_TRUE(decode_cells(answer, 3).empty());
}

TEST(CanvasQuery, RefusesWhatIsMalformedOrOutside) {
  const Canvas canvas({100, 50});
  const Store store(canvas.key_count());
  std::vector<std::byte> answer(3);
  EXPECT_NE(canvas.query(store, {}, answer), "");
  EXPECT_NE(canvas.query(store, std::vector<std::byte>(6), answer), "");
  EXPECT_NE(canvas.query(store, std::vector<std::byte>(4 * (kMaxCellsPerQuery + 1)), answer), "");
  std::vector<std::byte> query;
  encode_cell_ref(1, 1, query);
  encode_cell_ref(1, 50, query);
  EXPECT_EQ(canvas.query(store, query, answer), "y: 50 is outside 0 to 49");
  EXPECT_EQ(answer.size(), 3U) << "an error leaves the answer as it was";
  query.resize(4);
  for (std::uint32_t i = 1; i < kMaxCellsPerQuery; ++i) encode_cell_ref(i % 100, i % 50, query);
  EXPECT_EQ(canvas.query(store, query, answer), "");
}

TEST(CanvasText, VersionsSortAsStampsDo) {
  EXPECT_EQ(version_text({0x1A, 2}), "000000000000001a0000000000000002");
  EXPECT_LT(version_text({9, 500}), version_text({10, 0}));
  EXPECT_LT(version_text({10, 9}), version_text({10, 10}));
}

TEST(CanvasText, ColoursAreReadAndWritten) {
  std::uint32_t color = 1;
  EXPECT_TRUE(parse_color("#FF5733", color));
  EXPECT_EQ(color, 0xFF5733U);
  EXPECT_TRUE(parse_color("#abcdef", color));
  EXPECT_EQ(color_text(color), "#ABCDEF");
  EXPECT_EQ(color_text(1), "#000001");
  for (const char* bad :
       {"", "#", "FF5733", "#FF573", "#FF57333", "#GG0000", "#-12345", "# 12345"}) {
    EXPECT_FALSE(parse_color(bad, color)) << bad;
  }
}

// --- with a cooldown ---

constexpr std::chrono::milliseconds kCooldown{5000};
constexpr std::uint64_t kNoon = 1'700'000'000'000;

class Cooldown : public ::testing::Test {
 protected:
  // Places a pixel as a command of its own; returns its code.
  std::uint16_t place(std::uint32_t user, std::uint64_t time_ms, std::uint16_t x = 1) {
    std::vector<std::byte> body;
    encode_timed_place({1}, ++sequence_, {x, 2, 0xABCDEF, user}, time_ms, body);
    return run(body).back();
  }

  // The codes of a run's commands.
  std::vector<std::uint16_t> run(const std::vector<std::byte>& body) {
    const std::vector<Command> commands = commands_of(body);
    RecordingSink sink(store_, ++index_);
    canvas_.execute(store_, commands, sink, sink);
    std::vector<std::uint16_t> codes(commands.size());
    for (const auto& [offset, code] : sink.codes) codes[offset] = code;
    writes_ = sink.writes.size();
    return codes;
  }

  Canvas canvas_{{70, 45}, kCooldown};
  Store store_{canvas_.key_count()};
  std::uint32_t sequence_ = 0;
  std::uint64_t index_ = 0;  // of the latest run
  std::size_t writes_ = 0;
};

TEST_F(Cooldown, MakesTheStateOtherThanThatOfACanvasWithout) {
  const Canvas without({70, 45});
  EXPECT_TRUE(canvas_.state_dependent());
  EXPECT_FALSE(without.state_dependent());
  EXPECT_NE(canvas_.state_name(), without.state_name());
  EXPECT_NE(canvas_.state_name(), Canvas({70, 45}, kCooldown * 2).state_name())
      << "a log that is replayed under another cooldown would decide otherwise";
  EXPECT_EQ(canvas_.picture_keys(), without.key_count());
  EXPECT_EQ(canvas_.key_count(), without.key_count() + Canvas::kUserSlots);
  EXPECT_THROW(Canvas({70, 45}, std::chrono::milliseconds(-1)), std::invalid_argument);
  EXPECT_THROW(Canvas({70, 45}, kMaxCooldown + std::chrono::milliseconds(1)),
               std::invalid_argument);
}

TEST_F(Cooldown, AUserHasToWait) {
  EXPECT_EQ(place(7, kNoon), 0);
  EXPECT_EQ(writes_, 2U) << "the pixel and the time";
  EXPECT_EQ(place(7, kNoon), Canvas::kCooldown);
  EXPECT_EQ(writes_, 0U);
  EXPECT_EQ(place(7, kNoon + 4999), Canvas::kCooldown);
  EXPECT_EQ(place(8, kNoon + 4999), 0) << "another user";
  EXPECT_EQ(place(7, kNoon + 5000), 0) << "what was refused does not prolong it";
  EXPECT_EQ(place(7, kNoon + 9999), Canvas::kCooldown);
}

TEST_F(Cooldown, HoldsWithinARunToo) {
  std::vector<std::byte> body;
  for (std::uint16_t i = 0; i < 40; ++i) {
    encode_timed_place({1}, i + 1U, {i, 2, 1, 1 + i % 4U}, kNoon + i, body);
  }
  const std::vector<std::uint16_t> codes = run(body);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), 0), 4);
  EXPECT_EQ(std::count(codes.begin(), codes.end(), Canvas::kCooldown), 36);
  EXPECT_TRUE(std::all_of(codes.begin(), codes.begin() + 4, [](auto code) { return code == 0; }));
}

TEST_F(Cooldown, AWrongClockLocksNobodyOut) {
  EXPECT_EQ(place(7, kNoon + 3000), 0) << "at a node whose clock is 3 s ahead";
  EXPECT_EQ(place(7, kNoon), Canvas::kCooldown);
  EXPECT_EQ(place(7, kNoon + 8000), 0);
  EXPECT_EQ(place(7, kNoon + 1'000'000'000), 0) << "at one that is far ahead";
  EXPECT_EQ(place(7, kNoon + 14'000), 0) << "its time does not count";
  EXPECT_EQ(place(7, kNoon + 18'000), Canvas::kCooldown);
}

TEST_F(Cooldown, NobodyIsRefusedForAnother) {
  // More users than slots: those who share one push each other out.
  std::uint32_t too_early = 0;
  for (std::uint32_t user = 1; user <= Canvas::kUserSlots + 5000; ++user) {
    ASSERT_EQ(place(user, kNoon), 0) << user;
  }
  for (std::uint32_t user = 1; user <= 1000; ++user) {
    const std::uint16_t code = place(user, kNoon + 1);
    too_early += code == 0 ? 1 : 0;
  }
  EXPECT_GT(too_early, 0U);
  EXPECT_LT(too_early, 1000U);
}

TEST_F(Cooldown, HoldsInAStateThatCameBySnapshot) {
  ASSERT_EQ(place(7, kNoon), 0);
  ASSERT_EQ(place(8, kNoon + 3000, 2), 0);
  SessionTable sessions(64, 0);
  const Snapshot snapshot =
      encode_snapshot({LogIndex{index_}, 2, store_.freeze(), sessions.freeze()});
  std::string error;
  const auto state =
      decode_snapshot(snapshot.id, snapshot.parts, {canvas_.key_count(), 64, 0}, error);
  ASSERT_NE(state, nullptr) << error;
  EXPECT_EQ(state->store.digest(), store_.digest());
  store_ = std::move(state->store);
  EXPECT_EQ(place(7, kNoon + 4999), Canvas::kCooldown);
  EXPECT_EQ(place(8, kNoon + 7999), Canvas::kCooldown);
  EXPECT_EQ(place(7, kNoon + 5000), 0);
}

TEST_F(Cooldown, PlacementsNeedTheirUserAndTime) {
  const auto problem = [this](const canvas::Place& place, std::uint64_t time_ms) {
    std::vector<std::byte> body;
    encode_timed_place({1}, 1, place, time_ms, body);
    return canvas_.validate(commands_of(body).front().payload);
  };
  EXPECT_EQ(problem({1, 2, 3, 4}, kNoon), "");
  EXPECT_EQ(problem({1, 2, 3, 0}, kNoon), "user: is 0, but has to wait between two placements");
  EXPECT_EQ(problem({70, 2, 3, 4}, kNoon), "x: 70 is outside 0 to 69");
  EXPECT_EQ(problem({1, 2, 3, 4}, 0), "time_ms: 0 is outside 1 to 281474976710655");
  EXPECT_EQ(problem({1, 2, 3, 4}, 1ULL << 48),
            "time_ms: 281474976710656 is outside 1 to 281474976710655");
  const canvas::Place plain{1, 2, 3, 4};
  EXPECT_EQ(canvas_.validate(bytes_of(plain)),
            "payload: 12 bytes, a placement with its time has 24");
  std::vector<std::byte> body;
  encode_place({1}, 1, plain, body);
  EXPECT_EQ(run(body).front(), Canvas::kInvalid);
}

}  // namespace
}  // namespace parley
