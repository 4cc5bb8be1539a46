// Small pure functions on the text of HTTP requests.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace parley {

// The host of "host", "host:port" or "[v6]:port", without port and brackets, in lower case; empty
// if it is none.
std::string host_of(std::string_view authority);

// Whether a host names this very machine: localhost, *.localhost, 127.0.0.0/8, ::1.
bool is_loopback_host(std::string_view host);

// Whether it is an IPv4 or IPv6 address in numbers, which is all that a server listens on.
bool is_numeric_address(const std::string& address);

// The authority (host and port) of an http or https origin; empty for anything else, "null" too.
std::string_view origin_authority(std::string_view origin);

// Which of `offered` media types an Accept header likes best: its place, or -1 for none. The first
// wins among equals; an empty header accepts everything. (RFC 9110, 12.5.1.)
int choose_media_type(std::string_view accept, std::span<const std::string_view> offered);

// Whether an If-None-Match header names `etag` (compared weakly; RFC 9110, 13.1.2).
bool etag_matches(std::string_view if_none_match, std::string_view etag);

// The parameters of "a=1&b=2" in their order. Values are taken as they are.
std::vector<std::pair<std::string_view, std::string_view>> query_parameters(std::string_view query);

// Reads a decimal number without sign, blanks or surplus.
bool parse_number(std::string_view text, std::uint64_t& number);

}  // namespace parley
