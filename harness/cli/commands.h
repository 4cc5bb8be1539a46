// The commands of the program. Each returns the exit status of the process.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "algorithms/contract/algorithm.h"

namespace parley::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;  // a check or a measurement failed
inline constexpr int kUsage = 2;   // wrong usage or configuration

// What every command takes.
struct Common {
  bool json = false;  // a machine-readable result on standard output
  std::optional<std::uint64_t> seed;
};

struct AlgorithmsOptions {
  Common common;
};
int run_algorithms(const AlgorithmsOptions& options);

struct DoctorOptions {
  Common common;
};
int run_doctor(const DoctorOptions& options);

struct TestOptions {
  Common common;
  std::string algorithm;  // empty: all
  bool full = false;
};
int run_test(const TestOptions& options);

struct BenchOptions {
  Common common;
  std::string filter;
};
int run_bench(const BenchOptions& options);

struct CheckOptions {
  Common common;
  std::string algorithm;
  std::optional<std::uint64_t> seeds;
  std::uint32_t nodes = 0;  // 0: drawn from the seed
  std::optional<std::uint32_t> seconds;
  std::string faults = "all";
  std::string links;  // empty: drawn from the seed
  std::string application = "any";
  std::vector<std::string> options;  // name=value
  std::string trace_out;
  std::string reduced;     // part of one execution; see sim::Reduction
  bool no_reduce = false;  // draws a failure as it is
  bool mutants = false;    // with each guard left out in turn
  std::string mutant;      // only with this one left out
  std::string scaling;     // instead: larger and larger clusters; the file that says how they fare
};
int run_check(const CheckOptions& options);

struct CheckHistoryOptions {
  Common common;
  std::string path;
  std::string model = "linearizable";
};
int run_check_history(const CheckHistoryOptions& options);

struct NodeOptions {
  std::string config;
  bool rejoin = false;
  std::string trace_out;  // empty: as the configuration says
};
int run_node(const NodeOptions& options);

struct MaelstromOptions {
  std::optional<std::uint64_t> seed;
  std::string algorithm = "raft";
  std::string trace_out;             // a folder; empty: none
  std::vector<std::string> options;  // name=value
};
int run_maelstrom(const MaelstromOptions& options);

struct MembersOptions {
  Common common;
  std::string connect = "http://127.0.0.1:8080";
  std::uint32_t add = 0;  // 0: none
  std::uint32_t remove = 0;
  std::string replace;  // "OLD=NEW"
};
int run_members(const MembersOptions& options);

struct CanvasOptions {
  Common common;
  std::string algorithm = "raft";
  std::uint32_t nodes = 3;
  std::uint16_t http_port = 8080;
  std::string size = "1000x1000";
  double cooldown_s = 0;   // between two placements of a user
  std::string durability;  // empty: async if `data` is given, else none
  std::string data;
  bool allow_faults = false;
  std::uint32_t spares = 0;           // nodes that wait to be added
  std::vector<std::uint32_t> rejoin;  // nodes that have lost their folders
  std::string trace_out;              // a folder; empty: none
  std::vector<std::string> options;
};
int run_canvas(const CanvasOptions& options);

// `node` is HOST:PORT of a node's page.
struct PaintOptions {
  Common common;
  std::string node = "127.0.0.1:8080";
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::string color;
  std::uint32_t user = 0;
};
int run_paint(const PaintOptions& options);

struct WatchOptions {
  Common common;
  std::string node = "127.0.0.1:8080";
  std::string at;           // "X,Y", in the middle; empty: the middle of the canvas
  std::uint32_t scale = 0;  // cells a side for what is drawn as one; 0: all of the canvas fits
  double seconds = 0;       // 0: until Ctrl-C
};
int run_watch(const WatchOptions& options);

struct LoadOptions {
  Common common;
  std::string targets;
  double rate = 1000;
  std::string duration = "10";
  std::string workload = "uniform";
  std::string replay;
  double speed = 1;
  std::string loop = "open";
  std::uint32_t window = 1024;
  std::uint32_t batch = 1;
  std::uint32_t clients = 1024;
  double read_share = 0;
  std::string read_mode = "local";
  std::string routing = "any";
  std::string size = "1000x1000";
};
int run_load_command(const LoadOptions& options);

struct SweepOptions {
  Common common;
  std::string spec;
  std::string out;
  bool resume = false;
  bool dry_run = false;
};
int run_sweep_command(const SweepOptions& options);

struct CompareOptions {
  Common common;
  bool quick = false;
  bool resume = false;
  std::string out;
};
int run_compare(const CompareOptions& options);

struct ReportOptions {
  Common common;
  std::vector<std::string> folders;
  std::string out;
  std::string files;
};
int run_report(const ReportOptions& options);

struct DiffOptions {
  Common common;
  std::string a;
  std::string b;
  std::vector<std::string> metrics;  // empty: the usual ones
  double tolerance = 0.05;           // a share
};
int run_diff(const DiffOptions& options);

struct CommandText;
// `program` is the whole command line.
int run_manual(const CommandText& program);
int run_completion(const std::string& shell, const CommandText& program);

// Reads options of an algorithm, NAME=VALUE each; the others get their defaults. Returns empty, or
// what is wrong and what is allowed.
std::string parse_options(const std::vector<std::string>& options, const Algorithm& algorithm,
                          OptionValues& values);

// Prints "parley: <text>" on standard error.
void complain(const std::string& text);

// Makes the folder that --trace-out names; says what is wrong with it, or nothing.
std::string make_trace_folder(const std::filesystem::path& folder);

// Checks that an algorithm of this name exists; complains and returns false otherwise, naming those
// that do.
bool known_algorithm(const std::string& name);

}  // namespace parley::cli
