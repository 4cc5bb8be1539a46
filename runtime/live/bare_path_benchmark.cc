// What ZeroMQ and the machine allow: client -> leader -> majority -> client without any algorithm.
// The ceiling against which strategies are measured, run in the same sweep.
//
// Node processes are forked, node 1 leads, and this process is the client. A command has 16 bytes.
// In a turn the leader takes in all that waits and sends one message to each follower; followers
// take in all that waits and acknowledge the newest once; the leader answers its client once a turn
// with the newest command that a majority, counting itself, has.
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <deque>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>
#include <zmq.hpp>

#include "runtime/live/sockets.h"
#include "runtime/live/waiter.h"

namespace parley {
namespace {

struct Plan {
  std::uint32_t nodes = 3;
  std::uint64_t window = 1024;  // commands in flight
  std::uint64_t batch = 1;      // commands a client message
  double seconds = 3;
  double warmup_seconds = 0.5;
  std::string transport = "tcp";
  bool json = false;
};

struct Command {
  std::uint64_t number = 0;
  std::uint64_t payload = 0;
};
static_assert(sizeof(Command) == 16);

struct Acknowledgement {
  std::uint64_t follower = 0;  // its place among the followers
  std::uint64_t newest = 0;    // command that it holds
};

// Where a node listens: told to the client over the channel, which tells all nodes of all.
struct Endpoints {
  std::array<char, 128> peers{};
  std::array<char, 128> clients{};
};

template <class T>
void write_all(int channel, const T* items, std::size_t count) {
  if (send(channel, items, sizeof(T) * count, MSG_NOSIGNAL) !=
      static_cast<ssize_t>(sizeof(T) * count)) {
    throw std::runtime_error("a process of the benchmark is gone");
  }
}

template <class T>
void read_all(int channel, T* items, std::size_t count) {
  if (recv(channel, items, sizeof(T) * count, MSG_WAITALL) !=
      static_cast<ssize_t>(sizeof(T) * count)) {
    throw std::runtime_error("a process of the benchmark is gone");
  }
}

zmq::socket_t make_socket(zmq::context_t& context, zmq::socket_type type) {
  zmq::socket_t socket(context, type);
  socket.set(zmq::sockopt::linger, 0);
  socket.set(zmq::sockopt::sndhwm, 0);
  socket.set(zmq::sockopt::rcvhwm, 0);
  return socket;
}

// Binds to a free port, or for ipc to `path`.
void bind_socket(zmq::socket_t& socket, const std::string& transport, const std::string& path,
                 std::array<char, 128>& endpoint) {
  socket.bind(transport == "ipc" ? "ipc://" + path : "tcp://127.0.0.1:*");
  const std::string bound = socket.get(zmq::sockopt::last_endpoint);
  bound.copy(endpoint.data(), endpoint.size() - 1);
}

template <class T>
void send_value(zmq::socket_t& socket, const T& value) {
  zmq::message_t message(&value, sizeof(value));
  try_send(socket, message, false);
}

template <class T>
T read_value(const zmq::message_t& message) {
  T value;
  if (message.size() != sizeof(value)) throw std::runtime_error("a foreign message");
  std::memcpy(&value, message.data(), sizeof(value));
  return value;
}

std::uint64_t last_number(Bytes commands) {
  Command last;
  if (commands.size() < sizeof(last)) throw std::runtime_error("a foreign message");
  std::memcpy(&last, commands.data() + commands.size() - sizeof(last), sizeof(last));
  return last.number;
}

void wait_for(std::initializer_list<zmq::socket_t*> sockets) {
  std::array<zmq::pollitem_t, 2> items{};
  std::size_t count = 0;
  for (zmq::socket_t* socket : sockets) items[count++] = {socket->handle(), 0, ZMQ_POLLIN, 0};
  zmq::poll(items.data(), count, std::chrono::milliseconds(-1));
}

// --- the nodes ---

[[noreturn]] void follow(zmq::socket_t& inbox, zmq::socket_t& leader, std::uint64_t place) {
  zmq::message_t message;
  for (;;) {
    Acknowledgement acknowledgement{place, 0};
    while (try_receive(inbox, message)) acknowledgement.newest = last_number(bytes_of(message));
    if (acknowledgement.newest > 0) send_value(leader, acknowledgement);
    wait_for({&inbox});
  }
}

class Leader {
 public:
  Leader(zmq::socket_t& clients, zmq::socket_t& inbox, std::vector<zmq::socket_t>& followers)
      : clients_(clients), inbox_(inbox), followers_(followers), held_(followers.size() + 1) {}

