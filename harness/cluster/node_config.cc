#include "harness/cluster/node_config.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <limits>
#include <random>
#include <system_error>

#include <fmt/format.h>

#include "algorithms/registry/registry.h"
#include "apps/canvas/http_text.h"

namespace parley::harness {
namespace {

constexpr std::int64_t kMaxInteger = std::numeric_limits<std::int64_t>::max();
constexpr std::string_view kApplications[] = {"canvas"};
constexpr std::string_view kEndpointAllowed =
    "a ZeroMQ endpoint such as \"tcp://127.0.0.1:7001\" or \"ipc:///run/parley/1\"";

bool is_endpoint(std::string_view text) {
  for (const std::string_view transport : {"tcp://", "ipc://", "inproc://"}) {
    if (text.starts_with(transport) && text.size() > transport.size()) return true;
  }
  return false;
}

std::string read_endpoint(const ConfigReader& reader, std::string_view key,
                          const ConfigValue& value) {
  const std::string& text = reader.text_of(key, value, kEndpointAllowed);
  if (!is_endpoint(text)) {
    reader.fail(key, value, fmt::format("{} is not {}", shown(value), kEndpointAllowed));
  }
  return text;
}

// The node that a key of a table names.
NodeId read_node_key(const ConfigReader& reader, const std::string& key, const ConfigValue& value) {
  std::uint32_t id = 0;
  const char* end = key.data() + key.size();
  const auto [stop, error] = std::from_chars(key.data(), end, id);
  if (error != std::errc{} || stop != end || id < 1 || id > kMaxNodes) {
    reader.fail(key, value, fmt::format("the key is not a node from 1 to {}", kMaxNodes));
  }
  return NodeId{id};
}

// A page stands at the root of its server. Its address comes into a header, so that what may stand
// in it is narrow.
bool is_page(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!text.starts_with(scheme) || !text.ends_with('/')) continue;
    const std::string_view host = text.substr(scheme.size(), text.size() - scheme.size() - 1);
    constexpr std::string_view kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    return !host.empty() && host.find_first_not_of(kAllowed) == std::string_view::npos;
  }
  return false;
}

void read_pages(ConfigReader& reader, NodeSettings& settings) {
  constexpr std::string_view kAllowed =
      "the address of a node's page such as \"http://127.0.0.1:8080/\"";
  std::optional<ConfigReader> pages = reader.table("pages");
  if (!pages) return;
  for (const std::string& key : pages->keys()) {
    const ConfigValue& value = *pages->find(key);
    const NodeId node = read_node_key(*pages, key, value);
    if (!settings.peers.contains(node)) pages->fail(key, value, "the key is not a node of [peers]");
    const std::string& page = pages->text_of(key, value, kAllowed);
    if (!is_page(page))
      pages->fail(key, value, fmt::format("{} is not {}", shown(value), kAllowed));
    settings.pages[node] = page;
  }
}

void read_peers(ConfigReader& reader, NodeSettings& settings) {
  if (std::optional<ConfigReader> peers = reader.table("peers")) {
    for (const std::string& key : peers->keys()) {
      const ConfigValue& value = *peers->find(key);
      settings.peers[read_node_key(*peers, key, value)] = read_endpoint(*peers, key, value);
    }
    if (!settings.peers.contains(settings.node)) {
      reader.fail("peers", fmt::format("has no endpoint for this node, {}", settings.node.value));
    }
  } else {
    settings.peers[settings.node] = "";
  }
  if (settings.peers.size() > settings.algorithm->max_nodes) {
    reader.fail("peers", fmt::format("{} nodes; {} runs on at most {}", settings.peers.size(),
                                     settings.algorithm->name, settings.algorithm->max_nodes));
  }
}

// Why all nodes have to be members, for ever; empty if they have not.
std::string members_stay(const Algorithm& algorithm) {
  if (algorithm.changes_members) return {};
  std::string able;
  for (const Algorithm* other : algorithms()) {
    if (other->changes_members) able.append(able.empty() ? "" : ", ").append(other->name);
  }
  return fmt::format("the members of {} do not change while it runs; those of {} do",
                     algorithm.name, able);
}

