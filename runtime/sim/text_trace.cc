#include <fmt/format.h>

#include <ostream>

#include "runtime/sim/trace_formats.h"

namespace parley::sim {
namespace {

class TextTrace final : public TraceSink {
 public:
  explicit TextTrace(std::ostream& out) : out_(out) {}

  void begin(const TraceStart& start) override {
    out_ << fmt::format("{}, seed {}, {} nodes; times are seconds\n", start.algorithm, start.seed,
                        start.nodes);
  }
  void take(const Fact& fact, std::string_view words) override {
    const double at_s = static_cast<double>(fact.when.time_since_epoch().count()) / 1e9;
    out_ << fmt::format("{:12.6f}  {}\n", at_s, describe(fact, words));
  }
  void end(Instant) override { out_.flush(); }

 private:
  std::ostream& out_;
};

// The nodes' drivers write the lines: the facts of the execution do not matter.
class ProtocolLines final : public TraceSink {
 public:
  explicit ProtocolLines(std::ostream& out) : out_(out) {}

  void begin(const TraceStart&) override {}
  void take(const Fact&, std::string_view) override {}
  void end(Instant) override { out_.flush(); }
  std::ostream* protocol() override { return &out_; }

 private:
  std::ostream& out_;
};

}  // namespace

std::unique_ptr<TraceSink> make_protocol_trace(std::ostream& out) {
  return std::make_unique<ProtocolLines>(out);
}

std::unique_ptr<TraceSink> make_text_trace(std::ostream& out) {
  return std::make_unique<TextTrace>(out);
}

std::unique_ptr<TraceSink> make_trace(std::string_view path, std::ostream& out) {
  if (path.ends_with(".json")) return make_chrome_trace(out);
  if (path.ends_with(".shiviz")) return make_shiviz_trace(out);
  if (path.ends_with(".jsonl")) return make_protocol_trace(out);
  return make_text_trace(out);
}

}  // namespace parley::sim
