#include "harness/cluster/cluster.h"

#include <algorithm>
#include <charconv>
#include <csignal>
#include <fstream>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

#include <fmt/format.h>

#include "harness/cluster/log_merge.h"
#include "harness/cluster/node_control.h"
#include "harness/cluster/node_probe.h"
#include "harness/cluster/ports.h"
#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;

constexpr auto kProbeLimit = 200ms;       // of one question while the cluster starts
constexpr auto kProbePause = 5ms;         // between questions for a leader
constexpr auto kLeaderLimit = 1000ms;     // to find whom a fault is for
constexpr auto kControlLimit = 10s;       // for nodes to take over their links, also as they start
constexpr auto kControlPatience = 500ms;  // until one is asked again
constexpr auto kEndsOfAFullDisk = 200ms;  // a node that could not write
constexpr std::size_t kTailLines = 15;
constexpr std::uint64_t kMostDelayUs = 60'000'000;  // of a link, as of files

struct Node {
  Member member;
  NodeSettings settings;
  std::filesystem::path log;
  std::optional<ChildProcess> process;
  ProcessUsage last_usage;
  ProcessUsage earlier_usage;    // of the processes before this one
  bool ending_expected = false;  // killed or stopped by us
  bool paused = false;
  bool reported = false;  // among the casualties
  NodeFaults faults;      // all of them together, but for a full disk
  int full_disk = 0;      // how many faults have filled it
};

std::string to_text(const std::vector<DirectedLink>& links) {
  std::string text = "the links";
  for (const DirectedLink& link : links)
    text += fmt::format(" {}>{}", link.from.value, link.to.value);
  return text;
}

// Whatever both do to a message.
LinkShape slower(LinkShape shape, const LinkShape& by) {
  constexpr std::uint64_t kMillion = 1'000'000;
  const auto sum = [](std::uint64_t a, std::uint64_t b) {
    return static_cast<std::uint32_t>(std::min(a + b, kMostDelayUs));
  };
  shape.delay_us = sum(shape.delay_us, by.delay_us);
  shape.jitter_us = sum(shape.jitter_us, by.jitter_us);
  const std::uint64_t passes =
      (kMillion - shape.loss_per_million) * (kMillion - by.loss_per_million) / kMillion;
  shape.loss_per_million = static_cast<std::uint32_t>(kMillion - passes);
  return shape;
}

std::string to_text(const NodeFaults& faults) {
  const auto ms = [](Duration d) { return std::chrono::duration<double, std::milli>(d).count(); };
  std::string text;
  if (faults.clock_step != Duration{})
    text += fmt::format("; its clock steps by {} ms", ms(faults.clock_step));
  if (faults.disk.write_delay != Duration{})
    text += fmt::format("; each write takes {} ms longer", ms(faults.disk.write_delay));
  if (faults.disk.full) text += "; its disk is full";
  return text.empty() ? text : text.substr(2);
}

}  // namespace

std::optional<NodeTarget> parse_target(std::string_view text) {
  if (text == "leader") return NodeTarget{NodeTarget::Kind::leader, {}};
  if (text == "follower") return NodeTarget{NodeTarget::Kind::follower, {}};
  if (text == "majority") return NodeTarget{NodeTarget::Kind::majority, {}};
  std::uint32_t id = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc{} || stop != text.data() + text.size() || id < 1 || id > kMaxNodes)
    return std::nullopt;
  return NodeTarget{NodeTarget::Kind::node, NodeId{id}};
}

struct Cluster::State {
  explicit State(const ClusterSpec& wanted) : spec(wanted) {
    check_cluster(spec);
    // By its own name, so that the processes can be told apart in a list; unless it was replaced.
    if (spec.executable == "/proc/self/exe") {
      const auto own = std::filesystem::read_symlink(spec.executable);
      if (std::filesystem::exists(own)) spec.executable = own;
    }
    std::filesystem::create_directories(spec.folder / "nodes");
    const std::map<NodeId, std::string> peers = peer_endpoints();
    std::map<NodeId, std::string> clients;
    for (const auto& [id, endpoint] : peers) {
      clients[id] = fmt::format("tcp://127.0.0.1:{}", reserve_tcp_port());
    }
    probe = std::make_unique<NodeProbe>(clients);
    for (const auto& [id, endpoint] : clients) start(id, peers, endpoint);
  }

