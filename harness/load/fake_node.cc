#include "harness/load/fake_node.h"

#include <sys/prctl.h>

#include <algorithm>
#include <cstring>

#include "runtime/live/sockets.h"
#include "runtime/live/waiter.h"

namespace parley::load {
namespace {

constexpr int kTurn = 4096;  // requests taken before they are answered
constexpr Duration kLookAround = std::chrono::milliseconds(5);  // for the end

std::uint8_t byte_of(Outcome outcome) {
  return static_cast<std::uint8_t>(outcome);
}

Bytes body_of(const client::Request& request) {
  if (request.body() == nullptr) return {};
  return std::as_bytes(std::span(request.body()->data(), request.body()->size()));
}

}  // namespace

FakeNode::FakeNode(NodeId id, Script script) : id_(id), script_(std::move(script)) {
  bind();
  thread_ = std::thread([this] { run(); });
}

FakeNode::FakeNode(NodeId id, const KnownService& service) : id_(id), epoch_(monotonic_now()) {
  server_.emplace(service, epoch_);
  bind();
  thread_ = std::thread([this] { run_server(); });
}

void FakeNode::bind() {
  socket_.set(zmq::sockopt::linger, 0);
  socket_.set(zmq::sockopt::sndhwm, 0);
  socket_.set(zmq::sockopt::rcvhwm, 0);
  socket_.bind("tcp://127.0.0.1:0");
  endpoint_ = socket_.get(zmq::sockopt::last_endpoint);
}

FakeNode::~FakeNode() {
  die();
}

void FakeNode::die() {
  stopping_.store(true);
  if (thread_.joinable()) thread_.join();
  socket_.close();
}

void FakeNode::set_report(std::string report) {
  const std::lock_guard lock(mutex_);
  report_ = std::move(report);
}

LatencyHistogram FakeNode::lateness() const {
  const std::lock_guard lock(mutex_);
  return lateness_;
}

std::vector<FakeNode::Seen> FakeNode::seen() const {
  const std::lock_guard lock(mutex_);
  return seen_;
}

void FakeNode::run() {
  while (!stopping_.load()) {
    zmq::pollitem_t item{socket_.handle(), 0, ZMQ_POLLIN, 0};
    if (stalled_.load()) {
      zmq_poll(nullptr, 0, 1);
      continue;
    }
    if (zmq_poll(&item, 1, 5) <= 0) continue;
    for (int i = 0; i < kTurn && receive_one(); ++i) {
    }
    flush();
  }
}

// Moments of the known server are absolute: that one answer is late does not delay the next.
void FakeNode::run_server() {
  prctl(PR_SET_TIMERSLACK, 1UL);  // ns; by default the kernel may add 50 us to every sleep
  Bell bell;                      // never rung: the waiter wants one
  zmq::socket_t* const socket = &socket_;
  Waiter waiter({&socket, 1}, bell);
  while (!stopping_.load()) {
    while (receive_one()) {
    }
    end_jobs();
    flush();
    const Instant now = monotonic_now();
    const Instant next = jobs_.empty() ? now + kLookAround : jobs_.front().done;
    waiter.wait(std::min(next - now, kLookAround));
  }
}

bool FakeNode::take_job(const Seen& seen) {
  if (!server_) return false;
  jobs_.push_back({server_->finish(monotonic_now()), sender_, seen.id, seen.count, seen.is_query});
  return true;
}

void FakeNode::end_jobs() {
  const std::lock_guard lock(mutex_);
  for (Instant now = monotonic_now(); !jobs_.empty() && jobs_.front().done <= now;
       jobs_.pop_front()) {
    const Job& job = jobs_.front();
    lateness_.add((now - job.done).count());
    Pending& pending = pending_[job.from];
    if (job.is_query) {
      const std::size_t bytes = job.count * sizeof(canvas::CellState);
      pending.answers.emplace_back(job.id, std::vector<std::byte>(bytes));
    } else {
      pending.done.emplace_back(job.id, ++index_, 0, job.count, ~0U, byte_of(Outcome::ok), 0, 0, 0);
    }
  }
}

bool FakeNode::receive_one() {
  zmq::message_t identity;
  zmq::message_t message;
  if (!try_receive(socket_, identity) || !try_receive(socket_, message)) return false;
  aligned_.resize(message.size() / 8 + 1);
  std::memcpy(aligned_.data(), message.data(), message.size());
  const auto* data = reinterpret_cast<const std::uint8_t*>(aligned_.data());
  flatbuffers::Verifier verifier(data, message.size());
  if (verifier.VerifyBuffer<client::Request>(nullptr)) {
    take(identity.to_string(), *flatbuffers::GetRoot<client::Request>(data));
  }
  return true;
}

void FakeNode::take(const std::string& identity, const client::Request& request) {
  sender_ = identity;
  Pending& pending = pending_[identity];
  switch (request.kind()) {
    case client::RequestKind::submit:
      return take_submit(pending, request);
    case client::RequestKind::query:
      return take_query(pending, request);
    case client::RequestKind::hello:
      pending.has_welcome = true;
      pending.welcome = request.id();
      return;
    case client::RequestKind::report: {
      const std::lock_guard lock(mutex_);
      const Bytes report = std::as_bytes(std::span(report_));
      pending.answers.emplace_back(request.id(),
                                   std::vector<std::byte>(report.begin(), report.end()));
    }
  }
}

void FakeNode::take_submit(Pending& pending, const client::Request& request) {
  const Bytes body = body_of(request);
  CommandHeader header;
  std::memcpy(&header, body.data(), sizeof(header));
  if (static_cast<CommandKind>(header.kind) == CommandKind::open_session) {
    return open_sessions(pending, request);
  }
  Seen seen{request.id(),
            false,
            header.session,
            header.sequence,
            static_cast<std::uint32_t>(body.size() / kPlaceBytes),
            {}};
  std::memcpy(&seen.first, body.data() + sizeof(header), sizeof(seen.first));
  commands_.fetch_add(seen.count, std::memory_order_relaxed);
  if (take_job(seen)) return;
  const Reaction reaction = script_ ? script_(seen) : Reaction{};
  if (script_) keep(seen);
  if (reaction.answer == Answer::silence) return;
  Outcome outcome = Outcome::ok;
  if (reaction.answer == Answer::refuse) outcome = Outcome::refused;
  if (reaction.answer == Answer::unknown) outcome = Outcome::unknown;
  const std::uint64_t major = outcome == Outcome::ok ? ++index_ : 0;
  pending.done.emplace_back(request.id(), major, 0, seen.count, ~0U, byte_of(outcome),
                            static_cast<std::uint8_t>(reaction.reason), 0, 0);
  if (!script_ || outcome != Outcome::ok) return;
  CommandReader reader(body);
  Command command;
  while (reader.next(command)) {
    canvas::Place place;
    std::memcpy(&place, command.payload.data(), sizeof(place));
    cells_[{place.x(), place.y()}] = {major,
                                      command.offset,
                                      command.header.session,
                                      command.header.sequence,
                                      place.color(),
                                      place.user(),
                                      1,
                                      0,
                                      0,
                                      0};
  }
}

void FakeNode::open_sessions(Pending& pending, const client::Request& request) {
  const auto count =
      static_cast<std::uint32_t>(body_of(request).size() / (sizeof(CommandHeader) + 8));
  pending.done.emplace_back(request.id(), ++index_, 0, count,
                            static_cast<std::uint32_t>(pending.results.size()),
                            byte_of(Outcome::ok), 0, 0, 0);
  for (std::uint32_t i = 0; i < count; ++i) {
    pending.results.emplace_back(0, 0, byte_of(Outcome::ok), 0, 0, 0, index_, i, ++last_session_);
  }
}

void FakeNode::take_query(Pending& pending, const client::Request& request) {
  const Bytes body = body_of(request);
  const auto count = static_cast<std::uint32_t>(body.size() / sizeof(canvas::CellRef));
  const Seen seen{request.id(), true, 0, 0, count, {}};
  if (take_job(seen)) return;
  const Reaction reaction = script_ ? script_(seen) : Reaction{};
  if (script_) keep(seen);
  if (reaction.answer == Answer::silence) return;
  if (reaction.answer != Answer::ok) return pending.refused_queries.push_back(request.id());
  std::vector<std::byte> answer(count * sizeof(canvas::CellState));
  for (std::uint32_t i = 0; i < count; ++i) {
    canvas::CellRef ref;
    std::memcpy(&ref, body.data() + i * sizeof(ref), sizeof(ref));
    const auto found = cells_.find({ref.x(), ref.y()});
    if (found == cells_.end()) continue;
    std::memcpy(answer.data() + i * sizeof(canvas::CellState), &found->second,
                sizeof(canvas::CellState));
  }
  pending.answers.emplace_back(request.id(), std::move(answer));
}

void FakeNode::keep(const Seen& seen) {
  const std::lock_guard lock(mutex_);
  seen_.push_back(seen);
}

void FakeNode::flush() {
  for (auto& [identity, pending] : pending_) {
    flatbuffers::FlatBufferBuilder builder(1024);
    std::vector<flatbuffers::Offset<client::Answer>> answers;
    for (const auto& [id, body] : pending.answers) {
      const auto* data = reinterpret_cast<const std::uint8_t*>(body.data());
      const auto bytes = builder.CreateVector(data, body.size());
      answers.push_back(client::CreateAnswer(builder, id, 0, 0, bytes));
    }
    for (const std::uint64_t id : pending.refused_queries) {
      answers.push_back(
          client::CreateAnswer(builder, id, static_cast<std::uint8_t>(RefusedBecause::no_leader)));
    }
    flatbuffers::Offset<client::Welcome> welcome;
    if (pending.has_welcome) {
      const auto name = builder.CreateString("fake");
      welcome = client::CreateWelcome(builder, pending.welcome, id_.value, 1, leader_.load(), name,
                                      name, 1U << 18);
    }
    const auto done = builder.CreateVectorOfStructs(pending.done);
    const auto results = builder.CreateVectorOfStructs(pending.results);
    const auto answer_list = builder.CreateVector(answers);
    builder.Finish(client::CreateReply(builder, done, results, answer_list, welcome));
    zmq::message_t to(identity);
    zmq::message_t reply(builder.GetBufferPointer(), builder.GetSize());
    if (garbage_.load()) reply = zmq::message_t(std::string("no reply"));
    if (try_send(socket_, to, true) == SendResult::sent) try_send(socket_, reply, false);
  }
  pending_.clear();
}

}  // namespace parley::load
