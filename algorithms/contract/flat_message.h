// What the codecs of all algorithms do with FlatBuffers.
#pragma once

#include <flatbuffers/flatbuffers.h>

#include <cstdint>

#include "algorithms/contract/block.h"

namespace parley {

// Of a header that came from outside. Messages hold one table; the limits keep a hostile one from
// costing more than its size.
inline flatbuffers::Verifier message_verifier(const Block& header) {
  return {reinterpret_cast<const std::uint8_t*>(header.data()), header.size(), /*max_depth=*/8,
          /*max_tables=*/2};
}

// FlatBuffers' verifier checks that a vector lies within the buffer, not that the 64-bit numbers in
// its structs are aligned.
template <class T>
bool aligned(const flatbuffers::Vector<const T*>* items) {
  return items == nullptr || reinterpret_cast<std::uintptr_t>(items->Data()) % alignof(T) == 0;
}

// Makes a wire message with `builder`, which is empty again afterwards. `MessageBuilder` is the
// schema's; `fill(MessageBuilder&)` adds the fields; vectors must have been created before.
template <class MessageBuilder, class Fill>
Block finish_message(flatbuffers::FlatBufferBuilder& builder, Fill&& fill) {
  MessageBuilder message(builder);
  fill(message);
  const auto root = message.Finish();
  builder.Finish(root);
  Block block = Block::copy_of(
      {reinterpret_cast<const std::byte*>(builder.GetBufferPointer()), builder.GetSize()});
  builder.Clear();
  return block;
}

}  // namespace parley
