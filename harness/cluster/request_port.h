// Questions and answers between processes of this machine: a ZeroMQ endpoint with a thread that
// answers one request after the other.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <zmq.hpp>

#include "algorithms/contract/ids.h"

namespace parley::harness {

class RequestPort {
 public:
  // Called in the port's thread; must not throw. A request has at most 64 KiB.
  using Answer = std::function<std::string(std::string_view request)>;

  // Serves until it is destroyed. Throws std::runtime_error that names the endpoint when it cannot
  // be opened.
  RequestPort(const std::string& endpoint, Answer answer);
  ~RequestPort();
  RequestPort(const RequestPort&) = delete;
  RequestPort& operator=(const RequestPort&) = delete;

 private:
  void serve();

  Answer answer_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::thread thread_;
};

struct Request {
  std::string endpoint;
  std::string text;
};
// Asks all at once. The answers of those that answer within `limit`, and before `stop` is true;
// what was asked of the others is withdrawn as far as they have not received it.
std::map<NodeId, std::string> ask_all(const std::map<NodeId, Request>& requests,
                                      std::chrono::milliseconds limit,
                                      const std::atomic<bool>* stop = nullptr);

}  // namespace parley::harness
