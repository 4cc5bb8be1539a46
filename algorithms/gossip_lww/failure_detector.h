// Who seems to be there: pings, pings by way of others, suspicion (Das, Gupta and Motivala, "SWIM:
// Scalable Weakly-consistent Infection-style Process Group Membership Protocol", DSN 2002).
//
// Promises: a peer that answers nobody is found dead; all dead peers together cost one ping a
// period from then on. One that is heard is alive at once. Wrong suspicions cost delay, never data.
// The members are fixed: the dead may return, and are asked for.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "algorithms/contract/random.h"
#include "algorithms/contract/time.h"
#include "algorithms/gossip_lww/partners.h"

namespace parley::gossip_lww {

enum class Standing : std::uint8_t { alive, suspect, dead };

// What members tell each other of a member, on the back of pings and pongs (§4.1, §4.2). Members
// are named by their place; a later incarnation of the claim wins, then the worse standing.
struct Update {
  std::size_t member = 0;
  Standing standing = Standing::alive;
  std::uint32_t incarnation = 0;
};

struct DetectorTiming {
  Duration period{};     // between two pings
  Duration timeout{};    // for a pong, before others are asked
  Duration suspicion{};  // before a suspect is taken for dead
};

class FailureDetector {
 public:
  // `self` and the peers are places among `members`.
  FailureDetector(std::size_t members, std::size_t self, const DetectorTiming& timing, Instant now);

  // Something of `peer` came in.
  void heard(std::size_t peer, Instant now);
  // Another member has heard `peer` for this one.
  void heard_by_other(std::size_t peer, Instant now);
  void take(const Update& update, Instant now);

  struct Action {
    std::size_t to = 0;
    std::optional<std::size_t> target;  // to be pinged by `to`; nothing: `to` is pinged
  };
  // What is due, appended to `actions`.
  void tick(Instant now, Random& random, std::vector<Action>& actions);
  // What to put on the back of a message; at most kMaxUpdates. Counts as told.
  void tell(std::vector<Update>& updates);

  [[nodiscard]] Standing standing(std::size_t peer) const { return members_[peer].standing; }
  [[nodiscard]] bool dead(std::size_t peer) const { return standing(peer) == Standing::dead; }
  [[nodiscard]] Instant deadline() const { return deadline_; }

  static constexpr std::size_t kMaxUpdates = 8;

 private:
  static constexpr std::size_t kHelpers = 3;     // asked to ping for this one (§4.1)
  static constexpr std::size_t kFirstPings = 4;  // at the start

  struct Member {
    Standing standing = Standing::alive;
    std::uint32_t incarnation = 0;
    Instant heard;              // last
    Instant since;              // of its standing
    std::uint32_t to_tell = 0;  // how often its standing is still told
  };
  struct Probe {
    std::size_t peer = 0;
    Instant sent;
    bool others_asked = false;
  };

  void change(std::size_t member, Standing standing, std::uint32_t incarnation, Instant now);
  void ask_others(Random& random, std::vector<Action>& actions);
  void bury(Instant now);
  void ping_next(Instant now, Random& random, std::vector<Action>& actions);
  void ping_dead(Random& random, std::vector<Action>& actions);
  void plan();

  DetectorTiming timing_;
  std::size_t self_;
  std::vector<Member> members_;
  PartnerRing ring_;
  PartnerRing helpers_;
  PartnerRing dead_ring_;
  std::optional<Probe> probe_;
  Instant next_period_;
  Instant deadline_;
  bool started_ = false;
};

}  // namespace parley::gossip_lww
