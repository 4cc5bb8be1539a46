// Immutable bytes shared between the log, the applier and the transport without copying.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

namespace parley {

using Bytes = std::span<const std::byte>;

// A view of bytes that keeps them alive. The start of an owned buffer is aligned to 8 bytes, and so
// are the parts that `part` cuts out at multiples of 8. Copies share the bytes and may be released
// by any thread.
class Block {
 public:
  Block() = default;

  // Copies `bytes` into a buffer of its own.
  static Block copy_of(Bytes bytes) {
    return make(bytes.size(), [bytes](std::byte* to) {
      if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
    });
  }

  // A buffer of `size` bytes which `fill(std::byte*)` writes before anyone sees it.
  template <class Fill>
  static Block make(std::size_t size, Fill&& fill) {
    if (size == 0) return {};
    auto words = std::make_shared_for_overwrite<std::uint64_t[]>((size + 7) / 8);
    auto* data = reinterpret_cast<std::byte*>(words.get());
    std::forward<Fill>(fill)(data);
    Block block;
    block.bytes_ = Bytes(data, size);
    block.owner_ = std::move(words);
    return block;
  }

  // The bytes of `blocks`, one behind the other; those of a single one are shared.
  static Block joined(std::span<const Block> blocks) {
    if (blocks.size() == 1) return blocks.front();
    std::size_t size = 0;
    for (const Block& block : blocks) size += block.size();
    return make(size, [blocks](std::byte* to) {
      for (const Block& block : blocks) {
        if (!block.empty()) std::memcpy(to, block.data(), block.size());
        to += block.size();
      }
    });
  }

  // The bytes [offset, offset + size) of this block, sharing its buffer; they must lie within it.
  [[nodiscard]] Block part(std::size_t offset, std::size_t size) const {
    Block block;
    block.owner_ = owner_;
    block.bytes_ = bytes_.subspan(offset, size);
    return block;
  }

  [[nodiscard]] Bytes bytes() const { return bytes_; }
  [[nodiscard]] const std::byte* data() const { return bytes_.data(); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

 private:
  std::shared_ptr<const std::uint64_t[]> owner_;
  Bytes bytes_;
};

}  // namespace parley
