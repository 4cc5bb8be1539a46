#include "harness/fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>

namespace parley::fuzz {
namespace {

// Where numbers break: at the ends of their ranges, and around sizes.
constexpr std::array<std::uint64_t, 12> kEdges = {
    0, 1, 7, 8, 0x7f, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, ~0ULL};

char random_byte(Random& random) {
  return static_cast<char>(random.below(256));
}

std::size_t place_in(const std::string& text, Random& random) {
  return text.empty() ? 0 : random.below(text.size());
}

void flip_bit(std::string& input, Random& random) {
  if (input.empty()) return;
  const std::size_t at = place_in(input, random);
  input[at] = static_cast<char>(input[at] ^ (1 << random.below(8)));
}

void set_byte(std::string& input, Random& random) {
  if (input.empty()) return;
  const std::size_t at = place_in(input, random);
  input[at] = random_byte(random);
}

void set_number(std::string& input, Random& random) {
  const std::size_t width = std::size_t{1} << random.below(4);
  if (input.size() < width) return;
  const std::size_t at = random.below(input.size() - width + 1);
  const std::uint64_t value = kEdges[random.below(kEdges.size())];
  std::memcpy(input.data() + at, &value, width);
}

void cut_short(std::string& input, Random& random) {
  input.resize(place_in(input, random));
}

void leave_out(std::string& input, Random& random) {
  const std::size_t at = place_in(input, random);
  input.erase(at, 1 + random.below(16));
}

void repeat(std::string& input, Random& random) {
  const std::size_t from = place_in(input, random);
  const std::string piece = input.substr(from, 1 + random.below(64));
  input.insert(place_in(input, random), piece);
}

void insert_bytes(std::string& input, Random& random) {
  std::string piece(1 + random.below(8), '\0');
  for (char& byte : piece) byte = random_byte(random);
  input.insert(place_in(input, random), piece);
}

void splice(std::string& input, std::span<const std::string> seeds, Random& random) {
  const std::string& other = seeds[random.below(seeds.size())];
  input.resize(place_in(input, random));
  input += other.substr(place_in(other, random));
}

}  // namespace

std::string mutate(std::span<const std::string> seeds, std::size_t max_bytes, Random& random) {
  static constexpr std::array kWays = {flip_bit,  set_byte, set_number,  cut_short,
                                       leave_out, repeat,   insert_bytes};
  std::string input = seeds[random.below(seeds.size())];
  const std::uint64_t times = 1 + random.below(4);
  for (std::uint64_t i = 0; i < times; ++i) {
    const std::uint64_t way = random.below(kWays.size() + 1);
    if (way == kWays.size()) {
      splice(input, seeds, random);
    } else {
      kWays[way](input, random);
    }
  }
  if (input.size() > max_bytes) input.resize(max_bytes);
  return input;
}

}  // namespace parley::fuzz
