// Snapshots, from a peer and from a file, and what storage keeps under its keys.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "harness/cluster/private_folder.h"
#include "harness/fuzz/bytes.h"
#include "harness/fuzz/target.h"
#include "runtime/snapshot.h"
#include "runtime/storage/log_damage.h"
#include "runtime/storage/rocks_storage.h"
#include "runtime/storage/snapshot_file.h"
#include "runtime/storage/storage.h"
#include "runtime/storage/stored.h"

namespace parley::fuzz {
namespace {

constexpr std::uint32_t kKeys = 64;
constexpr StateShape kShape{kKeys, 64, 0};
constexpr LogIndex kIndex{7};

// A state with so many written cells and sessions.
Snapshot some_snapshot(std::uint32_t cells, std::uint32_t sessions) {
  Store store(kKeys);
  SessionTable table(kShape.max_sessions);
  for (std::uint32_t i = 0; i < sessions; ++i) {
    const std::uint32_t id = table.open(100 + i);
    Result result;
    result.session = id;
    result.sequence = i + 1;
    result.stamp = {i + 1, 0};
    table.record(result);
  }
  for (std::uint32_t i = 0; i < cells; ++i) {
    store.write(Key{(i * 7) % kKeys}, i * 1000, Stamp{i + 1, i % 3}, Writer{i % 5, i});
  }
  return encode_snapshot({kIndex, cells, store.freeze(), table.freeze()});
}

constexpr std::pair<std::uint32_t, std::uint32_t> kSizes[] = {{0, 0}, {1, 1}, {20, 0}, {64, 40}};

// --- a snapshot's parts ---

// The parts behind their lengths. Their checksum is made to fit, since it would keep all others
// out.
void run_snapshot(Bytes input) {
  constexpr std::size_t kMaxParts = 16;
  InputReader reader(input);
  std::vector<Block> parts;
  while (!reader.done() && parts.size() < kMaxParts) {
    parts.push_back(Block::copy_of(reader.piece()));
  }
  const SnapshotId id{kIndex, static_cast<std::uint32_t>(parts.size()), sum_of(parts)};
  std::string error;
  const auto state = decode_snapshot(id, parts, kShape, error);
  require((state == nullptr) == !error.empty(), "a snapshot that is not taken says why");
  if (state == nullptr) return;
  const Snapshot again = encode_snapshot(
      {state->index, state->commands_applied, state->store.freeze(), state->sessions.freeze()});
  // Not those of the input, which may say the same in more words.
  const auto second = decode_snapshot(again.id, again.parts, kShape, error);
  require(second != nullptr, "a snapshot that is made can be taken");
  const Snapshot third = encode_snapshot(
      {second->index, second->commands_applied, second->store.freeze(), second->sessions.freeze()});
  require(third.id == again.id, "equal states make equal bytes");
}

std::vector<std::string> snapshot_seeds() {
  std::vector<std::string> seeds;
  for (const auto& [cells, sessions] : kSizes) {
    InputWriter writer;
    for (const Block& part : some_snapshot(cells, sessions).parts) writer.piece(part.bytes());
    seeds.push_back(writer.take());
  }
  return seeds;
}

// --- a snapshot's file ---

const std::filesystem::path& folder() {
  static const harness::PrivateFolder made;
  static const std::filesystem::path path = made.path();
  return path;
}

std::string file_of(const SnapshotFolder& snapshots, const Snapshot& snapshot) {
  snapshots.save(snapshot);
  std::ifstream file(folder() / "7.snapshot", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The checksum that is asked for is the file's own.
void run_snapshot_file(Bytes input) {
  DiskFaultPoint sound;
  const SnapshotFolder snapshots(folder(), sound);
  {
    std::ofstream file(folder() / "7.snapshot", std::ios::binary | std::ios::trunc);
    file.write(reinterpret_cast<const char*>(input.data()),
               static_cast<std::streamsize>(input.size()));
  }
  const auto id = snapshots.find(kIndex);
  if (!id) return;
  try {
    const std::vector<Block> parts = snapshots.load(*id);
    require(sum_of(parts) == id->sum && parts.size() == id->parts,
            "a snapshot's file that is taken is whole");
  } catch (const StorageError&) {  // says what is wrong
  }
}

std::vector<std::string> snapshot_file_seeds() {
  DiskFaultPoint sound;
  const SnapshotFolder snapshots(folder(), sound);
  std::vector<std::string> seeds;
  for (const auto& [cells, sessions] : kSizes) {
    seeds.push_back(file_of(snapshots, some_snapshot(cells, sessions)));
  }
  return seeds;
}

// --- what storage keeps ---

// Which value it is, the sum before it, the value.
void run_stored(Bytes input) {
  InputReader reader(input);
  const auto kind = reader.number<std::uint8_t>();
  const auto before = reader.number<ChainSum>();
  const Bytes value = reader.rest();
  if (kind % 4 == 0) {
    Record record;
    ChainSum sum = 0;
    const std::string fault = read_record(before, kIndex, value, record, sum);
    if (!fault.empty()) return;
    const RecordPrefix prefix =
        record_prefix(before, kIndex, record.header.bytes(), record.body.bytes());
    require(sizeof(prefix) + record.header.size() + record.body.size() == value.size() &&
                std::memcmp(&prefix, value.data(), sizeof(prefix)) == 0,
            "a record that is taken is written as it was");
  } else if (kind % 4 == 1) {
    const auto state = read_state(value);
    require(!state || state->size() + sizeof(ChainSum) == value.size(),
            "a hard state that is taken is all of the value");
  } else if (kind % 4 == 3) {
    const auto claim = read_claim(text_of(value));
    if (!claim) return;
    const auto again = read_claim(claim_text(*claim));
    require(again && other_owner(*again, *claim).empty() && again->starts == claim->starts &&
                again->disk == claim->disk,
            "a claim that is read can be written and read again");
  } else {
    Block header;
    const auto mark = read_mark(value, header);
    require(!mark || mark->index != 0, "a mark names a snapshot");
  }
}

std::vector<std::string> stored_seeds() {
  const Bytes header = bytes_of("header--");
  const Bytes body = bytes_of("a run of commands");
  std::vector<std::string> seeds;
  InputWriter writer;
  writer.number(std::uint8_t{0});
  writer.number(ChainSum{0xabcd});
  writer.number(record_prefix(0xabcd, kIndex, header, body));
  writer.rest(header);
  writer.rest(body);
  seeds.push_back(writer.take());
  writer = {};
  writer.number(std::uint8_t{1});
  writer.number(ChainSum{});
  writer.number(state_sum(header));
  writer.rest(header);
  seeds.push_back(writer.take());
  writer = {};
  writer.number(std::uint8_t{2});
  writer.number(ChainSum{});
  writer.number(snapshot_mark({kIndex, 2, 99}, 5, header));
  writer.rest(header);
  seeds.push_back(writer.take());
  writer = {};
  writer.number(std::uint8_t{3});
  writer.number(ChainSum{});
  const std::string claim = claim_text({1, 1, 2, "raft", "canvas 100x100", 3, 8417, "1 2 3"});
  writer.rest(bytes_of(claim));
  seeds.push_back(writer.take());
  return seeds;
}

// A block of RocksDB's log, as far as it is looked at before RocksDB does.
void run_log_block(Bytes input) {
  bool ended = false;
  require(fault_in_block(text_of(input), ended).size() < 100, "a fault is told in a few words");
}

std::vector<std::string> log_blocks() {
  const harness::PrivateFolder folder;
  const StorageOwner owner{GroupId{1}, NodeId{1}, "raft", "canvas 100x100"};
  {
    RocksStorage storage(folder.path() / "node", owner, Durability::async, [] {});
    const Block text = Block::copy_of(bytes_of("header--"));
    for (std::uint64_t i = 1; i <= 5; ++i) {
      const Write write{Write::Kind::append, {i}, {i}, text, text};
      storage.write(std::span(&write, 1));
    }
  }
  std::vector<std::string> blocks;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "node")) {
    if (entry.path().extension() != ".log") continue;
    std::ifstream file(entry.path(), std::ios::binary);
    blocks.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
  }
  return blocks;
}

}  // namespace

void add_state_targets(std::vector<FuzzTarget>& targets) {
  targets.push_back({"snapshot", run_snapshot, snapshot_seeds});
  targets.push_back({"snapshot_file", run_snapshot_file, snapshot_file_seeds, 500});
  targets.push_back({"log_block", run_log_block, log_blocks});
  targets.push_back({"stored_value", run_stored, stored_seeds, 20'000});
}

}  // namespace parley::fuzz
