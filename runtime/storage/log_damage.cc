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

bool holds_a_write(std::string_view bytes) {
  for (; bytes.size() >= kHeader; bytes.remove_prefix(1)) {
    const Header header = header_at(bytes);
    const bool begins = header.kind == Kind::full || header.kind == Kind::first;
    if (begins && is_whole(bytes, header.length)) return true;
  }
  return false;
}

// Whether the record that says that it is longer than the rest of its block is whole with another
// length: one of which a bit has flipped, or what is left.
bool is_whole_but_for_length(std::string_view rest) {
  if (is_whole(rest, rest.size() - kHeader)) return true;
  const std::size_t says = header_at(rest).length;
  for (std::size_t bit = 0; bit < 16; ++bit) {
    if (is_whole(rest, says ^ std::size_t{1} << bit)) return true;
  }
  return false;
}

std::string fault_of_log(const std::filesystem::path& log) {
  std::ifstream file(log, std::ios::binary);
  std::string block(kBlock, '\0');
  std::string fault;
  bool ended = false;
  while (fault.empty() && file.read(block.data(), kBlock).gcount() > 0) {
    fault = fault_in_block({block.data(), static_cast<std::size_t>(file.gcount())}, ended);
  }
  if (fault.empty() && !file.eof()) throw StorageError(log.string() + ": cannot be read");
  return fault;
}

}  // namespace

std::string fault_in_block(std::string_view block, bool& ended) {
  const bool full = block.size() == kBlock;
  while (!ended && block.size() >= kHeader) {
    const Header header = header_at(block);
    if (header.kind > Kind::last) return "the kind of a record is damaged";
    if (block.size() < kHeader + header.length) break;
    ended = header.kind == Kind::zero && header.length == 0;
    block.remove_prefix(kHeader + header.length);
  }
  if (ended) return holds_a_write(block) ? "records follow where the log ends" : "";
  if (block.size() < kHeader) return {};
  // It says that it is longer than what is left.
  if (full || is_whole_but_for_length(block)) return "the length of a record is damaged";
  return holds_a_write(block.substr(1)) ? "a record is damaged, and others follow it" : "";
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
