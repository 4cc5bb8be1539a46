#include "apps/canvas/gateway_json.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <nlohmann/json.hpp>
#include <set>

#include "algorithms/contract/fnv.h"
#include "apps/canvas/http_text.h"

namespace parley {
namespace {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

// What an object may be made of.
struct Form {
  std::string_view what;     // "a placement"
  std::string_view example;  // of an object
  std::vector<std::string_view> fields;
};
const Form kPlaceForm{"a placement",
                      R"({"x":50,"y":30,"color":"#FF5733"})",
                      {"x", "y", "color", "user", "client", "seq"}};
const Form kChangeForm{
    "a change of members", R"({"add":4,"disk":"8417","remove":2})", {"add", "disk", "remove"}};

Complaint bad_field(std::string_view field, const std::string& what, const std::string& allowed) {
  return {std::string(field) + ": " + what, "invalid", std::string(field), allowed};
}

std::string range_text(std::uint64_t low, std::uint64_t high) {
  return std::to_string(low) + " to " + std::to_string(high);
}

// A value as it may stand in an error message.
std::string shown(const Json& value) {
  constexpr std::size_t kLongest = 40;
  if (value.is_structured()) return value.is_array() ? "an array" : "an object";
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  if (text.size() > kLongest) text = text.substr(0, kLongest) + "…";
  return text;
}

// Reads an object with none but these fields, and none of them twice.
std::optional<Complaint> parse_object(std::string_view body, const Form& form, Json& object) {
  std::set<std::string> seen;
  std::string twice;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth == 1 && event == Json::parse_event_t::key) {
      const auto& name = parsed.get_ref<const std::string&>();
      if (!seen.insert(name).second) twice = name;
    }
    return true;
  };
  object = Json::parse(body, watch, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return Complaint{"body: is not a JSON object such as " + std::string(form.example), "invalid",
                     "body", "a JSON object"};
  }
  if (!twice.empty()) return bad_field(twice, "stands there twice", "once");
  std::string known;
  for (const std::string_view field : form.fields) {
    known.append(known.empty() ? "" : ", ").append(field);
  }
  for (const auto& [name, value] : object.items()) {
    if (std::find(form.fields.begin(), form.fields.end(), name) == form.fields.end()) {
      return bad_field(name, "is not a field of " + std::string(form.what) + "; there are " + known,
                       known);
    }
  }
  return std::nullopt;
}

// Reads fields of an object one after the other, and remembers the first complaint.
class Fields {
 public:
  explicit Fields(const Json& object) : object_(object) {}

  [[nodiscard]] bool has(std::string_view name) const { return object_.contains(name); }

  template <class Number>
  void number(std::string_view name, std::uint64_t low, std::uint64_t high, Number& to) {
    const Json* value = find(name, range_text(low, high));
    if (value == nullptr) return;
    if (value->is_number_unsigned()) {
      const auto read = value->get<std::uint64_t>();
      if (read >= low && read <= high) {
        to = static_cast<Number>(read);
        return;
      }
    }
    const std::string allowed = range_text(low, high);
    complain(bad_field(name,
                       value->is_number_integer()
                           ? shown(*value) + " is outside " + allowed
                           : shown(*value) + " is not a whole number from " + allowed,
                       allowed));
  }

  void color(std::string_view name, std::uint32_t& to) {
    const std::string allowed = "#000000 to #FFFFFF";
    const Json* value = find(name, allowed);
    if (value == nullptr) return;
    if (value->is_string() && parse_color(value->get_ref<const std::string&>(), to)) return;
    complain(bad_field(name, shown(*value) + " is not a colour such as \"#FF5733\"", allowed));
  }

  // One of these nodes.
  void node(std::string_view name, const std::vector<NodeId>& nodes, NodeId& to) {
    std::string allowed;
    for (const NodeId node : nodes) {
      allowed.append(allowed.empty() ? "" : ", ").append(std::to_string(node.value));
    }
    const Json* value = find(name, allowed);
    if (value == nullptr) return;
    for (const NodeId node : nodes) {
      if (*value == node.value) to = node;
    }
    if (to == kNoNode) {
      complain(bad_field(name, shown(*value) + " is not a node of [peers]: " + allowed, allowed));
    }
  }