void read_members(ConfigReader& reader, NodeSettings& settings) {
  const ConfigValue* value = reader.find("members");
  if (value == nullptr) return;
  std::string allowed;
  for (const NodeId node : settings.nodes()) {
    allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", node.value);
  }
  const std::vector<ConfigValue> elements = reader.elements("members");
  for (const ConfigValue& element : elements) {
    const auto id = static_cast<std::uint32_t>(reader.integer_of("members", element, 1, kMaxNodes));
    if (!settings.peers.contains(NodeId{id})) {
      reader.fail("members", element, fmt::format("{} is not a node of [peers]: {}", id, allowed));
    }
    settings.members.push_back(NodeId{id});
  }
  std::sort(settings.members.begin(), settings.members.end());
  if (std::adjacent_find(settings.members.begin(), settings.members.end()) !=
      settings.members.end()) {
    reader.fail("members", *value, "names a node twice");
  }
  const std::string stay = members_stay(*settings.algorithm);
  if (settings.members.size() < settings.peers.size() && !stay.empty()) {
    reader.fail("members", *value, stay);
  }
}

// Why the node cannot come back as another member; empty: it can.
std::string no_rejoin(const NodeSettings& settings) {
  const std::string stay = members_stay(*settings.algorithm);
  if (!stay.empty() || settings.durability != "none") return stay;
  return "with durability = \"none\" a node does not come back under its number: the others do not "
         "listen to a start that has forgotten what it knew; add another node";
}

void read_rejoin(ConfigReader& reader, NodeSettings& settings) {
  reader.boolean("rejoin", settings.rejoin);
  const std::string why = no_rejoin(settings);
  if (settings.rejoin && !why.empty()) reader.fail("rejoin", *reader.find("rejoin"), why);
}

// Who reaches such an endpoint can cut nodes off: the folder of an ipc endpoint says who may.
void read_ipc(ConfigReader& reader, std::string_view key, std::string& endpoint) {
  constexpr std::string_view kAllowed = "an ipc endpoint such as \"ipc:///run/parley/control\"";
  const ConfigValue* value = reader.find(key);
  if (value == nullptr) return;
  endpoint = reader.text_of(key, *value, kAllowed);
  if (!endpoint.starts_with("ipc://") || !is_endpoint(endpoint))
    reader.fail(key, *value, fmt::format("{} is not {}", shown(*value), kAllowed));
}

void read_cooldown(ConfigReader& reader, NodeSettings& settings) {
  double seconds = 0;
  reader.real("cooldown_s", 0, std::chrono::duration<double>(kMaxCooldown).count(), seconds);
  settings.cooldown =
      std::chrono::round<std::chrono::milliseconds>(std::chrono::duration<double>(seconds));
  if (settings.cooldown.count() == 0) return;
  if (!settings.algorithm->guarantee.ordered) {
    reader.fail("cooldown_s", fmt::format("{} merges writes and cannot make users wait",
                                          settings.algorithm->name));
  }
  if (!settings.journal.empty()) {
    reader.fail("cooldown_s", "a journal would list the users' times as placements: leave out one");
  }
}

void read_address(ConfigReader& reader, std::string& address) {
  reader.text("http_address", address);
  if (is_numeric_address(address)) return;
  reader.fail("http_address", *reader.find("http_address"),
              fmt::format("{} is not a numeric address such as \"127.0.0.1\" or \"::1\"",
                          toml_quoted(address)));
}

