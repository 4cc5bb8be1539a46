#include "harness/maelstrom/workloads.h"

namespace parley::maelstrom {
namespace {

Json done(const char* type) {
  return {{"type", type}};
}

Json malformed(const std::string& text) {
  return error_body(ErrorCode::malformed_request, text);
}

// A JSON value of a request as text, of bounded length.
std::string read_text(const Json& body, const char* field, std::size_t max_bytes,
                      std::string& text) {
  const auto it = body.find(field);
  if (it == body.end()) return std::string(field) + ": is missing";
  text = it->dump();
  if (text.size() <= max_bytes) return {};
  return std::string(field) + ": has " + std::to_string(text.size()) +
         " bytes as JSON, more than " + std::to_string(max_bytes);
}

// The reply of a command of the map.
Json map_reply(const Result& result, const char* type) {
  switch (result.code) {
    case kv::kDone:
      return done(type);
    case kv::kMissing:
      return error_body(ErrorCode::key_does_not_exist, "key: does not exist");
    case kv::kMismatch:
      return error_body(ErrorCode::precondition_failed, "from: is not the value of the key");
    case kv::kFull:
      return error_body(ErrorCode::temporarily_unavailable,
                        "key: there are " + std::to_string(kv::kMaxEntries) + " others already");
    default:
      return malformed("the command is not valid");
  }
}

Commands map_command(std::vector<std::byte> payload, const char* type) {
  return {{std::move(payload)},
          [type](std::span<const Result> results) { return map_reply(results.front(), type); }};
}

Json value_reply(Bytes answer) {
  const auto text = kv::decode_value(answer);
  if (!text) return error_body(ErrorCode::key_does_not_exist, "key: does not exist");
  Json value = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  // Only another program in a member's name can have written that.
  if (value.is_discarded()) return error_body(ErrorCode::abort, "value: is no JSON");
  return {{"type", "read_ok"}, {"value", std::move(value)}};
}

// `field` is what the workload calls the elements.
Json set_reply(Bytes answer, const char* field) {
  Json elements = Json::array();
  for (const std::string& text : kv::decode_elements(answer)) {
    Json element = Json::parse(text, nullptr, /*allow_exceptions=*/false);
    if (!element.is_discarded()) elements.push_back(std::move(element));
  }
  return {{"type", "read_ok"}, {field, std::move(elements)}};
}

bool serves_map(const Algorithm& algorithm) {
  const Guarantee& promised = algorithm.guarantee;
  return promised.ordered && promised.linearizable_writes && promised.linearizable_reads;
}

}  // namespace

Workloads::Workloads(const Algorithm& algorithm)
    : algorithm_(algorithm),
      has_map_(serves_map(algorithm)),
      application_(has_map_ ? kv::Application::Kind::map_and_set : kv::Application::Kind::set) {}

Work Workloads::take(const Json& body) {
  const auto& type = body.at("type").get_ref<const std::string&>();
  if (type == "read") return read(body);
  if (type == "write") return write(body);
  if (type == "cas") return compare_and_set(body);
  if (type == "broadcast") {
    broadcast_ = true;
    return add(body, "message", "broadcast_ok");
  }
  if (type == "add" && !body.contains("delta")) return add(body, "element", "add_ok");
  if (type == "topology") {
    // Strategies have ways of their own to reach everyone.
    broadcast_ = true;
    return done("topology_ok");
  }
  return error_body(ErrorCode::not_supported,
                    "type: \"" + type.substr(0, 40) +
                        "\" is none of lin-kv (read, write, cas), broadcast (broadcast, read, "
                        "topology) and g-set (add of an element, read)");
}

Work Workloads::read(const Json& body) {
  if (!body.contains("key")) return read_set();
  if (!has_map_) return error_body(ErrorCode::not_supported, why_no_map());
  std::string key;
  const std::string problem = read_text(body, "key", kv::kMaxKeyBytes, key);
  if (!problem.empty()) return malformed(problem);
  return Question{kv::encode_get(key), ReadMode::linearizable, value_reply};
}

Work Workloads::write(const Json& body) const {
  if (!has_map_) return error_body(ErrorCode::not_supported, why_no_map());
  std::string key;
  std::string value;
  std::string problem = read_text(body, "key", kv::kMaxKeyBytes, key);
  if (problem.empty()) problem = read_text(body, "value", kv::kMaxValueBytes, value);
  if (!problem.empty()) return malformed(problem);
  return map_command(kv::encode_write(key, value), "write_ok");
}

Work Workloads::compare_and_set(const Json& body) const {
  if (!has_map_) return error_body(ErrorCode::not_supported, why_no_map());
  std::string key;
  std::string from;
  std::string to;
  std::string problem = read_text(body, "key", kv::kMaxKeyBytes, key);
  if (problem.empty()) problem = read_text(body, "from", kv::kMaxValueBytes, from);
  if (problem.empty()) problem = read_text(body, "to", kv::kMaxValueBytes, to);
  const auto create = body.find("create_if_not_exists");
  if (problem.empty() && create != body.end() && !create->is_boolean()) {
    problem = "create_if_not_exists: must be true or false";
  }
  if (!problem.empty()) return malformed(problem);
  const bool creates = create != body.end() && create->get<bool>();
  return map_command(kv::encode_compare_and_set(key, from, to, creates), "cas_ok");
}

Work Workloads::add(const Json& body, const char* field, const char* done_type) {
  if (self_.value > kv::kMaxLists) {
    return error_body(ErrorCode::not_supported, "node_ids: the set has room for what " +
                                                    std::to_string(kv::kMaxLists) +
                                                    " nodes add, and this is a later one");
  }
  std::string element;
  const std::string problem = read_text(body, field, kv::kMaxElementBytes, element);
  if (!problem.empty()) return malformed(problem);
  const Cells cells = take_cells(kv::cells_of(element));
  if (boost::icl::is_empty(cells)) {
    return error_body(ErrorCode::temporarily_unavailable,
                      std::string(field) + ": this node has no room for more");
  }
  return Commands{kv::encode_add(self_, boost::icl::first(cells), element),
                  [done_type](std::span<const Result>) { return done(done_type); },
                  [this, cells] { free_.add(cells); }};
}

Workloads::Cells Workloads::take_cells(std::uint32_t count) {
  for (const Cells& free : free_) {
    if (boost::icl::length(free) < count) continue;
    const std::uint32_t first = boost::icl::first(free);
    const Cells taken = Cells::right_open(first, first + count);
    free_.subtract(taken);
    return taken;
  }
  return {};
}

Work Workloads::read_set() const {
  const char* field = broadcast_ ? "messages" : "value";
  const ReadMode mode =
      algorithm_.guarantee.linearizable_reads ? ReadMode::linearizable : ReadMode::local;
  return Question{kv::encode_elements(), mode,
                  [field](Bytes answer) { return set_reply(answer, field); }};
}

std::string Workloads::why_no_map() const {
  return "lin-kv needs linearizable writes and reads; " + std::string(algorithm_.name) +
         " promises: " + std::string(algorithm_.guarantee.summary);
}

}  // namespace parley::maelstrom
