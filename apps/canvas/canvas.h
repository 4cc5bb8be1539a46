// The shared pixel canvas, in the manner of r/place: an Application on the stamped store.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/application.h"
#include "apps/canvas/canvas_generated.h"

namespace parley {

inline constexpr std::uint32_t kMaxCanvasSide = 4096;  // cells
inline constexpr std::uint32_t kMaxColor = 0xFFFFFF;   // 0xRRGGBB
inline constexpr std::uint32_t kMaxCellsPerQuery = 4096;
inline constexpr std::uint32_t kPlaceBytes = sizeof(CommandHeader) + sizeof(canvas::Place);
static_assert(kPlaceBytes == 24);

struct CanvasSize {
  std::uint32_t width = 1000;   // cells, 1 to kMaxCanvasSide
  std::uint32_t height = 1000;  // cells, 1 to kMaxCanvasSide
  constexpr bool operator==(const CanvasSize&) const = default;
};

// Reads a size such as "1000x1000" into `size`. Returns empty, or what is wrong and what is
// allowed.
std::string parse_canvas_size(std::string_view text, CanvasSize& size);

// What a cell's value in the store says. The zero value is that of a cell never painted.
struct Pixel {
  std::uint32_t color = 0;  // 0xRRGGBB
  std::uint32_t user = 0;
  bool painted = false;
  constexpr bool operator==(const Pixel&) const = default;
};

constexpr std::uint64_t pack_pixel(std::uint32_t color, std::uint32_t user) {
  return (static_cast<std::uint64_t>(user) << 32) | (1U << 24) | (color & kMaxColor);
}
constexpr Pixel unpack_pixel(std::uint64_t value) {
  return {static_cast<std::uint32_t>(value) & kMaxColor, static_cast<std::uint32_t>(value >> 32),
          ((value >> 24) & 1) != 0};
}

inline constexpr std::chrono::milliseconds kMaxCooldown = std::chrono::hours(24);

// Thread-safe: it has no state beyond its size and its cooldown, which have to be the same on all
// nodes.
//
// With a cooldown, commands are canvas::TimedPlace, and a placement whose time is less than the
// cooldown away from the user's last one is not carried out: its result has the code kCooldown and
// as value how many milliseconds are left. Whether it is, follows from the commands alone, which
// carry the time, and from the store, which holds the last time of a user in one of kUserSlots
// cells beyond those of the picture. Two users of one slot make each other's last time forgotten:
// with N users within a cooldown, about one in kUserSlots / N of them may place too early; nobody
// is ever refused for another. Nor does a clock that is wrong lock anybody out for longer than
// twice the cooldown, since a time that is further away, whether before or after, does not count.
class Canvas final : public Application {
 public:
  // Throws std::invalid_argument for a size or a cooldown out of range. 0: no cooldown.
  explicit Canvas(CanvasSize size, std::chrono::milliseconds cooldown = {});

  [[nodiscard]] CanvasSize size() const { return size_; }
  [[nodiscard]] std::chrono::milliseconds cooldown() const { return cooldown_; }

  // A tile of the store is a square of 32 x 32 cells, so that what is near on the canvas is near in
  // memory; where the size is no multiple of 32, the keys of the overhang are never written.
  [[nodiscard]] Key key_of(std::uint32_t x, std::uint32_t y) const {
    const std::uint32_t tile = (y / kTileSide) * tiles_across_ + x / kTileSide;
    return {tile * kCellsPerTile + (y % kTileSide) * kTileSide + x % kTileSide};
  }
  struct Point {
    std::uint32_t x = 0;
    std::uint32_t y = 0;
    constexpr bool operator==(const Point&) const = default;
  };
  // The inverse of key_of; outside of the canvas for a key of the overhang.
  [[nodiscard]] Point xy_of(Key key) const {
    const std::uint32_t tile = key.value / kCellsPerTile;
    const std::uint32_t cell = key.value % kCellsPerTile;
    return {tile % tiles_across_ * kTileSide + cell % kTileSide,
            tile / tiles_across_ * kTileSide + cell / kTileSide};
  }
  [[nodiscard]] bool contains(std::uint32_t x, std::uint32_t y) const {
    return x < size_.width && y < size_.height;
  }

  static constexpr std::uint32_t kTileSide = 32;
  static_assert(kTileSide * kTileSide == kCellsPerTile);

  // The code of a command that validate() would not have accepted: nothing was written.
  static constexpr std::uint16_t kInvalid = 1;
  // The code of a placement that came too early: nothing was written.
  static constexpr std::uint16_t kCooldown = 2;

  static constexpr std::uint32_t kUserSlots = 1U << 16;

  [[nodiscard]] std::string_view name() const override { return "canvas"; }
  [[nodiscard]] std::string state_name() const override {
    return "canvas " + std::to_string(size_.width) + "x" + std::to_string(size_.height) +
           (timed() ? ", cooldown " + std::to_string(cooldown_.count()) + " ms" : "");
  }
  [[nodiscard]] std::uint32_t key_count() const override {
    return picture_keys_ + (timed() ? kUserSlots : 0);
  }
  // The keys of the picture, which come first.
  [[nodiscard]] std::uint32_t picture_keys() const { return picture_keys_; }
  [[nodiscard]] bool state_dependent() const override { return timed(); }
  [[nodiscard]] std::string validate(Bytes payload) const override;
  void execute(const Store& store, std::span<const Command> commands, WriteSink& writes,
               ReplySink& replies) const override;
  void translate(const Command& command, CellWrite& write) const override;
  // The query is an array of canvas::CellRef, the answer one of canvas::CellState.
  std::string query(const Store& store, Bytes query, std::vector<std::byte>& answer) const override;
  void keys_of(Bytes query, std::vector<Key>& keys) const override;

 private:
  [[nodiscard]] bool timed() const { return cooldown_.count() != 0; }
  void execute_timed(const Store& store, std::span<const Command> commands, WriteSink& writes,
                     ReplySink& replies) const;

  CanvasSize size_;
  std::chrono::milliseconds cooldown_;
  std::uint32_t tiles_across_;
  std::uint32_t picture_keys_;
};

// --- what clients of the canvas need ---

// Appends a command that places a pixel: kPlaceBytes bytes.
void encode_place(SessionId session, std::uint32_t sequence, const canvas::Place& place,
                  std::vector<std::byte>& to);

// The same for a canvas with a cooldown; `time_ms` since 1970.
void encode_timed_place(SessionId session, std::uint32_t sequence, const canvas::Place& place,
                        std::uint64_t time_ms, std::vector<std::byte>& to);

// Appends a cell to a query's body.
void encode_cell_ref(std::uint32_t x, std::uint32_t y, std::vector<std::byte>& to);

// The cells of a query's answer; empty if the answer is not one of as many cells.
std::vector<canvas::CellState> decode_cells(Bytes answer, std::size_t expected);

// A stamp as 32 lower-case hexadecimal digits, which sort as the stamps do.
std::string version_text(Stamp stamp);
// Reads such a text.
bool parse_version(std::string_view text, Stamp& stamp);

// A colour as "#RRGGBB".
std::string color_text(std::uint32_t color);

// Reads "#RRGGBB" (either case) into `color`.
bool parse_color(std::string_view text, std::uint32_t& color);

}  // namespace parley
