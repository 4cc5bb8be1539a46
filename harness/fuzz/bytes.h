// Inputs that consist of several pieces, and what reads and writes them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "algorithms/contract/block.h"

namespace parley::fuzz {

inline Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
inline std::string_view text_of(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Takes pieces off the front of an input; what is missing is zero or empty, so that every input
// means something.
class InputReader {
 public:
  explicit InputReader(Bytes input) : rest_(input) {}

  [[nodiscard]] bool done() const { return rest_.empty(); }
  template <class T>
  T number() {
    T value{};
    const Bytes piece = take(sizeof(value));
    if (!piece.empty()) std::memcpy(&value, piece.data(), piece.size());
    return value;
  }
  // A piece behind its length, which has 16 bits.
  Bytes piece() { return take(number<std::uint16_t>()); }
  Bytes rest() { return take(rest_.size()); }

 private:
  Bytes take(std::size_t size) {
    const Bytes piece = rest_.first(std::min(size, rest_.size()));
    rest_ = rest_.subspan(piece.size());
    return piece;
  }

  Bytes rest_;
};

inline constexpr std::size_t kMaxPiece = 0xffff;

// Writes what InputReader reads.
class InputWriter {
 public:
  template <class T>
  void number(T value) {
    input_.append(reinterpret_cast<const char*>(&value), sizeof(value));
  }
  // At most kMaxPiece bytes.
  void piece(Bytes bytes) {
    number(static_cast<std::uint16_t>(bytes.size()));
    rest(bytes);
  }
  void rest(Bytes bytes) { input_.append(text_of(bytes)); }
  [[nodiscard]] std::size_t size() const { return input_.size(); }
  std::string take() { return std::move(input_); }

 private:
  std::string input_;
};

}  // namespace parley::fuzz