  [[nodiscard]] std::map<NodeId, std::string> peer_endpoints() const {
    std::map<NodeId, std::string> endpoints;
    for (std::uint32_t id = 1; id <= spec.nodes + spec.spares; ++id) {
      endpoints[NodeId{id}] = spec.peers == PeerTransport::tcp
                                  ? fmt::format("tcp://127.0.0.1:{}", reserve_tcp_port())
                                  : fmt::format("ipc://{}/{}.peers", folder.path().string(), id);
    }
    return endpoints;
  }

  // Where browsers on this machine find the nodes. Bound to any address, the loopback one is
  // theirs.
  [[nodiscard]] std::map<NodeId, std::string> pages() const {
    std::map<NodeId, std::string> pages;
    if (spec.http_port == 0) return pages;
    std::string host = spec.http_address;
    if (host == "0.0.0.0") host = "127.0.0.1";
    if (host == "::") host = "::1";
    if (host.find(':') != std::string::npos) host = "[" + host + "]";
    for (std::uint32_t id = 1; id <= spec.nodes + spec.spares; ++id) {
      pages[NodeId{id}] = fmt::format("http://{}:{}/", host, spec.http_port + id - 1);
    }
    return pages;
  }

  void start(NodeId id, const std::map<NodeId, std::string>& peers,
             const std::string& client_endpoint) {
    NodeSettings settings;
    settings.node = id;
    settings.seed = spec.seed;
    settings.algorithm = spec.algorithm;
    settings.options = spec.options;
    settings.canvas = spec.canvas;
    settings.cooldown = spec.cooldown;
    settings.peers = peers;
    if (spec.spares != 0) settings.members = first_members();
    settings.client_endpoint = client_endpoint;
    settings.http_address = spec.http_address;
    settings.http_port = spec.http_port == 0
                             ? std::uint16_t{0}
                             : static_cast<std::uint16_t>(spec.http_port + id.value - 1);
    settings.pages = pages();
    settings.durability = spec.durability;
    if (spec.durability != "none") {
      std::filesystem::create_directories(spec.data);
      settings.data = std::filesystem::absolute(spec.data) / fmt::format("node-{}", id.value);
    }
    if (spec.rejoin.contains(id)) make_rejoin(settings);
    settings.snapshot_bytes = spec.snapshot_bytes;
    settings.fault_endpoint = spec.fault_endpoint;
    if (spec.control)
      settings.control_endpoint =
          fmt::format("ipc://{}/{}.control", folder.path().string(), id.value);
    const auto nodes_folder = std::filesystem::absolute(spec.folder / "nodes");
    if (!spec.traces.empty()) {
      settings.trace = std::filesystem::absolute(spec.traces) / fmt::format("{}.jsonl", id.value);
    }
    if (spec.journal) settings.journal = nodes_folder / fmt::format("{}.applied.csv", id.value);

    Node node;
    node.settings = settings;
    node.log = nodes_folder / fmt::format("{}.log", id.value);
    std::ofstream(node.log, std::ios::trunc).close();
    node.member = {id, client_endpoint, peers.at(id), settings.http_port, -1, true};
    launch(nodes.emplace(id, std::move(node)).first->second);
  }

  // Starts the node's process, with its links as they are now.
  void launch(Node& node) {
    const auto config = folder.path() / fmt::format("{}.toml", node.member.id.value);
    node.settings.links = links_from(node.member.id);
    node.settings.faults = faults_of(node);
    write_node_config(node.settings, config);
    std::vector<std::string> arguments = spec.arguments;
    arguments.push_back(config.string());
    node.process.emplace(ChildProcess::Command{spec.executable, arguments, node.log});
    node.member.pid = node.process->pid();
    node.ending_expected = false;
    node.reported = false;
    node.paused = false;
  }

