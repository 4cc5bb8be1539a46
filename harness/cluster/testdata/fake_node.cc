// Stands in for a node in tests: it answers hello and report on the client port of its node.toml
// and does nothing else. Usage: fake_node <mode>... <node.toml>, where a mode is
//   good      names node 1 as the leader
//   leaderless  names none
//   mute      never opens its port
//   failing   says why on standard error and ends with exit status 3
//   stubborn  ignores SIGTERM
#include <csignal>
#include <cstdio>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <flatbuffers/flatbuffers.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <zmq.hpp>

#include "harness/cluster/node_config.h"
#include "runtime/client_generated.h"

namespace {

using parley::harness::NodeSettings;
namespace client = parley::client;

void end(int /*signal*/) {
  _exit(0);
}

void answer(flatbuffers::FlatBufferBuilder& builder, const NodeSettings& settings,
            const client::Request& request, std::uint32_t leader) {
  if (request.kind() == client::RequestKind::hello) {
    const auto name = builder.CreateString("fake");
    const auto welcome = client::CreateWelcome(builder, request.id(), settings.node.value,
                                               /*incarnation=*/1, leader, name, name);
    client::ReplyBuilder reply(builder);
    reply.add_welcome(welcome);
    builder.Finish(reply.Finish());
    return;
  }
  std::vector<std::uint32_t> voters;
  for (const parley::NodeId id : settings.first_members()) voters.push_back(id.value);
  const std::string json =
      fmt::format(R"({{"node":{},"voters":[{}]}})", settings.node.value, fmt::join(voters, ","));
  const auto body =
      builder.CreateVector(reinterpret_cast<const std::uint8_t*>(json.data()), json.size());
  client::AnswerBuilder entry(builder);
  entry.add_id(request.id());
  entry.add_body(body);
  const auto finished = entry.Finish();
  const auto answers = builder.CreateVector(std::vector{finished});
  client::ReplyBuilder reply(builder);
  reply.add_answers(answers);
  builder.Finish(reply.Finish());
}

[[noreturn]] void serve(const NodeSettings& settings, std::uint32_t leader) {
  zmq::context_t context(1);
  zmq::socket_t socket(context, zmq::socket_type::router);
  socket.bind(settings.client_endpoint);
  for (;;) {
    zmq::message_t from;
    zmq::message_t body;
    if (!socket.recv(from) || !socket.recv(body)) continue;
    std::vector<std::uint64_t> aligned(body.size() / 8 + 1);
    std::memcpy(aligned.data(), body.data(), body.size());
    flatbuffers::FlatBufferBuilder builder;
    answer(builder, settings, *flatbuffers::GetRoot<client::Request>(aligned.data()), leader);
    socket.send(from, zmq::send_flags::sndmore);
    socket.send(zmq::buffer(builder.GetBufferPointer(), builder.GetSize()),
                zmq::send_flags::dontwait);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::set<std::string> modes(argv + 1, argv + argc - 1);
  const NodeSettings settings = parley::harness::parse_node_config(argv[argc - 1]);
  std::signal(SIGTERM, modes.contains("stubborn") ? SIG_IGN : end);
  std::fprintf(stderr, "2026-01-01T00:00:00.00000%uZ info node %u starts\n", settings.node.value,
               settings.node.value);
  if (modes.contains("failing")) {
    std::fprintf(stderr, "2026-01-01T00:00:01.000000Z error the disk is made of cheese\n");
    return 3;
  }
  if (modes.contains("mute")) {
    for (;;) pause();
  }
  serve(settings, modes.contains("leaderless") ? 0 : 1);
}
