// Maelstrom's workloads lin-kv, broadcast and g-set, on the map and the set of apps/kv.
// Source: https://github.com/jepsen-io/maelstrom, doc/workloads.md and doc/services.md.
#pragma once

#include <string>

#include "algorithms/contract/algorithm.h"
#include "apps/kv/kv.h"
#include "runtime/maelstrom/service.h"

namespace parley::maelstrom {

// lin-kv where the strategy's writes and reads are linearizable; the set, which broadcast and g-set
// share, with every strategy. Keys, values and elements are any JSON within the limits of apps/kv;
// two are the same if their texts are, with the members of objects sorted and without spaces.
class Workloads final : public Service {
 public:
  // `algorithm`, by its options (with_options), must outlive this.
  explicit Workloads(const Algorithm& algorithm);

  [[nodiscard]] const parley::Application& application() const override { return application_; }
  void start(NodeId self) override { self_ = self; }
  Work take(const Json& body) override;

 private:
  Work read(const Json& body);
  Work write(const Json& body) const;
  Work compare_and_set(const Json& body) const;
  Work add(const Json& body, const char* field, const char* done);
  Work read_set() const;
  [[nodiscard]] std::string why_no_map() const;

  const Algorithm& algorithm_;
  bool has_map_;
  kv::Application application_;
  NodeId self_;
  std::uint32_t next_cell_ = 0;  // of this node's list; what was handed out is never used again
  // Which workload this is: its reads look alike, their replies do not.
  bool broadcast_ = false;
};

}  // namespace parley::maelstrom
