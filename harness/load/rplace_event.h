// The event that the workload `rplace` imitates, as fitted parameters.
//
// Source: the placements that Reddit published of r/place, 2017 (1 to 3 April, 72 hours, 1000x1000
// pixels, 16.56 million placements by 1.17 million users) and 2022 (83 hours, 2000x2000 pixels,
// 160.35 million placements by 10.4 million users). The tables are what rplace_fit.mjs prints,
// but for the shares of the colours, which are counts of colours.csv there divided by their sum.
//   rate    placements of each half hour of 2017
//   cells   the canvas of 2017 in 200x200 blocks of 5x5 pixels. Within a half hour the blocks'
//           shares are close to log-normal. A part of the variance belongs to a block for good, the
//           rest moves; how large the moving part is follows, for each half hour, from the share of
//           the hottest 1 % of the blocks, and the other two parameters from the shares of the
//           hottest 1, 5, 10 and 20 % over the whole event.
//   hot     the 99 hottest pixels of 2022: a power law by rank
//   users   the histogram of placements per user of 2017, in groups 12 % wide
//   colours their shares in 2022
#pragma once

#include <cstdint>
#include <span>

namespace parley::load::event {

inline constexpr double kPlacements = 16'559'084;
inline constexpr double kHours = 72;
// Between two placements of a user. The event of 2022; in 2017 it was 5 to 20 minutes.
inline constexpr double kCooldownHours = 300.0 / 3600;

struct HalfHour {
  std::uint16_t rate_per_mille;    // of the mean rate
  std::uint16_t moving_per_mille;  // sigma of the part of a block's log-weight that moves
};
std::span<const HalfHour> half_hours();  // 144

inline constexpr double kPersistentSigma = 0.6;   // of the part of the log-weight that stays
inline constexpr std::uint32_t kMovesAfter = 24;  // half hours
inline constexpr std::uint32_t kBlocksASide = 200;

inline constexpr std::uint32_t kHotPixels = 99;
inline constexpr double kHotShare = 0.01031;    // of all placements
inline constexpr double kHotExponent = 0.5334;  // rank^-exponent

struct UserGroup {
  std::uint16_t placements;  // of each user
  std::uint32_t users_per_million;
};
// Users who cannot have kept the cooldown while the event was at its busiest, were they to place
// evenly, are in the last group with its mean.
std::span<const UserGroup> user_groups();

struct ColorShare {
  std::uint32_t rgb;
  std::uint32_t per_million;
};
std::span<const ColorShare> colors();

}  // namespace parley::load::event
