// The kinds of faults, and how hard they hit in one execution.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "algorithms/contract/ids.h"
#include "algorithms/contract/random.h"
#include "algorithms/contract/time.h"

namespace parley::sim {

enum class FaultKind : std::uint8_t {
  loss,         // a message vanishes
  duplication,  // a message arrives twice
  reordering,   // a message is overtaken by later ones of its link
  stall,        // a link holds everything back and then releases it at once
  one_way,      // messages of a link or a node vanish in one direction
  partition,    // the cluster falls apart, in one of several shapes
  pause,        // a node stands still while its clock goes on
  crash,        // a node loses its memory and what was not on its disk, and starts again later
  clock,        // a node's wall clock steps; all clocks drift
  slow_disk,    // a sync takes very long
  failed_save,  // a snapshot cannot be saved
  failed_sync,  // a sync reports an error, which ends the node; it starts again later
  members,      // nodes are added, removed and replaced, some of them with an empty disk; of
                // strategies whose members change
  handover,     // the leader is asked to hand over; of strategies in which that can be
};
inline constexpr std::size_t kFaultKinds = 14;

// How many faults of each kind were injected.
using FaultCounts = std::array<std::uint64_t, kFaultKinds>;

// As --faults and --json spell it.
std::string_view fault_name(FaultKind kind);

// What became of a fault of a schedule.
struct StruckFault {
  NodeId node;                   // whom it hit, of a majority its leader; kNoNode if nobody, or of
                                 // a cut by groups
  std::optional<Instant> begun;  // nothing: it hit nobody
  std::optional<Instant> ended;  // nothing: of a kill, or it lasts until everything heals
};

// Whether a node alone cannot have it.
bool needs_peers(FaultKind kind);

class FaultSet {
 public:
  static constexpr FaultSet all() { return FaultSet((1U << kFaultKinds) - 1); }
  static constexpr FaultSet none() { return FaultSet(0); }

  [[nodiscard]] constexpr bool has(FaultKind kind) const { return (bits_ & bit(kind)) != 0; }
  [[nodiscard]] constexpr bool empty() const { return bits_ == 0; }
  constexpr void add(FaultKind kind) { bits_ |= bit(kind); }
  constexpr void remove(FaultKind kind) { bits_ &= ~bit(kind); }
  constexpr bool operator==(const FaultSet&) const = default;

 private:
  explicit constexpr FaultSet(std::uint32_t bits) : bits_(bits) {}
  static constexpr std::uint32_t bit(FaultKind kind) {
    return 1U << static_cast<std::uint32_t>(kind);
  }
  std::uint32_t bits_;
};

// Reads "all", "none" or names separated by commas. Returns an empty string, or what is wrong and
// what is allowed.
std::string parse_faults(std::string_view text, FaultSet& faults);
// Text that is read as these.
std::string to_text(FaultSet faults);

// The surroundings of one execution. They differ from seed to seed, and each seed leaves out some
// of the kinds allowed: rare combinations come up more often when not everything happens at once
// ("swarm testing", Groce et al., ISSTA 2012).
struct Weather {
  FaultSet faults = FaultSet::none();  // the kinds at work
  Duration delay_min{};                // of a message
  Duration delay_max{};
  std::uint32_t loss_per_million = 0;
  std::uint32_t duplication_per_million = 0;
  std::uint32_t reordering_per_million = 0;
  Duration sync_min{};  // of a disk
  Duration sync_max{};
  std::uint32_t slow_sync_per_million = 0;
  std::uint32_t failed_save_per_million = 0;
  std::uint32_t failed_sync_per_million = 0;
  Duration lateness_max{};                   // of a step after what calls for it
  std::uint32_t whole_turn_per_million = 0;  // how often a turn takes in all that waits
  std::uint32_t drift_per_million = 0;       // by how much clocks run fast or slow at most
  Duration skew_max{};                       // of a wall clock
  Duration far_clock{};     // how far one clock is ahead of all others now and then; 0: never
  Duration allowed_skew{};  // where there are far clocks: what clocks are off by when all is healed
  Duration calm_min{};      // between two faults
  Duration calm_max{};
};

// All kinds but changes of members and handovers.
Weather draw_weather(FaultSet allowed, Random& random);

// Whether leaders are asked to hand over.
void draw_handovers(FaultSet allowed, Weather& weather, Random& random);

// Whether members change; how many of the nodes, the first ones, are members at the beginning.
std::uint32_t draw_members(FaultSet allowed, std::uint32_t nodes, Weather& weather, Random& random);

// Of nodes side by side, as on one machine, without faults.
Weather quick_weather();

// After healing: a sound network, quick disks, no faults.
Weather calm(Weather weather);

}  // namespace parley::sim
