// What is wrong on purpose with what a node has for itself.
#pragma once

#include "algorithms/contract/time.h"
#include "runtime/storage/disk_faults.h"

namespace parley {

struct NodeFaults {
  Duration clock_step{};  // by how much its wall clock is ahead; negative: behind
  DiskFaults disk;        // not for Durability::none, which has no disk
  bool operator==(const NodeFaults&) const = default;
};

}  // namespace parley
