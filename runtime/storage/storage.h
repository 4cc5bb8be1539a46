// Where a replica's writes become durable.
#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>

#include "algorithms/contract/effects.h"
#include "algorithms/contract/replica.h"

namespace parley {

// What storage held cannot be used, or it cannot be written. The message names the folder and says
// what is wrong; nothing in the folder was changed.
class StorageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What storage held is damaged, or gone: the node does not know any more what it promised.
class StorageLost : public StorageError {
 public:
  using StorageError::StorageError;
};

// What "durable" means for a run; part of every result.
enum class Durability : std::uint8_t {
  none,          // nothing is stored: a node that starts anew is not the same voter
  async,         // handed to the kernel: outlives the process, not the machine
  group_commit,  // synced to the disk; one sync covers everything that waits
};

// Used by the node's loop, except where noted. Writes become durable in their order, as a prefix.
class Storage {
 public:
  virtual ~Storage() = default;

  // Takes the writes of a turn and returns at once.
  virtual void write(std::span<const Write> writes) = 0;

  // Every write with a ticket up to this one is durable. Rises only. Callable from any thread.
  [[nodiscard]] virtual Ticket durable() const = 0;

  // Bytes taken and not yet durable: whoever produces them is to wait when they are many.
  [[nodiscard]] virtual std::uint64_t waiting_bytes() const = 0;

  // Why nothing becomes durable any more; empty as long as all is well. A failed write or sync is
  // never tried again: what the disk holds is unknown then, and the process has to end.
  [[nodiscard]] virtual std::string error() const = 0;
};

}  // namespace parley
