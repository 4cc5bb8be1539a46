// Maelstrom's workloads lin-kv, broadcast and g-set, on the map and the set of apps/kv.
// Source: https://github.com/jepsen-io/maelstrom, doc/workloads.md and doc/services.md.
#pragma once

#include <boost/icl/interval_set.hpp>
#include <cstdint>
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
  using Cells = boost::icl::interval_set<std::uint32_t>::interval_type;

  Work read(const Json& body);
  Work write(const Json& body) const;
  Work compare_and_set(const Json& body) const;
  Work add(const Json& body, const char* field, const char* done);
  Work read_set() const;
  [[nodiscard]] std::string why_no_map() const;
  // So many free cells, one after the other; empty if there are none.
  Cells take_cells(std::uint32_t count);

  const Algorithm& algorithm_;
  bool has_map_;
  kv::Application application_;
  NodeId self_;
  // Cells of this node's list: never handed out, or back because what was to be put there was
  // refused. Neighbours become one.
  boost::icl::interval_set<std::uint32_t> free_{Cells::right_open(0, kv::kListCells)};
  // Which workload this is: its reads look alike, their replies do not.
  bool broadcast_ = false;
};

}  // namespace parley::maelstrom
