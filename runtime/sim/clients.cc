#include "runtime/sim/clients.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace parley::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

constexpr Duration kDelayMin = microseconds(20);  // between client and node
constexpr Duration kDelayMax = microseconds(500);
constexpr Duration kPatienceMin = milliseconds(200);
constexpr Duration kPatienceMax = milliseconds(2000);
constexpr Duration kBackOffMin = milliseconds(5);
constexpr Duration kBackOffMax = milliseconds(100);
constexpr std::uint32_t kGiveUpPerMillion = 200'000;

}  // namespace

Clients::Clients(Engine& engine, const ClientSettings& settings, const Guarantee& guarantee,
                 History& history, Checker& checker, std::span<Node> nodes)
    : engine_(engine),
      random_(engine.stream(Stream::clients)),
      settings_(settings),
      guarantee_(guarantee),
      history_(history),
      checker_(checker),
      nodes_(nodes),
      clients_(settings.clients) {
  history_.clients.resize(settings.clients);
  for (Client& client : clients_) client.sessions.resize(nodes.size());
  if (!settings_.sessions_move) return;
  for (std::size_t i = 1; i < clients_.size(); i += 2) {
    clients_[i].seen_of.resize(nodes.size());
    clients_[i].seen_in.resize(kCells);
  }
}

std::uint64_t Clients::pack(const Request& request) {
  return (static_cast<std::uint64_t>(request.attempt) << 44) |
         (static_cast<std::uint64_t>(request.kind) << 40) |
         (static_cast<std::uint64_t>(request.count) << 32) | request.first;
}

Clients::Request Clients::unpack(std::uint64_t packed) {
  return {static_cast<std::uint32_t>(packed >> 44), static_cast<Kind>((packed >> 40) & 0xf),
          static_cast<std::uint32_t>((packed >> 32) & 0xff), static_cast<std::uint32_t>(packed)};
}

std::string Clients::ask_of(const Parcel& parcel) const {
  const Request& request = parcel.request;
  switch (request.kind) {
    case Kind::open:
      return "open a session";
    case Kind::write: {
      const auto last = request.first + request.count - 1;
      const auto& writes = history_.clients[parcel.client].writes;
      std::string text = fmt::format("write {}", request.first);
      if (last > request.first) text += fmt::format("-{}", last);
      text += last > request.first ? ", cells" : ", cell";
      for (std::uint32_t i = request.first; i <= last; ++i) {
        text += fmt::format(" {}", writes[i - 1].command.key);
      }
      return text;
    }
    case Kind::local_read:
    case Kind::linearizable_read:
      return fmt::format("read cell {}{}", history_.clients[parcel.client].reads[request.first].key,
                         request.kind == Kind::local_read ? " as it is there" : "");
  }
  return {};
}

std::string Clients::reply_of(const Parcel& parcel) const {
  constexpr std::string_view kWords[] = {"done", "refused", "no such session", "session expired",
                                         "unknown"};
  return fmt::format("{}: {}", ask_of(parcel), kWords[static_cast<std::size_t>(parcel.answer)]);
}

void Clients::start() {
  for (std::uint32_t client = 0; client < clients_.size(); ++client) think(client);
}

void Clients::handle(const Event& event) {
  switch (event.kind) {
    case EventKind::client:
      if (event.item == clients_[event.subject].timer) on_timer(event.subject);
      return;
    case EventKind::request:
      return on_request(parcels_.take(event.item));
    default:
      return on_reply(parcels_.take(event.item));
  }
}

// --- the client's side ---

void Clients::on_timer(std::uint32_t client) {
  switch (clients_[client].state) {
    case State::thinking:
      return begin_operation(client);
    case State::waiting:  // too long
      return try_again(client);
    case State::backing_off:
      return attempt(client);
    case State::stopped:
      return;
  }
}

