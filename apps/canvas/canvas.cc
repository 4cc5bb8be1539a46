#include "apps/canvas/canvas.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

namespace parley {
namespace {

static_assert(sizeof(canvas::Place) == 12);
static_assert(sizeof(canvas::TimedPlace) == 24);
static_assert(sizeof(canvas::CellRef) == 4);
static_assert(sizeof(canvas::CellState) == 40);

// Bytes from outside have no alignment that could be relied upon.
template <class Struct>
Struct read_struct(const std::byte* from) {
  Struct value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

template <class Struct>
void append_struct(const Struct& value, std::vector<std::byte>& to) {
  const auto* bytes = reinterpret_cast<const std::byte*>(&value);
  to.insert(to.end(), bytes, bytes + sizeof(value));
}

std::string outside(const char* field, std::uint32_t value, std::uint32_t highest) {
  return std::string(field) + ": " + std::to_string(value) + " is outside 0 to " +
         std::to_string(highest);
}

bool parse_side(std::string_view text, std::uint32_t& side) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, side);
  return error == std::errc() && stop == end && side >= 1 && side <= kMaxCanvasSide;
}

void append_hex(std::uint64_t value, int digits, std::string_view alphabet, std::string& to) {
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) to += alphabet[(value >> shift) & 15];
}

constexpr int kTimeBits = 48;
constexpr std::uint64_t kMaxTimeMs = (1ULL << kTimeBits) - 1;

// The finaliser of MurmurHash3 (Appleby): bijective, so that slot and tag together are the user.
constexpr std::uint32_t mixed_user(std::uint32_t user) {
  user = (user ^ (user >> 16)) * 0x85ebca6b;
  user = (user ^ (user >> 13)) * 0xc2b2ae35;
  return user ^ (user >> 16);
}
static_assert(Canvas::kUserSlots == 1U << 16);

std::uint32_t slot_of(std::uint32_t user) {
  return mixed_user(user) & (Canvas::kUserSlots - 1);
}

// What a slot holds: who of those that share it placed last, and when.
std::uint64_t pack_last(std::uint32_t user, std::uint64_t time_ms) {
  return (static_cast<std::uint64_t>(mixed_user(user) >> 16) << kTimeBits) | time_ms;
}

// How long a user still has to wait, in milliseconds.
std::uint64_t wait_of(std::uint64_t last, std::uint32_t user, std::uint64_t time_ms,
                      std::uint64_t cooldown_ms) {
  const std::uint64_t last_ms = last & kMaxTimeMs;
  if (last_ms == 0 || last != pack_last(user, last_ms)) return 0;
  const std::uint64_t apart = time_ms > last_ms ? time_ms - last_ms : last_ms - time_ms;
  if (apart >= cooldown_ms) return 0;
  return last_ms + cooldown_ms - time_ms;
}

std::uint32_t tiles_along(std::uint32_t side) {
  return (side + Canvas::kTileSide - 1) / Canvas::kTileSide;
}

}  // namespace

std::string parse_canvas_size(std::string_view text, CanvasSize& size) {
  const std::size_t cross = text.find('x');
  CanvasSize read;
  if (cross == std::string_view::npos || !parse_side(text.substr(0, cross), read.width) ||
      !parse_side(text.substr(cross + 1), read.height)) {
    return "size: \"" + std::string(text) + "\" is not WIDTHxHEIGHT with both from 1 to " +
           std::to_string(kMaxCanvasSide);
  }
  size = read;
  return {};
}

Canvas::Canvas(CanvasSize size, std::chrono::milliseconds cooldown)
    : size_(size),
      cooldown_(cooldown),
      tiles_across_(tiles_along(size.width)),
      picture_keys_(tiles_across_ * tiles_along(size.height) * kCellsPerTile) {
  const auto allowed = [](std::uint32_t side) { return side >= 1 && side <= kMaxCanvasSide; };
  if (!allowed(size.width) || !allowed(size.height)) {
    throw std::invalid_argument("size: width and height must be from 1 to " +
                                std::to_string(kMaxCanvasSide));
  }
  if (cooldown.count() < 0 || cooldown > kMaxCooldown) {
    throw std::invalid_argument("cooldown: must be from 0 to " +
                                std::to_string(kMaxCooldown.count()) + " ms");
  }
}

