#include "harness/load/settle.h"

#include <algorithm>
#include <optional>
#include <span>
#include <thread>

#include "apps/canvas/canvas.h"
#include "harness/load/json.h"
#include "harness/load/node_client.h"
#include "runtime/live/waiter.h"

namespace parley::load {
namespace {

constexpr Duration kBetweenReports = std::chrono::milliseconds(50);
constexpr Duration kOneReport = std::chrono::seconds(1);

std::string text_of(NodeId node, const ReportedState& state) {
  return "node " + std::to_string(node.value) + " has applied " + std::to_string(state.applied) +
         " with digest " + std::to_string(state.digest) + " and " +
         std::to_string(state.requests_in_flight) + " requests in flight";
}

// The state that all nodes report; nothing if they differ or one does not answer.
std::optional<ReportedState> common_state(std::vector<NodeClient>& nodes, Duration limit,
                                          std::string& problem) {
  std::optional<ReportedState> common;
  std::string common_text;
  for (NodeClient& node : nodes) {
    const auto report = node.report(std::min(limit, kOneReport));
    const auto state = report ? parse_report(*report) : std::nullopt;
    if (!state) {
      problem = "node " + std::to_string(node.node().value) + " does not report";
      return std::nullopt;
    }
    if (state->requests_in_flight > 0) {
      problem = text_of(node.node(), *state);
      return std::nullopt;
    }
    if (common && *common != *state) {
      problem = common_text + ", " + text_of(node.node(), *state);
      return std::nullopt;
    }
    if (!common) common_text = text_of(node.node(), *state);
    common = state;
  }
  return common;
}

// Writes what `node` answered about `cells`.
void write_reads(NodeId node, std::span<const std::uint32_t> cells,
                 const std::vector<canvas::CellState>& states, std::int64_t invoke_ns,
                 history::HistoryWriter& writer, FinalReads& reads) {
  history::Operation operation;
  operation.kind = history::Kind::read;
  operation.outcome = history::Outcome::ok;
  operation.read_mode = history::ReadMode::final;
  operation.node = node.value;
  operation.invoke_ns = invoke_ns;
  operation.return_ns = monotonic_now().time_since_epoch().count();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const canvas::CellState& state = states[i];
    operation.seq = static_cast<std::uint32_t>(++reads.written);
    operation.x = cells[i] >> 16;
    operation.y = cells[i] & 0xFFFF;
    operation.color = state.color();
    operation.version = {state.stamp_major(), state.stamp_minor()};
    operation.writer.reset();
    if (state.painted() != 0) {
      operation.writer = Writer{state.writer_session(), state.writer_sequence()};
    }
    writer.append(operation);
  }
}

}  // namespace

Quiescence wait_quiescent(const std::vector<Target>& targets, Duration limit,
                          const std::atomic<bool>* stop) {
  std::vector<NodeClient> nodes;
  for (const Target& target : targets) nodes.emplace_back(target);
  Quiescence quiescence;
  const Instant start = monotonic_now();
  std::optional<ReportedState> before;
  for (;;) {
    const Duration left = start + limit - monotonic_now();
    if (left <= Duration{}) break;
    const auto state = common_state(nodes, left, quiescence.problem);
    if (state && state == before) {
      quiescence.settled = true;
      quiescence.problem.clear();
      break;
    }
    if (state) quiescence.problem = "the nodes agree, but their state still changes";
    before = state;
    if (stop != nullptr && stop->load()) break;
    std::this_thread::sleep_for(std::min(kBetweenReports, left));
  }
  quiescence.waited_ms = std::chrono::duration<double, std::milli>(monotonic_now() - start).count();
  return quiescence;
}

FinalReads final_reads(const std::vector<Target>& targets, const std::vector<std::uint32_t>& cells,
                       history::HistoryWriter& writer, Duration limit) {
  FinalReads reads;
  for (const Target& target : targets) {
    NodeClient node(target);
    for (std::size_t at = 0; at < cells.size(); at += kMaxCellsPerQuery) {
      const auto part =
          std::span(cells).subspan(at, std::min<std::size_t>(kMaxCellsPerQuery, cells.size() - at));
      std::vector<std::byte> query;
      for (const std::uint32_t cell : part) encode_cell_ref(cell >> 16, cell & 0xFFFF, query);
      std::string problem;
      const std::int64_t invoke_ns = monotonic_now().time_since_epoch().count();
      const auto answer = node.query(query, ReadMode::local, limit, problem);
      const auto states =
          answer ? decode_cells(*answer, part.size()) : std::vector<canvas::CellState>();
      if (states.empty()) {
        reads.problems.push_back("node " + std::to_string(target.node.value) +
                                 ": final reads failed: " + problem);
        break;
      }
      write_reads(target.node, part, states, invoke_ns, writer, reads);
    }
  }
  return reads;
}

}  // namespace parley::load