NodeSettings read_settings(ConfigReader& reader, const std::string& name) {
  NodeSettings settings;
  reader.require("node", fmt::format("a whole number from 1 to {}", kMaxNodes));
  reader.integer("node", 1, kMaxNodes, settings.node.value);
  const ConfigValue& algorithm = reader.require("algorithm", "the name of an algorithm");
  settings.algorithm = &algorithm_named(reader.text_of("algorithm", algorithm),
                                        fmt::format("{}:{}: ", name, algorithm.line));
  reader.integer("group", 1, std::numeric_limits<std::uint32_t>::max(), settings.group.value);
  reader.integer("seed", 0, kMaxInteger, settings.seed);
  reader.choice("application", kApplications, settings.application);
  read_canvas_size(reader, "canvas", settings.canvas);
  settings.client_endpoint =
      read_endpoint(reader, "client_endpoint", reader.require("client_endpoint", kEndpointAllowed));
  read_address(reader, settings.http_address);
  reader.integer("http_port", 0, 65535, settings.http_port);
  reader.choice("durability", kDurabilities, settings.durability);
  std::string path;
  reader.text("data", path);
  settings.data = path;
  if (settings.durability != "none" && settings.data.empty()) {
    reader.fail("data", fmt::format("is missing; durability = {} needs a folder for its storage",
                                    toml_quoted(settings.durability)));
  }
  if (settings.durability == "none" && !settings.data.empty()) {
    reader.fail("data", *reader.find("data"), "nothing is kept there with durability = \"none\"");
  }
  reader.integer("snapshot_bytes", 0, kMaxInteger, settings.snapshot_bytes);
  reader.integer("session_idle_s", 0, 1'000'000'000, settings.session_idle_s);
  path.clear();
  reader.text("journal", path);
  settings.journal = path;
  path.clear();
  reader.text("trace", path);
  settings.trace = path;
  path.clear();
  reader.text("log", path);
  settings.log = path;
  settings.options = default_options(settings.algorithm->options);
  if (std::optional<ConfigReader> options = reader.table("options")) {
    settings.options = read_options(*options, *settings.algorithm);
  }
  settings.algorithm = &with_options(*settings.algorithm, settings.options);
  read_cooldown(reader, settings);
  read_peers(reader, settings);
  read_members(reader, settings);
  read_rejoin(reader, settings);
  read_pages(reader, settings);
  read_ipc(reader, "control_endpoint", settings.control_endpoint);
  read_ipc(reader, "fault_endpoint", settings.fault_endpoint);
  if (!settings.fault_endpoint.empty() && !is_loopback_host(settings.http_address)) {
    reader.fail("fault_endpoint", fmt::format("needs a loopback http_address, not {}",
                                              toml_quoted(settings.http_address)));
  }
  settings.links = read_links(reader, settings.node);
  settings.faults = read_node_faults(reader, settings.durability);
  reader.finish();
  return settings;
}

}  // namespace

void make_rejoin(NodeSettings& settings) {
  const std::string why = no_rejoin(settings);
  if (!why.empty()) throw ConfigError("rejoin: " + why);
  settings.rejoin = true;
}

std::vector<NodeId> NodeSettings::nodes() const {
  std::vector<NodeId> ids;
  for (const auto& [id, endpoint] : peers) ids.push_back(id);
  return ids;
}

std::vector<NodeId> NodeSettings::first_members() const {
  std::vector<NodeId> first = members.empty() ? nodes() : members;
  if (rejoin) std::erase(first, node);
  return first;
}

std::vector<LinkRule> read_links(ConfigReader& reader, NodeId node) {
  std::vector<LinkRule> links;
  for (ConfigReader& link : reader.tables("link")) {
    LinkRule rule{node, kNoNode, {}};
    link.integer("to", 0, kMaxNodes, rule.to.value);
    rule.shape = read_link_shape(link);
    link.finish();
    links.push_back(rule);
  }
  return links;
}

std::string links_text(const std::vector<LinkRule>& links) {
  std::string text;
  for (const LinkRule& rule : links) {
    text += fmt::format("\n[[link]]\nto = {}\n{}", rule.to.value, link_shape_toml(rule.shape));
  }
  return text;
}

