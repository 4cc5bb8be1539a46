#include "runtime/sim/picture.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace parley::sim {
namespace {

constexpr std::size_t kWidth = 118;
constexpr std::size_t kMargin = 12;  // for the time
constexpr std::string_view kContinued = "    ";
constexpr std::uint32_t kGapWorthALine = 10;  // of things left out

double in_ms(Duration duration) {
  return static_cast<double>(duration.count()) / 1e6;
}

class Picture {
 public:
  explicit Picture(const PictureOf& of)
      : of_(of),
        lifelines_(of.before),
        inline_(of.moments.size()),
        step_(std::clamp<std::size_t>(40 / of.nodes, 4, 9)) {}

  std::vector<std::string> draw() {
    draw_legend();
    for (std::size_t i = 0; i < of_.moments.size(); ++i) {
      const Moment& moment = of_.moments[i];
      left_out_ += moment.before;
      lifelines_.take(moment.fact);
      if (!of_.chosen[i]) {
        left_out_.add(moment.fact);
      } else if (!inline_[i]) {
        draw_gap();
        draw_moment(i);
      }
    }
    return std::move(lines_);
  }

 private:
  [[nodiscard]] const Fact& fact(std::size_t i) const { return of_.moments[i].fact; }
  [[nodiscard]] std::size_t column(std::uint64_t node) const {
    return kMargin + (node - 1) * step_ + step_ / 2;
  }

  void draw_legend() {
    lines_.push_back(fmt::format(
        "{} leads   {} follows   {} knows no leader   {} stands still   (blank) is down   "
        "* something happens here",
        Lifelines::kLeads, Lifelines::kFollows, Lifelines::kLeaderless, Lifelines::kStandsStill));
    lines_.push_back(
        "----> a message   ----x is lost   +0.4 arrives 0.4 ms later   i@t index i with its epoch "
        "t");
    std::string head = fmt::format("{:>{}}", "ms", kMargin - 2);
    for (std::uint32_t node = 1; node <= of_.nodes; ++node) {
      head.resize(column(node), ' ');
      head += std::to_string(node);
    }
    lines_.push_back(head);
  }

  // An empty line of the picture: only the lifelines.
  [[nodiscard]] std::string lifelines(std::string_view margin) const {
    std::string line(kMargin + of_.nodes * step_ + 1, ' ');
    line.replace(kMargin - 2 - margin.size(), margin.size(), margin);
    for (std::uint32_t node = 1; node <= of_.nodes; ++node) {
      line[column(node)] = lifelines_.sign(node);
    }
    return line;
  }
  [[nodiscard]] std::string lifelines(Instant when) const {
    return lifelines(fmt::format("{:.3f}", in_ms(when.time_since_epoch())));
  }

  // Words that do not fit go on in the next line.
  void add(std::string line, std::string_view words) {
    while (words.size() > kWidth - line.size()) {
      const std::size_t room = kWidth - line.size();
      const std::size_t space = words.substr(0, room).rfind(' ');
      const bool at_space = space != std::string_view::npos && space > 0;
      lines_.push_back(line.append(words.substr(0, at_space ? space : room)));
      words.remove_prefix(at_space ? space + 1 : room);
      line = lifelines("").append(kContinued);
    }
    lines_.push_back(line.append(words));
  }

  void draw_gap() {
    const auto& [repeats, messages, others] = left_out_;
    if (repeats + messages + others < kGapWorthALine) return;
    std::string words = "...";
    const auto tell = [&words](std::uint32_t count, std::string_view what) {
      if (count > 0) words += fmt::format(" {} {}{},", count, what, count == 1 ? "" : "s");
    };
    tell(repeats, "repeated message");
    tell(messages, "message");
    tell(others, "other event");
    words.pop_back();
    add(lifelines("..."), words);
    left_out_ = {};
  }

  void draw_moment(std::size_t i) {
    switch (fact(i).kind) {
      case FactKind::send:
        return draw_sends(i);
      case FactKind::delivery:
        return draw_arrival(i);
      case FactKind::commit:
      case FactKind::result:
      case FactKind::refused:
      case FactKind::unknown:
        return draw_run(i);
      default:
        return draw_event(i, describe(fact(i), of_.moments[i].words));
    }
  }

