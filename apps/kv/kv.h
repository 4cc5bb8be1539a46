// A map with compare-and-set and a grow-only set, of short texts: an Application on the stamped
// store. What the texts say is a matter of those who use it; runs under Maelstrom keep JSON there.
//
// Cells are numbers of a fixed range, so both live in places that the store always has. The set is
// made of one list a node: an element takes the next cells of the list of the node that took it,
// seven bytes a cell, and the set is what all lists hold. Nobody else writes there, so lists merge
// in any order, and two nodes never contend for a cell (a G-Set: Shapiro, Preguiça, Baquero,
// Zawirski, "A Comprehensive Study of Convergent and Commutative Replicated Data Types", 2011,
// §3.3.1). The map is a table of entries with open addressing; where a key goes depends on the
// state, so only ordered strategies can have it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/application.h"

namespace parley::kv {

// Of the set.
inline constexpr std::uint32_t kMaxLists = 64;                       // one for each node
inline constexpr std::uint32_t kListCells = 1U << 16;                // of one list
inline constexpr std::size_t kBytesPerCell = 7;                      // of an element
inline constexpr std::size_t kMaxElementBytes = 60 * kBytesPerCell;  // from 1

// Of the map.
inline constexpr std::uint32_t kMaxEntries = 4096;
inline constexpr std::size_t kMaxKeyBytes = 120;    // from 0
inline constexpr std::size_t kMaxValueBytes = 896;  // from 0

// The codes of results.
inline constexpr std::uint16_t kDone = 0;
inline constexpr std::uint16_t kMissing = 1;   // compare-and-set: there is no such key
inline constexpr std::uint16_t kMismatch = 2;  // compare-and-set: the key has another value
inline constexpr std::uint16_t kFull = 3;     // kMaxEntries keys are there, and this is another one
inline constexpr std::uint16_t kInvalid = 4;  // a command that validate() would not have accepted

// --- commands, as payloads ---

// How many cells an element of the set takes.
constexpr std::uint32_t cells_of(std::string_view element) {
  return static_cast<std::uint32_t>((element.size() + kBytesPerCell - 1) / kBytesPerCell);
}

// Puts `element`, of 1 to kMaxElementBytes, into the list of `owner`, from 1 to kMaxLists, from its
// cell `first` on: cells_of(element) commands, of one cell each, which are to be carried out in one
// run. Only the owner may do so, and never twice in a cell: what was refused may be put there
// again, what may have been done must not. The cells must be below kListCells.
std::vector<std::vector<std::byte>> encode_add(NodeId owner, std::uint32_t first,
                                               std::string_view element);

// Gives `key`, of at most kMaxKeyBytes, the value, of at most kMaxValueBytes.
std::vector<std::byte> encode_write(std::string_view key, std::string_view value);

// Gives `key` the value `to` if it has the value `from` or, with `create`, if it is not there.
std::vector<std::byte> encode_compare_and_set(std::string_view key, std::string_view from,
                                              std::string_view to, bool create);

// --- queries and their answers ---

std::vector<std::byte> encode_get(std::string_view key);
// The value, or nothing if the key is not there.
std::optional<std::string> decode_value(Bytes answer);

std::vector<std::byte> encode_elements();
// In the order of their bytes, each once.
std::vector<std::string> decode_elements(Bytes answer);

// Thread-safe: it has no state.
class Application final : public parley::Application {
 public:
  enum class Kind : std::uint8_t {
    set,          // no command depends on the state, so that merge strategies can run it
    map_and_set,  // for ordered strategies
  };
  explicit Application(Kind kind) : kind_(kind) {}

  [[nodiscard]] std::string_view name() const override {
    return kind_ == Kind::set ? "set" : "map and set";
  }
  [[nodiscard]] std::uint32_t key_count() const override;
  [[nodiscard]] bool state_dependent() const override { return kind_ == Kind::map_and_set; }
  [[nodiscard]] std::string validate(Bytes payload) const override;
  void execute(const Store& store, std::span<const Command> commands, WriteSink& writes,
               ReplySink& replies) const override;
  void translate(const Command& command, CellWrite& write) const override;
  std::string query(const Store& store, Bytes query, std::vector<std::byte>& answer) const override;

 private:
  Kind kind_;
};

}  // namespace parley::kv
