#include "runtime/maelstrom/message.h"

#include <limits>

namespace parley::maelstrom {
namespace {

// Parses JSON of bounded depth; discarded if it is none.
Json parse(std::string_view line) {
  bool too_deep = false;
  const auto watch = [&too_deep](int depth, Json::parse_event_t event, Json&) {
    const bool opens =
        event == Json::parse_event_t::object_start || event == Json::parse_event_t::array_start;
    if (opens && depth >= kMaxDepth) too_deep = true;
    return !too_deep;
  };
  Json parsed = Json::parse(line, watch, /*allow_exceptions=*/false);
  return too_deep ? Json(Json::value_t::discarded) : parsed;
}

std::string read_text(const Json& object, const char* field, std::string& to) {
  const auto it = object.find(field);
  if (it == object.end()) return std::string(field) + ": is missing";
  if (!it->is_string()) return std::string(field) + ": must be a string";
  to = it->get<std::string>();
  return {};
}

std::string read_id(const Json& object, const char* field, std::optional<std::int64_t>& to) {
  const auto it = object.find(field);
  if (it == object.end()) return {};
  const bool fits = !it->is_number_unsigned() ||
                    it->get<std::uint64_t>() <= std::numeric_limits<std::int64_t>::max();
  if (!it->is_number_integer() || !fits) {
    return std::string(field) + ": must be a whole number of 64 bits with sign";
  }
  to = it->get<std::int64_t>();
  return {};
}

}  // namespace

std::string decode(std::string_view line, Message& message) {
  message = {};
  Json parsed = parse(line);
  if (!parsed.is_object()) {
    return "line: must be a JSON object with src, dest and body, of at most " +
           std::to_string(kMaxDepth) + " levels";
  }
  std::string problem = read_text(parsed, "src", message.src);
  std::string next = read_text(parsed, "dest", message.dest);
  if (problem.empty()) problem = std::move(next);
  const auto body = parsed.find("body");
  if (body == parsed.end() || !body->is_object()) return "body: must be an object";
  message.body = std::move(*body);
  next = read_id(message.body, "msg_id", message.msg_id);
  if (problem.empty()) problem = std::move(next);
  next = read_id(message.body, "in_reply_to", message.in_reply_to);
  if (problem.empty()) problem = std::move(next);
  next = read_text(message.body, "type", message.type);
  if (problem.empty()) problem = std::move(next);
  return problem;
}

std::string encode(std::string_view src, std::string_view dest, const Json& body) {
  const Json message{{"src", src}, {"dest", dest}, {"body", body}};
  // A text may have been cut within a letter.
  return message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Json error_body(ErrorCode code, std::string_view text) {
  return {{"type", "error"}, {"code", static_cast<int>(code)}, {"text", text}};
}

}  // namespace parley::maelstrom