NodeFaults read_node_faults(ConfigReader& reader, const std::string& durability) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  NodeFaults faults;
  std::optional<ConfigReader> table = reader.table("faults");
  if (!table) return faults;
  double step_ms = 0;
  double delay_ms = 0;
  table->real("clock_step_ms", -kMaxClockStepMs, kMaxClockStepMs, step_ms);
  table->real("disk_delay_ms", 0, kMaxWriteDelayMs, delay_ms);
  table->boolean("disk_full", faults.disk.full);
  table->finish();
  faults.clock_step = std::chrono::round<Duration>(Milliseconds(step_ms));
  faults.disk.write_delay = std::chrono::round<Duration>(Milliseconds(delay_ms));
  if (durability == "none" && faults.disk != DiskFaults{})
    table->fail("", "durability \"none\" has no disk that could be slow or full");
  return faults;
}

std::string node_faults_text(const NodeFaults& faults) {
  using Milliseconds = std::chrono::duration<double, std::milli>;
  if (faults == NodeFaults{}) return {};
  return fmt::format("\n[faults]\nclock_step_ms = {}\ndisk_delay_ms = {}\ndisk_full = {}\n",
                     Milliseconds(faults.clock_step).count(),
                     Milliseconds(faults.disk.write_delay).count(), faults.disk.full);
}

Incarnation random_incarnation() {
  std::random_device device;
  std::uint64_t bits = device();
  bits = bits << 32 | device();
  return {(bits >> 2) | 1};
}

void read_canvas_size(ConfigReader& reader, std::string_view key, CanvasSize& size) {
  const std::string allowed =
      fmt::format("\"WIDTHxHEIGHT\" with each from 1 to {}, such as \"1000x1000\"", kMaxCanvasSide);
  const ConfigValue* value = reader.find(key);
  if (value == nullptr) return;
  if (!parse_canvas_size(reader.text_of(key, *value, allowed), size).empty()) {
    reader.fail(key, *value, fmt::format("{} is not {}", shown(*value), allowed));
  }
}

std::string to_text(const CanvasSize& size) {
  return fmt::format("{}x{}", size.width, size.height);
}

const Algorithm& algorithm_named(const std::string& name, const std::string& where) {
  if (const Algorithm* found = find_algorithm(name)) return *found;
  std::vector<std::string> names;
  for (const Algorithm* algorithm : algorithms()) names.emplace_back(algorithm->name);
  const std::string near = nearest(name, names);
  std::string known;
  for (const std::string& word : names) known += (known.empty() ? "" : ", ") + word;
  throw ConfigError(fmt::format("{}algorithm: {} is not one of this version: {}{}", where,
                                toml_quoted(name), known,
                                near.empty() ? "" : fmt::format("; the nearest is \"{}\"", near)));
}

namespace {

void set_from(const ConfigReader& reader, const Algorithm& algorithm, const std::string& name,
              const ConfigValue& value, OptionValues& values) {
  const bool as_text = value.kind == ConfigValue::Kind::text;
  if (!as_text && value.kind != ConfigValue::Kind::integer) {
    reader.fail(name, value, fmt::format("{} is neither a whole number nor text", shown(value)));
  }
  const std::string text = as_text ? value.text : shown(value);
  const std::string problem = set_option(algorithm.options, name, text, values);
  // The contract's message begins with the option's name, as ours does.
  if (!problem.empty()) {
    reader.fail(name, value, std::string_view(problem).substr(name.size() + 2));
  }
}

void check_together(const ConfigReader& reader, const Algorithm& algorithm,
                    const OptionValues& values) {
  if (algorithm.check_options == nullptr) return;
  if (const std::string problem = algorithm.check_options(values); !problem.empty()) {
    reader.fail("", problem);
  }
}

}  // namespace

OptionValues read_options(ConfigReader& reader, const Algorithm& algorithm) {
  OptionValues values = default_options(algorithm.options);
  for (const OptionSpec& spec : algorithm.options) {
    const ConfigValue* value = reader.find(spec.name);
    if (value != nullptr) set_from(reader, algorithm, spec.name, *value, values);
  }
  reader.finish();
  check_together(reader, algorithm, values);
  return values;
}

