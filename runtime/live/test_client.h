// A small client of the protocol of runtime/client.fbs, and a node in a thread, for tests.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>
#include <zmq.hpp>

#include "algorithms/contract/node_port.h"
#include "runtime/client_generated.h"
#include "runtime/live/node.h"
#include "runtime/live/waiter.h"

namespace parley {

// Long enough for any machine; a test that waits for this long has failed.
inline constexpr std::chrono::seconds kPatience{60};

struct ClientAnswer {
  RefusedBecause reason = RefusedBecause::none;
  std::string error;
  std::string body;
};

class TestClient {
 public:
  explicit TestClient(const std::string& endpoint) : socket_(context_, zmq::socket_type::dealer) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::sndhwm, 0);
    socket_.set(zmq::sockopt::rcvhwm, 0);
    socket_.connect(endpoint);
  }

  // Sends a request and returns its id.
  std::uint64_t send(client::RequestKind kind, Bytes body, ReadMode mode = ReadMode::local,
                     const std::vector<client::Seen>& seen = {}) {
    builder_.Clear();
    const auto named = seen.empty() ? 0 : builder_.CreateVectorOfStructs(seen);
    const auto bytes =
        builder_.CreateVector(reinterpret_cast<const std::uint8_t*>(body.data()), body.size());
    builder_.Finish(client::CreateRequest(builder_, ++last_id_, kind,
                                          static_cast<client::ReadMode>(mode), bytes, named));
    socket_.send(zmq::buffer(builder_.GetBufferPointer(), builder_.GetSize()),
                 zmq::send_flags::none);
    return last_id_;
  }
  void send_raw(std::string_view bytes) { socket_.send(zmq::buffer(bytes), zmq::send_flags::none); }

  // Takes in the next reply. False if none comes within `limit`.
  bool take_reply(std::chrono::milliseconds limit = kPatience) {
    zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
    if (zmq::poll(&item, 1, limit) == 0) return false;
    zmq::message_t message;
    static_cast<void>(socket_.recv(message));
    std::vector<std::uint64_t> aligned((message.size() + 7) / 8);
    std::memcpy(aligned.data(), message.data(), message.size());
    const auto* data = reinterpret_cast<const std::uint8_t*>(aligned.data());
    flatbuffers::Verifier verifier(data, message.size(), 8, 100'000);
    EXPECT_TRUE(client::VerifyReplyBuffer(verifier));
    take(*client::GetReply(data));
    ++replies;
    return true;
  }

  // The results of the commands of `body`.
  std::vector<Result> submit(Bytes body) {
    const std::uint64_t id = send(client::RequestKind::submit, body);
    while (!results.contains(id)) {
      if (!take_reply()) {
        ADD_FAILURE() << "no reply";
        return {};
      }
    }
    return results[id];
  }

  ClientAnswer ask(client::RequestKind kind, Bytes body = {}, ReadMode mode = ReadMode::local,
                   const std::vector<client::Seen>& seen = {}) {
    const std::uint64_t id = send(kind, body, mode, seen);
    while (!answers.contains(id)) {
      if (!take_reply()) {
        ADD_FAILURE() << "no reply";
        return {};
      }
    }
    return answers[id];
  }

  struct Welcome {
    std::uint32_t node = 0;
    std::uint64_t incarnation = 0;
    std::uint32_t leader = 0;
    std::string algorithm;
    std::string application;
    std::uint32_t max_request_bytes = 0;
    std::uint64_t epoch = 0;
    std::uint64_t applied = 0;
  };
  Welcome hello() {
    const std::uint64_t id = send(client::RequestKind::hello, {});
    while (!welcomes.contains(id)) {
      if (!take_reply()) {
        ADD_FAILURE() << "no reply";
        return {};
      }
    }
    return welcomes[id];
  }

  // What came, by the ids of the requests.
  std::map<std::uint64_t, std::vector<Result>> results;
  std::map<std::uint64_t, ClientAnswer> answers;
  std::map<std::uint64_t, Welcome> welcomes;
  std::vector<std::string> errors;
  std::uint64_t replies = 0;
  std::uint64_t answered_twice = 0;

 private:
  void take(const client::Reply& reply) {
    if (reply.error() != nullptr) errors.push_back(reply.error()->str());
    if (reply.welcome() != nullptr) {
      const client::Welcome& welcome = *reply.welcome();
      welcomes[welcome.id()] = {welcome.node(),
                                welcome.incarnation(),
                                welcome.leader(),
                                welcome.algorithm()->str(),
                                welcome.application()->str(),
                                welcome.max_request_bytes(),
                                welcome.epoch(),
                                welcome.applied()};
    }
    if (reply.answers() != nullptr) {
      for (const client::Answer* answer : *reply.answers()) {
        ClientAnswer& taken = answers[answer->id()];
        taken.reason = static_cast<RefusedBecause>(answer->reason());
        if (answer->error() != nullptr) taken.error = answer->error()->str();
        taken.body.assign(answer->body()->begin(), answer->body()->end());
      }
    }
    if (reply.done() == nullptr) return;
    for (const client::Done* done : *reply.done()) take(*done, reply);
  }

  void take(const client::Done& done, const client::Reply& reply) {
    if (results.contains(done.id())) ++answered_twice;
    std::vector<Result>& taken = results[done.id()];
    for (std::uint32_t i = 0; i < done.count(); ++i) {
      Result& result = taken.emplace_back();
      if (done.first_result() == ~0U) {
        result.outcome = static_cast<Outcome>(done.outcome());
        result.reason = done.reason();
        result.code = done.code();
        result.stamp = {done.stamp_major(), done.stamp_minor() + i};
      } else {
        const client::Result& wire = *reply.results()->Get(done.first_result() + i);
        static_assert(sizeof(wire) == sizeof(result));
        std::memcpy(static_cast<void*>(&result), &wire, sizeof(result));
      }
    }
  }

  zmq::context_t context_;
  zmq::socket_t socket_;
  flatbuffers::FlatBufferBuilder builder_;
  std::uint64_t last_id_ = 0;
};

// A node that runs in a thread of its own until the end of its scope.
class RunningNode {
 public:
  explicit RunningNode(NodeConfig config)
      : node(std::move(config)), thread_([this] { status_ = node.run(); }) {}
  ~RunningNode() { stop(); }
  RunningNode(const RunningNode&) = delete;
  RunningNode& operator=(const RunningNode&) = delete;

  // Stops it and returns what run() returned.
  int stop() {
    node.stop();
    return join();
  }
  // Waits until it has stopped by itself.
  int join() {
    if (thread_.joinable()) thread_.join();
    return status_;
  }
  [[nodiscard]] std::string client_endpoint() const { return node.client_endpoints().front(); }

  Node node;

 private:
  int status_ = -1;
  std::thread thread_;
};

}  // namespace parley
