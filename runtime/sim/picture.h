// The last part of an execution as a space-time picture in text: time downwards, a column for each
// node, arrows for messages, and what happens in words on the right.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/sim/simulation.h"
#include "runtime/sim/trace.h"

namespace parley::sim {

// What is not drawn, as numbers.
struct LeftOut {
  std::uint32_t repeats = 0;   // messages that said nothing new
  std::uint32_t messages = 0;  // others
  std::uint32_t others = 0;    // other events

  void add(const Fact& fact);
  LeftOut& operator+=(const LeftOut& more);
};

// A fact that may get a line.
struct Moment {
  Fact fact;
  std::string words;
  LeftOut before = {};  // since the moment before it
};

// How each node stands, as the sign that its column is drawn with.
class Lifelines {
 public:
  static constexpr char kLeads = '#';
  static constexpr char kFollows = '|';
  static constexpr char kLeaderless = ':';
  static constexpr char kStandsStill = '.';
  static constexpr char kDown = ' ';

  Lifelines() { signs_.fill(kDown); }
  void take(const Fact& fact);
  // Nodes are numbered from 1.
  [[nodiscard]] char sign(std::uint32_t node) const {
    return paused_[node] ? kStandsStill : signs_[node];
  }

 private:
  std::array<char, kMaxSimulatedNodes + 1> signs_{};
  std::array<bool, kMaxSimulatedNodes + 1> paused_{};
};

inline constexpr std::size_t kNoPartner = static_cast<std::size_t>(-1);

// For each sending among the moments where its message arrived or was lost, and the other way
// round; kNoPartner where that is not among them.
std::vector<std::size_t> find_partners(std::span<const Moment> moments);

struct PictureOf {
  std::uint32_t nodes = 0;
  Lifelines before;  // the first moment
  std::span<const Moment> moments;
  std::span<const std::size_t> partners;
  std::vector<bool> chosen;  // by moment: whether it is drawn
};

// At most 118 columns wide, with a legend above. A message is one arrow where its sending stands,
// if its receiver takes part in nothing else that is drawn until it arrives; else its arrival is a
// line of its own.
std::vector<std::string> draw(const PictureOf& picture);

}  // namespace parley::sim