std::string Canvas::validate(Bytes payload) const {
  const std::size_t size = timed() ? sizeof(canvas::TimedPlace) : sizeof(canvas::Place);
  if (payload.size() != size) {
    return "payload: " + std::to_string(payload.size()) + " bytes, a placement" +
           (timed() ? " with its time" : "") + " has " + std::to_string(size);
  }
  if (timed()) {
    const auto read = read_struct<canvas::TimedPlace>(payload.data());
    if (read.place().user() == 0) return "user: is 0, but has to wait between two placements";
    if (read.time_ms() == 0 || read.time_ms() > kMaxTimeMs) {
      return "time_ms: " + std::to_string(read.time_ms()) + " is outside 1 to " +
             std::to_string(kMaxTimeMs);
    }
  }
  const auto place = read_struct<canvas::Place>(payload.data());
  if (place.x() >= size_.width) return outside("x", place.x(), size_.width - 1);
  if (place.y() >= size_.height) return outside("y", place.y(), size_.height - 1);
  if (place.color() > kMaxColor) return outside("color", place.color(), kMaxColor);
  return {};
}

void Canvas::execute(const Store& store, std::span<const Command> commands, WriteSink& writes,
                     ReplySink& replies) const {
  if (timed()) return execute_timed(store, commands, writes, replies);
  // Cells of a large canvas are rarely in a cache. Asking for a handful of them before the first is
  // written lets the misses overlap.
  struct Planned {
    Key key;
    std::uint64_t value = 0;  // 0: not a valid placement
  };
  std::array<Planned, 16> planned;
  while (!commands.empty()) {
    const std::size_t count = std::min(planned.size(), commands.size());
    for (std::size_t i = 0; i < count; ++i) {
      planned[i] = {};
      if (commands[i].payload.size() != sizeof(canvas::Place)) continue;
      const auto place = read_struct<canvas::Place>(commands[i].payload.data());
      if (!contains(place.x(), place.y()) || place.color() > kMaxColor) continue;
      planned[i] = {key_of(place.x(), place.y()), pack_pixel(place.color(), place.user())};
      __builtin_prefetch(&store.at(planned[i].key), 1);
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (planned[i].value != 0) {
        writes.put(commands[i], planned[i].key, planned[i].value);
      } else {
        replies.set(commands[i], kInvalid, 0);
      }
    }
    commands = commands.subspan(count);
  }
}

void Canvas::execute_timed(const Store& store, std::span<const Command> commands, WriteSink& writes,
                           ReplySink& replies) const {
  const auto cooldown_ms = static_cast<std::uint64_t>(cooldown_.count());
  for (const Command& command : commands) {
    if (!validate(command.payload).empty()) {
      replies.set(command, kInvalid, 0);
      continue;
    }
    const auto timed = read_struct<canvas::TimedPlace>(command.payload.data());
    const canvas::Place& place = timed.place();
    const Key slot{picture_keys_ + slot_of(place.user())};
    const std::uint64_t wait =
        wait_of(store.at(slot).value, place.user(), timed.time_ms(), cooldown_ms);
    if (wait != 0) {
      replies.set(command, kCooldown, wait);
      continue;
    }
    writes.put(command, key_of(place.x(), place.y()), pack_pixel(place.color(), place.user()));
    writes.put(command, slot, pack_last(place.user(), timed.time_ms()));
  }
}

void Canvas::translate(const Command& command, CellWrite& write) const {
  const auto place = read_struct<canvas::Place>(command.payload.data());
  write.key = key_of(place.x(), place.y());
  write.value = pack_pixel(place.color(), place.user());
}

