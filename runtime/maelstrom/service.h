// What a node serves under Maelstrom: the workloads, in terms of an application.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <variant>
#include <vector>

#include "algorithms/contract/application.h"
#include "algorithms/contract/node_port.h"
#include "runtime/maelstrom/message.h"

namespace parley::maelstrom {

// Commands of the application, as payloads that it takes for valid; from 1 to kSessionWindow. They
// are carried out in one run. `answer` makes the body of the reply of their results, once all are
// done, without in_reply_to; what was refused or is not known is answered without it. `undone`,
// unless it is empty, is called when they were refused and never will be carried out.
struct Commands {
  std::vector<std::vector<std::byte>> payloads;
  std::function<Json(std::span<const Result>)> answer;
  std::function<void()> undone = {};
};

// A query of the application, and what makes the reply of its answer.
struct Question {
  std::vector<std::byte> query;
  ReadMode mode = ReadMode::linearizable;
  std::function<Json(Bytes)> answer;
};

// What a request comes down to; a body is the reply already, or an error.
using Work = std::variant<Json, Commands, Question>;

// Used by one thread. Outlives the node; so does what its answers refer to.
class Service {
 public:
  virtual ~Service() = default;

  [[nodiscard]] virtual const Application& application() const = 0;
  // Called once, before the first request: which node this is.
  virtual void start(NodeId self) = 0;
  // Takes the body of a request, which has a type; everything else in it is as it came.
  virtual Work take(const Json& body) = 0;
};

}  // namespace parley::maelstrom