  [[nodiscard]] std::vector<NodeId> first_members() const {
    std::vector<NodeId> ids;
    for (std::uint32_t id = 1; id <= spec.nodes; ++id) ids.push_back(NodeId{id});
    return ids;
  }

  // Until it is added.
  [[nodiscard]] bool waits(NodeId id) const {
    return id.value > spec.nodes || spec.rejoin.contains(id);
  }

  // What the cluster's profile says, and the cuts.
  [[nodiscard]] std::vector<LinkRule> links_from(NodeId id) const {
    std::vector<LinkRule> rules = spec.links.leaving(id);
    if (delay) rules.push_back({id, kNoNode, *delay});
    for (const auto& [link, shapes] : slowed) {
      if (link.from != id) continue;
      LinkShape shape = shape_of(rules, id, link.to).value_or(LinkShape{});
      for (const LinkShape& by : shapes) shape = slower(shape, by);
      rules.push_back({id, link.to, shape});
    }
    for (const auto& [link, times] : cuts) {
      if (link.from != id) continue;
      LinkShape shape = shape_of(rules, id, link.to).value_or(LinkShape{});
      shape.cut = true;
      rules.push_back({id, link.to, shape});
    }
    return rules;
  }

  // Of faults that add up to more than a file may say, so much.
  static NodeFaults faults_of(const Node& node) {
    using Ms = std::chrono::duration<double, std::milli>;
    constexpr auto kMostStep = std::chrono::duration_cast<Duration>(Ms(kMaxClockStepMs));
    constexpr auto kMostDelay = std::chrono::duration_cast<Duration>(Ms(kMaxWriteDelayMs));
    NodeFaults faults = node.faults;
    faults.clock_step = std::clamp(faults.clock_step, -kMostStep, kMostStep);
    faults.disk.write_delay = std::min(faults.disk.write_delay, kMostDelay);
    faults.disk.full = node.full_disk > 0;
    return faults;
  }

  // Has the nodes take over their links, clocks and disks as they are now; those that do not work
  // do it later.
  void control(const std::set<NodeId>& ids) {
    std::map<NodeId, Request> requests;
    for (const NodeId id : ids) {
      Node& node = nodes.at(id);
      if (!works(node)) continue;
      if (!spec.control) throw ClusterError("the nodes were not told where to be controlled");
      requests[id] = {node.settings.control_endpoint,
                      links_text(links_from(id)) + node_faults_text(faults_of(node))};
    }
    const auto until = std::chrono::steady_clock::now() + kControlLimit;
    while (!requests.empty()) {
      for (const auto& [id, answer] : ask_all(requests, kControlPatience)) {
        if (answer == kNodeStopped) continue;  // soon it does not run any more
        if (answer != kControlDone)
          throw ClusterError(fmt::format("node {}: {}", id.value, answer));
        requests.erase(id);
      }
      // A disk that is full may end a node before it has answered.
      std::erase_if(requests, [this](const auto& asked) {
        return !nodes.at(asked.first).process->running();
      });
      if (!requests.empty() && std::chrono::steady_clock::now() > until) {
        throw ClusterError(
            fmt::format("node {} does not answer its control", requests.begin()->first.value));
      }
    }
  }

  // Adds the faults to those of the node, or takes them away.
  static void add(Node& node, const NodeFaults& faults, int sign) {
    node.faults.clock_step += sign * faults.clock_step;
    node.faults.disk.write_delay =
        std::max(node.faults.disk.write_delay + sign * faults.disk.write_delay, Duration{});
    if (faults.disk.full) node.full_disk = std::max(node.full_disk + sign, 0);
  }

