// What strategies decode: frames of peers, and the records that their storage held.
#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "algorithms/registry/registry.h"
#include "apps/canvas/canvas.h"
#include "harness/fuzz/bytes.h"
#include "harness/fuzz/recorder.h"
#include "harness/fuzz/target.h"
#include "runtime/driver.h"

namespace parley::fuzz {
namespace {

constexpr std::uint32_t kNodes = 3;
constexpr std::size_t kMaxSeedBytes = 6000;  // shorter inputs are mutated better
constexpr std::uint32_t kSeedsOfSimulator = 4;
constexpr CanvasSize kCanvasSize{64, 64};

const Canvas& canvas() {
  static const Canvas the_canvas(kCanvasSize);
  return the_canvas;
}

// One strategy under a name of its own: variants have that of the strategy that they belong to.
struct Subject {
  std::string name;
  const Algorithm* algorithm = nullptr;
  OptionValues options;
  std::uint32_t nodes = kNodes;
};

std::vector<Subject> subjects() {
  std::vector<Subject> found;
  for (const Algorithm* algorithm : algorithms()) {
    const std::string name(algorithm->name);
    const std::uint32_t nodes = std::min(kNodes, algorithm->max_nodes);
    const OptionValues defaults = default_options(algorithm->options);
    found.push_back({name, algorithm, defaults, nodes});
    for (const Variant& variant : algorithm->variants) {
      OptionValues options = defaults;
      const std::string problem =
          set_option(algorithm->options, variant.option, variant.choice, options);
      require(problem.empty(), "an option has the choices that its variants name");
      found.push_back({name + "_" + std::string(variant.option) + "_" + std::string(variant.choice),
                       variant.algorithm, options, nodes});
    }
  }
  return found;
}

// Recorded once for all targets of a strategy.
const Recording& recording_of(const Subject& subject) {
  static std::map<std::string, Recording> made;
  const auto found = made.find(subject.name);
  if (found != made.end()) return found->second;
  return made.emplace(subject.name, record(*subject.algorithm, subject.options, kSeedsOfSimulator))
      .first->second;
}

ReplicaConfig config_of(const Subject& subject) {
  ReplicaConfig config;
  config.self = NodeId{1};
  config.incarnation = Incarnation{1};
  for (std::uint32_t node = 1; node <= subject.nodes; ++node)
    config.members.push_back(NodeId{node});
  config.options = subject.options;
  config.seed = 1;
  return config;
}

std::unique_ptr<Driver> make_driver(const Subject& subject, const Recovered& recovered) {
  DriverLimits limits;
  limits.max_sessions = 1024;
  limits.session_idle = {};
  limits.snapshot_bytes = 4096;
  return std::make_unique<Driver>(*subject.algorithm, canvas(), config_of(subject), recovered,
                                  limits, nullptr);
}

// --- one frame ---

// Requires that a message begins with its type, and that no name comes twice.
class FieldCheck final : public FieldSink {
 public:
  using FieldSink::number;
  void number(std::string_view name, std::uint64_t) override { take(name); }
  void flag(std::string_view name, bool) override { take(name); }
  void text(std::string_view name, std::string_view value) override {
    require(!value.empty(), "a text says something");
    take(name);
  }
  void rows(std::string_view name, std::size_t width,
            std::span<const std::uint64_t> numbers) override {
    require(numbers.size() % width == 0, "rows are whole");
    take(name);
  }
  void members(std::string_view name, const Membership&) override { take(name); }
  [[nodiscard]] bool empty() const { return names_.empty(); }

 private:
  void take(std::string_view name) {
    require(!names_.empty() || name == "type", "a message begins with its type");
    require(names_.emplace(name).second, "a name comes once");
  }

