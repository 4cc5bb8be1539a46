#include "harness/check/json_io.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <system_error>

#include "harness/check/checker.h"

namespace parley::history {

// Not in the unnamed namespace, because OperationParser::Handler has a member of it.
enum Field : std::uint8_t {
  kClient,
  kSeq,
  kOp,
  kX,
  kY,
  kColor,
  kInvoke,
  kReturn,
  kOutcome,
  kNode,
  kVersion,
  kWriter,
  kReadMode,
  kFields,
  kIgnored = kFields,
};

namespace {

using nlohmann::json;

constexpr std::array<std::string_view, kFields> kFieldNames = {
    "client",    "seq",     "op",   "x",       "y",      "color",    "invoke_ns",
    "return_ns", "outcome", "node", "version", "writer", "read_mode"};

constexpr std::int64_t kMax32 = 0xFFFFFFFF;

Field field_of(std::string_view key) {
  for (std::size_t i = 0; i < kFields; ++i) {
    if (kFieldNames[i] == key) return static_cast<Field>(i);
  }
  return kIgnored;
}

// Reads the JSON that a HistoryWriter produces, and a little more: one object of integers, plain
// strings, nulls and arrays of those. Several times faster than the library, which takes over where
// anything else turns up; the events are the same, so what is accepted is too.
template <typename Handler>
class FlatScanner {
 public:
  enum class Outcome : std::uint8_t { parsed, rejected_by_handler, not_flat };

  FlatScanner(std::string_view line, Handler& handler)
      : at_(line.data()), end_(line.data() + line.size()), handler_(handler) {}

  Outcome run() {
    if (!take('{') || peek() == '}') return Outcome::not_flat;
    if (!handler_.start_object(0)) return Outcome::rejected_by_handler;
    do {
      std::string_view name;
      if (!string(name) || !take(':')) return Outcome::not_flat;
      if (!handler_.key_name(name)) return Outcome::rejected_by_handler;
      if (!value(true)) return rejected_ ? Outcome::rejected_by_handler : Outcome::not_flat;
    } while (take(','));
    if (!take('}')) return Outcome::not_flat;
    peek();
    if (at_ != end_) return Outcome::not_flat;
    return handler_.end_object() ? Outcome::parsed : Outcome::rejected_by_handler;
  }

 private:
  // The next character that is not a space; 0 at the end.
  char peek() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\t' || *at_ == '\r')) ++at_;
    return at_ == end_ ? '\0' : *at_;
  }

  bool take(char expected) {
    if (peek() != expected) return false;
    ++at_;
    return true;
  }

  bool told(bool accepted) {
    rejected_ = !accepted;
    return accepted;
  }

  // Without escapes and beyond ASCII.
  bool string(std::string_view& text) {
    if (!take('"')) return false;
    const char* begin = at_;
    while (at_ != end_ && *at_ != '"' && *at_ != '\\' && *at_ >= ' ' && *at_ <= '~') ++at_;
    if (at_ == end_ || *at_ != '"') return false;
    text = {begin, static_cast<std::size_t>(at_++ - begin)};
    return true;
  }

  bool value(bool array_allowed) {
    const char first = peek();
    if (first == '"') {
      std::string_view text;
      return string(text) && told(handler_.text_value(text));
    }
    if (first == 'n') {
      if (end_ - at_ < 4 || std::string_view(at_, 4) != "null") return false;
      at_ += 4;
      return told(handler_.null());
    }
    if (first == '[') return array_allowed && array();
    std::int64_t number = 0;
    const char* begin = at_;
    const auto [rest, error] = std::from_chars(at_, end_, number);
    at_ = rest;
    const char* digits = first == '-' ? begin + 1 : begin;
    const bool leading_zero = rest - digits > 1 && *digits == '0';
    const char next = peek();
    if (error != std::errc{} || leading_zero || (next != ',' && next != '}' && next != ']')) {
      return false;
    }
    return told(first == '-' ? handler_.number_integer(number)
                             : handler_.number_unsigned(static_cast<std::uint64_t>(number)));
  }

  bool array() {
    ++at_;
    if (!told(handler_.start_array(0))) return false;
    do {
      if (!value(false)) return false;
    } while (take(','));
    return take(']') && told(handler_.end_array());
  }

  const char* at_;
  const char* end_;
  Handler& handler_;
  bool rejected_ = false;
};

std::optional<std::uint32_t> parse_color(std::string_view text) {
  if (text.size() != 7 || text[0] != '#') return std::nullopt;
  std::uint32_t color = 0;
  const auto [rest, error] = std::from_chars(text.data() + 1, text.data() + 7, color, 16);
  if (error != std::errc{} || rest != text.data() + 7) return std::nullopt;
  return color;
}

}  // namespace