Clients::Kind Clients::choose_kind(const Client& client) {
  const Kind strongest = guarantee_.linearizable_reads ? Kind::linearizable_read : Kind::local_read;
  if (winding_down_) return client.to_do == 2 ? Kind::write : strongest;
  const std::uint64_t draw = random_.below(10);
  if (draw < 6) return Kind::write;
  return draw < 8 ? strongest : Kind::local_read;
}

void Clients::begin_operation(std::uint32_t number) {
  Client& client = clients_[number];
  ClientHistory& history = history_.clients[number];
  if (winding_down_ && client.to_do == 0) {
    client.state = State::stopped;
    ++stopped_;
    return;
  }
  if (!winding_down_ && counts_.operations >= settings_.operations) return think(number);
  ++counts_.operations;
  client.wanted.kind = choose_kind(client);
  if (client.wanted.kind == Kind::write) {
    add_writes(number);
  } else {
    const auto key = static_cast<std::uint32_t>(random_.below(settings_.keys));
    const ReadMode mode =
        client.wanted.kind == Kind::local_read ? ReadMode::local : ReadMode::linearizable;
    // What a crash took before it was durable is waited for in vain; in the end nobody does.
    const bool names = !client.seen_in.empty() && !winding_down_;
    const Stamp seen = names ? client.seen_in[key] : Stamp{};
    history.reads.push_back({key, mode, history_.cell_floors[key], seen});
    client.wanted.first = static_cast<std::uint32_t>(history.reads.size() - 1);
    client.wanted.count = 0;
  }
  attempt(number);
}

void Clients::add_writes(std::uint32_t number) {
  Client& client = clients_[number];
  auto& writes = history_.clients[number].writes;
  client.wanted.first = static_cast<std::uint32_t>(writes.size() + 1);
  client.wanted.count = 1 + static_cast<std::uint32_t>(random_.below(3));
  for (std::uint32_t i = 0; i < client.wanted.count; ++i) {
    WriteOperation operation;
    operation.command = draw_command(number);
    operation.floor = history_.floor;
    operation.asked = engine_.now;
    writes.push_back(operation);
  }
}

