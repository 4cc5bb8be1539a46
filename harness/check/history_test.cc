#include "harness/check/history.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "harness/check/journal.h"
#include "harness/check/json_io.h"

namespace parley::history {
namespace {

namespace fs = std::filesystem;

class HistoryFile : public ::testing::Test {
 protected:
  HistoryFile() {
    std::string pattern = (fs::temp_directory_path() / "parley-history-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
  }
  ~HistoryFile() override { fs::remove_all(folder_); }

  fs::path write(const std::string& text) {
    const fs::path path = folder_ / "file";
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }

  fs::path folder_;
};

bool operator==(const Operation& a, const Operation& b) {
  std::string left, right;
  format_operation(a, left);
  format_operation(b, right);
  return left == right;
}

std::vector<Operation> samples() {
  Operation place;
  place.client = 4294967295;
  place.seq = 41;
  place.outcome = Outcome::ok;
  place.x = 1;
  place.y = 65535;
  place.color = 0xFF5733;
  place.invoke_ns = 1'700'000'000'000'000'000;
  place.return_ns = 1'700'000'000'000'000'123;
  place.node = 2;
  place.version = {0x1234, 0xFEDCBA9876543210};
  Operation read = place;
  read.kind = Kind::read;
  read.read_mode = ReadMode::final;
  read.writer = Writer{place.client, place.seq};
  Operation unpainted = read;
  unpainted.version = {};
  unpainted.writer.reset();
  unpainted.read_mode = ReadMode::local;
  Operation refused = place;
  refused.outcome = Outcome::refused;
  refused.node = 0;
  Operation unknown = refused;
  unknown.outcome = Outcome::unknown;
  return {place, read, unpainted, refused, unknown};
}

TEST(Stamps, SortAsTextAsTheyDoAsNumbers) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    const Stamp a{random() >> (i % 64), random()};
    const Stamp b{i % 2 == 0 ? a.major : random() >> (i % 61), random()};
    EXPECT_EQ(a < b, format_stamp(a) < format_stamp(b));
    EXPECT_EQ(parse_stamp(format_stamp(a)), a);
  }
}

TEST(Stamps, ShortAndBrokenText) {
  EXPECT_EQ(parse_stamp("2a"), (Stamp{0, 0x2a}));
  EXPECT_EQ(parse_stamp("10000000000000002"), (Stamp{1, 2}));
  for (const char* broken :
       {"", "0x1", "g", "-1", " 1", "1 ", "000000000000000000000000000000001"}) {
    EXPECT_EQ(parse_stamp(broken), std::nullopt) << broken;
  }
}

TEST_F(HistoryFile, LineFormat) {
  std::string text;
  for (const Operation& op : samples()) format_operation(op, text);
  EXPECT_EQ(
      text,
      R"({"client":4294967295,"seq":41,"op":"place","x":1,"y":65535,"color":"#FF5733","invoke_ns":1700000000000000000,"return_ns":1700000000000000123,"outcome":"ok","node":2,"version":"0000000000001234fedcba9876543210"}
{"client":4294967295,"seq":41,"op":"read","x":1,"y":65535,"color":"#FF5733","invoke_ns":1700000000000000000,"return_ns":1700000000000000123,"outcome":"ok","node":2,"version":"0000000000001234fedcba9876543210","writer":[4294967295,41],"read_mode":"final"}
{"client":4294967295,"seq":41,"op":"read","x":1,"y":65535,"color":null,"invoke_ns":1700000000000000000,"return_ns":1700000000000000123,"outcome":"ok","node":2,"version":"00000000000000000000000000000000","writer":null,"read_mode":"local"}
{"client":4294967295,"seq":41,"op":"place","x":1,"y":65535,"color":"#FF5733","invoke_ns":1700000000000000000,"return_ns":1700000000000000123,"outcome":"refused","node":null,"version":null}
{"client":4294967295,"seq":41,"op":"place","x":1,"y":65535,"color":"#FF5733","invoke_ns":1700000000000000000,"return_ns":1700000000000000123,"outcome":"unknown","node":null,"version":null}
)");
}

TEST_F(HistoryFile, WhatIsWrittenIsRead) {
  const fs::path path = folder_ / "history.jsonl";
  std::vector<Operation> written;
  for (int i = 0; i < 4000; ++i) {  // several blocks of the writer
    for (const Operation& op : samples()) written.push_back(op);
    written.back().seq = static_cast<std::uint32_t>(i);
  }
  HistoryWriter writer(path);
  for (const Operation& op : written) writer.append(op);
  writer.close();
  EXPECT_EQ(writer.appended(), written.size());
  std::size_t next = 0;
  const ReadReport report = read_history(path, [&](const Operation& op, std::uint64_t line) {
    ASSERT_LT(next, written.size());
    EXPECT_EQ(line, next + 1);
    EXPECT_TRUE(op == written[next]);
    ++next;
  });
  EXPECT_EQ(next, written.size());
  EXPECT_EQ(report.malformed, 0u);
  EXPECT_EQ(report.stamp_digits, kStampDigits);
}

TEST_F(HistoryFile, CannotBeOpened) {
  EXPECT_THROW(HistoryWriter(folder_ / "none" / "history.jsonl"), std::system_error);
  EXPECT_THROW(read_history(folder_ / "none", [](const Operation&, std::uint64_t) {}),
               std::system_error);
  EXPECT_THROW(read_history(folder_, [](const Operation&, std::uint64_t) {}), std::system_error);
}

TEST_F(HistoryFile, DiskFullIsAnError) {
  HistoryWriter writer("/dev/full");
  writer.append(samples()[0]);
  EXPECT_THROW(writer.close(), std::system_error);
}

TEST(Parser, UnknownKeysAndAnyOrderAreAccepted) {
  OperationParser parser;
  Operation op;
  MalformedLine error;
  EXPECT_TRUE(parser.parse(
      R"({"note":{"a":[1,{"x":7}]},"tags":[["deep"]],"version":"0001","outcome":"ok","f":1.5,)"
      R"("return_ns":2,"invoke_ns":1,"color":"#00ff00","y":4,"x":3,"op":"place","seq":2,"client":1})",
      op, error))
      << error.field << error.problem;
  EXPECT_EQ(op.x, 3u);
  EXPECT_EQ(op.color, 0x00FF00u);
  EXPECT_EQ(op.node, 0u);
  EXPECT_EQ(op.version, (Stamp{0, 1}));
}

// A good line, with one field's value replaced; an empty value leaves the field out.
std::string line_with(const std::string& field, const std::string& value) {
  const std::vector<std::pair<std::string, std::string>> fields = {{"client", "7"},
                                                                   {"seq", "41"},
                                                                   {"op", "\"read\""},
                                                                   {"x", "1"},
                                                                   {"y", "2"},
                                                                   {"color", "\"#FF0000\""},
                                                                   {"invoke_ns", "10"},
                                                                   {"return_ns", "20"},
                                                                   {"outcome", "\"ok\""},
                                                                   {"node", "2"},
                                                                   {"version", "\"01\""},
                                                                   {"writer", "[7,40]"},
                                                                   {"read_mode", "\"local\""}};
  std::string line;
  for (const auto& [name, usual] : fields) {
    const std::string& chosen = name == field ? value : usual;
    if (chosen.empty()) continue;
    line += (line.empty() ? "{\"" : ",\"") + name + "\":" + chosen;
  }
  return line + "}";
}

TEST(Parser, MalformedFieldsAreNamed) {
  const std::vector<std::pair<const char*, const char*>> broken = {
      {"client", ""},
      {"client", "-1"},
      {"client", "4294967296"},
      {"client", "18446744073709551615"},
      {"client", "\"7\""},
      {"client", "null"},
      {"seq", "1.5"},
      {"seq", "[1]"},
      {"op", "\"paint\""},
      {"op", "1"},
      {"x", "65536"},
      {"y", "true"},
      {"y", "{\"client\":1}"},
      {"color", "\"red\""},
      {"color", "\"#12345G\""},
      {"color", ""},
      {"invoke_ns", "\"10\""},
      {"invoke_ns", "9223372036854775808"},
      {"invoke_ns", "-4000000000000000001"},
      {"return_ns", "4000000000000000001"},
      {"return_ns", "9"},
      {"return_ns", "null"},
      {"outcome", "\"done\""},
      {"outcome", ""},
      {"node", "0"},
      {"node", "65536"},
      {"version", "\"0\\u0041x\""},
      {"version", "null"},
      {"version", "7"},
      {"writer", "[1]"},
      {"writer", "[1,2,3]"},
      {"writer", "[1,null]"},
      {"writer", "[1,[2]]"},
      {"writer", "[-1,2]"},
      {"writer", "{\"client\":1}"},
      {"writer", "5"},
      {"read_mode", "\"fast\""},
  };
  for (const auto& [field, value] : broken) {
    OperationParser parser;
    Operation op;
    MalformedLine error;
    EXPECT_FALSE(parser.parse(line_with(field, value), op, error)) << field << " = " << value;
    EXPECT_EQ(error.field, field) << value << ": " << error.problem;
    EXPECT_FALSE(error.problem.empty()) << field << " = " << value;
  }
}

TEST(Parser, BrokenLinesAreNotFatal) {
  OperationParser parser;
  Operation op;
  MalformedLine error;
  const std::string good = line_with("", "");
  EXPECT_TRUE(parser.parse(good, op, error)) << error.problem;
  for (const char* line :
       {"", " ", "{", "{}", "[]", "7", "null", "\"x\"", "true", "[[1]]", "{\"client\""}) {
    EXPECT_FALSE(parser.parse(line, op, error)) << line;
    EXPECT_FALSE(error.problem.empty()) << line;
  }
  for (std::size_t size = 0; size < good.size(); ++size) {
    EXPECT_FALSE(parser.parse(std::string_view(good).substr(0, size), op, error)) << size;
  }
  EXPECT_FALSE(parser.parse(good + "}", op, error));
  EXPECT_TRUE(parser.parse(good, op, error)) << "the parser recovers";
}

// Lines that the fast scanner takes and lines that it leaves to the library are held to the same.
// A newline in front is beyond the fast one, and only a space to the other.
TEST(Parser, FastAndSlowPathAgreeOnMutatedLines) {
  OperationParser fast;
  OperationParser slow;
  std::mt19937_64 random(7);
  const std::string good = line_with("", "");
  const std::string characters = "\"{}[],:0123456789-+.eE nulrtfasx#\\";
  int accepted = 0;
  for (int i = 0; i < 50000; ++i) {
    std::string line = good;
    const std::uint64_t changes = 1 + random() % 3;
    for (std::uint64_t n = 0; n < changes; ++n) {
      const std::size_t at = random() % line.size();
      const char c = random() % 8 == 0 ? static_cast<char>(random() % 256)
                                       : characters[random() % characters.size()];
      switch (random() % 3) {
        case 0:
          line[at] = c;
          break;
        case 1:
          line.insert(at, 1, c);
          break;
        default:
          line.erase(at, 1);
          break;
      }
    }
    Operation a, b;
    MalformedLine a_error, b_error;
    const bool a_good = fast.parse(line, a, a_error);
    const bool b_good = slow.parse("\n" + line, b, b_error);
    ASSERT_EQ(a_good, b_good) << line << "\n" << a_error.problem << "\n" << b_error.problem;
    if (a_good) {
      ++accepted;
      EXPECT_TRUE(a == b) << line;
    } else {
      EXPECT_EQ(a_error.field, b_error.field) << line;
      EXPECT_FALSE(a_error.problem.empty()) << line;
    }
  }
  EXPECT_GT(accepted, 1000);
}

TEST(Parser, StampsOfDifferentWidthAreRefused) {
  OperationParser parser;
  Operation op;
  MalformedLine error;
  EXPECT_TRUE(parser.parse(line_with("version", "\"0a\""), op, error));
  EXPECT_FALSE(parser.parse(line_with("version", "\"00b\""), op, error));
  EXPECT_EQ(error.field, "version");
}

TEST_F(HistoryFile, MalformedLinesAreCountedWithTheirNumber) {
  const std::string good = line_with("", "") + "\n";
  std::string text = good + "garbage\n" + good;
  for (int i = 0; i < 30; ++i) text += line_with("x", "-1") + "\n";
  text += std::string(100'000, 'x') + "\n" + good + "{\"client\":";
  int visited = 0;
  const ReadReport report =
      read_history(write(text), [&](const Operation&, std::uint64_t) { ++visited; });
  EXPECT_EQ(visited, 3);
  EXPECT_EQ(report.lines, 36u);
  EXPECT_EQ(report.malformed, 33u);
  ASSERT_EQ(report.examples.size(), ReadReport::kMaxExamples);
  EXPECT_EQ(report.examples[0].line, 2u);
  EXPECT_EQ(report.examples[1].text(), "line 4: field \"x\": expected an integer from 0 to 65535");
}

TEST_F(HistoryFile, LongLinesDoNotHideTheOnesAfter) {
  // Around every border of the reader's blocks.
  for (const std::size_t size : {65535u, 65536u, 65537u, 1048575u, 1048576u, 1048577u, 3000000u}) {
    const fs::path path = write(std::string(size, 'x') + "\n" + line_with("", "") + "\n");
    std::vector<std::uint64_t> lines;
    const ReadReport report =
        read_history(path, [&](const Operation&, std::uint64_t line) { lines.push_back(line); });
    EXPECT_EQ(report.malformed, 1u) << size;
    EXPECT_EQ(lines, std::vector<std::uint64_t>{2}) << size;
  }
}

TEST_F(HistoryFile, JournalIsRead) {
  std::vector<JournalEntry> entries;
  const ReadReport report =
      read_journal(write("stamp,client,seq,cell\n0a,1,2,3\n0b,4294967295,0,18446744073709551615\n"
                         "00,0,0,0\n"),
                   [&](const JournalEntry& entry, std::uint64_t) { entries.push_back(entry); });
  EXPECT_EQ(report.malformed, 0u);
  EXPECT_FALSE(report.torn_tail);
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_FALSE(entries[0].restores());
  EXPECT_TRUE(entries[2].restores());
  EXPECT_EQ(entries[0].stamp, (Stamp{0, 10}));
  EXPECT_EQ(entries[0].write, (Writer{1, 2}));
  EXPECT_EQ(entries[0].cell, 3u);
  EXPECT_EQ(entries[0].t_ns, kNoTime);
}

TEST_F(HistoryFile, JournalTellsWhen) {
  const auto path = write(
      "stamp,client,seq,cell,t_ns\n0a,1,2,3,17\n0b,1,3,3\n0c,1,4,3,-1\n0d,1,5,3,18\n0e,1,6,3,1");
  JournalReader reader(path);
  JournalEntry entry;
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.t_ns, 17);
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.write, (Writer{1, 5}));
  EXPECT_EQ(entry.t_ns, 18);
  EXPECT_EQ(reader.line(), 5u);
  EXPECT_FALSE(reader.next(entry));
  EXPECT_TRUE(reader.report().torn_tail);
  ASSERT_EQ(reader.report().malformed, 2u);
  EXPECT_EQ(reader.report().examples[1].field, "t_ns");
}

