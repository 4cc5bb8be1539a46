// Stands in for the harness in tests: starts a cluster of fake nodes, prints their process ids, and
// then ends in the way that its first argument names, or waits to be ended. Usage: cluster_host
// <wait|wait-for-stop|throw|abort> <fake_node> <folder>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

#include "algorithms/registry/registry.h"
#include "harness/cluster/cluster.h"
#include "harness/cluster/stop_signal.h"

namespace {

using namespace parley::harness;

ClusterSpec spec_of(char** argv) {
  ClusterSpec spec;
  spec.executable = argv[2];
  spec.arguments = {"good"};
  spec.folder = argv[3];
  spec.nodes = 3;
  spec.algorithm = parley::find_algorithm("raft");
  spec.options = parley::default_options(spec.algorithm->options);
  return spec;
}

void run(const std::string& mode, Cluster& cluster) {
  cluster.wait_ready(std::chrono::seconds(60));
  for (const Member& member : cluster.members()) std::printf("%d ", static_cast<int>(member.pid));
  std::printf("\n");
  std::fflush(stdout);
  if (mode == "abort") std::abort();
  if (mode == "throw") throw std::runtime_error("thrown on purpose");
  while (mode == "wait" || !StopSignal::requested()) pause();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  const std::string mode = argv[1];
  if (mode == "wait-for-stop") {
    const StopSignal stop;
    Cluster cluster(spec_of(argv));
    run(mode, cluster);
    std::printf("stopped in good order\n");
    return 0;
  }
  Cluster cluster(spec_of(argv));
  run(mode, cluster);
}
