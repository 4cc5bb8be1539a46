#include "harness/cluster/links.h"

#include <cmath>

#include <fmt/format.h>

namespace parley::harness {
namespace {

constexpr double kMaxDelayMs = 60'000;
constexpr std::int64_t kHighestNode = 64;

std::uint32_t microseconds(double ms) {
  return static_cast<std::uint32_t>(std::lround(ms * 1000));
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
  if (name_or_path.find('/') == std::string::npos && !name_or_path.ends_with(".toml")) {
    throw ConfigError(
        fmt::format("links: {} is not a profile of this version; allowed: \"loopback\", or the "
                    "path of a TOML file (with delay_ms, jitter_ms, loss, cut, [[link]])",
                    toml_quoted(name_or_path)));
  }
  ConfigReader reader = ConfigReader::from_file(name_or_path);
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
  return profile;
}

}  // namespace parley::harness
