// The JSON of the gateway: what POST bodies must look like, and what the answers look like.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "algorithms/contract/node_port.h"
#include "apps/canvas/canvas.h"
#include "apps/canvas/http_server.h"

namespace parley {

// What is wrong with a request.
struct Complaint {
  std::string error;    // for people; names the field and what is allowed
  std::string reason;   // in a word, for machines: "invalid", "no_leader", ...
  std::string field;    // may be empty
  std::string allowed;  // may be empty
};

// The body of POST /pixel.
struct PlaceRequest {
  std::uint32_t x = 0;
  std::uint32_t y = 0;
  std::uint32_t color = 0;
  std::uint32_t user = 0;
  std::optional<std::uint64_t> client;  // with seq, or neither
  std::uint32_t seq = 0;
  std::uint64_t time_ms = 0;  // when it was taken in, since 1970; 0 where there is no cooldown
};
inline constexpr std::uint64_t kMaxClient = (1ULL << 53) - 1;  // JSON numbers are exact up to here

// Reads a placement. Fields: x, y (whole numbers on the canvas), color ("#RRGGBB"), and optionally
// user (a whole number of 32 bits, 0 if absent), client (0 to kMaxClient) with seq (1 to 2^32 - 1).
// Others, and the same one twice, are refused.
std::optional<Complaint> parse_place(std::string_view body, CanvasSize size, PlaceRequest& place);

std::string complaint_json(const Complaint& complaint);
std::string placed_json(const PlaceRequest& place, Stamp stamp);
// `when_s` (seconds since 1970) is when that version was first seen here, 0 if unknown.
std::string pixel_json(std::uint32_t x, std::uint32_t y, const canvas::CellState& cell,
                       ReadMode mode, std::uint32_t when_s);
// `pages` are the web pages of members, as far as they are known; `takes_faults` whether POST
// /faults is allowed.
std::string status_json(const NodeReport& report, const std::map<NodeId, std::string>& pages,
                        const Canvas& canvas, const HttpCounters& http, std::uint32_t viewers,
                        bool takes_faults);
std::string health_json(const NodeReport& report);
// The answer to GET /members.
std::string members_json(const NodeReport& report);

// Reads {"add": 4, "disk": "…", "remove": 2}: `add` with `disk`, `remove`, or all three. `nodes`:
// who can be added.
std::optional<Complaint> parse_member_change(std::string_view body,
                                             const std::vector<NodeId>& nodes,
                                             MemberChange& change);
// What became of it: the members as this node knows them now, and why not.
std::string change_json(const NodeReport& report, std::string_view outcome,
                        const std::string& error);

// --- the API of the course project distri-place ---

// Reads {"user_id","x","y","color":0xRRGGBB}. `user_id` is a number or a text, of which a hash
// stands for the user; it may be absent. Other fields are ignored, as that project does.
std::optional<Complaint> parse_course_place(std::string_view body, CanvasSize size,
                                            PlaceRequest& place);

enum class CourseMessage : std::uint8_t { connect, ping, bad };
// Reads {"type":"connect"} or {"type":"ping"}; `error` says what is wrong with a bad one.
CourseMessage parse_course_message(std::string_view message, std::string& error);

std::string course_connected_json(const NodeReport& report);
std::string course_error_json(const std::string& error);
std::string course_pixel_json(std::uint32_t x, std::uint32_t y, std::uint32_t color);
std::string course_pong_json();
std::string course_refusal_json(const Complaint& complaint);

}  // namespace parley