// Takes the parser's events of one line; stops it at the first value that does not fit. The names
// of the functions are the library's.
class OperationParser::Handler {
 public:
  explicit Handler(bool versions) : versions_(versions) {}

  void reset() {
    op_ = Operation{};
    seen_ = 0;
    depth_ = 0;
    writer_parts_ = 0;
    field_ = kIgnored;
    error_ = {};
  }

  bool null() { return depth_ != 2 || field_ != kWriter || fail("expected [client, seq] or null"); }
  bool boolean(bool) { return ignored() || wrong_type(); }
  bool number_integer(std::int64_t value) { return ignored() || integer(value); }
  bool number_unsigned(std::uint64_t value) {
    if (ignored()) return true;
    const auto limit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return value <= limit ? integer(static_cast<std::int64_t>(value)) : wrong_type();
  }
  bool number_float(double, const std::string&) { return ignored() || wrong_type(); }
  bool string(std::string& value) { return text_value(value); }
  bool text_value(std::string_view value) { return ignored() || text(value); }
  bool binary(json::binary_t&) { return wrong_type(); }
  bool start_object(std::size_t) {
    ++depth_;
    return depth_ == 1 || (depth_ == 2 && field_ == kIgnored) || depth_ > 2 || wrong_type();
  }
  bool key(std::string& name) { return key_name(name); }
  bool key_name(std::string_view name) {
    if (depth_ == 1) field_ = field_of(name);
    return true;
  }
  bool end_object() {
    --depth_;
    return true;
  }
  bool start_array(std::size_t) {
    ++depth_;
    if (depth_ == 1) return fail_line("expected a JSON object");
    if (depth_ > 2 || field_ == kIgnored) return true;
    if (field_ != kWriter) return wrong_type();
    writer_parts_ = 0;
    return true;
  }
  bool end_array() {
    --depth_;
    if (depth_ != 1 || field_ != kWriter) return true;
    seen_ |= 1u << kWriter;
    return writer_parts_ == 2 || wrong_type();
  }
  bool parse_error(std::size_t position, const std::string&, const json::exception&) {
    return fail_line(fmt::format("not JSON from byte {} on", position));
  }

  // After the last event: what must be there, and what must fit together.
  bool complete() {
    if (depth_ != 0 || (seen_ == 0 && error_.problem.empty())) {
      return fail_line("expected a JSON object with an operation");
    }
    for (const Field field : {kClient, kSeq, kOp, kX, kY, kInvoke, kOutcome}) {
      if (!has(field)) return missing(field);
    }
    const bool read = op_.kind == Kind::read;
    const bool ok = op_.outcome == Outcome::ok;
    if (!has(kReturn) && op_.outcome != Outcome::unknown) return missing(kReturn);
    if (!fits_its_version()) return false;
    if (ok && op_.return_ns < op_.invoke_ns) {
      return fail_at(kReturn, fmt::format("expected at least invoke_ns, {}, got {}", op_.invoke_ns,
                                          op_.return_ns));
    }
    if (read && op_.read_mode == ReadMode::final && op_.node == 0) {
      return fail_at(kNode, "expected the replica of a final read");
    }
    if (read && versions_ && has(kWriter)) op_.writer = writer_;
    return true;
  }

  const Operation& operation() const { return op_; }
  const MalformedLine& error() const { return error_; }
  int stamp_digits() const { return digits_; }

 private:
  // Of a painted cell there is a colour.
  bool fits_its_version() {
    const bool read = op_.kind == Kind::read;
    const bool ok = op_.outcome == Outcome::ok;
    if (!versions_) {
      if (has(kColor)) return true;
      op_.color = kNoColor;
      return read || missing(kColor);
    }
    if (ok && !has(kVersion)) return missing(kVersion);
    const bool zero = op_.version == Stamp{};
    if (!has(kColor) && (!read || (ok && !zero))) return missing(kColor);
    if (ok && !read && zero) {
      return fail_at(kVersion, "expected the stamp that the write got, got zeros");
    }
    return true;
  }

  bool has(Field field) const { return (seen_ & (1u << field)) != 0; }
  bool ignored() const { return depth_ > 0 && (field_ == kIgnored || depth_ > 2); }

  bool fail_line(std::string problem) {
    error_.problem = std::move(problem);
    return false;
  }
  bool fail_at(Field field, std::string problem) {
    error_.field = kFieldNames[field];
    return fail_line(std::move(problem));
  }
  bool fail(std::string problem) { return fail_at(field_, std::move(problem)); }
  bool missing(Field field) { return fail_at(field, "missing"); }

