// The profiles of links that have a name.
#pragma once

#include <span>
#include <string_view>

namespace parley::harness {

struct NamedLinks {
  std::string_view name;
  std::string_view summary;
  std::string_view toml;  // as a file would have it, see links.h
};

// lan, metro, five-regions, nine-regions. Round trips are those that IBM Cloud publishes of its own
// network
// ("Network latency dashboards" in the documentation of its VPC, averages from 31 August to 29
// September 2024): measured both ways, so that a link's two directions may differ. It publishes
// averages only: that delays vary by 5 % around them is our assumption. Nothing is lost: TCP, which
// carries the messages there as here, makes loss a delay.
std::span<const NamedLinks> named_links();

}  // namespace parley::harness
