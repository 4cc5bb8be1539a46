// parley paint and parley watch: a canvas in the terminal.
#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/canvas/canvas.h"
#include "harness/cli/commands.h"
#include "harness/cluster/stop_signal.h"
#include "harness/terminal/canvas_link.h"
#include "harness/terminal/picture.h"

namespace parley::cli {
namespace {

using nlohmann::ordered_json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

// A node gives up after 8 s (apps/canvas/README.md).
constexpr seconds kAnswerTimeout{10};
constexpr milliseconds kRedrawEvery{100};

std::optional<terminal::Address> address_of(const std::string& text) {
  auto address = terminal::parse_address(text);
  if (!address) {
    complain("node: \"" + text + "\" is not HOST:PORT with a port from 1 to 65535");
  }
  return address;
}

// What a terminal can show beside a line about it.
terminal::Window terminal_window() {
  terminal::Window window;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 && size.ws_row > 1) {
    window.columns = size.ws_col;
    window.rows = size.ws_row - 1U;
  }
  return window;
}

// Reads "X,Y".
bool parse_place(const std::string& text, std::uint32_t& x, std::uint32_t& y) {
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data(), end, x);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ',') return false;
  const auto second = std::from_chars(first.ptr + 1, end, y);
  return second.ec == std::errc{} && second.ptr == end;
}

// Shows what a viewer is sent, as a picture or as lines.
class Screen {
 public:
  Screen(const WatchOptions& options, bool picture) : options_(options), draws_(picture) {
    if (draws_) std::fputs("\x1b[?1049h\x1b[?25l", stdout);  // another screen, no cursor
  }
  ~Screen() {
    if (draws_) std::fputs("\x1b[?25h\x1b[?1049l", stdout);
  }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  void take(std::string_view frame) {
    picture_.take(frame, [this](const PixelChange& change) {
      ++changes_;
      if (!draws_) print(change);
    });
    stale_ = true;
  }

  void redraw() {
    std::fflush(stdout);
    const auto now = steady_clock::now();
    if (!draws_ || !stale_ || picture_.header().size.width == 0 || now - drawn_ < kRedrawEvery)
      return;
    drawn_ = now;
    stale_ = false;
    const terminal::Window window = this->window();
    std::string text = "\x1b[H" + picture_.draw(window);
    text += fmt::format(
        "\x1b[0m\x1b[2K{}  {}x{}  around {},{} at scale {}  {} watching, {} changes  Ctrl-C ends",
        options_.node, picture_.header().size.width, picture_.header().size.height, window.x,
        window.y, window.scale, picture_.header().viewers, changes_);
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
  }

 private:
  [[nodiscard]] terminal::Window window() const {
    terminal::Window window = terminal_window();
    const CanvasSize size = picture_.header().size;
    window.scale =
        options_.scale != 0 ? options_.scale : picture_.scale_to_fit(window.columns, window.rows);
    window.x = size.width / 2;
    window.y = size.height / 2;
    if (!options_.at.empty()) parse_place(options_.at, window.x, window.y);
    return window;
  }

  void print(const PixelChange& change) const {
    const std::string color = fmt::format("#{:06X}", change.color);
    if (options_.common.json) {
      fmt::print("{}\n", ordered_json{{"sequence", picture_.header().sequence + 1},
                                      {"x", change.x},
                                      {"y", change.y},
                                      {"color", color}}
                             .dump());
    } else {
      fmt::print("{} {} {}\n", change.x, change.y, color);
    }
  }

  const WatchOptions& options_;
  bool draws_;
  terminal::Picture picture_;
  std::uint64_t changes_ = 0;
  bool stale_ = false;
  steady_clock::time_point drawn_;
};

void watch(const WatchOptions& options, const terminal::Address& node) {
  const harness::StopSignal stop;
  const auto end = steady_clock::now() + std::chrono::duration<double>(options.seconds);
  terminal::Watching watching(node, kAnswerTimeout);
  Screen screen(options, isatty(STDOUT_FILENO) == 1 && !options.common.json);
  while (!harness::StopSignal::requested() && (options.seconds == 0 || steady_clock::now() < end)) {
    if (const auto frame = watching.next(kRedrawEvery)) screen.take(*frame);
    screen.redraw();
  }
}

// What the node said of a placement, for people; the whole of its answer as JSON.
int tell(const PaintOptions& options, const std::string& color,
         const terminal::HttpAnswer& answer) {
  const ordered_json said = ordered_json::parse(answer.body, nullptr, false);
  if (said.is_discarded() || !said.is_object()) {
    complain(fmt::format("{} answers {} without saying why", options.node, answer.status));
    return kFailed;
  }
  if (options.common.json) fmt::print("{}\n", said.dump());
  if (answer.status == 200) {
    if (!options.common.json) fmt::print("{},{} is {}\n", options.x, options.y, color);
    return kDone;
  }
  complain(said.value("error", fmt::format("{} answers {}", options.node, answer.status)));
  return answer.status == 400 ? kUsage : kFailed;
}

}  // namespace

int run_paint(const PaintOptions& options) {
  const auto node = address_of(options.node);
  if (!node) return kUsage;
  // In a shell a word that starts with # is a comment.
  const std::string color = options.color.starts_with('#') ? options.color : "#" + options.color;
  std::uint32_t parsed = 0;
  if (!parse_color(color, parsed)) {
    complain("color: \"" + options.color + "\" is not RRGGBB, six hexadecimal digits");
    return kUsage;
  }
  const ordered_json body = {
      {"x", options.x}, {"y", options.y}, {"color", color}, {"user", options.user}};
  try {
    return tell(options, color, terminal::post(*node, "/pixel", body.dump(), kAnswerTimeout));
  } catch (const terminal::LinkError& error) {
    complain(error.what());
    return kFailed;
  }
}

int run_watch(const WatchOptions& options) {
  const auto node = address_of(options.node);
  if (!node) return kUsage;
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  if (!options.at.empty() && !parse_place(options.at, x, y)) {
    complain("at: \"" + options.at + "\" is not X,Y");
    return kUsage;
  }
  try {
    watch(options, *node);
  } catch (const std::runtime_error& error) {  // LinkError, FrameError
    complain(error.what());
    return kFailed;
  }
  return kDone;
}

}  // namespace parley::cli
