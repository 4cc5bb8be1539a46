#include "runtime/storage/stored.h"

#include <cstring>
#include <nlohmann/json.hpp>
#include <span>
#include <type_traits>

namespace parley {
namespace {

ChainSum sum_of_mark(SnapshotMark mark, Bytes header) {
  mark.own_sum = 0;
  return chain_sum(0, LogIndex{mark.index}, std::as_bytes(std::span(&mark, 1)), header);
}

// Reads what stands before the rest, which is returned; nothing if there is too little.
template <class T>
std::optional<Bytes> split(Bytes value, T& head) {
  if (value.size() < sizeof(head)) return std::nullopt;
  std::memcpy(&head, value.data(), sizeof(head));
  return value.subspan(sizeof(head));
}

using Json = nlohmann::ordered_json;

Json owner_json(const StoredClaim& claim) {
  return {{"format", claim.format},
          {"group", claim.group},
          {"node", claim.node},
          {"algorithm", claim.algorithm},
          {"application", claim.application}};
}

// What is absent stays as it is: earlier versions knew less.
template <class T>
bool take(const Json& object, const char* name, T& value) {
  const auto found = object.find(name);
  if (found == object.end()) return true;
  const bool fits =
      std::is_same_v<T, std::string> ? found->is_string() : found->is_number_unsigned();
  if (fits) value = found->get<T>();
  return fits;
}

}  // namespace

std::string claim_text(const StoredClaim& claim) {
  Json object = owner_json(claim);
  object["starts"] = claim.starts;
  object["disk"] = claim.disk;
  object["first_members"] = claim.first_members;
  return object.dump();
}

std::optional<StoredClaim> read_claim(std::string_view text) {
  const Json object = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  StoredClaim claim;
  const bool whole = object.is_object() && take(object, "format", claim.format) &&
                     take(object, "group", claim.group) && take(object, "node", claim.node) &&
                     take(object, "algorithm", claim.algorithm) &&
                     take(object, "application", claim.application) &&
                     take(object, "starts", claim.starts) && take(object, "disk", claim.disk) &&
                     take(object, "first_members", claim.first_members);
  if (!whole) return std::nullopt;
  return claim;
}

std::string other_owner(const StoredClaim& held, const StoredClaim& mine) {
  const Json theirs = owner_json(held);
  const Json ours = owner_json(mine);
  for (const auto& [name, value] : ours.items()) {
    if (theirs[name] == value) continue;
    return "its " + name + " is " + theirs[name].dump() + ", here it is " + value.dump();
  }
  const bool both_say = !held.first_members.empty() && !mine.first_members.empty();
  if (both_say && held.first_members != mine.first_members) {
    return "its first members are " + held.first_members + ", here they are " + mine.first_members +
           ", and they stay the same whoever comes later";
  }
  return {};
}

RecordPrefix record_prefix(ChainSum before, LogIndex index, Bytes header, Bytes body) {
  return {chain_sum(before, index, header, body), static_cast<std::uint32_t>(header.size())};
}

std::string read_record(ChainSum before, LogIndex index, Bytes value, Record& record,
                        ChainSum& sum) {
  RecordPrefix head;
  const auto rest = split(value, head);
  if (!rest || rest->size() < head.header_size) return "is cut short: the data is damaged";
  const Bytes header = rest->first(head.header_size);
  const Bytes body = rest->subspan(head.header_size);
  if (head.sum != chain_sum(before, index, header, body)) {
    return "does not match its checksum: the data is damaged";
  }
  sum = head.sum;
  record = {index, Block::copy_of(header), Block::copy_of(body)};
  return {};
}

ChainSum state_sum(Bytes state) {
  return chain_sum(0, LogIndex{}, state, {});
}

std::optional<Block> read_state(Bytes value) {
  ChainSum sum = 0;
  const auto state = split(value, sum);
  if (!state || state->empty() || sum != state_sum(*state)) return std::nullopt;
  return Block::copy_of(*state);
}

SnapshotMark snapshot_mark(const SnapshotId& id, ChainSum base_sum, Bytes header) {
  SnapshotMark mark{id.index.value, id.parts, id.sum, base_sum, 0};
  mark.own_sum = sum_of_mark(mark, header);
  return mark;
}

std::optional<SnapshotMark> read_mark(Bytes value, Block& header) {
  SnapshotMark mark;
  const auto rest = split(value, mark);
  if (!rest || mark.index == 0 || mark.own_sum != sum_of_mark(mark, *rest)) return std::nullopt;
  header = Block::copy_of(*rest);
  return mark;
}

}  // namespace parley