CellCommand Clients::draw_command(std::uint32_t number) {
  const Client& client = clients_[number];
  CellCommand command;
  command.key = static_cast<std::uint32_t>(random_.below(settings_.keys));
  if (!settings_.counter) {
    command.value = (static_cast<std::uint64_t>(number + 1) << 32) |
                    (history_.clients[number].writes.size() + 1);
    return command;
  }
  if (random_.chance(500'000)) {
    command.kind = CellCommand::Kind::add;
    command.value = 1 + random_.below(3);
    return command;
  }
  command.kind = CellCommand::Kind::compare_and_set;
  command.key = client.last_key;
  command.expected = client.last_value;
  command.value = command.expected + 1;
  return command;
}

void Clients::attempt(std::uint32_t number) {
  Client& client = clients_[number];
  client.node = static_cast<std::uint32_t>(random_.below(nodes_.size()));
  client.state = State::waiting;
  client.wanted.attempt = client.attempt = (client.attempt + 1) & 0xfffff;
  Parcel parcel;
  parcel.client = number;
  parcel.node = client.node;
  parcel.request = client.wanted;
  parcel.session = client.sessions[client.node];
  client.opening = client.wanted.kind == Kind::write && parcel.session == 0;
  if (client.opening) parcel.request.kind = Kind::open;
  if (client.wanted.kind != Kind::write) parcel.seen = token_of(number);
  set_timer(number, random_.between(kPatienceMin, kPatienceMax));
  const std::uint32_t from = client_host(number);
  const std::uint32_t to = client.node + 1;
  const auto words = [&] { return ask_of(parcel); };
  parcel.number = engine_.sent(from, to, words);
  const Weather& weather = engine_.weather;
  if (weather.loss_per_million > 0 && random_.chance(weather.loss_per_million)) {
    return engine_.lost(parcel.number, from, to, Loss::chance, words);
  }
  const auto put = [&] {
    const Duration delay = random_.between(kDelayMin, kDelayMax);
    engine_.after(delay, EventKind::request, 0, parcels_.put(parcel));
  };
  put();
  if (weather.duplication_per_million == 0 || !random_.chance(weather.duplication_per_million)) {
    return;
  }
  engine_.count(FaultKind::duplication);
  parcel.number = engine_.sent(from, to, words, parcel.number);
  put();
}

void Clients::on_reply(const Parcel& parcel) {
  Client& client = clients_[parcel.client];
  engine_.delivered(parcel.number, parcel.node, client_host(parcel.client),
                    [&] { return reply_of(parcel); });
  if (client.state != State::waiting || parcel.request.attempt != client.attempt) return;
  switch (parcel.answer) {
    case Answer::ok:
      if (client.opening) {
        if (guarantee_.ordered) {
          std::fill(client.sessions.begin(), client.sessions.end(),
                    static_cast<std::uint32_t>(parcel.value));
        } else {
          client.sessions[client.node] = static_cast<std::uint32_t>(parcel.value);
        }
        return attempt(parcel.client);
      }
      client.last_value = parcel.value;
      client.last_key = client.wanted.kind == Kind::write
                            ? history_.clients[parcel.client]
                                  .writes[client.wanted.first + client.wanted.count - 2]
                                  .command.key
                            : history_.clients[parcel.client].reads[client.wanted.first].key;
      remember(parcel.client, client.last_key, parcel.stamp);
      if (client.to_do > 0) --client.to_do;
      return think(parcel.client);
    case Answer::no_session:
      client.sessions[client.node] = 0;
      return try_again(parcel.client);
    case Answer::expired:  // what became of it cannot be found out any more
      ++counts_.expired;
      std::fill(client.sessions.begin(), client.sessions.end(), 0U);
      return think(parcel.client);
    case Answer::refused:
    case Answer::unknown:
      return try_again(parcel.client);
  }
}

void Clients::try_again(std::uint32_t number) {
  Client& client = clients_[number];
  if (!winding_down_ && random_.chance(kGiveUpPerMillion)) return think(number);
  client.state = State::backing_off;
  set_timer(number, random_.between(kBackOffMin, kBackOffMax));
}

void Clients::remember(std::uint32_t number, std::uint32_t key, Stamp stamp) {
  Client& client = clients_[number];
  const auto node = static_cast<std::uint32_t>(stamp.minor >> 32);
  if (client.seen_in.empty() || node == 0 || node > client.seen_of.size()) return;
  client.seen_of[node - 1] = std::max(client.seen_of[node - 1], stamp.major);
  client.seen_in[key] = std::max(client.seen_in[key], stamp);
}

std::vector<Seen> Clients::token_of(std::uint32_t number) const {
  std::vector<Seen> token;
  const Client& client = clients_[number];
  if (winding_down_) return token;
  for (std::uint32_t node = 1; node <= client.seen_of.size(); ++node) {
    const std::uint64_t time = client.seen_of[node - 1];
    if (time != 0) token.push_back({NodeId{node}, /*reserved=*/0, time});
  }
  return token;
}

void Clients::think(std::uint32_t number) {
  clients_[number].state = State::thinking;
  set_timer(number, random_.between(Duration(1000), settings_.think_max));
}

void Clients::set_timer(std::uint32_t number, Duration delay) {
  engine_.after(delay, EventKind::client, number, ++clients_[number].timer);
}

void Clients::wind_down() {
  winding_down_ = true;
  // What is under way at this moment may have been begun before; it does not count.
  for (std::uint32_t number = 0; number < clients_.size(); ++number) {
    Client& client = clients_[number];
    client.to_do = client.state == State::thinking ? 2 : 3;
    auto& reads = history_.clients[number].reads;
    if (!reads.empty()) reads.back().seen = {};
  }
}

std::string Clients::waiting_for() const {
  for (std::size_t number = 0; number < clients_.size(); ++number) {
    const Client& client = clients_[number];
    if (client.state == State::stopped) continue;
    constexpr std::string_view kWords[] = {"open a session", "write", "read", "read linearizably"};
    const Kind kind = client.opening ? Kind::open : client.wanted.kind;
    return fmt::format("client {} could not {}", number, kWords[static_cast<std::size_t>(kind)]);
  }
  return {};
}

// --- the node's side ---

void Clients::on_request(const Parcel& parcel) {
  Node& node = nodes_[parcel.node];
  const std::uint32_t from = client_host(parcel.client);
  const std::uint32_t to = node.id().value;
  const auto words = [&] { return ask_of(parcel); };
  if (!node.up()) return engine_.lost(parcel.number, from, to, Loss::receiver_down, words);
  engine_.delivered(parcel.number, from, to, words);
  node.enqueue(parcels_.put(parcel));
}

void Clients::hand_over(Node& node, std::span<const std::uint32_t> requests) {
  for (const std::uint32_t item : requests) {
    const Parcel parcel = parcels_.take(item);
    if (submit(node, parcel)) continue;
    // A full queue: definitely not done.
    if (parcel.request.kind == Kind::write) refuse_writes(parcel.client, parcel.request);
    reply(node.id().value, parcel.client, parcel.request, Answer::refused, 0);
  }
}

bool Clients::submit(Node& node, const Parcel& parcel) {
  const Request& request = parcel.request;
  const RequestTag tag{parcel.client, pack(request)};
  ClientHistory& history = history_.clients[parcel.client];
  body_.clear();
  switch (request.kind) {
    case Kind::open:
      append_open_session(parcel.client, body_);
      return node.driver().submit(tag, body_, 1);
    case Kind::write:
      for (std::uint32_t i = 0; i < request.count; ++i) {
        WriteOperation& operation = history.writes[request.first - 1 + i];
        append_command({parcel.session, request.first + i, sizeof(CellCommand), 0},
                       std::as_bytes(std::span(&operation.command, 1)), body_);
        ++operation.attempts;
      }
      return node.driver().submit(tag, body_, request.count);
    case Kind::local_read:
    case Kind::linearizable_read: {
      const ReadOperation& read = history.reads[request.first];
      return node.driver().query(tag, read.mode, std::as_bytes(std::span(&read.key, 1)),
                                 parcel.seen);
    }
  }
  return false;
}

void Clients::take_results(Node& node) {
  for (const SettledSubmit& settled : node.driver().submits()) settle_submit(node, settled);
  for (const SettledQuery& settled : node.driver().queries()) settle_query(node, settled);
}

void Clients::settle_submit(Node& node, const SettledSubmit& settled) {
  const auto client = static_cast<std::uint32_t>(settled.tag.connection);
  const Request request = unpack(settled.tag.request);
  const auto results = node.driver().results().subspan(settled.first, settled.count);
  if (request.kind == Kind::write) {
    const Answer answer = settle_write(node, client, request, results);
    const WriteOperation& last = history_.clients[client].writes[request.first + request.count - 2];
    const std::uint64_t value =
        last.code == kDone ? evaluate(last.command, last.reply).after : last.reply;
    return reply(node.id().value, client, request, answer, value, results.back().stamp);
  }
  const Result& result = results[0];
  if (result.outcome == Outcome::ok) {
    checker_.opened(node.id().value, client, static_cast<std::uint32_t>(result.value));
  }
  const Answer answer = result.outcome == Outcome::ok        ? Answer::ok
                        : result.outcome == Outcome::refused ? Answer::refused
                                                             : Answer::unknown;
  reply(node.id().value, client, request, answer, result.value);
}

Clients::Answer Clients::settle_write(Node& node, std::uint32_t client, const Request& request,
                                      std::span<const Result> results) {
  Answer answer = Answer::ok;
  const std::uint32_t id = node.id().value;
  if (results.size() != request.count) {
    engine_.fail(check::kContract, fmt::format("node {} gave {} results for {} commands", id,
                                               results.size(), request.count));
    return Answer::unknown;
  }
  for (std::uint32_t i = 0; i < request.count; ++i) {
    const Result& result = results[i];
    const std::uint32_t sequence = request.first + i;
    WriteOperation& operation = history_.clients[client].writes[sequence - 1];
    const auto note = [&](FactKind kind, std::uint64_t told) {
      engine_.trace.note({engine_.now, kind, id, client, sequence, told, {}, operation.asked});
    };
    switch (result.outcome) {
      case Outcome::ok:
        note(FactKind::result, result.stamp.major);
        ++counts_.acknowledged;
        last_acknowledged_ = engine_.now;
        checker_.acknowledged(id, client, sequence, result);
        break;
      case Outcome::refused:
        note(FactKind::refused, result.reason);
        ++counts_.refused;
        ++operation.refused;
        answer = result.reason == static_cast<std::uint8_t>(RefusedBecause::no_session)
                     ? Answer::no_session
                     : Answer::refused;
        break;
      case Outcome::unknown:
        note(FactKind::unknown, result.reason);
        ++counts_.unknown;
        answer = result.reason == static_cast<std::uint8_t>(RefusedBecause::session_expired)
                     ? Answer::expired
                     : Answer::unknown;
        break;
    }
  }
  if (answer == Answer::no_session && guarantee_.exactly_once) {
    engine_.fail(check::kSessions,
                 fmt::format("node {} does not know client {}'s session", id, client));
  }
  return answer;
}

void Clients::settle_query(Node& node, const SettledQuery& settled) {
  const auto client = static_cast<std::uint32_t>(settled.tag.connection);
  const Request request = unpack(settled.tag.request);
  const std::uint32_t id = node.id().value;
  if (settled.reason != RefusedBecause::none) {
    const bool unknown = settled.reason == RefusedBecause::timed_out;
    engine_.note(unknown ? FactKind::unknown : FactKind::refused, id, client, request.first,
                 static_cast<std::uint64_t>(settled.reason));
    if (!settled.error.empty()) engine_.fail(check::kContract, "a query failed: " + settled.error);
    return reply(id, client, request, unknown ? Answer::unknown : Answer::refused, 0);
  }
  const ReadOperation& read = history_.clients[client].reads[request.first];
  Cell cell;
  std::memcpy(&cell, node.driver().answer_bytes().data() + settled.first, sizeof(cell));
  engine_.note(FactKind::answer, id, client, read.key, cell.stamp.major);
  ++counts_.reads;
  checker_.answered(id, client, read, cell);
  reply(id, client, request, Answer::ok, cell.value, cell.stamp);
}

void Clients::refuse_writes(std::uint32_t client, const Request& request) {
  for (std::uint32_t i = 0; i < request.count; ++i) {
    ++history_.clients[client].writes[request.first - 1 + i].refused;
    ++counts_.refused;
  }
}

void Clients::reply(std::uint32_t node, std::uint32_t client, const Request& request, Answer answer,
                    std::uint64_t value, Stamp stamp) {
  Parcel parcel;
  parcel.client = client;
  parcel.node = node;
  parcel.request = request;
  parcel.answer = answer;
  parcel.value = value;
  parcel.stamp = stamp;
  const auto words = [&] { return reply_of(parcel); };
  parcel.number = engine_.sent(node, client_host(client), words);
  const std::uint32_t loss = engine_.weather.loss_per_million;
  if (loss > 0 && random_.chance(loss)) {
    return engine_.lost(parcel.number, node, client_host(client), Loss::chance, words);
  }
  const Duration delay = random_.between(kDelayMin, kDelayMax);
  engine_.after(delay, EventKind::reply, 0, parcels_.put(parcel));
}

}  // namespace parley::sim
