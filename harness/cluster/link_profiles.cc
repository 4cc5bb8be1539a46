#include "harness/cluster/link_profiles.h"

namespace parley::harness {
namespace {

constexpr NamedLinks kNamedLinks[] = {
    {"lan", "one zone of a data centre: 0.1 ms there and back", R"(
[[region]]
name = "Dallas 10"
rtt_ms = [0.1]
)"},
    {"metro", "three zones of a city: 2.1 to 2.2 ms there and back", R"(
jitter = 0.05
[[region]]
name = "Dallas 10"
rtt_ms = [0.1, 2.08, 2.22]
[[region]]
name = "Dallas 12"
rtt_ms = [2.08, 0.1, 2.19]
[[region]]
name = "Dallas 13"
rtt_ms = [2.22, 2.19, 0.1]
)"},
    {"five-regions", "five continents: 91 to 328 ms there and back", R"(
jitter = 0.05
[[region]]
name = "Washington DC"
rtt_ms = [0.1, 91, 166, 214, 118]
[[region]]
name = "Frankfurt"
rtt_ms = [91, 0.1, 228, 250, 196]
[[region]]
name = "Tokyo"
rtt_ms = [166, 230, 0.1, 115, 284]
[[region]]
name = "Sydney"
rtt_ms = [215, 250, 115, 0.1, 328]
[[region]]
name = "Sao Paulo"
rtt_ms = [119, 197, 286, 328, 0.1]
)"},
    {"nine-regions", "nine regions of five continents: 9 to 328 ms there and back", R"(
jitter = 0.05
[[region]]
name = "Washington DC"
rtt_ms = [0.1, 91, 166, 214, 118, 31, 76, 20, 174]
[[region]]
name = "Frankfurt"
rtt_ms = [91, 0.1, 228, 250, 196, 123, 13, 93, 233]
[[region]]
name = "Tokyo"
rtt_ms = [166, 230, 0.1, 115, 284, 142, 243, 162, 9]
[[region]]
name = "Sydney"
rtt_ms = [215, 250, 115, 0.1, 328, 185, 261, 214, 122]
[[region]]
name = "Sao Paulo"
rtt_ms = [119, 197, 286, 328, 0.1, 145, 186, 131, 291]
[[region]]
name = "Dallas"
rtt_ms = [31, 123, 143, 185, 145, 0.1, 113, 34, 149]
[[region]]
name = "London"
rtt_ms = [76, 13, 243, 261, 186, 113, 0.1, 83, 243]
[[region]]
name = "Toronto"
rtt_ms = [19, 93, 162, 216, 129, 34, 82, 0.1, 168]
[[region]]
name = "Osaka"
rtt_ms = [175, 233, 9, 122, 293, 150, 244, 168, 0.1]
)"},
};

}  // namespace

std::span<const NamedLinks> named_links() {
  return kNamedLinks;
}

}  // namespace parley::harness