  bool wrong_type() {
    if (depth_ == 0) return fail_line("expected a JSON object");
    switch (field_) {
      case kClient:
      case kSeq:
        return fail("expected an integer from 0 to 4294967295");
      case kX:
      case kY:
        return fail(fmt::format("expected an integer from 0 to {}", kMaxCoordinate));
      case kNode:
        return fail(fmt::format("expected an integer from 1 to {}, or null", Checker::kMaxNode));
      case kInvoke:
      case kReturn:
        return fail(fmt::format("expected nanoseconds from {} to {}", -kMaxTimeNs, kMaxTimeNs));
      case kWriter:
        return fail("expected [client, seq] or null");
      default:
        return fail("expected a string");
    }
  }

  bool take(std::int64_t value, std::int64_t least, std::int64_t most, std::uint32_t& to) {
    if (value < least || value > most) return wrong_type();
    to = static_cast<std::uint32_t>(value);
    return true;
  }

  bool integer(std::int64_t value) {
    if (depth_ == 0) return wrong_type();
    if (depth_ == 2) {  // within writer
      if (writer_parts_ >= 2) return wrong_type();
      return take(value, 0, kMax32, writer_parts_++ == 0 ? writer_.session : writer_.sequence);
    }
    seen_ |= 1u << field_;
    switch (field_) {
      case kClient:
        return take(value, 0, kMax32, op_.client);
      case kSeq:
        return take(value, 0, kMax32, op_.seq);
      case kX:
        return take(value, 0, kMaxCoordinate, op_.x);
      case kY:
        return take(value, 0, kMaxCoordinate, op_.y);
      case kNode:
        return take(value, 1, Checker::kMaxNode, op_.node);
      case kInvoke:
        op_.invoke_ns = value;
        return (value >= -kMaxTimeNs && value <= kMaxTimeNs) || wrong_type();
      case kReturn:
        op_.return_ns = value;
        return (value >= -kMaxTimeNs && value <= kMaxTimeNs) || wrong_type();
      default:
        return wrong_type();
    }
  }

  bool text(std::string_view value) {
    if (depth_ != 1) return wrong_type();
    seen_ |= 1u << field_;
    switch (field_) {
      case kOp:
        if (value == "place" || value == "read") {
          op_.kind = value == "read" ? Kind::read : Kind::place;
          return true;
        }
        return bad("\"place\" or \"read\"", value);
      case kColor:
        if (const auto color = parse_color(value)) {
          op_.color = *color;
          return true;
        }
        return bad("\"#RRGGBB\"", value);
      case kOutcome:
        return outcome(value);
      case kReadMode:
        return read_mode(value);
      case kVersion:
        return version(value);
      default:
        return wrong_type();
    }
  }

  bool bad(std::string_view allowed, std::string_view value) {
    return fail(fmt::format("expected {}, got \"{:.40}\"", allowed, value));
  }

  bool outcome(std::string_view value) {
    if (value == "ok") {
      op_.outcome = Outcome::ok;
    } else if (value == "refused") {
      op_.outcome = Outcome::refused;
    } else if (value == "unknown") {
      op_.outcome = Outcome::unknown;
    } else {
      return bad("\"ok\", \"refused\" or \"unknown\"", value);
    }
    return true;
  }

  bool read_mode(std::string_view value) {
    if (value == "linearizable") {
      op_.read_mode = ReadMode::linearizable;
    } else if (value == "local") {
      op_.read_mode = ReadMode::local;
    } else if (value == "final") {
      op_.read_mode = ReadMode::final;
    } else {
      return bad("\"linearizable\", \"local\" or \"final\"", value);
    }
    return true;
  }

  bool version(std::string_view value) {
    const auto stamp = parse_stamp(value);
    if (!stamp) return bad("1 to 32 hexadecimal digits", value);
    if (digits_ == 0) digits_ = static_cast<int>(value.size());
    if (digits_ != static_cast<int>(value.size())) {
      return bad(fmt::format("{} digits as on the lines before", digits_), value);
    }
    op_.version = *stamp;
    return true;
  }

  const bool versions_;
  Operation op_;
  Writer writer_;
  MalformedLine error_;
  std::uint32_t seen_ = 0;  // one bit a field that has a value
  int depth_ = 0;
  int writer_parts_ = 0;
  int digits_ = 0;
  Field field_ = kIgnored;
};

OperationParser::OperationParser(bool versions) : handler_(std::make_unique<Handler>(versions)) {}
OperationParser::~OperationParser() = default;

bool OperationParser::parse(std::string_view line, Operation& operation, MalformedLine& error) {
  using Scanner = FlatScanner<Handler>;
  handler_->reset();
  const Scanner::Outcome scanned = Scanner(line, *handler_).run();
  bool parsed = scanned == Scanner::Outcome::parsed;
  if (scanned == Scanner::Outcome::not_flat) {
    handler_->reset();
    parsed = json::sax_parse(line.begin(), line.end(), handler_.get());
  }
  if (parsed && handler_->complete()) {
    operation = handler_->operation();
    return true;
  }
  error.field = handler_->error().field;
  error.problem = handler_->error().problem;
  return false;
}

