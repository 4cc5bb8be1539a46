#include "harness/load/node_sessions.h"

#include <algorithm>
#include <random>

#include "algorithms/contract/command.h"
#include "algorithms/contract/node_port.h"

namespace parley::load {
namespace {

constexpr std::int64_t kAskAgainNs = 1'000'000'000;

}  // namespace

std::vector<std::byte> open_session_commands(std::span<const std::uint64_t> nonces) {
  std::vector<std::byte> body;
  body.reserve(nonces.size() * (sizeof(CommandHeader) + sizeof(std::uint64_t)));
  for (const std::uint64_t nonce : nonces) append_open_session(nonce, body);
  return body;
}

std::vector<std::uint32_t> opened_sessions(const client::Done& done, const client::Reply& reply,
                                           std::string& problem) {
  const ResultRange results = results_of(done, reply);
  if (results.first == nullptr) {
    problem = reason_name(static_cast<RefusedBecause>(done.reason()));
    return {};
  }
  std::vector<std::uint32_t> ids;
  for (std::uint32_t i = 0; i < done.count(); ++i) {
    const client::Result& result = results.first[i];
    if (result.outcome() != static_cast<std::uint8_t>(Outcome::ok)) {
      problem = reason_name(static_cast<RefusedBecause>(result.reason()));
      return {};
    }
    ids.push_back(static_cast<std::uint32_t>(result.value()));
  }
  return ids;
}

// Not from a seed: a nonce used before would find the session of an earlier load.
std::vector<std::uint64_t> random_nonces(std::size_t count) {
  std::random_device device;
  std::vector<std::uint64_t> nonces(count);
  for (std::uint64_t& nonce : nonces) nonce = std::uint64_t{device()} << 32 | device();
  return nonces;
}

bool NodeSessions::forgotten(std::uint32_t client, std::uint32_t session) {
  if (session == 0 || ids_[client] != session) return false;
  nonces_ = random_nonces(ids_.size());
  std::fill(ids_.begin(), ids_.end(), 0);
  opened_ = 0;
  asked_ns_ = 0;
  return true;
}

std::vector<std::byte> NodeSessions::next_request(std::int64_t now_ns) {
  if (complete() || (asked_ns_ != 0 && now_ns - asked_ns_ < kAskAgainNs)) return {};
  asked_ns_ = now_ns;
  ++request_;
  const std::size_t part = std::min(kPerMessage, nonces_.size() - opened_);
  return open_session_commands(std::span(nonces_).subspan(opened_, part));
}

std::string NodeSessions::take(const client::Done& done, const client::Reply& reply) {
  if (complete()) return {};
  std::string problem;
  const std::vector<std::uint32_t> ids = opened_sessions(done, reply, problem);
  const std::size_t part = std::min(kPerMessage, nonces_.size() - opened_);
  if (ids.size() != part) return problem.empty() ? "not as many as were asked for" : problem;
  std::copy(ids.begin(), ids.end(), ids_.begin() + static_cast<std::ptrdiff_t>(opened_));
  opened_ += part;
  asked_ns_ = 0;
  if (opened_ == nonces_.size()) nonces_.clear();
  return {};
}

}  // namespace parley::load