std::vector<OptionValues> read_option_lists(ConfigReader& reader, const Algorithm& algorithm) {
  constexpr std::size_t kMost = 1000;
  std::vector<OptionValues> all{default_options(algorithm.options)};
  for (const OptionSpec& spec : algorithm.options) {
    const std::vector<ConfigValue> elements = reader.elements(spec.name);
    if (elements.empty()) continue;
    if (all.size() * elements.size() > kMost) {
      reader.fail(spec.name, elements.front(),
                  fmt::format("makes more than {} combinations of options", kMost));
    }
    std::vector<OptionValues> product;
    for (const OptionValues& values : all) {
      for (const ConfigValue& element : elements) {
        set_from(reader, algorithm, spec.name, element, product.emplace_back(values));
      }
    }
    all = std::move(product);
  }
  reader.finish();
  for (const OptionValues& values : all) check_together(reader, algorithm, values);
  return all;
}

NodeSettings parse_node_config_text(std::string_view text, const std::string& name) {
  ConfigReader reader = ConfigReader::from_text(text, name);
  return read_settings(reader, name);
}

NodeSettings parse_node_config(const std::filesystem::path& path) {
  ConfigReader reader = ConfigReader::from_file(path);
  return read_settings(reader, path.string());
}

std::string node_config_text(const NodeSettings& s) {
  std::string text = fmt::format(
      "node = {}\nalgorithm = {}\ngroup = {}\nseed = {}\napplication = "
      "{}\ncanvas = {}\n"
      "client_endpoint = {}\nhttp_address = {}\nhttp_port = {}\ndurability = {}\n",
      s.node.value, toml_quoted(s.algorithm->name), s.group.value, s.seed,
      toml_quoted(s.application), toml_quoted(to_text(s.canvas)), toml_quoted(s.client_endpoint),
      toml_quoted(s.http_address), s.http_port, toml_quoted(s.durability));
  if (s.cooldown.count() != 0) {
    text += fmt::format("cooldown_s = {}\n", static_cast<double>(s.cooldown.count()) / 1000);
  }
  if (!s.data.empty()) text += fmt::format("data = {}\n", toml_quoted(s.data.string()));
  text +=
      fmt::format("snapshot_bytes = {}\nsession_idle_s = {}\n", s.snapshot_bytes, s.session_idle_s);
  if (!s.journal.empty()) text += fmt::format("journal = {}\n", toml_quoted(s.journal.string()));
  if (!s.trace.empty()) text += fmt::format("trace = {}\n", toml_quoted(s.trace.string()));
  if (!s.log.empty()) text += fmt::format("log = {}\n", toml_quoted(s.log.string()));
  if (!s.control_endpoint.empty())
    text += fmt::format("control_endpoint = {}\n", toml_quoted(s.control_endpoint));
  if (!s.fault_endpoint.empty())
    text += fmt::format("fault_endpoint = {}\n", toml_quoted(s.fault_endpoint));
  if (!s.members.empty()) {
    text += "members = [";
    for (const NodeId member : s.members) {
      text += fmt::format("{}{}", member == s.members.front() ? "" : ", ", member.value);
    }
    text += "]\n";
  }
  if (s.rejoin) text += "rejoin = true\n";
  if (s.peers.size() > 1 || (s.peers.size() == 1 && !s.peers.begin()->second.empty())) {
    text += "\n[peers]\n";
    for (const auto& [id, endpoint] : s.peers) {
      text += fmt::format("{} = {}\n", id.value, toml_quoted(endpoint));
    }
  }
  if (!s.pages.empty()) {
    text += "\n[pages]\n";
    for (const auto& [id, page] : s.pages) {
      text += fmt::format("{} = {}\n", id.value, toml_quoted(page));
    }
  }
  text += "\n[options]\n";
  for (const OptionSpec& spec : s.algorithm->options) {
    const std::string value = option_text(s.algorithm->options, spec.name, s.options);
    text += fmt::format("{} = {}\n", spec.name, spec.choices.empty() ? value : toml_quoted(value));
  }
  return text + links_text(s.links) + node_faults_text(s.faults);
}

void write_node_config(const NodeSettings& settings, const std::filesystem::path& path) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << node_config_text(settings);
  file.close();
  if (!file) throw std::system_error(errno, std::generic_category(), path.string());
}

}  // namespace parley::harness
