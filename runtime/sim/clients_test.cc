// The clients of an execution, with one node whose replica counts what it is asked.
#include "runtime/sim/clients.h"

#include <gtest/gtest.h>

#include <memory>

#include "algorithms/gossip_lww/replica.h"
#include "runtime/sim/applications.h"
#include "runtime/sim/network.h"

namespace parley::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// How many reads reached a replica. A node answers by itself those that name nothing.
std::size_t& naming_reads() {
  static std::size_t count = 0;
  return count;
}

class CountingReplica final : public Replica {
 public:
  explicit CountingReplica(std::unique_ptr<Replica> replica) : replica_(std::move(replica)) {}
  void step(const Turn& turn, const Store& store, Effects& effects) noexcept override {
    naming_reads() += turn.reads.size();
    replica_->step(turn, store, effects);
  }
  [[nodiscard]] Instant deadline() const noexcept override { return replica_->deadline(); }
  [[nodiscard]] Status status() const noexcept override { return replica_->status(); }

 private:
  std::unique_ptr<Replica> replica_;
};

Algorithm counting() {
  Algorithm algorithm = kGossipLww;
  algorithm.make = [](const ReplicaConfig& config,
                      const Recovered& recovered) -> std::unique_ptr<Replica> {
    return std::make_unique<CountingReplica>(kGossipLww.make(config, recovered));
  };
  return algorithm;
}

class ClientsTest : public ::testing::Test {
 protected:
  ClientsTest() {
    naming_reads() = 0;
    engine_.weather.delay_min = engine_.weather.delay_max = milliseconds(1);
    engine_.weather.sync_min = engine_.weather.sync_max = milliseconds(1);
    engine_.weather.whole_turn_per_million = 1'000'000;
    nodes_.emplace_back(engine_, network_, node_settings_, NodeId{1});
    clients_ = std::make_unique<Clients>(engine_, client_settings_, algorithm_.guarantee, history_,
                                         *checker_, nodes_);
    checker_->started(1);
    nodes_[0].start();
    clients_->start();
  }

  void run(Duration duration) {
    const Instant end = engine_.now + duration;
    Event event;
    while (engine_.violations.empty() && engine_.queue.pop(end, event)) {
      engine_.now = event.when;
      handle(event);
    }
    engine_.now = end;
  }

  Engine engine_{1, nullptr};
  const Algorithm algorithm_ = counting();
  CellApplication application_{CellApplication::Kind::canvas};
  const OptionValues options_ = default_options(algorithm_.options);
  const NodeSettings node_settings_{&algorithm_, &application_, options_, {}, {NodeId{1}},
                                    1,           nullptr};
  // The second of two clients names what it has seen. They ask as soon as they are answered.
  const ClientSettings client_settings_{2, milliseconds(1), false, 4, /*sessions_move=*/true};
  History history_;
  std::unique_ptr<Checker> checker_ =
      make_merge_checker(engine_, history_, algorithm_.guarantee,
                         algorithm_.merge_promise(options_, /*members=*/1), /*nodes=*/1);
  Network network_{engine_, 1};
  std::vector<Node> nodes_;
  std::unique_ptr<Clients> clients_;

 private:
  void handle(const Event& event) {
    Node& node = nodes_[0];
    switch (event.kind) {
      case EventKind::step:
        if (!node.due(event.item)) return;
        clients_->hand_over(node, node.begin_turn());
        take_turn(node);
        return;
      case EventKind::sync:
        return node.sync_done(event.item);
      case EventKind::snapshot:
        return node.snapshot_done(event.item);
      case EventKind::resume:
        return node.resume(event.item);
      default:
        return clients_->handle(event);
    }
  }

  void take_turn(Node& node) {
    const Effects& effects = node.take_turn();
    for (const Applied& entry : node.journal()) checker_->applied(1, entry);
    checker_->stepped(node.view());
    clients_->take_results(node);
    node.end_turn(effects);
  }
};

// A request that a node takes late is the one that was sent, whatever its client has made up its
// mind to do since then.
TEST_F(ClientsTest, AReadNamesWhatItsClientHadSeenWhenItAsked) {
  const auto& reads = history_.clients[1].reads;
  std::size_t asked = 0;
  do {
    nodes_[0].heal();
    run(milliseconds(200));
    asked = reads.size();
    nodes_[0].pause(seconds(10));
    run(milliseconds(10));
  } while (reads.size() == asked);
  ASSERT_NE(reads.back().seen, Stamp{}) << "the client had nothing to name";
  const std::size_t before = naming_reads();
  clients_->wind_down();  // from now on nobody names anything
  nodes_[0].heal();
  run(milliseconds(200));
  EXPECT_EQ(naming_reads(), before + 1);
  EXPECT_TRUE(engine_.violations.empty());
}

}  // namespace
}  // namespace parley::sim
