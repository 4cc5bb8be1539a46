// What Maelstrom hands to a node: lines, frames of peers within them, and what these hold for the
// application.
#include <memory>

#include "algorithms/raft/codec.h"
#include "algorithms/raft/replica.h"
#include "algorithms/unreplicated/replica.h"
#include "apps/kv/kv.h"
#include "harness/fuzz/bytes.h"
#include "harness/fuzz/target.h"
#include "harness/maelstrom/workloads.h"
#include "runtime/applier.h"
#include "runtime/maelstrom/base64.h"
#include "runtime/maelstrom/node.h"

namespace parley::fuzz {
namespace {

using maelstrom::Json;

// --- lines ---

struct LoneNode {
  LoneNode() {
    say(R"({"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}})");
    require(work() == 1, "init is answered");
  }
  static maelstrom::NodeConfig config() {
    maelstrom::NodeConfig config;
    config.algorithm = &kUnreplicated;
    config.options = default_options(kUnreplicated.options);
    config.incarnation = Incarnation{1};
    return config;
  }
  void say(std::string_view line) { node.take(line, now); }
  // Steps until nothing is under way. How many answers there were.
  std::size_t work() {
    std::string said;
    // An element of many cells takes a window of its session, and two of these turns.
    for (int turn = 0; turn < 64; ++turn) {
      node.turn(now, WallTime(now.time_since_epoch()));
      now += std::chrono::milliseconds(1);
      said += node.take_output();
    }
    std::size_t answers = 0;
    maelstrom::LineReader(maelstrom::kMaxLineBytes).feed(said, [&answers](std::string_view line) {
      // Not by maelstrom::decode: what is as deep as it allows lies deeper in an answer.
      const Json answer = Json::parse(line, nullptr, /*allow_exceptions=*/false);
      require(answer.is_object() && answer.contains("body"), "what a node says is a message");
      require(answer["body"].contains("in_reply_to"), "a node alone only answers");
      ++answers;
    });
    return answers;
  }

  maelstrom::Workloads workloads{kUnreplicated};
  maelstrom::Node node{config(), workloads};
  Instant now{};
};

// Whether a line asks for an answer.
bool asks(std::string_view line) {
  maelstrom::Message message;
  const bool wrong = !maelstrom::decode(line, message).empty();
  if (!message.msg_id || message.in_reply_to) return false;
  if (wrong) return !message.src.empty();
  return message.type != "error" && message.type != maelstrom::kFrameType;
}

void run_lines(Bytes input) {
  static std::unique_ptr<LoneNode> node;
  static std::uint32_t served = 0;
  // The log has no snapshots here and grows, and so does what a read of all elements takes.
  if (node == nullptr || ++served % 500 == 0) node = std::make_unique<LoneNode>();
  constexpr std::size_t kMaxBytes = 1U << 12;
  maelstrom::LineReader lines(kMaxBytes);
  std::size_t asked = 0;
  const auto take = [&asked](std::string_view line) {
    require(line.size() <= kMaxBytes, "no line is longer than the bound");
    if (asks(line)) ++asked;
    node->say(line);
  };
  lines.feed(text_of(input), take);
  lines.feed("\n", take);
  require(node->work() == asked, "every request is answered once, and nothing else is");
  require(node->node.story().empty(), "no line can break a node");
}

std::vector<std::string> line_seeds() {
  std::vector<std::string> seeds;
  const auto add = [&seeds](Json body) {
    body["msg_id"] = seeds.size();
    seeds.push_back(Json{{"src", "c1"}, {"dest", "n1"}, {"body", std::move(body)}}.dump());
  };
  add({{"type", "read"}, {"key", 1}});
  add({{"type", "write"}, {"key", "a"}, {"value", {1, "b", nullptr}}});
  add({{"type", "cas"}, {"key", 1}, {"from", 1}, {"to", 2}, {"create_if_not_exists", true}});
  add({{"type", "broadcast"}, {"message", 1000}});
  add({{"type", "topology"}, {"topology", {{"n1", {"n2"}}}}});
  add({{"type", "add"}, {"element", "of more than a cell"}});
  add({{"type", "read"}});
  add({{"type", "init"}, {"node_id", "n1"}, {"node_ids", {"n1"}}});
  seeds.push_back(R"({"src":"n1","dest":"n1","body":{"type":"parley","head":"UFJMWQ=="}})");
  seeds.push_back(R"({"src":"n1","dest":"n1","body":{"type":"error","code":1,"in_reply_to":1}})");
  seeds.push_back(seeds[0] + "\n" + seeds[1] + "\n\n" + seeds[6]);
  return seeds;
}

// --- the first line ---

// A node that waits for `init` gets this instead, and a request after it.
void run_init(Bytes input) {
  maelstrom::Workloads workloads(kUnreplicated);
  maelstrom::Node node(LoneNode::config(), workloads);
  Instant now{};
  maelstrom::LineReader lines(1U << 12);
  const auto take = [&](std::string_view line) {
    node.take(line, now);
    node.turn(now, WallTime(now.time_since_epoch()));
    now += std::chrono::milliseconds(1);
  };
  lines.feed(text_of(input), take);
  lines.feed("\n", take);
  take(R"({"src":"c1","dest":"n1","body":{"type":"read","key":1,"msg_id":2}})");
  for (int turn = 0; turn < 4; ++turn) {
    node.turn(now, WallTime(now.time_since_epoch()));
    now += std::chrono::milliseconds(1);
  }
  require(!node.take_output().empty(), "a request is answered, also before init");
  require(node.story().empty(), "no line can break a node");
}

