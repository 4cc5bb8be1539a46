#include "algorithms/unreplicated/codec.h"

#include <cstring>

namespace parley::unreplicated {
namespace {

struct RecordHeader {
  std::uint64_t number = 0;
  std::uint64_t incarnation = 0;
  std::uint32_t origin = 0;
  std::uint32_t count = 0;
};
static_assert(sizeof(RecordHeader) == 24);

}  // namespace

Block encode_record(const CommandRun& run) {
  const RecordHeader header{run.id.number, run.id.incarnation.value, run.id.origin.value,
                            run.count};
  return Block::copy_of(std::as_bytes(std::span(&header, 1)));
}

std::optional<CommandRun> decode_record(const Record& record) {
  RecordHeader header;
  if (record.header.size() != sizeof(header)) return std::nullopt;
  std::memcpy(&header, record.header.data(), sizeof(header));
  return CommandRun{RunId{NodeId{header.origin}, Incarnation{header.incarnation}, header.number},
                    header.count, record.body};
}

}  // namespace parley::unreplicated
