// Tells a write that a crash cut short from a damage that hides writes.
//
// RocksDB takes its log to end where a record seems to be cut short, or to be an old one of a file
// that is used again. One flipped bit of a record's length or kind can make it seem so, and then
// everything behind it is gone without a word: what was acknowledged, and votes. (Alagappan et al.,
// "Protocol-Aware Recovery for Consensus-Based Storage", FAST 2018: a crash and a corruption must
// be told apart.)
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace parley {

// What is wrong with the next block of a log of RocksDB (a write-ahead log, or a MANIFEST); or
// empty. Blocks have 32 KiB but for the last one. Its last record may be cut short: a write is only
// begun when the one before is done, so that nothing but its own parts can follow. It may not be
// whole but for its length, and no other may begin behind it. Nor may one behind zeros, which file
// systems leave where a write did not arrive before power was lost: then `ended`, false at the
// log's beginning, becomes true. Checksums of payloads are RocksDB's to compare; it refuses a
// record whose header has arrived and whose payload has not, and parts of a write without the
// others, so that a loss of power may look like damage.
[[nodiscard]] std::string fault_in_block(std::string_view block, bool& ended);

// The same for all blocks of all logs of a folder, before RocksDB has opened it and thrown away
// what it could not read. Throws StorageLost, which names the file; StorageError if one cannot be
// read.
void check_logs(const std::filesystem::path& folder);

}  // namespace parley