  std::set<std::string> names_;
};

// header behind its length, body
void run_frame(const Algorithm& algorithm, Bytes input) {
  InputReader reader(input);
  const Block header = Block::copy_of(reader.piece());
  const Block body = Block::copy_of(reader.rest());
  if (!algorithm.verify(header, body)) return;
  if (algorithm.describe == nullptr) return;
  require(!algorithm.describe(header, body).empty(), "a frame that is valid says something");
  FieldCheck fields;
  algorithm.fields(header, fields);
  require(!fields.empty(), "a frame that is valid has fields");
}

// Some of each kind of message, short ones first.
std::vector<std::string> frame_seeds(const Subject& subject) {
  constexpr std::size_t kEach = 12;
  std::map<std::string, std::set<std::pair<std::size_t, std::string>>> by_kind;
  for (const RecordedFrame& recorded : recording_of(subject).frames) {
    const Frame& frame = recorded.frame;
    if (frame.header.size() + frame.body.size() > kMaxSeedBytes) continue;
    const std::string words = subject.algorithm->describe(frame.header, frame.body);
    InputWriter writer;
    writer.piece(frame.header.bytes());
    writer.rest(frame.body.bytes());
    const std::size_t size = writer.size();
    auto& kind = by_kind[words.substr(0, words.find(' '))];
    if (kind.size() < kEach) kind.emplace(size, writer.take());
  }
  std::vector<std::string> seeds;
  for (const auto& [kind, inputs] : by_kind) {
    for (const auto& [size, input] : inputs) seeds.push_back(input);
  }
  return seeds;
}

// --- frames, one after the other, at a replica that does what they ask for ---

// A disk at once, in memory: the replica hears that its writes are durable.
void take_turn(Driver& driver, Instant now) {
  const Effects& effects = driver.step(now, WallTime(now.time_since_epoch()));
  if (!effects.writes.empty()) driver.durable_through(effects.writes.back().ticket);
  if (auto task = driver.take_snapshot_task()) {
    driver.snapshot_done(run_snapshot_task(std::move(*task), nullptr));
  }
}

// Again and again: sender, milliseconds since the one before, header, body. Frames that are not
// valid do not reach a replica. A replica whose invariants a lying member has broken stops.
void run_replica(const Subject& subject, Bytes input) {
  constexpr std::size_t kMaxFrames = 64;
  const std::unique_ptr<Driver> driver = make_driver(subject, {});
  InputReader reader(input);
  Instant now{};
  for (std::size_t i = 0; i < kMaxFrames && !reader.done(); ++i) {
    Frame frame;
    frame.from = NodeId{2 + reader.number<std::uint8_t>() % (subject.nodes - 1)};
    now += std::chrono::milliseconds(reader.number<std::uint8_t>());
    frame.incarnation = Incarnation{1};
    frame.header = Block::copy_of(reader.piece());
    frame.body = Block::copy_of(reader.piece());
    if (subject.algorithm->verify(frame.header, frame.body)) driver->receive(std::move(frame));
    take_turn(*driver, now);
    if (!driver->broken_invariant().empty()) return;
  }
}

// What one node was sent from its start on.
std::vector<std::string> replica_seeds(const Subject& subject) {
  std::vector<std::string> seeds;
  for (std::uint32_t node = 1; node <= subject.nodes; ++node) {
    InputWriter writer;
    std::size_t frames = 0;
    for (const RecordedFrame& recorded : recording_of(subject).frames) {
      const Frame& frame = recorded.frame;
      const std::size_t size = frame.header.size() + frame.body.size();
      if (recorded.to.value != node || size > kMaxSeedBytes / 4) continue;
      // As if sent to node 1 by the others.
      writer.number(static_cast<std::uint8_t>(frame.from.value > node ? frame.from.value - 2
                                                                      : frame.from.value - 1));
      writer.number(std::uint8_t{7});
      writer.piece(frame.header.bytes());
      writer.piece(frame.body.bytes());
      if (++frames < 24 && writer.size() < kMaxSeedBytes) continue;
      seeds.push_back(writer.take());
      writer = {};
      frames = 0;
      if (seeds.size() % 40 == 0) break;
    }
  }
  return seeds;
}

// --- what storage held ---

// state, index and header of a snapshot, the index of the first record, then records
void run_recovery(const Subject& subject, Bytes input) {
  constexpr std::size_t kMaxRecords = 256;
  InputReader reader(input);
  Recovered recovered;
  recovered.state = Block::copy_of(reader.piece());
  recovered.snapshot.id.index = LogIndex{reader.number<std::uint32_t>()};
  recovered.snapshot.header = Block::copy_of(reader.piece());
  LogIndex index = recovered.snapshot.id.index;
  if (index != LogIndex{}) {
    // The state itself is another target's matter: here it is an empty one.
    FrozenState state{index, 0, Store(canvas().key_count()).freeze(), {}};
    const Snapshot snapshot = encode_snapshot(state);
    recovered.snapshot.id = snapshot.id;
    recovered.snapshot.parts = snapshot.parts;
  }
  while (!reader.done() && recovered.records.size() < kMaxRecords) {
    index = index.next();
    Record record{index, Block::copy_of(reader.piece()), {}};
    record.body = Block::copy_of(reader.piece());
    recovered.records.push_back(std::move(record));
  }
  const std::unique_ptr<Driver> driver = make_driver(subject, recovered);
  Instant now{};
  for (int turn = 0; turn < 4 && driver->broken_invariant().empty(); ++turn) {
    take_turn(*driver, now);
    now += std::chrono::milliseconds(200);
  }
}

// The first one is an empty disk, which is all that strategies without storage know.
std::vector<std::string> recovery_seeds(const Subject& subject) {
  std::vector<std::string> seeds{{}};
  for (const Recovered& start : recording_of(subject).starts) {
    InputWriter writer;
    writer.piece(start.state.bytes());
    writer.number(static_cast<std::uint32_t>(start.snapshot.id.index.value));
    writer.piece(start.snapshot.header.bytes());
    for (const Record& record : start.records) {
      if (writer.size() + record.header.size() + record.body.size() > kMaxSeedBytes) break;
      writer.piece(record.header.bytes());
      writer.piece(record.body.bytes());
    }
    seeds.push_back(writer.take());
  }
  return seeds;
}

}  // namespace

void add_algorithm_targets(std::vector<FuzzTarget>& targets) {
  for (const Subject& subject : subjects()) {
    if (subject.nodes > 1) {
      targets.push_back({subject.name + "_frame",
                         [subject](Bytes input) { run_frame(*subject.algorithm, input); },
                         [subject] { return frame_seeds(subject); }, 20'000});
      targets.push_back({subject.name + "_replica",
                         [subject](Bytes input) { run_replica(subject, input); },
                         [subject] { return replica_seeds(subject); }, 10'000});
    }
    targets.push_back({subject.name + "_recovery",
                       [subject](Bytes input) { run_recovery(subject, input); },
                       [subject] { return recovery_seeds(subject); }, 5000});
  }
}

}  // namespace parley::fuzz
