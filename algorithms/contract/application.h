// The contract of an application: deterministic commands and queries on the stamped store.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/block.h"
#include "algorithms/contract/command.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/store.h"

namespace parley {

// Where the commands of a run write. A write is in the store at once, so that the next command of
// the run sees it; its stamp is the command's.
class WriteSink {
 public:
  virtual ~WriteSink() = default;
  // Writes a cell on behalf of `command`; key < key_count(). A command may write several cells,
  // each once: they share its stamp, and a journal lists each. Merge strategies know one only.
  virtual void put(const Command& command, Key key, std::uint64_t value) = 0;
};

// Where commands leave their results. A command without one has code 0 and value 0.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  // `code` is the application's own; `value` goes to the client as it is.
  virtual void set(const Command& command, std::uint16_t code, std::uint64_t value) = 0;
};

// All state of an application is in the store, so saving, loading and comparing states are the
// store's matter. Used by one thread, except where noted.
class Application {
 public:
  virtual ~Application() = default;

  [[nodiscard]] virtual std::string_view name() const = 0;

  // What its stored state is, in words: states of another description are not its own.
  [[nodiscard]] virtual std::string state_name() const {
    return std::string(name()) + " of " + std::to_string(key_count()) + " cells";
  }

  // How many cells the store needs.
  [[nodiscard]] virtual std::uint32_t key_count() const = 0;

  // Whether the effect of a command depends on the state it meets (compare-and-set, counters). A
  // merge strategy cannot run such an application.
  [[nodiscard]] virtual bool state_dependent() const = 0;

  // Whether a command's payload is well-formed and within range: empty, or a message that names the
  // field and what is allowed. Only valid commands enter runs. Callable from any thread.
  [[nodiscard]] virtual std::string validate(Bytes payload) const = 0;

  // Carries out commands in their order. Must be deterministic: same store, same commands, same
  // writes and replies. The commands are those of one run, or of a part of it, less what the
  // sessions had seen before.
  virtual void execute(const Store& store, std::span<const Command> commands, WriteSink& writes,
                       ReplySink& replies) const = 0;

  // The mergeable form: the write that a command comes down to whatever the state. Only called when
  // state_dependent() is false.
  virtual void translate(const Command& command, CellWrite& write) const = 0;

  // Answers a query; appends the answer to `answer`. Returns empty, or what is wrong with the
  // query.
  virtual std::string query(const Store& store, Bytes query,
                            std::vector<std::byte>& answer) const = 0;

  // Appends the cells that a query reads, for strategies that ask other nodes for them; of an
  // invalid query anything. An application that appends none has no such reads.
  virtual void keys_of(Bytes /*query*/, std::vector<Key>& /*keys*/) const {}
};

}  // namespace parley
