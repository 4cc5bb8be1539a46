// The client protocol (runtime/client.fbs) as the load generator speaks it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>
#include <zmq.hpp>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/turn.h"
#include "apps/canvas/canvas_generated.h"
#include "runtime/client_generated.h"

namespace parley::load {

// Requests that differ only in their id and in a body of fixed size: laid out once, then copied and
// filled in.
class RequestTemplate {
 public:
  RequestTemplate(client::RequestKind kind, ReadMode read_mode, std::size_t body_bytes);

  // A message with this id; `body` is where its body has to be written.
  zmq::message_t make(std::uint64_t id, std::byte*& body) const;
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t id_at_ = 0;
  std::size_t body_at_ = 0;
};

// The commands that place these pixels, with sequence numbers from `sequence` on.
// `to` has room for kPlaceBytes each.
void write_places(SessionId session, std::uint32_t sequence, std::span<const canvas::Place> places,
                  std::byte* to);
// The query of these cells. `to` has room for sizeof(canvas::CellRef) each.
void write_cell_refs(std::span<const canvas::Place> cells, std::byte* to);

// Reads replies; reused, so that none costs an allocation.
class ReplyReader {
 public:
  // The reply in `message`, valid until the next call; null if it is malformed.
  const client::Reply* read(const zmq::message_t& message);

 private:
  // Not empty, so that it has an address.
  std::vector<std::uint64_t> aligned_{0};  // FlatBuffers reads in place
};

// The results of a submit within its reply, or nothing if they are not all there.
struct ResultRange {
  const client::Result* first = nullptr;  // null: `done` says it all
  bool valid = false;
};
ResultRange results_of(const client::Done& done, const client::Reply& reply);

}  // namespace parley::load
