// What a node says, as lines that wait to be written.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "runtime/maelstrom/message.h"

namespace parley::maelstrom {

// Who waits for an answer, and to what.
struct Asker {
  std::string name;
  std::int64_t msg_id = 0;
};

class Outbox {
 public:
  // In whose name everything is sent from now on.
  void set_name(std::string name) { name_ = std::move(name); }

  void send(std::string_view dest, const Json& body) { lines_ += encode(name_, dest, body); }
  void answer(const Asker& asker, Json body) {
    body["in_reply_to"] = asker.msg_id;
    send(asker.name, body);
  }
  void refuse(const Asker& asker, ErrorCode code, std::string_view text) {
    answer(asker, error_body(code, text));
  }

  // The lines said since the last call.
  std::string take() { return std::exchange(lines_, {}); }

 private:
  std::string name_;
  std::string lines_;
};

}  // namespace parley::maelstrom
