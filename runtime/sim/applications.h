// Two small applications for executions: cells that can be set (state-independent, so that merge
// strategies can run it), and counters with compare-and-set (state-dependent).
#pragma once

#include <cstdint>
#include <vector>

#include "algorithms/contract/application.h"

namespace parley::sim {

inline constexpr std::uint32_t kCells = 64;

struct CellCommand {
  enum class Kind : std::uint32_t { set, add, compare_and_set };
  std::uint32_t key = 0;
  Kind kind = Kind::set;
  std::uint64_t value = 0;     // what to set, or to add
  std::uint64_t expected = 0;  // of compare_and_set
};
static_assert(sizeof(CellCommand) == 24);

// Reply codes.
inline constexpr std::uint16_t kDone = 1;
inline constexpr std::uint16_t kNotEqual = 2;

// What a command does to a cell that holds `before`. Only counters look at it.
struct CellEffect {
  bool writes = true;
  std::uint64_t after = 0;
  std::uint16_t code = 0;
  std::uint64_t reply = 0;
};
CellEffect evaluate(const CellCommand& command, std::uint64_t before);

class CellApplication final : public Application {
 public:
  enum class Kind : std::uint8_t { canvas, counter };

  explicit CellApplication(Kind kind) : kind_(kind) {}

  [[nodiscard]] std::string_view name() const override;
  [[nodiscard]] std::uint32_t key_count() const override { return kCells; }
  void keys_of(Bytes query, std::vector<Key>& keys) const override;
  [[nodiscard]] bool state_dependent() const override { return kind_ == Kind::counter; }
  [[nodiscard]] std::string validate(Bytes payload) const override;
  void execute(const Store& store, std::span<const Command> commands, WriteSink& writes,
               ReplySink& replies) const override;
  void translate(const Command& command, CellWrite& write) const override;
  // The query is a key of 4 bytes, the answer the Cell.
  std::string query(const Store& store, Bytes query, std::vector<std::byte>& answer) const override;

 private:
  Kind kind_;
};

// The command of a payload that CellApplication::validate accepts.
CellCommand read_command(Bytes payload);

}  // namespace parley::sim