std::vector<std::string> init_seeds() {
  return {
      R"({"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1"]}})",
      R"({"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1","n2","n3"]}})",
      R"({"src":"c1","dest":"n1","body":{"type":"read","key":1,"msg_id":2}})"};
}

// --- frames ---

ReplicaConfig member(std::uint32_t self) {
  ReplicaConfig config;
  config.self = NodeId{self};
  config.incarnation = Incarnation{1};
  return config;
}

// Whom it is from, and its two parts, which are put into a line as peers do.
void run_frames(Bytes input) {
  static maelstrom::Outbox outbox;
  static maelstrom::Peers peers(kRaft, member(1), {"n1", "n2", "n3"}, outbox);
  InputReader reader(input);
  maelstrom::Message message;
  message.src = "n" + std::to_string(reader.number<std::uint8_t>() % 5);
  message.body["head"] = maelstrom::to_base64(reader.piece());
  const Bytes body = reader.rest();
  if (!body.empty()) message.body["body"] = maelstrom::to_base64(body);
  Frame frame;
  if (peers.receive(message, frame) != FrameFault::none) return;
  require(frame.from == NodeId{2} || frame.from == NodeId{3},
          "a frame that is taken is another member's");
  require(message.src == "n" + std::to_string(frame.from.value), "it is its sender's own");
  require(raft::verify(frame.header, frame.body), "a frame that is taken is valid");
}

std::vector<std::string> frame_seeds() {
  raft::Encoder encoder;
  std::vector<std::string> seeds;
  for (std::uint32_t from = 1; from <= 4; ++from) {
    parley::Message message;
    message.header = encoder.encode(raft::VoteRequest{Epoch{2}, LogIndex{1}, Epoch{1}}, DiskId{});
    WireHeader sender;
    sender.from = from;
    sender.incarnation = 1;
    std::vector<std::byte> head(head_size(message));
    write_head(sender, message, 0, head.data());
    InputWriter writer;
    writer.number(static_cast<std::uint8_t>(from));
    writer.piece(head);
    seeds.push_back(writer.take());
  }
  return seeds;
}

// --- the application ---

// A query, and commands of runs, which other nodes hand on.
void run_commands(Bytes input) {
  static const kv::Application application(kv::Application::Kind::map_and_set);
  static std::unique_ptr<Applier> applier;
  static std::uint64_t index = 0;
  static std::uint32_t sequence = 0;
  static std::uint32_t served = 0;
  // What is stored grows, and sequence numbers end.
  if (applier == nullptr || ++served % 1000 == 0) {
    applier = std::make_unique<Applier>(application, 1, 0, nullptr);
    index = 0;
    sequence = 0;
  }
  std::vector<std::byte> body;
  if (index == 0) append_open_session(1, body);
  InputReader reader(input);
  const Bytes query = reader.piece();
  while (!reader.done()) {
    Bytes payload = reader.piece();
    payload = payload.first(payload.size() / 4 * 4);
    append_command({1, ++sequence, static_cast<std::uint16_t>(payload.size()), 0}, payload, body);
    const bool valid = application.validate(payload).empty();
    const RunId run{NodeId{1}, Incarnation{1}, ++index};
    const auto results = applier->apply({LogIndex{index}, {run, 1, Block::copy_of(body)}});
    require(valid == (results.back().code != kv::kInvalid), "what is not valid is not carried out");
    body.clear();
  }
  std::vector<std::byte> answer;
  const bool answered = application.query(applier->store(), query, answer).empty();
  require(answered || answer.empty(), "a query that is none has no answer");
}

std::vector<std::string> command_seeds() {
  std::vector<std::string> seeds;
  const auto add = [&seeds](const std::vector<std::byte>& query,
                            const std::vector<std::vector<std::byte>>& payloads) {
    InputWriter writer;
    writer.piece(query);
    for (const auto& payload : payloads) writer.piece(payload);
    seeds.push_back(writer.take());
  };
  add(kv::encode_get("key"), {kv::encode_write("key", "value")});
  add(kv::encode_get("k"), {kv::encode_compare_and_set("k", "from", "to", true),
                            kv::encode_compare_and_set("k", "to", "other", false)});
  add(kv::encode_elements(), kv::encode_add(NodeId{2}, 5, "an element of three cells"));
  return seeds;
}

}  // namespace

void add_maelstrom_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"maelstrom_line", run_lines, line_seeds, 10'000});
  targets.push_back({"maelstrom_init", run_init, init_seeds, 2000});
  targets.push_back({"maelstrom_frame", run_frames, frame_seeds, 20'000});
  targets.push_back({"kv_command", run_commands, command_seeds, 10'000});
}

}  // namespace parley::fuzz