  // A number that JavaScript would round, and therefore text.
  void disk(std::string_view name, DiskId& to) {
    const std::string allowed = "a whole number of 64 bits in quotes, as GET /status says it";
    const Json* value = find(name, allowed);
    if (value == nullptr) return;
    if (value->is_string() && parse_number(value->get_ref<const std::string&>(), to.value)) return;
    complain(bad_field(name, shown(*value) + " is not " + allowed, allowed));
  }

  void complain(Complaint complaint) {
    if (!complaint_) complaint_ = std::move(complaint);
  }
  [[nodiscard]] std::optional<Complaint>& complaint() { return complaint_; }

 private:
  const Json* find(std::string_view name, const std::string& allowed) {
    const auto it = object_.find(name);
    if (it != object_.end()) return &*it;
    complain(bad_field(name, "is missing", allowed));
    return nullptr;
  }

  const Json& object_;
  std::optional<Complaint> complaint_;
};

OrderedJson indices_json(const NodeReport& report) {
  return {{"commit", report.status.commit.value},
          {"last", report.status.last.value},
          {"applied", report.applied.value}};
}

OrderedJson peers_json(const NodeReport& report, const std::map<NodeId, std::string>& pages) {
  OrderedJson peers = OrderedJson::array();
  for (const PeerReport& peer : report.peers) {
    const auto page = pages.find(peer.id);
    peers.push_back({{"id", peer.id.value},
                     {"connected", peer.connected},
                     {"sent", peer.sent},
                     {"received", peer.received},
                     {"dropped", peer.dropped},
                     {"page", page == pages.end() ? OrderedJson() : OrderedJson(page->second)}});
  }
  return peers;
}

OrderedJson http_json(const HttpCounters& http) {
  return {{"connections", http.connections}, {"in_flight", http.in_flight},
          {"accepted", http.accepted},       {"turned_away", http.turned_away},
          {"requests", http.requests},       {"malformed", http.malformed},
          {"timed_out", http.timed_out},     {"sockets", http.sockets}};
}

OrderedJson leader_json(const NodeReport& report) {
  if (report.status.leader == kNoNode) return nullptr;
  return report.status.leader.value;
}

// Disks as text: their numbers are larger than those that JavaScript keeps.
OrderedJson membership_json(const Membership& members) {
  OrderedJson disks = OrderedJson::object();
  for (const Member& member : members.disks) {
    disks[std::to_string(member.node.value)] = std::to_string(member.disk.value);
  }
  return {{"voters", numbers_of(members.voters)},
          {"outgoing", numbers_of(members.outgoing)},
          {"learners", numbers_of(members.learners)},
          {"leaving", numbers_of(members.leaving)},
          {"disks", disks}};
}

OrderedJson members_object(const NodeReport& report) {
  return {{"node", report.node.value},
          {"leader", leader_json(report)},
          {"epoch", report.status.epoch.value},
          {"change", report.changes_members},
          {"members", membership_json(report.members)}};
}

// The port of an endpoint such as tcp://127.0.0.1:4711; null for one without.
OrderedJson port_json(std::string_view endpoint) {
  std::uint64_t port = 0;
  const std::size_t colon = endpoint.rfind(':');
  if (!endpoint.starts_with("tcp://") || !parse_number(endpoint.substr(colon + 1), port)) {
    return nullptr;
  }
  return port;
}

// "2025-12-31T23:59:59Z"; null for 0.
OrderedJson when_json(std::uint32_t when_s) {
  if (when_s == 0) return nullptr;
  const std::time_t time = when_s;
  std::tm utc{};
  gmtime_r(&time, &utc);
  std::array<char, 32> written{};
  return std::string(written.data(),
                     std::strftime(written.data(), written.size(), "%Y-%m-%dT%H:%M:%SZ", &utc));
}