  [[noreturn]] void run() {
    for (;;) {
      take_commands();
      take_acknowledgements();
      answer();
      wait_for({&clients_, &inbox_});
    }
  }

 private:
  void take_commands() {
    waiting_.clear();
    while (try_receive(clients_, message_)) {
      identity_.move(message_);  // there is one client
      if (!try_receive(clients_, message_)) break;
      const Bytes commands = bytes_of(message_);
      waiting_.insert(waiting_.end(), commands.begin(), commands.end());
    }
    if (waiting_.empty()) return;
    held_.back() = last_number(waiting_);
    zmq::message_t body(waiting_.data(), waiting_.size());
    for (zmq::socket_t& follower : followers_) {
      zmq::message_t shared;
      shared.copy(body);
      try_send(follower, shared, false);
    }
  }

  void take_acknowledgements() {
    while (try_receive(inbox_, message_)) {
      const auto acknowledgement = read_value<Acknowledgement>(message_);
      held_.at(acknowledgement.follower) = acknowledgement.newest;
    }
  }

  void answer() {
    std::vector<std::uint64_t> held = held_;
    const auto majority = held.begin() + static_cast<std::ptrdiff_t>(held.size() / 2);
    std::nth_element(held.begin(), majority, held.end(), std::greater<>());
    if (*majority <= answered_) return;
    answered_ = *majority;
    zmq::message_t to;
    to.copy(identity_);
    try_send(clients_, to, true);
    send_value(clients_, answered_);
  }

  zmq::socket_t& clients_;
  zmq::socket_t& inbox_;
  std::vector<zmq::socket_t>& followers_;
  std::vector<std::uint64_t> held_;  // newest command of each follower, then the leader's own
  std::uint64_t answered_ = 0;
  std::vector<std::byte> waiting_;
  zmq::message_t identity_;
  zmq::message_t message_;
};

// Node `place` + 1, in a process of its own; never returns.
[[noreturn]] void run_node(const Plan& plan, std::uint32_t place, const std::string& folder,
                           int channel) {
  zmq::context_t context(1);
  zmq::socket_t inbox = make_socket(context, zmq::socket_type::pull);
  zmq::socket_t clients = make_socket(context, zmq::socket_type::router);
  Endpoints own;
  const std::string path = folder + "/" + std::to_string(place);
  bind_socket(inbox, plan.transport, path + ".peers", own.peers);
  bind_socket(clients, plan.transport, path + ".clients", own.clients);
  write_all(channel, &own, 1);
  std::vector<Endpoints> all(plan.nodes);
  read_all(channel, all.data(), all.size());

  std::vector<zmq::socket_t> peers;
  for (std::uint32_t other = 0; other < plan.nodes; ++other) {
    // The leader reaches all followers, and each of them the leader.
    if (other == place || (place > 0 && other > 0)) continue;
    peers.push_back(make_socket(context, zmq::socket_type::push));
    peers.back().connect(all[other].peers.data());
  }
  if (place > 0) follow(inbox, peers.front(), place - 1);
  Leader(clients, inbox, peers).run();
}

struct NodeProcess {
  pid_t id = 0;
  int channel = -1;
};

// A folder for the sockets of ipc, gone with the benchmark.
class Folder {
 public:
  Folder() : path_((std::filesystem::temp_directory_path() / "parley-XXXXXX").string()) {
    if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make " + path_);
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

class Cluster {
 public:
  explicit Cluster(const Plan& plan) {
    for (std::uint32_t place = 0; place < plan.nodes; ++place) start(plan, place);
    std::vector<Endpoints> all(plan.nodes);
    for (std::uint32_t place = 0; place < plan.nodes; ++place) {
      read_all(nodes_[place].channel, &all[place], 1);
    }
    for (const NodeProcess& node : nodes_) write_all(node.channel, all.data(), all.size());
    leader_ = all.front().clients.data();
  }
  ~Cluster() {
    for (const NodeProcess& node : nodes_) {
      kill(node.id, SIGKILL);
      waitpid(node.id, nullptr, 0);
      close(node.channel);
    }
  }
  Cluster(const Cluster&) = delete;
  Cluster& operator=(const Cluster&) = delete;

  [[nodiscard]] const std::string& leader() const { return leader_; }
  // CPU time of the node processes so far.
  [[nodiscard]] double cpu_seconds() const {
    double seconds = 0;
    for (const NodeProcess& node : nodes_) {
      clockid_t clock{};
      timespec time{};
      if (clock_getcpuclockid(node.id, &clock) != 0 || clock_gettime(clock, &time) != 0) {
        throw std::runtime_error("a node of the benchmark is gone");
      }
      seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
    }
    return seconds;
  }

 private:
  void start(const Plan& plan, std::uint32_t place) {
    std::array<int, 2> channel{};
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, channel.data()) != 0) {
      throw std::runtime_error("socketpair failed");
    }
    const pid_t parent = getpid();
    const pid_t child = fork();
    if (child < 0) throw std::runtime_error("fork failed");
    if (child == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);  // no node outlives the benchmark
      if (getppid() != parent) _exit(1);
      try {
        run_node(plan, place, folder_.path(), channel[1]);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "node %u: %s\n", place + 1, error.what());
      }
      _exit(1);
    }
    close(channel[1]);
    nodes_.push_back({child, channel[0]});
  }