  // Has a node, whose faults have been taken away, go on without them.
  void relieve(Node& node, bool was_full) {
    if (node.process->running()) control({node.member.id});
    if (!was_full || node.full_disk > 0) return;
    // It may be ending at this very moment, of a write that failed before.
    if (!node.process->wait(kEndsOfAFullDisk)) {
      node.ending_expected = false;
    } else if (!stopped) {
      start_again(node);
    }
  }

  void start_again(Node& node) {
    node.earlier_usage = node.last_usage;
    note(fmt::format("start of node {}", node.member.id.value));
    launch(node);
  }

  [[nodiscard]] std::set<NodeId> all() const {
    std::set<NodeId> ids;
    for (const auto& [id, node] : nodes) ids.insert(id);
    return ids;
  }

  static bool works(Node& node) { return !node.paused && node.process->running(); }

  std::vector<NodeId> working() {
    std::vector<NodeId> ids;
    for (auto& [id, node] : nodes) {
      if (works(node)) ids.push_back(id);
    }
    return ids;
  }

  std::vector<NodeId> working_members() {
    std::vector<NodeId> ids = working();
    std::erase_if(ids, [this](NodeId id) { return waits(id); });
    return ids;
  }

  void note(const std::string& text) {
    notes.push_back(log_time(std::chrono::system_clock::now()) + " " + text);
  }

  std::vector<NodeId> running() {
    std::vector<NodeId> ids;
    for (auto& [id, node] : nodes) {
      if (node.process->running()) ids.push_back(id);
    }
    return ids;
  }

  std::optional<NodeId> leader(std::chrono::milliseconds limit) {
    const std::vector<NodeId> alive = working();
    std::map<NodeId, int> votes;
    for (const auto& [id, hello] : probe->hello(alive, limit)) ++votes[hello.leader];
    std::optional<NodeId> best;
    for (const auto& [id, count] : votes) {
      const bool lives = std::find(alive.begin(), alive.end(), id) != alive.end();
      if (lives && (!best || count > votes[*best])) best = id;
    }
    return best;
  }

  // The nodes that a fault is for; of a majority the leader is the first. Throws ClusterError when
  // nobody fits.
  std::vector<NodeId> resolve_all(const NodeTarget& target) {
    if (target.kind != NodeTarget::Kind::majority) return {resolve(target)};
    const std::vector<NodeId> alive = working_members();
    const std::size_t wanted = majority_of(spec.nodes);
    std::vector<NodeId> struck{resolve({NodeTarget::Kind::leader, {}})};
    for (auto it = alive.rbegin(); it != alive.rend() && struck.size() < wanted; ++it) {
      if (*it != struck.front()) struck.push_back(*it);
    }
    if (struck.size() < wanted) {
      throw ClusterError(fmt::format("only {} of {} nodes work, and {} are its majority",
                                     struck.size(), spec.nodes, wanted));
    }
    return struck;
  }

  // Where nobody leads, what is meant for the leader is for the first that works.
  std::optional<NodeId> leading_of(const std::vector<NodeId>& alive) {
    if (spec.algorithm->guarantee.led) return leader(kLeaderLimit);
    return alive.empty() ? std::nullopt : std::optional(alive.front());
  }

  // The node that a fault is for. Throws ClusterError when nobody fits.
  NodeId resolve(const NodeTarget& target) {
    const std::vector<NodeId> alive = working_members();
    if (target.kind == NodeTarget::Kind::node) {
      const auto found = nodes.find(target.id);
      if (found == nodes.end())
        throw ClusterError(fmt::format("there is no node {}", target.id.value));
      if (works(found->second)) return target.id;
      throw ClusterError(fmt::format("node {} {}", target.id.value,
                                     found->second.paused ? "is paused" : "does not run"));
    }
    const std::optional<NodeId> leading = leading_of(alive);
    if (target.kind != NodeTarget::Kind::follower) {
      if (!leading) throw NoLeaderError("no running node is known as the leader");
      return *leading;
    }
    for (auto it = alive.rbegin(); it != alive.rend(); ++it) {
      if (*it != leading) return *it;
    }
    throw ClusterError("no follower runs");
  }