  void draw_event(std::size_t i, std::string_view words) {
    std::string line = lifelines(fact(i).when);
    if (fact(i).node != 0 && fact(i).kind != FactKind::network) line[column(fact(i).node)] = '*';
    add(std::move(line), words);
  }

  // Neighbours that differ only by a number that rises by one are one line.
  void draw_run(std::size_t first) {
    const bool commits = fact(first).kind == FactKind::commit;
    const auto number = [&](std::size_t i) { return commits ? fact(i).a : fact(i).b; };
    std::size_t last = first;
    while (last + 1 < of_.moments.size() && of_.chosen[last + 1] &&
           fact(last + 1).kind == fact(first).kind && fact(last + 1).node == fact(first).node &&
           fact(last + 1).when == fact(first).when && number(last + 1) == number(last) + 1 &&
           (commits || fact(last + 1).a == fact(first).a)) {
      inline_[++last] = true;
    }
    std::string words = describe(fact(last), {});
    if (last == first + 1) words += fmt::format(" (and {})", number(first));
    if (last > first + 1) words += fmt::format(" (and {} to {})", number(first), number(last) - 1);
    draw_event(first, words);
  }

  // Nothing that is drawn happens to the receiver between the sending and the arrival.
  [[nodiscard]] bool arrives_unnoticed(std::size_t sent) const {
    const std::size_t arrived = of_.partners[sent];
    for (std::size_t i = sent + 1; i < arrived; ++i) {
      if (of_.chosen[i] && fact(i).node == fact(sent).b && fact(i).kind != FactKind::lost) {
        return false;
      }
    }
    return true;
  }

  // One line for all that says the same, from one node at one moment.
  void draw_sends(std::size_t first) {
    std::string line = lifelines(fact(first).when);
    std::string receivers;
    std::map<std::string_view, std::string> losses;  // why, and for whom
    Duration soonest = Duration::max();
    Duration latest{};
    const std::size_t from = column(fact(first).node);
    for (std::size_t i = first; i < of_.moments.size() && fact(i).when == fact(first).when; ++i) {
      const bool same = fact(i).kind == FactKind::send && fact(i).node == fact(first).node &&
                        fact(i).c == fact(first).c && of_.chosen[i] && !inline_[i] &&
                        of_.moments[i].words == of_.moments[first].words;
      if (!same) continue;
      inline_[i] = true;
      receivers += fmt::format(" {}", fact(i).b);
      const std::size_t end = of_.partners[i];
      if (end == kNoPartner) {
        losses["under way at the end"] += fmt::format(" {}", fact(i).b);
        draw_arrow(line, from, short_of(column(fact(i).b), from), '-');
      } else if (fact(end).kind == FactKind::lost) {
        inline_[end] = true;
        losses[loss_text(fact(end))] += fmt::format(" {}", fact(i).b);
        draw_arrow(line, from, short_of(column(fact(i).b), from), 'x');
      } else if (arrives_unnoticed(i)) {
        inline_[end] = true;
        soonest = std::min(soonest, fact(end).when - fact(i).when);
        latest = std::max(latest, fact(end).when - fact(i).when);
        draw_arrow(line, from, column(fact(i).b), fact(i).b > fact(i).node ? '>' : '<');
      } else {
        draw_arrow(line, from, short_of(column(fact(i).b), from), '-');
      }
    }
    std::string words = fmt::format("{} ->{}", fact(first).node, receivers);
    if (soonest < latest) {
      words += fmt::format(" +{:.1f}..{:.1f}", in_ms(soonest), in_ms(latest));
    } else if (soonest == latest) {
      words += fmt::format(" +{:.1f}", in_ms(latest));
    }
    if (fact(first).c != 0) words += " (second copy)";
    for (const auto& [why, whom] : losses) {
      words += whom == receivers ? fmt::format(" ({})", why) : fmt::format(" ({}:{})", why, whom);
    }
    add(std::move(line), with_text(words, first));
  }