  Folder folder_;
  std::vector<NodeProcess> nodes_;
  std::string leader_;
};

// --- the client ---

struct Figures {
  std::uint64_t commands = 0;
  double seconds = 0;
  double node_cpu_seconds = 0;
  double client_cpu_seconds = 0;
  std::vector<std::uint32_t> latencies_ns;  // one a message; cut off at 4 s
};

double own_cpu_seconds() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

class Client {
 public:
  Client(const Plan& plan, const Cluster& cluster)
      : plan_(plan),
        cluster_(cluster),
        socket_(make_socket(context_, zmq::socket_type::dealer)),
        commands_(plan.batch) {
    socket_.connect(cluster.leader());
  }

  Figures run() {
    run_until(monotonic_now() + seconds(plan_.warmup_seconds));
    figures_ = {};
    const Instant start = monotonic_now();
    const double client_before = own_cpu_seconds();
    const double nodes_before = cluster_.cpu_seconds();
    run_until(start + seconds(plan_.seconds));
    figures_.seconds = static_cast<double>((monotonic_now() - start).count()) * 1e-9;
    figures_.client_cpu_seconds = own_cpu_seconds() - client_before;
    figures_.node_cpu_seconds = cluster_.cpu_seconds() - nodes_before;
    return std::move(figures_);
  }

 private:
  static Duration seconds(double count) { return Duration(static_cast<std::int64_t>(count * 1e9)); }

  void run_until(Instant end) {
    Instant now = monotonic_now();
    while (now < end) {
      fill_window(now);
      zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
      if (zmq::poll(&item, 1, std::chrono::seconds(10)) == 0) {
        throw std::runtime_error("the nodes of the benchmark do not answer");
      }
      now = monotonic_now();
      std::uint64_t answered = done_;
      while (try_receive(socket_, reply_)) answered = read_value<std::uint64_t>(reply_);
      complete(answered, now);
    }
  }

  void fill_window(Instant now) {
    while (sent_ - done_ + plan_.batch <= plan_.window) {
      for (Command& command : commands_) command.number = ++sent_;
      zmq::message_t message(commands_.data(), commands_.size() * sizeof(Command));
      try_send(socket_, message, false);
      sent_at_.push_back(now);
    }
  }