  std::string obituary(Node& node) const {
    return fmt::format("node {} ended by itself: {}; the end of its log:\n{}", node.member.id.value,
                       node.process->ending(), log_tail(node.log, kTailLines));
  }

  // Whether all voters name the same leader. Who they are it says itself: members may have changed
  // before the nodes were started.
  bool led_by_one(const std::map<NodeId, NodeHello>& hellos) {
    const auto names = [&hellos](NodeId node, NodeId leader) {
      const auto found = hellos.find(node);
      return found != hellos.end() && found->second.leader == leader;
    };
    for (const auto& [id, hello] : hellos) {
      if (hello.leader != id) continue;
      const std::vector<NodeId> voters = voters_by(id);
      const auto follows = [&, leader = id](NodeId voter) {
        return names(voter, leader) || is_outsider(voter);
      };
      if (!voters.empty() && std::all_of(voters.begin(), voters.end(), follows)) return true;
    }
    return false;
  }

  // What that node says of itself; empty if it does not answer.
  nlohmann::json report_of(NodeId id) {
    for (const auto& [node, report] : probe->report({id}, kProbeLimit)) {
      auto json = nlohmann::json::parse(report, nullptr, false);
      if (json.is_object()) return json;
    }
    return nlohmann::json::object();
  }

  std::vector<NodeId> voters_by(NodeId id) {
    std::vector<NodeId> voters;
    for (const auto& voter : report_of(id).value("voters", nlohmann::json::array())) {
      if (voter.is_number_unsigned()) voters.push_back(NodeId{voter.get<std::uint32_t>()});
    }
    return voters;
  }

  // Whoever is back with another disk may be a voter still by the one that is gone.
  bool is_outsider(NodeId id) { return report_of(id).value("part", std::string()) == "outsider"; }

  [[noreturn]] void not_ready(std::chrono::milliseconds limit,
                              const std::map<NodeId, NodeHello>& hellos) {
    std::string story = fmt::format("the cluster was not ready after {} ms: ", limit.count());
    for (auto& [id, node] : nodes) {
      if (hellos.contains(id)) continue;
      throw ClusterError(
          story + fmt::format("node {} does not answer at {}; the end of its log:\n{}", id.value,
                              node.member.client_endpoint, log_tail(node.log, kTailLines)));
    }
    for (const auto& [id, hello] : hellos)
      story += fmt::format("node {} names leader {}; ", id.value, hello.leader.value);
    throw ClusterError(story + "the end of node 1's log:\n" +
                       log_tail(nodes.at(NodeId{1}).log, kTailLines));
  }

  std::mutex mutex;
  ClusterSpec spec;
  PrivateFolder folder;
  std::unique_ptr<NodeProbe> probe;
  std::map<NodeId, Node> nodes;      // destroyed before the folder: no process is left when it goes
  std::map<DirectedLink, int> cuts;  // how many times each link is cut
  std::map<DirectedLink, std::vector<LinkShape>> slowed;  // by what
  std::optional<LinkShape> delay;                         // of all links, instead of the profile
  std::vector<std::string> notes;
  bool stopped = false;
};

Cluster::Cluster(const ClusterSpec& spec) : state_(std::make_unique<State>(spec)) {}

Cluster::~Cluster() {
  stop();
}

void Cluster::wait_ready(std::chrono::milliseconds limit, const std::atomic<bool>* stop) {
  const std::lock_guard lock(state_->mutex);
  const auto until = std::chrono::steady_clock::now() + limit;
  std::vector<NodeId> all;
  for (const auto& [id, node] : state_->nodes) all.push_back(id);
  while (stop == nullptr || !*stop) {
    const auto hellos = state_->probe->hello(all, kProbeLimit);
    const bool answered = hellos.size() == all.size();
    const bool has_leaders = state_->spec.algorithm->guarantee.led;
    if (answered && (!has_leaders || state_->led_by_one(hellos))) return;
    for (auto& [id, node] : state_->nodes) {
      if (!node.process->running()) throw ClusterError(state_->obituary(node));
    }
    if (std::chrono::steady_clock::now() > until) state_->not_ready(limit, hellos);
    // Nodes do not announce their leader: they have to be asked again.
    if (answered) std::this_thread::sleep_for(kProbePause);
  }
}

