// Drives one target by libFuzzer:
//   parley_fuzz list                         the names of the targets
//   parley_fuzz seeds FOLDER                 writes FOLDER/<target>/<number> for all of them
//   parley_fuzz TARGET [libFuzzer's own]     for instance parley_fuzz raft_frame FOLDER
//   -runs=100000
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "harness/fuzz/target.h"

namespace parley::fuzz {
namespace {

const FuzzTarget* chosen = nullptr;

void write_seeds(const std::filesystem::path& folder) {
  for (const FuzzTarget& target : targets()) {
    const std::filesystem::path to = folder / target.name;
    std::filesystem::create_directories(to);
    std::size_t number = 0;
    for (const std::string& seed : target.seeds()) {
      std::ofstream(to / ("seed-" + std::to_string(number++)), std::ios::binary) << seed;
    }
  }
}

[[noreturn]] void list() {
  for (const FuzzTarget& target : targets()) std::puts(target.name.c_str());
  std::exit(0);
}

void choose(const std::string& name) {
  for (const FuzzTarget& target : targets()) {
    if (target.name == name) chosen = &target;
  }
  if (chosen != nullptr) return;
  std::fprintf(stderr, "%s is not a target; `parley_fuzz list` shows them\n", name.c_str());
  std::exit(2);
}

}  // namespace
}  // namespace parley::fuzz

extern "C" int LLVMFuzzerInitialize(int* count, char*** arguments) {
  using namespace parley::fuzz;
  const std::string first = *count > 1 ? (*arguments)[1] : "";
  if (first == "list") list();
  if (first == "seeds" && *count == 3) {
    write_seeds((*arguments)[2]);
    std::exit(0);
  }
  choose(first);
  // The rest is libFuzzer's.
  (*arguments)[1] = (*arguments)[0];
  ++*arguments;
  --*count;
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  parley::fuzz::chosen->run({reinterpret_cast<const std::byte*>(data), size});
  return 0;
}
