#include "apps/canvas/gateway_answers.h"

#include <string_view>
#include <utility>

#include "apps/canvas/http_text.h"

namespace parley {

HttpResponse json_response(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.body = std::make_shared<const std::string>(std::move(body));
  return response;
}

HttpResponse failure_response(const Failure& failure) {
  HttpResponse response = json_response(failure.status, complaint_json(failure.complaint));
  if (failure.status == 429 || failure.status == 503) {
    response.headers.emplace_back("Retry-After", std::to_string(failure.retry_after_s));
  }
  return response;
}

HttpResponse complaint_response(int status, const Complaint& complaint) {
  return failure_response({status, complaint});
}

Failure refusal(RefusedBecause reason) {
  const std::string word(reason_name(reason));
  switch (reason) {
    case RefusedBecause::invalid:
      return {400, {"the node found the request invalid", word, {}, {}}};
    case RefusedBecause::overloaded:
      return {429, {"too much at once; nothing was done", word, {}, {}}};
    case RefusedBecause::no_leader:
      return {503, {"no leader is known; nothing was done", word, {}, {}}};
    case RefusedBecause::stopping:
      return {503, {"the node is stopping; nothing was done", word, {}, {}}};
    case RefusedBecause::too_many_sessions:
      return {503, {"no more clients can be told apart; nothing was done", word, "client", {}}};
    case RefusedBecause::clock:
      return {503, {"the node's clock is not sure enough; nothing was done", word, {}, {}}};
    case RefusedBecause::behind:
      return {503, {"seen: the node has not got that far yet", word, "seen", {}}};
    case RefusedBecause::unanswered:
      return {503, {"too few other nodes answered in time", word, {}, {}}};
    case RefusedBecause::not_offered:
      return {400, {"read: linearizable is not offered by this strategy", word, "read", "local"}};
    default:
      return {503, {"refused; nothing was done", word, {}, {}}};
  }
}

Failure not_written(const Result& result, std::chrono::milliseconds cooldown) {
  if (result.code != Canvas::kCooldown) return refusal(RefusedBecause::invalid);
  const std::uint64_t wait_s = (result.value + 999) / 1000;
  return {429,
          {"user: has to wait for another " + std::to_string(wait_s) + " s; nothing was done",
           "cooldown", "user", "one placement in " + std::to_string(cooldown.count()) + " ms"},
          wait_s};
}

Failure unknown(RefusedBecause reason) {
  const std::string word(reason_name(reason));
  if (reason == RefusedBecause::too_old) {
    return {504,
            {"seq: is too far behind the client's latest; whether it was done is forgotten",
             word,
             "seq",
             {}}};
  }
  if (reason == RefusedBecause::session_expired) {
    return {504,
            {"client: was silent for so long that what it did before is forgotten; a new attempt "
             "counts as a new placement",
             word,
             "client",
             {}}};
  }
  return {504, {"no answer in time; it may or may not have been done", word, {}, {}}};
}

HttpResponse too_many_bodies() {
  return complaint_response(503,
                            {"too many slow readers hold earlier canvases", "overloaded", {}, {}});
}

HttpResponse tagged(std::uint64_t digest, const std::string& type) {
  HttpResponse response;
  response.headers = {{"ETag", "\"" + version_text({0, digest}).substr(16) + "-" + type + "\""},
                      {"Vary", "Accept, Origin"},
                      {"Cache-Control", "no-cache"}};
  return response;
}

}  // namespace parley