const Algorithm& Cluster::algorithm() const {
  return *state_->spec.algorithm;
}

std::uint32_t Cluster::first_members() const {
  return state_->spec.nodes;
}

bool Cluster::keeps_state() const {
  return state_->spec.durability != "none";
}

std::vector<Member> Cluster::members() {
  const std::lock_guard lock(state_->mutex);
  std::vector<Member> members;
  for (auto& [id, node] : state_->nodes) {
    node.member.running = node.process->running();
    node.member.paused = node.paused;
    members.push_back(node.member);
  }
  return members;
}

std::vector<NodeId> Cluster::running() {
  const std::lock_guard lock(state_->mutex);
  return state_->running();
}

std::optional<NodeId> Cluster::leader(std::chrono::milliseconds limit) {
  const std::lock_guard lock(state_->mutex);
  return state_->leader(limit);
}

std::map<NodeId, std::string> Cluster::reports(std::chrono::milliseconds limit) {
  const std::lock_guard lock(state_->mutex);
  return state_->probe->report(state_->working(), limit);
}

NodeId Cluster::find(const NodeTarget& target) {
  const std::lock_guard lock(state_->mutex);
  return state_->resolve(target);
}

Cluster::Struck Cluster::kill(const NodeTarget& target) {
  const std::lock_guard lock(state_->mutex);
  const std::vector<NodeId> struck = state_->resolve_all(target);
  for (const NodeId id : struck) {
    Node& node = state_->nodes.at(id);
    node.ending_expected = true;
    if (const auto usage = node.process->usage()) node.last_usage = node.earlier_usage + *usage;
  }
  const auto at = std::chrono::steady_clock::now();
  const std::string time = log_time(std::chrono::system_clock::now());
  // All have the signal before the end of any is waited for.
  for (const NodeId id : struck) state_->nodes.at(id).process->signal(SIGKILL);
  for (const NodeId id : struck) {
    state_->nodes.at(id).process->kill();
    state_->notes.push_back(
        fmt::format("{} kill -9 of node {} ({})", time, id.value, to_text(target)));
  }
  return {struck.front(), {struck.begin() + 1, struck.end()}, at};
}

Cluster::Struck Cluster::pause(const NodeTarget& target) {
  const std::lock_guard lock(state_->mutex);
  const std::vector<NodeId> struck = state_->resolve_all(target);
  for (const NodeId id : struck) {
    Node& node = state_->nodes.at(id);
    if (!node.process->pause()) throw ClusterError(fmt::format("node {} does not run", id.value));
    node.paused = true;
    state_->note(fmt::format("pause of node {} ({})", id.value, to_text(target)));
  }
  return {struck.front(), {struck.begin() + 1, struck.end()}, std::chrono::steady_clock::now()};
}

void Cluster::resume(NodeId id) {
  const std::lock_guard lock(state_->mutex);
  Node& node = state_->nodes.at(id);
  if (!node.paused || !node.process->running()) return;
  node.process->signal(SIGCONT);
  node.paused = false;
  state_->note(fmt::format("node {} goes on", id.value));
  if (state_->spec.control) state_->control({id});
}

std::chrono::steady_clock::time_point Cluster::cut(const std::vector<DirectedLink>& links) {
  const std::lock_guard lock(state_->mutex);
  std::set<NodeId> senders;
  for (const DirectedLink& link : links) {
    ++state_->cuts[link];
    senders.insert(link.from);
  }
  state_->control(senders);
  state_->note("cut of " + to_text(links));
  return std::chrono::steady_clock::now();
}

