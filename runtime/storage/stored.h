// What RocksStorage keeps under its keys, as bytes: each value but the claim, which is JSON, has a
// checksum. Reading withstands any bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "algorithms/contract/block.h"
#include "algorithms/contract/effects.h"
#include "algorithms/contract/ids.h"
#include "algorithms/contract/replica.h"
#include "runtime/storage/chain.h"

namespace parley {

// Whose data it is: the first start with it writes that, later ones compare.
struct StoredClaim {
  std::uint64_t format = 0;
  std::uint64_t group = 0;
  std::uint64_t node = 0;
  std::string algorithm;
  std::string application;
  std::uint64_t starts = 0;  // of a node with it
  std::uint64_t disk = 0;    // 0: of a member from the beginning
  // "1 2 3": whom it took for the first members. Empty: written by a version that did not say, or
  // it does not matter.
  std::string first_members;
};

std::string claim_text(const StoredClaim& claim);
// Nothing if it is damaged.
std::optional<StoredClaim> read_claim(std::string_view text);
// Empty, or what of the owner differs: "its node is 1, here it is 2".
std::string other_owner(const StoredClaim& held, const StoredClaim& mine);

// What stands before the header and the body of a record of the log.
struct RecordPrefix {
  ChainSum sum = 0;  // links it to the record before
  std::uint32_t header_size = 0;
};
static_assert(sizeof(RecordPrefix) == 8);

RecordPrefix record_prefix(ChainSum before, LogIndex index, Bytes header, Bytes body);

// Reads the record of `index` that follows one with the sum `before`. Empty, or what is wrong with
// it, in words that go on after "record 7 of the log ".
std::string read_record(ChainSum before, LogIndex index, Bytes value, Record& record,
                        ChainSum& sum);

// What stands before the hard state.
ChainSum state_sum(Bytes state);
// The hard state of a value; nothing if it does not match its checksum.
std::optional<Block> read_state(Bytes value);

// What is known of the snapshot in use. The replica's own header follows.
struct SnapshotMark {
  std::uint64_t index = 0;
  std::uint32_t parts = 0;
  std::uint32_t sum = 0;
  ChainSum base_sum = 0;  // what the record after it is linked to
  ChainSum own_sum = 0;   // of the mark, with this as zero, and the header
};
static_assert(sizeof(SnapshotMark) == 24);

SnapshotMark snapshot_mark(const SnapshotId& id, ChainSum base_sum, Bytes header);
// The mark of a value and the header behind it; nothing if they do not match their checksum.
std::optional<SnapshotMark> read_mark(Bytes value, Block& header);

}  // namespace parley
