#include "harness/fuzz/target.h"

namespace parley::fuzz {

const std::vector<FuzzTarget>& targets() {
  static const std::vector<FuzzTarget> all = [] {
    std::vector<FuzzTarget> made;
    add_algorithm_targets(made);
    add_state_targets(made);
    add_port_targets(made);
    add_maelstrom_targets(made);
    add_canvas_targets(made);
    add_file_targets(made);
    return made;
  }();
  return all;
}

}  // namespace parley::fuzz