void Cluster::heal(const std::vector<DirectedLink>& links) {
  const std::lock_guard lock(state_->mutex);
  std::set<NodeId> senders;
  for (const DirectedLink& link : links) {
    const auto cut = state_->cuts.find(link);
    if (cut == state_->cuts.end()) continue;
    if (--cut->second == 0) state_->cuts.erase(cut);
    senders.insert(link.from);
  }
  state_->note("end of the cut of " + to_text(links));
  state_->control(senders);
}

std::chrono::steady_clock::time_point Cluster::slow(const std::vector<DirectedLink>& links,
                                                    const LinkShape& by) {
  const std::lock_guard lock(state_->mutex);
  std::set<NodeId> senders;
  for (const DirectedLink& link : links) {
    state_->slowed[link].push_back(by);
    senders.insert(link.from);
  }
  state_->control(senders);
  state_->note(fmt::format("{} are slower by {} us, jitter {} us, and lose {} in a million",
                           to_text(links), by.delay_us, by.jitter_us, by.loss_per_million));
  return std::chrono::steady_clock::now();
}

void Cluster::speed_up(const std::vector<DirectedLink>& links, const LinkShape& by) {
  const std::lock_guard lock(state_->mutex);
  std::set<NodeId> senders;
  for (const DirectedLink& link : links) {
    const auto slowed = state_->slowed.find(link);
    if (slowed == state_->slowed.end()) continue;
    const auto one = std::find(slowed->second.begin(), slowed->second.end(), by);
    if (one != slowed->second.end()) slowed->second.erase(one);
    if (slowed->second.empty()) state_->slowed.erase(slowed);
    senders.insert(link.from);
  }
  state_->note(to_text(links) + " are not slower any more");
  state_->control(senders);
}

void Cluster::delay(const LinkShape& shape) {
  const std::lock_guard lock(state_->mutex);
  state_->delay = shape;
  state_->note(
      fmt::format("delay of all links by {} us, jitter {} us", shape.delay_us, shape.jitter_us));
  state_->control(state_->all());
}

void Cluster::heal_links() {
  const std::lock_guard lock(state_->mutex);
  state_->cuts.clear();
  state_->slowed.clear();
  state_->delay.reset();
  state_->note("all links are as at the start");
  state_->control(state_->all());
}

Cluster::Struck Cluster::inject(const NodeTarget& target, const NodeFaults& faults) {
  const std::lock_guard lock(state_->mutex);
  if (faults.disk != DiskFaults{} && state_->spec.durability == "none")
    throw ClusterError("with durability \"none\" nodes have no disk that could be slow or full");
  const std::vector<NodeId> struck = state_->resolve_all(target);
  for (const NodeId id : struck) {
    Node& node = state_->nodes.at(id);
    State::add(node, faults, 1);
    if (!faults.disk.full) continue;
    node.ending_expected = true;
    if (const auto usage = node.process->usage()) node.last_usage = node.earlier_usage + *usage;
  }
  state_->control({struck.begin(), struck.end()});
  for (const NodeId id : struck)
    state_->note(fmt::format("node {} ({}): {}", id.value, to_text(target), to_text(faults)));
  return {struck.front(), {struck.begin() + 1, struck.end()}, std::chrono::steady_clock::now()};
}

void Cluster::withdraw(NodeId id, const NodeFaults& faults) {
  const std::lock_guard lock(state_->mutex);
  Node& node = state_->nodes.at(id);
  State::add(node, faults, -1);
  state_->note(fmt::format("node {}: no longer: {}", id.value, to_text(faults)));
  state_->relieve(node, faults.disk.full);
}

void Cluster::withdraw_all() {
  const std::lock_guard lock(state_->mutex);
  for (auto& [id, node] : state_->nodes) {
    const NodeFaults before = State::faults_of(node);
    if (before == NodeFaults{}) continue;
    node.faults = {};
    node.full_disk = 0;
    state_->note(fmt::format("node {}: no longer: {}", id.value, to_text(before)));
    state_->relieve(node, before.disk.full);
  }
}

