#include "harness/cluster/node_probe.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>

#include <atomic>
#include <csignal>
#include <thread>

#include "harness/cluster/private_folder.h"

namespace parley::harness {
namespace {

using namespace std::chrono_literals;

// A handler that interrupts what waits.
void take_signals() {
  struct sigaction action {};
  action.sa_handler = [](int) {};
  sigaction(SIGUSR1, &action, nullptr);
}

TEST(NodeProbe, SignalsDoNotEndItsPatience) {
  take_signals();
  const PrivateFolder folder;
  const NodeId silent{1};
  NodeProbe probe({{silent, "ipc://" + (folder.path() / "nobody").string()}});
  std::atomic<bool> over{false};
  std::thread disturber([&over, waiting = pthread_self()] {
    while (!over) {
      pthread_kill(waiting, SIGUSR1);
      std::this_thread::sleep_for(2ms);
    }
  });
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_THAT(probe.hello({silent}, 300ms), testing::IsEmpty());
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 300ms);
  over = true;
  disturber.join();
}

}  // namespace
}  // namespace parley::harness
