#include "harness/fuzz/recorder.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <set>
#include <utility>

#include "harness/fuzz/bytes.h"
#include "harness/fuzz/target.h"
#include "runtime/sim/simulation.h"

namespace parley::fuzz {
namespace {

// A strategy is made by a plain function, which has no place for these. One recording at a time.
const Algorithm* recorded_algorithm = nullptr;
Recording* recording = nullptr;

class RecordedReplica final : public Replica {
 public:
  RecordedReplica(std::unique_ptr<Replica> replica, NodeId self)
      : replica_(std::move(replica)), self_(self) {}

  void step(const Turn& turn, const Store& store, Effects& effects) noexcept override {
    for (const Frame& frame : turn.frames) recording->frames.push_back({self_, frame});
    replica_->step(turn, store, effects);
  }
  [[nodiscard]] Instant deadline() const noexcept override { return replica_->deadline(); }
  [[nodiscard]] Status status() const noexcept override { return replica_->status(); }
  [[nodiscard]] LogIndex held_by(NodeId member) const noexcept override {
    return replica_->held_by(member);
  }
  [[nodiscard]] const Membership* membership() const noexcept override {
    return replica_->membership();
  }

 private:
  std::unique_ptr<Replica> replica_;
  NodeId self_;
};

std::unique_ptr<Replica> make(const ReplicaConfig& config, const Recovered& recovered) {
  const bool something =
      !recovered.state.empty() || !recovered.records.empty() || !recovered.snapshot.parts.empty();
  if (something) recording->starts.push_back(recovered);
  return std::make_unique<RecordedReplica>(recorded_algorithm->make(config, recovered),
                                           config.self);
}

}  // namespace

Recording record(const Algorithm& algorithm, const OptionValues& values, std::uint32_t seeds) {
  Recording made;
  recorded_algorithm = &algorithm;
  recording = &made;
  Algorithm listening = algorithm;
  listening.make = make;
  sim::SimOptions options;
  options.nodes = std::min(3U, algorithm.max_nodes);
  options.duration = std::chrono::seconds(3);
  options.application = sim::ApplicationChoice::canvas;
  options.clients = 4;
  options.operations_per_s = 200;
  for (options.seed = 1; options.seed <= seeds; ++options.seed) {
    const sim::SimResult result = simulate(listening, values, options);
    require(result.violations.empty(), "the recorded execution is a good one");
  }
  recording = nullptr;
  return made;
}

std::vector<std::string> lone_headers(const Recording& recording) {
  std::set<std::string> headers;
  for (const RecordedFrame& recorded : recording.frames) {
    if (recorded.frame.body.empty()) {
      headers.emplace(text_of(recorded.frame.header.bytes()));
    }
  }
  return {headers.begin(), headers.end()};
}

}  // namespace parley::fuzz
