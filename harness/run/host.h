// The machine and the software that a result was made with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace parley::harness {

// What this program was built from.
struct SoftwareInfo {
  std::string commit;
  std::string build_type;
  std::string compiler;
  std::string version;
};

struct HostInfo {
  std::string cpu;          // the processor's name
  std::uint32_t cores = 0;  // that this process may use
  std::uint64_t memory_bytes = 0;
  std::string kernel;
  // Median time of appending 128 bytes and fdatasync, in the folder given; absent if it cannot be
  // written.
  std::optional<double> disk_sync_us_p50;
};

// Looks at this machine; takes up to a fifth of a second for the disk.
HostInfo inspect_host(const std::filesystem::path& folder);

}  // namespace parley::harness
