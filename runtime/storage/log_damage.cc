#include "runtime/storage/log_damage.h"

#include <boost/crc.hpp>
#include <cstdint>
#include <cstring>
#include <fstream>

#include "runtime/storage/storage.h"

namespace parley {
namespace {

// The format of RocksDB's logs: blocks of 32 KiB, in which records stand one after the other. One
// that does not fit is continued in the next block.
//   4 bytes  masked CRC-32C of the kind and the payload, little-endian
//   2 bytes  length of the payload, little-endian
//   1 byte   kind
constexpr std::size_t kBlock = 32U << 10;
constexpr std::size_t kHeader = 7;

enum class Kind : std::uint8_t { zero, full, first, middle, last };

struct Header {
  std::uint32_t masked_crc = 0;
  std::uint16_t length = 0;
  Kind kind = Kind::zero;
};

Header header_at(std::string_view block) {
  Header header;
  std::memcpy(&header.masked_crc, block.data(), 4);
  std::memcpy(&header.length, block.data() + 4, 2);
  header.kind = static_cast<Kind>(block[6]);
  return header;
}

// Whether the payload of a record whose header stands at the block's beginning has this length.
bool is_whole(std::string_view block, std::size_t length) {
  if (block.size() < kHeader + length) return false;
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(block.data() + 6, 1 + length);
  const std::uint32_t sum = crc.checksum();
  return header_at(block).masked_crc == (sum >> 15 | sum << 17) + 0xa282ead8U;
}

bool begins_a_write(std::string_view block) {
  const Header header = header_at(block);
  return (header.kind == Kind::full || header.kind == Kind::first) &&
         is_whole(block, header.length);
}

std::string fault_of_log(const std::filesystem::path& log) {
  std::ifstream file(log, std::ios::binary);
  std::string block(kBlock, '\0');
  std::string fault;
  while (fault.empty() && file.read(block.data(), kBlock).gcount() > 0) {
    fault = fault_in_block({block.data(), static_cast<std::size_t>(file.gcount())});
  }
  if (fault.empty() && !file.eof()) throw StorageError(log.string() + ": cannot be read");
  return fault;
}

}  // namespace

std::string fault_in_block(std::string_view block) {
  const bool full = block.size() == kBlock;
  while (block.size() >= kHeader) {
    const Header header = header_at(block);
    if (header.kind > Kind::last) return "the kind of a record is damaged";
    if (block.size() < kHeader + header.length) break;
    block.remove_prefix(kHeader + header.length);
  }
  if (block.size() < kHeader) return {};
  // It says that it is longer than what is left.
  if (full || is_whole(block, block.size() - kHeader)) return "the length of a record is damaged";
  for (block.remove_prefix(1); block.size() >= kHeader; block.remove_prefix(1)) {
    if (begins_a_write(block)) return "a record is damaged, and others follow it";
  }
  return {};
}

void check_logs(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() != ".log" && !name.starts_with("MANIFEST-")) continue;
    const std::string fault = fault_of_log(entry.path());
    if (!fault.empty()) {
      throw StorageLost(entry.path().string() + ": " + fault);
    }
  }
}

}  // namespace parley
