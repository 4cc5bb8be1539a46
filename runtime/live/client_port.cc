#include "runtime/live/client_port.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "algorithms/contract/flat_message.h"
#include "runtime/live/command_check.h"
#include "runtime/live/sockets.h"

namespace parley {
namespace {

// A reply that has grown to this is sent before the turn is over.
constexpr std::size_t kReplyEntries = 8192;
constexpr std::size_t kReplyAnswerBytes = 1U << 20;

// What requests that are small and cost much count for among the bytes of a turn.
constexpr std::size_t kReportCost = 8192;
constexpr std::size_t kLargeQuery = 256;
constexpr std::size_t kAnswerPerQuery = 10;  // bytes a byte

constexpr flatbuffers::uoffset_t kMaxSeen = 1024;  // nodes that a query names

constexpr flatbuffers::uoffset_t kMaxDepth = 8;
constexpr flatbuffers::uoffset_t kMaxTables = 8;

std::string_view text_of(const zmq::message_t& part) {
  return {static_cast<const char*>(part.data()), part.size()};
}

client::Result wire_result(const Result& result) {
  return {result.session,     result.sequence,    static_cast<std::uint8_t>(result.outcome),
          result.reason,      result.code,        0,
          result.stamp.major, result.stamp.minor, result.value};
}

// Whether client.fbs can say these results as one Done.
bool are_alike(std::span<const Result> results) {
  const Result& first = results.front();
  std::uint64_t minor = first.stamp.minor;
  for (const Result& result : results) {
    if (result.outcome != first.outcome || result.reason != first.reason ||
        result.code != first.code || result.value != 0) {
      return false;
    }
    if (result.outcome == Outcome::ok && result.stamp != Stamp{first.stamp.major, minor}) {
      return false;
    }
    ++minor;
  }
  return true;
}

}  // namespace

ClientPort::ClientPort(zmq::context_t& context, const Application& application,
                       const NodeDesk& desk, const ClientOptions& options)
    : application_(application),
      desk_(desk),
      options_(options),
      socket_(context, zmq::socket_type::router) {
  namespace opt = zmq::sockopt;
  socket_.set(opt::linger, 0);
  socket_.set(opt::router_mandatory, true);  // tells of clients that are gone
  socket_.set(opt::handshake_ivl, 2000);
  socket_.set(opt::heartbeat_ivl, 1000);
  socket_.set(opt::heartbeat_timeout, 5000);
  socket_.set(opt::sndhwm, options_.high_water_mark);
  socket_.set(opt::rcvhwm, options_.high_water_mark);
  // Beyond our own limit a request is refused with a reason; far beyond it, the connection ends.
  socket_.set(opt::maxmsgsize, std::int64_t{2} * options_.max_request_bytes);
}

void ClientPort::bind(const std::string& endpoint) {
  try {
    socket_.bind(endpoint);
    endpoints_.push_back(socket_.get(zmq::sockopt::last_endpoint));
  } catch (const zmq::error_t& error) {
    throw std::runtime_error("cannot listen for clients at " + endpoint + ": " + error.what());
  }
}

// --- requests ---

bool ClientPort::receive(Driver& driver, std::size_t max_requests, std::size_t max_bytes) {
  std::size_t bytes = 0;
  for (std::size_t taken = 0; taken < max_requests && bytes < max_bytes; ++taken) {
    std::size_t parts = 0;
    if (!receive_message(parts)) return false;
    bytes += request_.size();
    traffic_.received_bytes += request_.size();
    const std::uint32_t slot = slot_of(text_of(identity_));
    if (slot == kNoSlot) {
      ++traffic_.requests_refused;
    } else if (parts != 2) {
      misunderstood(slot, "a request is one message of one part");
    } else if (request_.size() > options_.max_request_bytes) {
      misunderstood(slot, "a request of " + std::to_string(request_.size()) +
                              " bytes; allowed are " + std::to_string(options_.max_request_bytes));
    } else {
      handle(slot, driver);
      bytes += std::exchange(charged_, 0);
    }
  }
  return true;
}

// Receives all parts of the next message: the sender's identity, the request and what there is too
// much. False if none waits.
bool ClientPort::receive_message(std::size_t& parts) {
  if (!try_receive(socket_, identity_)) return false;
  parts = 1;
  request_.rebuild();
  bool more = identity_.more();
  zmq::message_t excess;
  while (more) {
    zmq::message_t& part = parts == 1 ? request_ : excess;
    if (!try_receive(socket_, part)) break;
    ++parts;
    more = part.more();
  }
  return true;
}

std::uint32_t ClientPort::slot_of(std::string_view identity) {
  ++messages_;
  if (last_slot_ == kNoSlot || connections_[last_slot_].identity != identity) {
    if (const auto it = slots_.find(identity); it != slots_.end()) {
      last_slot_ = it->second;
    } else {
      const std::uint32_t slot = free_slot();
      if (slot == kNoSlot) return kNoSlot;
      connections_[slot].identity = identity;
      slots_.emplace(identity, slot);
      last_slot_ = slot;
    }
  }
  connections_[last_slot_].last_seen = messages_;
  return last_slot_;
}

std::uint32_t ClientPort::free_slot() {
  if (free_.empty() && connections_.size() < options_.max_connections) {
    connections_.emplace_back();
    return static_cast<std::uint32_t>(connections_.size() - 1);
  }
  if (free_.empty()) {
    std::uint32_t oldest = kNoSlot;
    for (std::uint32_t slot = 0; slot < connections_.size(); ++slot) {
      const Connection& connection = connections_[slot];
      if (connection.in_flight > 0 || connection.dirty) continue;
      if (oldest == kNoSlot || connection.last_seen < connections_[oldest].last_seen) oldest = slot;
    }
    if (oldest == kNoSlot) return kNoSlot;
    release(oldest);
  }
  const std::uint32_t slot = free_.back();
  free_.pop_back();
  return slot;
}

// Forgets a client. What is settled for it later finds another generation and is left out.
void ClientPort::release(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  in_flight_ -= connection.in_flight;
  slots_.erase(connection.identity);
  const std::uint32_t generation = connection.generation + 1;
  connection = Connection{};
  connection.generation = generation;
  free_.push_back(slot);
  if (last_slot_ == slot) last_slot_ = kNoSlot;
}

RequestTag ClientPort::tag(std::uint32_t slot, std::uint64_t id) const {
  return {(std::uint64_t{connections_[slot].generation} << 32) | slot, id};
}

ClientPort::Connection* ClientPort::find(const RequestTag& tag) {
  const auto slot = static_cast<std::uint32_t>(tag.connection);
  if (slot >= connections_.size()) return nullptr;
  Connection& connection = connections_[slot];
  return connection.generation == tag.connection >> 32 ? &connection : nullptr;
}

void ClientPort::handle(std::uint32_t slot, Driver& driver) {
  const std::size_t size = request_.size();
  if (aligned_.size() * 8 < size) aligned_.resize((size + 7) / 8);
  std::memcpy(aligned_.data(), request_.data(), size);
  const auto* data = reinterpret_cast<const std::uint8_t*>(aligned_.data());
  flatbuffers::Verifier verifier(data, size, kMaxDepth, kMaxTables);
  if (!verifier.VerifyBuffer<client::Request>(nullptr)) {
    return misunderstood(slot, "the message is not a Request");
  }
  const auto& request = *flatbuffers::GetRoot<client::Request>(data);
  const auto* seen = request.seen();
  if (seen != nullptr && seen->size() > 0 && !aligned(seen)) {
    return misunderstood(slot, "the message is not a Request");
  }
  ++traffic_.requests;
  switch (request.kind()) {
    case client::RequestKind::submit: {
      const auto* body = request.body();
      const std::size_t body_size = body == nullptr ? 0 : body->size();
      const auto* bytes = reinterpret_cast<const std::byte*>(body == nullptr ? data : body->data());
      return submit(slot, request.id(), {bytes, body_size}, driver);
    }
    case client::RequestKind::query:
      return query(slot, request, driver);
    case client::RequestKind::hello:
      ++traffic_.hellos;
      traffic_.hello_bytes += size;
      return hello(slot, request.id());
    case client::RequestKind::report: {
      charged_ += kReportCost;
      const std::string report = desk_.report();
      return answer(slot, {.id = request.id(), .error = {}}, std::as_bytes(std::span(report)));
    }
  }
  answer(slot,
         {.id = request.id(),
          .reason = RefusedBecause::invalid,
          .error = "kind: " + std::to_string(static_cast<int>(request.kind())) + " is not known"},
         {});
}

void ClientPort::submit(std::uint32_t slot, std::uint64_t id, Bytes body, Driver& driver) {
  const CheckedCommands checked = check_commands(application_, body);
  if (!checked.error.empty()) {
    connections_[slot].error = checked.error;
    return refuse(slot, id, checked.count, RefusedBecause::invalid);
  }
  if (in_flight_ >= options_.max_in_flight || !driver.submit(tag(slot, id), body, checked.count)) {
    return refuse(slot, id, checked.count, RefusedBecause::overloaded);
  }
  traffic_.commands += checked.count;
  ++connections_[slot].in_flight;
  ++in_flight_;
}

void ClientPort::query(std::uint32_t slot, const client::Request& request, Driver& driver) {
  const auto mode = static_cast<ReadMode>(request.read_mode());
  const auto* body = request.body();
  if (mode != ReadMode::local && mode != ReadMode::linearizable) {
    return answer(slot,
                  {.id = request.id(),
                   .reason = RefusedBecause::invalid,
                   .error = "read_mode: " + std::to_string(static_cast<int>(mode)) +
                            " is neither 0 (local) nor 1 (linearizable)"},
                  {});
  }
  const Bytes query =
      body == nullptr ? Bytes() : std::as_bytes(std::span(body->data(), body->size()));
  if (query.size() > kLargeQuery) charged_ += kAnswerPerQuery * query.size();
  std::vector<Seen> seen;
  if (request.seen() != nullptr) {
    if (request.seen()->size() > kMaxSeen) {
      return answer(slot,
                    {.id = request.id(),
                     .reason = RefusedBecause::invalid,
                     .error = "seen: " + std::to_string(request.seen()->size()) +
                              " nodes; allowed are " + std::to_string(kMaxSeen)},
                    {});
    }
    for (const client::Seen* one : *request.seen()) {
      seen.push_back({NodeId{one->node()}, /*reserved=*/0, one->time()});
    }
  }
  if (in_flight_ >= options_.max_in_flight ||
      !driver.query(tag(slot, request.id()), mode, query, std::move(seen))) {
    return answer(slot,
                  {.id = request.id(),
                   .reason = RefusedBecause::overloaded,
                   .error = "too many requests are waiting"},
                  {});
  }
  ++connections_[slot].in_flight;
  ++in_flight_;
}

void ClientPort::hello(std::uint32_t slot, std::uint64_t id) {
  if (connections_[slot].has_welcome) send_reply(slot);
  // The client may have gone with that reply; then the slot is free.
  if (connections_[slot].identity.empty()) return;
  connections_[slot].has_welcome = true;
  connections_[slot].welcome_id = id;
  touch(slot);
}

// --- replies ---

void ClientPort::settle(const SettledSubmit& settled, std::span<const Result> results) {
  Connection* connection = find(settled.tag);
  if (connection == nullptr) return;
  --connection->in_flight;
  --in_flight_;
  const auto own = results.subspan(settled.first, settled.count);
  const Result& first = own.front();
  std::uint32_t first_result = ~0U;
  if (!are_alike(own)) {
    first_result = static_cast<std::uint32_t>(connection->results.size());
    for (const Result& result : own) connection->results.push_back(wire_result(result));
  }
  connection->done.emplace_back(
      settled.tag.request, first.stamp.major, first.stamp.minor, settled.count, first_result,
      static_cast<std::uint8_t>(first.outcome), first.reason, first.code, 0);
  touch(static_cast<std::uint32_t>(settled.tag.connection));
}

void ClientPort::settle(const SettledQuery& settled, Bytes answers) {
  Connection* connection = find(settled.tag);
  if (connection == nullptr) return;
  --connection->in_flight;
  --in_flight_;
  answer(static_cast<std::uint32_t>(settled.tag.connection),
         {.id = settled.tag.request, .reason = settled.reason, .error = settled.error},
         answers.subspan(settled.first, settled.size));
}

void ClientPort::refuse(std::uint32_t slot, std::uint64_t id, std::uint32_t count,
                        RefusedBecause reason) {
  traffic_.commands_refused += count;
  connections_[slot].done.emplace_back(id, 0, 0, count, ~0U,
                                       static_cast<std::uint8_t>(Outcome::refused),
                                       static_cast<std::uint8_t>(reason), 0, 0);
  touch(slot);
}

void ClientPort::answer(std::uint32_t slot, Answer answer, Bytes bytes) {
  Connection& connection = connections_[slot];
  answer.first = connection.answer_bytes.size();
  answer.size = bytes.size();
  connection.answer_bytes.insert(connection.answer_bytes.end(), bytes.begin(), bytes.end());
  connection.answers.push_back(std::move(answer));
  touch(slot);
}

void ClientPort::misunderstood(std::uint32_t slot, std::string error) {
  ++traffic_.requests_refused;
  connections_[slot].error = std::move(error);
  touch(slot);
}

// Notes that a client has something to be told, and tells it at once if it has become much.
void ClientPort::touch(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  if (!connection.dirty) {
    connection.dirty = true;
    dirty_.push_back(slot);
  }
  if (connection.done.size() >= kReplyEntries || connection.results.size() >= kReplyEntries ||
      connection.answers.size() >= kReplyEntries ||
      connection.answer_bytes.size() >= kReplyAnswerBytes) {
    send_reply(slot);
  }
}

void ClientPort::flush() {
  for (std::size_t i = 0; i < dirty_.size(); ++i) {
    if (connections_[dirty_[i]].dirty) send_reply(dirty_[i]);
  }
  dirty_.clear();
}

void ClientPort::send_reply(std::uint32_t slot) {
  Connection& connection = connections_[slot];
  build_reply(connection);
  const bool only_welcomes = connection.has_welcome && connection.done.empty() &&
                             connection.results.empty() && connection.answers.empty();
  connection.dirty = false;
  connection.done.clear();
  connection.results.clear();
  connection.answers.clear();
  connection.answer_bytes.clear();
  connection.has_welcome = false;
  connection.error.clear();

  zmq::message_t identity(connection.identity);
  zmq::message_t reply(builder_.GetBufferPointer(), builder_.GetSize());
  const std::size_t size = reply.size();
  SendResult sent = try_send(socket_, identity, true);
  if (sent == SendResult::sent) sent = try_send(socket_, reply, false);
  if (sent == SendResult::sent) {
    ++traffic_.replies;
    traffic_.sent_bytes += size;
    if (only_welcomes) {
      ++traffic_.welcomes;
      traffic_.hello_bytes += size;
    }
  } else {
    ++traffic_.replies_dropped;
    if (sent == SendResult::unreachable) release(slot);
  }
}

void ClientPort::build_reply(const Connection& connection) {
  builder_.Clear();
  std::vector<flatbuffers::Offset<client::Answer>> answers;
  for (const Answer& answer : connection.answers) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(connection.answer_bytes.data());
    const auto body = builder_.CreateVector(bytes + answer.first, answer.size);
    const auto error = answer.error.empty() ? 0 : builder_.CreateString(answer.error);
    answers.push_back(client::CreateAnswer(builder_, answer.id,
                                           static_cast<std::uint8_t>(answer.reason), error, body));
  }
  flatbuffers::Offset<client::Welcome> welcome;
  if (connection.has_welcome) {
    const NodeDesk::Greeting greeting = desk_.greeting();
    const std::string_view application = application_.name();
    const auto algorithm_text =
        builder_.CreateString(greeting.algorithm.data(), greeting.algorithm.size());
    const auto application_text = builder_.CreateString(application.data(), application.size());
    welcome = client::CreateWelcome(
        builder_, connection.welcome_id, greeting.node.value, greeting.incarnation.value,
        greeting.leader.value, algorithm_text, application_text, options_.max_request_bytes,
        greeting.epoch.value, greeting.applied.value, greeting.sessions_of_nodes);
  }
  const auto done = connection.done.empty() ? 0 : builder_.CreateVectorOfStructs(connection.done);
  const auto results =
      connection.results.empty() ? 0 : builder_.CreateVectorOfStructs(connection.results);
  const auto answer_list = answers.empty() ? 0 : builder_.CreateVector(answers);
  const auto error = connection.error.empty() ? 0 : builder_.CreateString(connection.error);
  builder_.Finish(client::CreateReply(builder_, done, results, answer_list, welcome, error));
}

ClientTraffic ClientPort::traffic() const {
  ClientTraffic traffic = traffic_;
  traffic.connections = slots_.size();
  traffic.in_flight = in_flight_;
  return traffic;
}

}  // namespace parley