TEST_F(HistoryFile, JournalTellsWhatWasKnown) {
  const auto path = write(
      "stamp,client,seq,cell,t_ns,known\n0a,1,2,3,17,0\n0b,1,3,3,18,\n0c,1,4,3,19\n"
      "0d,1,5,3,20,-1\n0e,1,6,3,21,18446744073709551615\n");
  JournalReader reader(path);
  JournalEntry entry;
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.known, 0u);
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.known, std::nullopt);
  ASSERT_TRUE(reader.next(entry));
  EXPECT_EQ(entry.known, ~std::uint64_t{0});
  EXPECT_EQ(entry.t_ns, 21);
  EXPECT_FALSE(reader.next(entry));
  ASSERT_EQ(reader.report().malformed, 2u);
  EXPECT_EQ(reader.report().examples[0].problem,
            "expected 6 columns, stamp,client,seq,cell,t_ns,known");
  EXPECT_EQ(reader.report().examples[1].field, "known");
}

TEST_F(HistoryFile, MalformedJournalLinesNameTheColumn) {
  const ReadReport report = read_journal(
      write("stamp,client,seq,cell\n"
            "0a,1,2\n0a,1,2,3,4\nxx,1,2,3\n00,1,2,3\n0a,-1,2,3\n0a,1,,3\n0a,1,2,3x\n0a,1,2,3\n"
            "00a,1,2,3\n0b,1,"),
      [](const JournalEntry&, std::uint64_t line) { EXPECT_EQ(line, 9u); });
  std::vector<std::string> fields;
  for (const MalformedLine& line : report.examples) fields.push_back(line.field);
  EXPECT_EQ(fields,
            (std::vector<std::string>{"", "", "stamp", "stamp", "client", "seq", "cell", "stamp"}));
  EXPECT_TRUE(report.torn_tail);
  EXPECT_EQ(read_journal(write("a,b\n"), [](const JournalEntry&, std::uint64_t) {}).malformed, 1u);
}

}  // namespace
}  // namespace parley::history