std::chrono::steady_clock::time_point Cluster::ask_to_stop(NodeId id) {
  const std::lock_guard lock(state_->mutex);
  Node& node = state_->nodes.at(state_->resolve({NodeTarget::Kind::node, id}));
  node.ending_expected = true;
  if (const auto usage = node.process->usage()) node.last_usage = node.earlier_usage + *usage;
  const auto at = std::chrono::steady_clock::now();
  node.process->signal(SIGTERM);
  state_->note(fmt::format("node {} is asked to stop", id.value));
  return at;
}

void Cluster::restart(NodeId id) {
  const std::lock_guard lock(state_->mutex);
  if (state_->spec.durability == "none") {
    throw ConfigError(
        fmt::format("restart of node {}: refused with durability \"none\": the node has forgotten "
                    "its votes and its log, and as the same voter it could help to lose "
                    "acknowledged writes",
                    id.value));
  }
  if (state_->stopped) throw ClusterError("the cluster has been stopped");
  Node& node = state_->nodes.at(id);
  if (node.process->running()) throw ClusterError(fmt::format("node {} still runs", id.value));
  state_->start_again(node);
}

std::map<NodeId, ProcessUsage> Cluster::usage() {
  const std::lock_guard lock(state_->mutex);
  std::map<NodeId, ProcessUsage> usage;
  for (auto& [id, node] : state_->nodes) {
    if (node.process->running()) {
      if (const auto now = node.process->usage()) node.last_usage = node.earlier_usage + *now;
    }
    usage[id] = node.last_usage;
  }
  return usage;
}

std::vector<std::string> Cluster::casualties() {
  const std::lock_guard lock(state_->mutex);
  std::vector<std::string> stories;
  for (auto& [id, node] : state_->nodes) {
    if (node.ending_expected || node.reported || node.process->running()) continue;
    node.reported = true;
    stories.push_back(state_->obituary(node));
  }
  return stories;
}

void Cluster::note(const std::string& text) {
  const std::lock_guard lock(state_->mutex);
  state_->note(text);
}

std::vector<std::string> Cluster::stop(std::chrono::milliseconds grace) {
  std::vector<std::string> notes = casualties();
  const std::lock_guard lock(state_->mutex);
  if (state_->stopped) return notes;
  state_->stopped = true;
  std::vector<Node*> ending;
  for (auto& [id, node] : state_->nodes) {
    if (!node.process->running()) continue;
    node.ending_expected = true;
    node.process->signal(SIGTERM);
    if (node.paused) node.process->signal(SIGCONT);  // or it would never hear of it
    ending.push_back(&node);
  }
  const auto until = std::chrono::steady_clock::now() + grace;
  for (Node* node : ending) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const std::uint32_t id = node->member.id.value;
    if (!node->process->wait(std::max(left, 0ms))) {
      node->process->kill();
      notes.push_back(fmt::format("node {} did not end within {} ms of SIGTERM and was killed", id,
                                  grace.count()));
    } else if (node->process->ending() != "exit status 0") {
      notes.push_back(fmt::format("node {} ended with {}", id, node->process->ending()));
    }
  }
  return notes;
}

void Cluster::merge_logs() {
  const std::lock_guard lock(state_->mutex);
  std::vector<LogSource> sources;
  for (const auto& [id, node] : state_->nodes)
    sources.push_back({fmt::format("node {}", id.value), node.log});
  const auto own = state_->folder.path() / "harness.log";
  std::ofstream out(own, std::ios::trunc);
  for (const std::string& line : state_->notes) out << line << '\n';
  out.close();
  sources.push_back({"harness", own});
  harness::merge_logs(sources, state_->spec.folder / "cluster.log");
}

}  // namespace parley::harness
