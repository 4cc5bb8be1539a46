// The links between the nodes of an execution.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/random.h"
#include "algorithms/contract/turn.h"
#include "runtime/fault_schedule.h"
#include "runtime/links.h"
#include "runtime/sim/engine.h"

namespace parley::sim {

// Messages of a link keep their order unless they are reordered on purpose; they may vanish, arrive
// twice, be held back, or meet a cut, which swallows what is under way as well.
class Network {
 public:
  // Nodes are numbered from 1 to `nodes`.
  Network(Engine& engine, std::uint32_t nodes);

  // Makes some links several times slower than others, until everything heals.
  void draw_slow_links();
  // Gives the links these properties, to which the weather adds, until everything heals: then
  // delays stay, and nothing is cut or lost.
  void shape(const std::vector<LinkRule>& rules);

  // Puts a frame on its way.
  void send(NodeId to, const Frame& frame);

  struct Flight {
    NodeId to;
    Frame frame;
    std::uint64_t number = 0;  // of the message
  };
  // Old frames come again on each link to the node, as if from a queue that was forgotten.
  void echo(NodeId to);

  // The frame of an arrival, or nothing if it met a cut.
  std::optional<Flight> arrive(std::uint32_t item);

  // Cuts the links of one of several shapes at random, instead of those cut before. `center` is a
  // node that the shape turns around. Returns the number of this pattern.
  std::uint32_t cut_at_random(bool one_way, NodeId center, Random& random);
  // Ends the pattern of that number, if it is still the one in force.
  void repair(std::uint32_t pattern);
  // Cuts these links, or ends it; a link that several cuts take passes again when all have ended.
  void cut(std::span<const DirectedLink> links, std::string_view why);
  void mend(std::span<const DirectedLink> links);
  // Makes these links slower, and has them lose messages, in addition to what they are like, or
  // ends it.
  void slow(std::span<const DirectedLink> links, const LinkShape& by);
  void speed_up(std::span<const DirectedLink> links, const LinkShape& by);
  // Holds back everything on the link until then.
  void stall(NodeId from, NodeId to, Duration duration);
  // Ends every cut, stall and loss.
  void heal();

  // Of frames that have left and neither arrived nor been lost.
  [[nodiscard]] std::uint64_t bytes_under_way() const { return bytes_under_way_; }
  // Whether any link is cut.
  [[nodiscard]] bool is_cut() const { return cut_links() > 0; }
  [[nodiscard]] bool is_cut(NodeId from, NodeId to) const { return cut_[link(from, to)] != 0; }

 private:
  [[nodiscard]] std::size_t link(NodeId from, NodeId to) const {
    return static_cast<std::size_t>(from.value - 1) * nodes_ + (to.value - 1);
  }
  void cut_both(std::uint32_t a, std::uint32_t b);
  std::string_view cut_one_way(std::uint32_t center, Random& random);
  std::string_view cut_apart(std::uint32_t center, Random& random);
  std::string_view cut_to_a_thread(Random& random);
  [[nodiscard]] std::string text_of_cuts() const;
  [[nodiscard]] std::uint64_t cut_links() const;
  void note_cuts(NodeId center, std::string_view shape);
  Instant arrival(std::size_t link, Instant leaves);
  [[nodiscard]] bool loses(std::size_t link);
  void remember(std::size_t link, const Flight& flight);
  void launch(Instant when, Flight flight);

  Engine& engine_;
  Random random_;
  std::uint32_t nodes_;
  std::uint32_t pattern_ = 0;
  std::vector<std::uint8_t> slowness_;          // by directed link: factor of its delays
  std::vector<std::uint8_t> cut_;               // by directed link
  std::vector<LinkShaper> shapers_;             // by directed link; empty: no rules
  std::vector<std::vector<LinkShape>> slower_;  // by directed link: on purpose
  std::vector<Instant> last_arrival_;           // by directed link
  std::vector<Instant> stalled_until_;          // by directed link
  std::vector<std::vector<Flight>> past_;       // by directed link
  Slab<Flight> flights_;
  std::uint64_t bytes_under_way_ = 0;
};

}  // namespace parley::sim
