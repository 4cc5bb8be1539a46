// The body of POST /faults (fault_desk.h): what it asks for, read without a cluster.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "apps/canvas/gateway_json.h"
#include "runtime/fault_schedule.h"
#include "runtime/live/node.h"

namespace parley::harness {

struct FaultRequest {
  enum class Kind : std::uint8_t {
    cut,
    delay,
    pause,
    kill,
    slow_link,
    slow_disk,
    full_disk,
    clock_step,
    rolling_restart,
    heal,
  };
  Kind kind = Kind::heal;
  std::optional<NodeTarget>
      target;         // of all that strike a node; of cut and slow_link without groups
  CutShape which;     // links, of cut and slow_link
  LinkShape by;       // of delay and slow_link
  NodeFaults faults;  // of slow_disk, full_disk and clock_step
  std::chrono::milliseconds down{};  // of rolling_restart

  // "slow-link"
  [[nodiscard]] std::string_view name() const;
};

// Of a cluster of so many nodes. A complaint that names the field at fault, and what is allowed.
std::optional<Complaint> parse_fault_request(std::string_view text, std::uint32_t nodes,
                                             FaultRequest& request);

}  // namespace parley::harness
