// The answers of the gateway: JSON, and what it says when something was not done, or may not have
// been.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "algorithms/contract/node_port.h"
#include "apps/canvas/canvas.h"
#include "apps/canvas/gateway_json.h"
#include "apps/canvas/http_server.h"

namespace parley {

// Why something could not be done.
struct Failure {
  int status = 0;
  Complaint complaint;
  std::uint64_t retry_after_s = 1;  // of 429 and 503
};

HttpResponse json_response(int status, std::string body);
HttpResponse failure_response(const Failure& failure);
HttpResponse complaint_response(int status, const Complaint& complaint);

// What was refused was not done: 429 where waiting a moment is enough, 503 where the cluster or the
// node has to recover first.
Failure refusal(RefusedBecause reason);
// What was carried out, but wrote nothing.
Failure not_written(const Result& result, std::chrono::milliseconds cooldown);
// What may or may not have been done.
Failure unknown(RefusedBecause reason);
HttpResponse too_many_bodies();
// An answer whose tag, its first header, follows from the contents of the canvas.
HttpResponse tagged(std::uint64_t digest, const std::string& type);

}  // namespace parley