  void draw_arrival(std::size_t i) {
    const Fact& arrival = fact(i);
    if (is_client(arrival.b)) {
      return draw_event(i, fmt::format("client {} asks node {}: {}", arrival.b - kFirstClientHost,
                                       arrival.node, of_.moments[i].words));
    }
    std::string line = lifelines(arrival.when);
    const std::size_t to = column(arrival.node);
    draw_arrow(line, short_of(to, column(arrival.b)), to, arrival.b < arrival.node ? '>' : '<');
    std::string words = fmt::format("{} gets from {}", arrival.node, arrival.b);
    if (const std::size_t sent = of_.partners[i]; sent != kNoPartner) {
      words += fmt::format(" after {:.1f} ms", in_ms(arrival.when - fact(sent).when));
    }
    add(std::move(line), with_text(words, i));
  }

  [[nodiscard]] std::string with_text(const std::string& words, std::size_t i) const {
    const std::string& text = of_.moments[i].words;
    return text.empty() ? words : words + "  " + text;
  }

  // A quarter of the way before the column `to`, past all nodes in between.
  static std::size_t short_of(std::size_t to, std::size_t from) {
    return from < to ? to - quarter(to - from) : to + quarter(from - to);
  }
  static std::size_t quarter(std::size_t distance) { return (distance + 3) / 4; }

  // From the column `from` to `to`, with `head` at its end; lifelines that it crosses stay.
  void draw_arrow(std::string& line, std::size_t from, std::size_t to, char head) const {
    const bool right = from < to;
    const std::size_t end = is_lifeline(to) ? (right ? to - 1 : to + 1) : to;
    for (std::size_t at = from; at != end; at = right ? at + 1 : at - 1) {
      if (!is_lifeline(at) || line[at] == Lifelines::kDown) line[at] = '-';
    }
    line[end] = head;
  }
  [[nodiscard]] bool is_lifeline(std::size_t at) const {
    return at >= column(1) && (at - column(1)) % step_ == 0;
  }

  const PictureOf& of_;
  Lifelines lifelines_;
  std::vector<bool> inline_;  // by moment: is drawn as part of an earlier line
  std::size_t step_;          // from column to column
  std::vector<std::string> lines_;
  LeftOut left_out_;  // since the last line
};

}  // namespace

void LeftOut::add(const Fact& fact) {
  if (fact.kind == FactKind::lost) return;  // it was counted when it was sent
  if (fact.kind == FactKind::delivery && !is_client(fact.b)) return;
  ++(fact.kind == FactKind::send ? messages : others);
}

LeftOut& LeftOut::operator+=(const LeftOut& more) {
  repeats += more.repeats;
  messages += more.messages;
  others += more.others;
  return *this;
}

void Lifelines::take(const Fact& fact) {
  if (fact.node > kMaxSimulatedNodes) return;
  switch (fact.kind) {
    case FactKind::start:
      signs_[fact.node] = kLeaderless;
      return;
    case FactKind::status:
      signs_[fact.node] = fact.b == 0 ? kLeaderless : fact.b == fact.node ? kLeads : kFollows;
      return;
    case FactKind::crash:
      signs_[fact.node] = kDown;
      paused_[fact.node] = false;
      return;
    case FactKind::pause:
      paused_[fact.node] = true;
      return;
    case FactKind::resume:
      paused_[fact.node] = false;
      return;
    default:
      return;
  }
}

std::vector<std::size_t> find_partners(std::span<const Moment> moments) {
  std::vector<std::size_t> partners(moments.size(), kNoPartner);
  std::map<std::uint64_t, std::size_t> sent;
  for (std::size_t i = 0; i < moments.size(); ++i) {
    const Fact& fact = moments[i].fact;
    if (fact.kind == FactKind::send) sent[fact.a] = i;
    if (fact.kind != FactKind::delivery && fact.kind != FactKind::lost) continue;
    const auto it = sent.find(fact.a);
    if (it == sent.end()) continue;
    partners[i] = it->second;
    partners[it->second] = i;
  }
  return partners;
}

std::vector<std::string> draw(const PictureOf& picture) {
  return Picture(picture).draw();
}

}  // namespace parley::sim