// What comes from outside may not be UTF-8: such bytes are replaced, never thrown over.
std::string text(const OrderedJson& json) {
  return json.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace

std::optional<Complaint> parse_place(std::string_view body, CanvasSize size, PlaceRequest& place) {
  Json object;
  if (auto complaint = parse_object(body, kPlaceForm, object)) return complaint;
  Fields fields(object);
  fields.number("x", 0, size.width - 1, place.x);
  fields.number("y", 0, size.height - 1, place.y);
  fields.color("color", place.color);
  if (fields.has("user")) fields.number("user", 0, UINT32_MAX, place.user);
  if (fields.has("client") || fields.has("seq")) {
    // A retry is only recognised by both.
    fields.number("client", 0, kMaxClient, place.client.emplace());
    fields.number("seq", 1, UINT32_MAX, place.seq);
  }
  return std::move(fields.complaint());
}

std::string complaint_json(const Complaint& complaint) {
  OrderedJson json{{"error", complaint.error}, {"reason", complaint.reason}};
  if (!complaint.field.empty()) json["field"] = complaint.field;
  if (!complaint.allowed.empty()) json["allowed"] = complaint.allowed;
  return text(json);
}

std::string placed_json(const PlaceRequest& place, Stamp stamp) {
  OrderedJson json{{"version", version_text(stamp)},
                   {"x", place.x},
                   {"y", place.y},
                   {"color", color_text(place.color)},
                   {"user", place.user}};
  if (place.client) {
    json["client"] = *place.client;
    json["seq"] = place.seq;
  }
  return text(json);
}

std::string pixel_json(std::uint32_t x, std::uint32_t y, const canvas::CellState& cell,
                       ReadMode mode, std::uint32_t when_s) {
  OrderedJson json{{"x", x}, {"y", y}, {"painted", cell.painted() != 0}};
  json["color"] = nullptr;
  json["user"] = nullptr;
  json["writer"] = nullptr;
  if (cell.painted() != 0) {
    json["color"] = color_text(cell.color());
    json["user"] = cell.user();
    json["writer"] = {cell.writer_session(), cell.writer_sequence()};
  }
  json["version"] = version_text({cell.stamp_major(), cell.stamp_minor()});
  json["when"] = when_json(when_s);
  json["read"] = mode == ReadMode::local ? "local" : "linearizable";
  return text(json);
}

std::string status_json(const NodeReport& report, const std::map<NodeId, std::string>& pages,
                        const Canvas& canvas, const HttpCounters& http, std::uint32_t viewers,
                        bool takes_faults) {
  OrderedJson json{{"node", report.node.value},
                   {"incarnation", std::to_string(report.incarnation.value)},
                   {"algorithm", report.algorithm},
                   {"application", "canvas"},
                   {"role", report.role},
                   {"epoch", report.status.epoch.value},
                   {"leader", leader_json(report)},
                   {"part", part_of(report)},
                   {"disk", std::to_string(report.disk.value)},
                   {"members", membership_json(report.members)},
                   {"indices", indices_json(report)},
                   {"peers", peers_json(report, pages)},
                   {"client_port", port_json(report.client_endpoint)},
                   {"client_endpoint", report.client_endpoint}};
  json["digest"] = version_text({0, report.digest}).substr(16);
  json["written_cells"] = report.written_cells;
  json["sessions"] = report.sessions;
  json["commands_applied"] = report.commands_applied;
  json["frames_refused"] = report.frames_refused;
  json["elections"] = report.status.elections;
  json["log_bytes"] = report.status.log_bytes;
  json["snapshot"] = Json{{"index", report.status.snapshot.value},
                          {"bytes", report.snapshot_bytes},
                          {"made", report.snapshots_made},
                          {"installed", report.snapshots_installed},
                          {"error", report.snapshot_error}};
  json["held_runs"] = report.status.held_runs;
  json["superseded"] = report.status.superseded;
  json["in_doubt"] = report.status.in_doubt;
  json["blocked"] = report.status.blocked;
  json["blockings"] = report.status.blockings;
  json["blocked_ms"] =
      std::chrono::duration_cast<std::chrono::milliseconds>(report.status.blocked_time).count();
  json["concurrent"] = report.status.concurrent;
  json["viewers"] = viewers;
  json["takes_faults"] = takes_faults;
  json["canvas"] = {{"width", canvas.size().width},
                    {"height", canvas.size().height},
                    {"background", "#FFFFFF"},
                    {"cooldown_ms", canvas.cooldown().count()}};
  json["http"] = http_json(http);
  return text(json);
}

std::string health_json(const NodeReport& report) {
  return text({{"status", "ok"},
               {"node", report.node.value},
               {"role", report.role},
               {"leader", leader_json(report)}});
}

std::string members_json(const NodeReport& report) {
  return text(members_object(report));
}

std::optional<Complaint> parse_member_change(std::string_view body,
                                             const std::vector<NodeId>& nodes,
                                             MemberChange& change) {
  Json object;
  if (auto complaint = parse_object(body, kChangeForm, object)) return complaint;
  Fields fields(object);
  if (!fields.has("add") && !fields.has("remove")) {
    fields.complain(bad_field("add", "is missing, and so is remove", "add, remove, or both"));
  }
  if (fields.has("add")) {
    fields.node("add", nodes, change.add);
    fields.disk("disk", change.disk);
  } else if (fields.has("disk")) {
    fields.complain(bad_field("disk", "is that of a node to add, and there is none", "with add"));
  }
  if (fields.has("remove")) fields.number("remove", 1, UINT32_MAX, change.remove.value);
  if (change.add != kNoNode && change.add == change.remove) {
    fields.complain(bad_field("remove", "is the node that is added", "another node"));
  }
  return std::move(fields.complaint());
}

std::string change_json(const NodeReport& report, std::string_view outcome,
                        const std::string& error) {
  OrderedJson json = members_object(report);
  json["outcome"] = outcome;
  if (!error.empty()) {
    json["error"] = "members: " + error;
    json["reason"] = outcome;
  }
  return text(json);
}

std::optional<Complaint> parse_course_place(std::string_view body, CanvasSize size,
                                            PlaceRequest& place) {
  const Json object = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    return Complaint{
        "body: is not a JSON object such as {\"user_id\":\"eve\",\"x\":50,\"y\":30,\"color\":255}",
        "invalid", "body", "a JSON object"};
  }
  Fields fields(object);
  fields.number("x", 0, size.width - 1, place.x);
  fields.number("y", 0, size.height - 1, place.y);
  fields.number("color", 0, kMaxColor, place.color);
  const auto user = object.find("user_id");
  if (user != object.end() && user->is_string()) {
    place.user = fnv1a_32(user->get_ref<const std::string&>());
  } else if (user != object.end() && !user->is_null()) {
    fields.number("user_id", 0, UINT32_MAX, place.user);
  }
  return std::move(fields.complaint());
}