int OperationParser::stamp_digits() const {
  return handler_->stamp_digits();
}

namespace {

void read_departures(const json& manifest, ManifestFacts& facts) {
  if (const auto options = manifest.find("options");
      options != manifest.end() && options->is_object() && options->contains("ack") &&
      (*options)["ack"].is_number_unsigned()) {
    facts.copies = (*options)["ack"].get<std::uint32_t>();
  }
  const auto departures = manifest.find("departures");
  if (departures == manifest.end() || !departures->is_array()) return;
  for (const json& departure : *departures) {
    if (!departure.is_object() || !departure.contains("node") || !departure.contains("at_ns") ||
        !departure["node"].is_number_unsigned() || !departure["at_ns"].is_number_integer()) {
      throw std::invalid_argument("manifest.json: departures: expected objects of node and at_ns");
    }
    facts.departures.push_back(
        {departure["node"].get<std::uint32_t>(), departure["at_ns"].get<std::int64_t>()});
  }
}

}  // namespace

ManifestFacts read_manifest(const std::filesystem::path& path) {
  std::ifstream file(path);
  if (!file) throw std::system_error(errno, std::generic_category(), path.string());
  const json manifest = json::parse(file, nullptr, false);
  if (!manifest.is_object()) {
    throw std::invalid_argument(fmt::format("{}: expected a JSON object", path.string()));
  }
  const auto text = [&](const char* key) -> std::string {
    for (const json* holder :
         {&manifest, manifest.contains("spec") ? &manifest["spec"] : nullptr}) {
      if (holder && holder->is_object() && holder->contains(key) && (*holder)[key].is_string()) {
        return (*holder)[key].get<std::string>();
      }
    }
    return {};
  };
  ManifestFacts facts;
  const std::string canvas = text("canvas");
  const std::size_t cross = canvas.find('x');
  std::uint32_t width = 0;
  if (cross != std::string::npos &&
      std::from_chars(canvas.data(), canvas.data() + cross, width).ptr == canvas.data() + cross &&
      width > 0) {
    facts.canvas_width = width;
  }
  if (const std::string record = text("record"); !record.empty()) {
    facts.sampled = record != "all" && record != "none";
  }
  if (const auto quiescent = manifest.find("quiescent");
      quiescent != manifest.end() && quiescent->is_boolean()) {
    facts.quiescent = quiescent->get<bool>();
  }
  read_departures(manifest, facts);
  return facts;
}

namespace {

json consistency_of(const CheckResult& result) {
  const auto maybe = [](const auto& value) { return value ? json(*value) : json(nullptr); };
  const Consistency& c = result.consistency;
  return {{"verdict", verdict_name(result.verdict)},
          {"lost", maybe(c.lost)},
          {"superseded", maybe(c.superseded)},
          {"older_wins", maybe(c.older_wins)},
          {"stale_reads", c.stale_reads},
          {"stale_ms_max", c.stale_ms_max},
          {"stale_ms_mean", c.stale_ms_mean},
          {"stale_versions_max", c.stale_versions_max},
          {"stale_ms_p99", maybe(c.stale_ms_p99)},
          {"stale_versions_p99", maybe(c.stale_versions_p99)},
          {"places", result.places_ok},
          {"reads", result.reads},
          {"duplicates", c.duplicates},
          {"divergent_cells_max", maybe(c.divergent_cells_final)},
          {"lag_max", nullptr},
          {"converged_ms", nullptr}};
}

}  // namespace

std::string consistency_json(const CheckResult& result) {
  return consistency_of(result).dump();
}

std::string to_json(const CheckResult& result) {
  json anomalies = json::object();
  for (std::size_t i = 0; i < kAnomalies; ++i) {
    const auto anomaly = static_cast<Anomaly>(i);
    const Findings::Entry& entry = result.findings.of(anomaly);
    if (entry.count == 0) continue;
    anomalies[std::string(anomaly_name(anomaly))] = {
        {"count", entry.count},
        {"broken", breaks_promise(result.model, anomaly)},
        {"examples", entry.examples}};
  }
  const json document = {
      {"model", model_name(result.model)},
      {"verdict", verdict_name(result.verdict)},
      {"operations",
       {{"total", result.operations},
        {"places_ok", result.places_ok},
        {"places_refused", result.places_refused},
        {"places_unknown", result.places_unknown},
        {"reads", result.reads},
        {"final_reads", result.final_reads}}},
      {"cells", result.cells},
      {"journals", result.journals},
      {"applied", result.applied},
      {"live_nodes", result.live_nodes},
      {"anomalies", anomalies},
      {"consistency", consistency_of(result)},
      {"malformed", {{"count", result.malformed}, {"examples", result.malformed_examples}}},
      {"notes", result.notes}};
  return document.dump(2, ' ', false, json::error_handler_t::replace);
}

}  // namespace parley::history