std::string Canvas::query(const Store& store, Bytes query, std::vector<std::byte>& answer) const {
  constexpr std::size_t kSize = sizeof(canvas::CellRef);
  const std::size_t count = query.size() / kSize;
  if (query.size() % kSize != 0 || count == 0 || count > kMaxCellsPerQuery) {
    return "query: " + std::to_string(query.size()) + " bytes are not 1 to " +
           std::to_string(kMaxCellsPerQuery) + " cells of " + std::to_string(kSize) + " bytes";
  }
  const std::size_t start = answer.size();
  answer.reserve(start + count * sizeof(canvas::CellState));
  for (std::size_t i = 0; i < count; ++i) {
    const auto ref = read_struct<canvas::CellRef>(query.data() + i * kSize);
    if (!contains(ref.x(), ref.y())) {
      answer.resize(start);
      return ref.x() >= size_.width ? outside("x", ref.x(), size_.width - 1)
                                    : outside("y", ref.y(), size_.height - 1);
    }
    const Cell& cell = store.at(key_of(ref.x(), ref.y()));
    const Pixel pixel = unpack_pixel(cell.value);
    append_struct(canvas::CellState(cell.stamp.major, cell.stamp.minor, cell.writer.session,
                                    cell.writer.sequence, pixel.color, pixel.user,
                                    pixel.painted ? 1 : 0, 0, 0, 0),
                  answer);
  }
  return {};
}

void Canvas::keys_of(Bytes query, std::vector<Key>& keys) const {
  constexpr std::size_t kSize = sizeof(canvas::CellRef);
  for (std::size_t at = 0; at + kSize <= query.size(); at += kSize) {
    const auto ref = read_struct<canvas::CellRef>(query.data() + at);
    if (contains(ref.x(), ref.y())) keys.push_back(key_of(ref.x(), ref.y()));
  }
}

void encode_place(SessionId session, std::uint32_t sequence, const canvas::Place& place,
                  std::vector<std::byte>& to) {
  CommandHeader header;
  header.session = session.value;
  header.sequence = sequence;
  header.payload_size = sizeof(place);
  append_struct(header, to);
  append_struct(place, to);
}

void encode_timed_place(SessionId session, std::uint32_t sequence, const canvas::Place& place,
                        std::uint64_t time_ms, std::vector<std::byte>& to) {
  CommandHeader header;
  header.session = session.value;
  header.sequence = sequence;
  header.payload_size = sizeof(canvas::TimedPlace);
  append_struct(header, to);
  append_struct(canvas::TimedPlace(place, 0, time_ms), to);
}

void encode_cell_ref(std::uint32_t x, std::uint32_t y, std::vector<std::byte>& to) {
  append_struct(canvas::CellRef(static_cast<std::uint16_t>(x), static_cast<std::uint16_t>(y)), to);
}

std::vector<canvas::CellState> decode_cells(Bytes answer, std::size_t expected) {
  if (answer.size() != expected * sizeof(canvas::CellState)) return {};
  std::vector<canvas::CellState> cells(expected);
  if (expected > 0) std::memcpy(cells.data(), answer.data(), answer.size());
  return cells;
}

bool parse_version(std::string_view text, Stamp& stamp) {
  if (text.size() != 32) return false;
  const auto parse = [](std::string_view digits, std::uint64_t& number) {
    const char* end = digits.data() + digits.size();
    return std::from_chars(digits.data(), end, number, 16).ptr == end;
  };
  return parse(text.substr(0, 16), stamp.major) && parse(text.substr(16), stamp.minor);
}

std::string version_text(Stamp stamp) {
  constexpr std::string_view kLower = "0123456789abcdef";
  std::string text;
  text.reserve(32);
  append_hex(stamp.major, 16, kLower, text);
  append_hex(stamp.minor, 16, kLower, text);
  return text;
}

std::string color_text(std::uint32_t color) {
  std::string text = "#";
  append_hex(color, 6, "0123456789ABCDEF", text);
  return text;
}

bool parse_color(std::string_view text, std::uint32_t& color) {
  if (text.size() != 7 || text[0] != '#') return false;
  std::uint32_t read = 0;
  const auto [stop, error] = std::from_chars(text.data() + 1, text.data() + 7, read, 16);
  if (error != std::errc() || stop != text.data() + 7) return false;
  color = read;
  return true;
}

}  // namespace parley
