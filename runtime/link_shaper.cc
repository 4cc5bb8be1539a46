#include "runtime/link_shaper.h"

namespace parley {

std::optional<Instant> LinkShaper::pass(Instant now) {
  if (profile_.cut) return std::nullopt;
  if (profile_.loss_per_million > 0 && random_.chance(profile_.loss_per_million)) {
    return std::nullopt;
  }
  Instant due = now + draw_delay();
  if (!profile_.allow_reorder) due = std::max(due, latest_);
  latest_ = std::max(due, latest_);
  return due;
}

Duration LinkShaper::draw_delay() {
  const Duration jitter = profile_.jitter;
  if (jitter == Duration{}) return profile_.delay;
  Duration offset = random_.between(-jitter, jitter);
  if (profile_.jitter_shape == LinkProfile::Jitter::normal) {
    for (int draw = 1; draw < 4; ++draw) offset += random_.between(-jitter, jitter);
    offset /= 4;
  }
  return std::max(profile_.delay + offset, Duration{});
}

}  // namespace parley
