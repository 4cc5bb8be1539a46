// The loop of a node under Maelstrom: one thread, two descriptors, one poll.
#include <poll.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "runtime/clocks.h"
#include "runtime/maelstrom/node.h"

namespace parley::maelstrom {
namespace {

constexpr std::size_t kReadBytes = 64U << 10;
constexpr Duration kLongestSleep = std::chrono::seconds(1);

// Waits until there is room if it must: whoever does not read what we say is not served either.
bool write_all(int output, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(output, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// Sleeps until there is input or `when` has come. Whether a read would not wait.
bool wait_for_input(int input, Instant when) {
  const Instant now = monotonic_now();
  Duration time{};
  if (when > now) time = when > now + kLongestSleep ? kLongestSleep : when - now;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time);
  const timespec limit{static_cast<time_t>(seconds.count()),
                       static_cast<long>((time - seconds).count())};
  pollfd descriptor{input, POLLIN, 0};
  return ppoll(&descriptor, 1, &limit, nullptr) > 0;
}

int end(Node& node, const LineReader& lines) {
  node.end();
  const Dropped dropped = node.dropped();
  if (dropped.lines + dropped.frames + dropped.unsent + lines.dropped() > 0) {
    spdlog::warn(
        "dropped: {} lines that were no messages, {} that were too long, {} frames, and {} "
        "that were too long to be sent",
        dropped.lines, lines.dropped(), dropped.frames, dropped.unsent);
  }
  return 0;
}

int fail(const std::string& what) {
  spdlog::critical("the node ends: {}", what);
  return 1;
}

}  // namespace

int run(Node& node, int input, int output) {
  LineReader lines(kMaxLineBytes);
  std::array<char, kReadBytes> bytes{};
  for (;;) {
    // By a clock that is read after the input came: if this thread stood still in between, a lease
    // may have ended before a read arrived.
    node.turn(monotonic_now(), wall_now());
    if (!write_all(output, node.take_output())) {
      return fail("nobody reads the output: " + std::generic_category().message(errno));
    }
    if (!node.story().empty()) return fail(node.story());
    if (!wait_for_input(input, node.deadline())) continue;
    const ssize_t size = read(input, bytes.data(), bytes.size());
    if (size == 0) return end(node, lines);
    if (size < 0) {
      if (errno == EINTR || errno == EAGAIN) continue;
      return fail("the input cannot be read: " + std::generic_category().message(errno));
    }
    const std::string_view part(bytes.data(), static_cast<std::size_t>(size));
    lines.feed(part, [&node](std::string_view line) { node.take(line, monotonic_now()); });
  }
}

}  // namespace parley::maelstrom
