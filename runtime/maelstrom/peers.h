// Frames of peers as bodies of Maelstrom's messages:
//   {"type":"parley","head":"<base64>","body":"<base64>"}
// Both parts are those of the wire (runtime/wire_frame.h); `body` is left out when it is empty.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/algorithm.h"
#include "runtime/maelstrom/outbox.h"
#include "runtime/wire_frame.h"

namespace parley::maelstrom {

inline constexpr std::string_view kFrameType = "parley";

class Peers {
 public:
  // `names[i]` is that of node i + 1. `algorithm` and `outbox` must outlive this.
  Peers(const Algorithm& algorithm, const ReplicaConfig& replica, std::vector<std::string> names,
        Outbox& outbox);

  // Reads a message of kFrameType from outside; what is wrong with it is counted. When the result
  // is `none`, `frame` is filled.
  FrameFault receive(const Message& message, Frame& frame);

  // Sends `messages`, whose bodies are ranges of `bodies`. A frame whose line would be longer than
  // kMaxLineBytes is dropped and counted.
  void send(std::span<const parley::Message> messages, std::span<const Block> bodies);

  // Frames that were not taken, by FrameFault.
  [[nodiscard]] const std::array<std::uint64_t, kFrameFaults>& refused() const { return refused_; }
  [[nodiscard]] std::uint64_t oversized() const { return oversized_; }

 private:
  FrameFault check(const Message& message, Frame& frame);

  const Algorithm& algorithm_;
  WireHeader sender_;
  std::vector<std::string> names_;
  std::map<std::string, NodeId, std::less<>> ids_;  // of the others
  std::map<NodeId, HeardStart> known_;
  Outbox& outbox_;
  std::array<std::uint64_t, kFrameFaults> refused_{};
  std::uint64_t oversized_ = 0;
};

}  // namespace parley::maelstrom