CourseMessage parse_course_message(std::string_view message, std::string& error) {
  const Json object = Json::parse(message, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) {
    error = "message: is not a JSON object such as {\"type\":\"ping\"}";
    return CourseMessage::bad;
  }
  const auto type = object.find("type");
  if (type != object.end() && *type == "connect") return CourseMessage::connect;
  if (type != object.end() && *type == "ping") return CourseMessage::ping;
  error = type == object.end() ? "type: is missing; there are connect, ping"
                               : "type: " + shown(*type) + " is neither of connect, ping";
  return CourseMessage::bad;
}

std::string course_connected_json(const NodeReport& report) {
  const OrderedJson node{{"id", report.node.value}, {"role", report.role}};
  return text({{"type", "connected"}, {"content", {{"node", node}}}});
}

std::string course_error_json(const std::string& error) {
  return text({{"type", "error"}, {"message", error}});
}

// Written by hand: there is one for every pixel and viewer.
std::string course_pixel_json(std::uint32_t x, std::uint32_t y, std::uint32_t color) {
  std::string json = R"({"type":"pixel","content":{"x":)";
  json += std::to_string(x);
  json += ",\"y\":";
  json += std::to_string(y);
  json += ",\"color\":";
  json += std::to_string(color);
  json += "}}";
  return json;
}

std::string course_pong_json() {
  return R"({"type":"pong","content":{"status":"ok"}})";
}

std::string course_refusal_json(const Complaint& complaint) {
  OrderedJson json{{"success", false}, {"error", complaint.error}, {"reason", complaint.reason}};
  if (!complaint.field.empty()) json["field"] = complaint.field;
  if (!complaint.allowed.empty()) json["allowed"] = complaint.allowed;
  return text(json);
}

}  // namespace parley
