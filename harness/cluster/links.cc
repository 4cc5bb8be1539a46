#include "harness/cluster/links.h"

#include <cmath>

#include <fmt/format.h>

#include "harness/cluster/link_profiles.h"

namespace parley::harness {
namespace {

constexpr double kMaxDelayMs = 60'000;
constexpr std::int64_t kHighestNode = 64;

std::uint32_t microseconds(double ms) {
  return static_cast<std::uint32_t>(std::lround(ms * 1000));
}

std::string names_of_profiles() {
  std::string names = "\"loopback\"";
  for (const NamedLinks& named : named_links()) names += fmt::format(", \"{}\"", named.name);
  return names;
}

struct Region {
  std::string name;
  std::vector<double> rtt_ms;  // to each region
};

std::vector<Region> read_regions(ConfigReader& reader) {
  std::vector<Region> regions;
  std::vector<ConfigReader> tables = reader.tables("region");
  for (ConfigReader& table : tables) {
    Region region;
    table.require("name", "a text");
    table.text("name", region.name);
    const ConfigValue& trips = table.require("rtt_ms", "a list of milliseconds");
    for (const ConfigValue& trip : table.elements("rtt_ms")) {
      region.rtt_ms.push_back(table.real_of("rtt_ms", trip, 0, 2 * kMaxDelayMs));
    }
    if (region.rtt_ms.size() != tables.size()) {
      table.fail("rtt_ms", trips,
                 fmt::format("has {} values; each of the {} regions must have one, in their order",
                             region.rtt_ms.size(), tables.size()));
    }
    table.finish();
    regions.push_back(std::move(region));
  }
  return regions;
}

// Links by where their ends are.
void read_geography(ConfigReader& reader, NetworkProfile& profile) {
  double jitter = 0;
  double loss = 0;
  LinkShape shape;
  reader.real("jitter", 0, 1, jitter);
  reader.real("loss", 0, 1, loss);
  reader.boolean("reorder", shape.reorder);
  shape.loss_per_million = static_cast<std::uint32_t>(std::lround(loss * 1e6));
  const std::vector<Region> regions = read_regions(reader);
  if (regions.empty()) reader.fail("region", "is empty; leave it out, or name at least one");
  reader.finish();
  for (const Region& region : regions) profile.regions.push_back(region.name);
  for (std::uint32_t from = 1; from <= kHighestNode; ++from) {
    for (std::uint32_t to = 1; to <= kHighestNode; ++to) {
      if (from == to) continue;
      const Region& here = regions[profile.region_of(NodeId{from})];
      const double delay_ms = here.rtt_ms[profile.region_of(NodeId{to})] / 2;
      shape.delay_us = microseconds(delay_ms);
      shape.jitter_us = microseconds(delay_ms * jitter);
      profile.rules.push_back({NodeId{from}, NodeId{to}, shape});
    }
  }
}

void read_profile(ConfigReader& reader, NetworkProfile& profile) {
  if (reader.find("region") != nullptr) return read_geography(reader, profile);
  const LinkShape everywhere = read_link_shape(reader);
  if (everywhere != LinkShape{}) profile.rules.push_back({kNoNode, kNoNode, everywhere});
  for (ConfigReader& link : reader.tables("link")) {
    LinkRule rule;
    link.require("from", "a node, from 1 to 64");
    link.integer("from", 1, kHighestNode, rule.from.value);
    link.require("to", "a node, from 1 to 64");
    link.integer("to", 1, kHighestNode, rule.to.value);
    rule.shape = read_link_shape(link);
    link.finish();
    profile.rules.push_back(rule);
  }
  reader.finish();
}

}  // namespace

LinkShape read_link_shape(ConfigReader& reader) {
  double delay_ms = 0;
  double jitter_ms = 0;
  double loss = 0;
  LinkShape shape;
  reader.real("delay_ms", 0, kMaxDelayMs, delay_ms);
  reader.real("jitter_ms", 0, kMaxDelayMs, jitter_ms);
  reader.real("loss", 0, 1, loss);
  reader.boolean("cut", shape.cut);
  reader.boolean("reorder", shape.reorder);
  shape.delay_us = microseconds(delay_ms);
  shape.jitter_us = microseconds(jitter_ms);
  shape.loss_per_million = static_cast<std::uint32_t>(std::lround(loss * 1e6));
  return shape;
}

std::string link_shape_toml(const LinkShape& shape) {
  return fmt::format("delay_ms = {}\njitter_ms = {}\nloss = {}\ncut = {}\nreorder = {}\n",
                     shape.delay_us / 1e3, shape.jitter_us / 1e3, shape.loss_per_million / 1e6,
                     shape.cut, shape.reorder);
}

NetworkProfile load_network_profile(const std::string& name_or_path) {
  NetworkProfile profile;
  profile.name = name_or_path;
  if (name_or_path == "loopback") return profile;
  for (const NamedLinks& named : named_links()) {
    if (name_or_path != named.name) continue;
    ConfigReader reader = ConfigReader::from_text(named.toml, std::string(named.name));
    read_profile(reader, profile);
    return profile;
  }
  if (name_or_path.find('/') == std::string::npos && !name_or_path.ends_with(".toml")) {
    throw ConfigError(
        fmt::format("links: {} is not a profile; allowed: {}, or the path of a TOML file (with "
                    "delay_ms, jitter_ms, loss, cut, [[link]], or with [[region]])",
                    toml_quoted(name_or_path), names_of_profiles()));
  }
  ConfigReader reader = ConfigReader::from_file(name_or_path);
  read_profile(reader, profile);
  return profile;
}

}  // namespace parley::harness