  void complete(std::uint64_t answered, Instant now) {
    for (; done_ < answered; done_ += plan_.batch) {
      constexpr std::int64_t kMost = 4'000'000'000;
      figures_.latencies_ns.push_back(
          static_cast<std::uint32_t>(std::min((now - sent_at_.front()).count(), kMost)));
      sent_at_.pop_front();
      figures_.commands += plan_.batch;
    }
  }

  const Plan& plan_;
  const Cluster& cluster_;
  zmq::context_t context_;
  zmq::socket_t socket_;
  std::vector<Command> commands_;
  zmq::message_t reply_;
  std::uint64_t sent_ = 0;       // number of the last command sent
  std::uint64_t done_ = 0;       // number of the last command answered
  std::deque<Instant> sent_at_;  // of the messages in flight
  Figures figures_;
};

double percentile_us(std::vector<std::uint32_t>& latencies_ns, double share) {
  if (latencies_ns.empty()) return 0;
  const auto place =
      static_cast<std::ptrdiff_t>(share * static_cast<double>(latencies_ns.size() - 1));
  std::nth_element(latencies_ns.begin(), latencies_ns.begin() + place, latencies_ns.end());
  return latencies_ns[static_cast<std::size_t>(place)] / 1000.0;
}

void print(const Plan& plan, Figures figures) {
  const double rate = static_cast<double>(figures.commands) / figures.seconds;
  const auto at = [&figures](double share) { return percentile_us(figures.latencies_ns, share); };
  const double per_million = 1e6 / static_cast<double>(figures.commands);
  if (!plan.json) {
    std::printf(
        "%u nodes, %s, window %llu, batch %llu: %.0f commands/s, p50 %.0f us, p99 %.0f us, "
        "%.2f CPU-seconds per million\n",
        plan.nodes, plan.transport.c_str(), static_cast<unsigned long long>(plan.window),
        static_cast<unsigned long long>(plan.batch), rate, at(0.5), at(0.99),
        (figures.node_cpu_seconds + figures.client_cpu_seconds) * per_million);
    return;
  }
  // Names and units are those of a run's summary.json.
  const nlohmann::ordered_json json = {{"achieved_ops_per_s", rate},
                                       {"completed", figures.commands},
                                       {"latency_us",
                                        {{"min", at(0)},
                                         {"p50", at(0.5)},
                                         {"p90", at(0.9)},
                                         {"p99", at(0.99)},
                                         {"p999", at(0.999)},
                                         {"max", at(1)}}},
                                       {"cpu_s_per_mops",
                                        {{"nodes", figures.node_cpu_seconds * per_million},
                                         {"clients", figures.client_cpu_seconds * per_million}}}};
  std::printf("%s\n", json.dump().c_str());
}

int main_of(int argc, char** argv) {
  Plan plan;
  CLI::App app("Measures the bare client -> leader -> majority -> client path over ZeroMQ.");
  app.add_option("--nodes", plan.nodes, "node processes")->check(CLI::Range(1, 64));
  app.add_option("--window", plan.window, "commands in flight")->check(CLI::Range(1, 1 << 24));
  app.add_option("--batch", plan.batch, "commands per client message")
      ->check(CLI::Range(1, 1 << 16));
  app.add_option("--seconds", plan.seconds, "measured time")->check(CLI::Range(0.1, 3600.0));
  app.add_option("--warmup-seconds", plan.warmup_seconds, "time before it")
      ->check(CLI::Range(0.0, 600.0));
  app.add_option("--transport", plan.transport, "tcp or ipc")->check(CLI::IsMember({"tcp", "ipc"}));
  app.add_flag("--json", plan.json, "print one JSON object");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  if (plan.batch > plan.window) {
    std::fprintf(stderr, "--batch: %llu is more than --window %llu\n",
                 static_cast<unsigned long long>(plan.batch),
                 static_cast<unsigned long long>(plan.window));
    return 2;
  }
  try {
    const Cluster cluster(plan);
    print(plan, Client(plan, cluster).run());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace parley

int main(int argc, char** argv) {
  return parley::main_of(argc, argv);
}
