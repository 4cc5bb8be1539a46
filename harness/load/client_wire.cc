#include "harness/load/client_wire.h"

#include <cstring>

#include "algorithms/contract/command.h"
#include "algorithms/contract/flat_message.h"
#include "apps/canvas/canvas.h"

namespace parley::load {
namespace {

constexpr std::uint32_t kAllInDone = ~0U;  // of Done.first_result
constexpr flatbuffers::uoffset_t kMaxDepth = 8;
constexpr flatbuffers::uoffset_t kMaxTables = 1U << 20;

}  // namespace

RequestTemplate::RequestTemplate(client::RequestKind kind, ReadMode read_mode,
                                 std::size_t body_bytes) {
  flatbuffers::FlatBufferBuilder builder(64 + body_bytes);
  std::uint8_t* body = nullptr;
  const auto vector = builder.CreateUninitializedVector(body_bytes, &body);
  if (body_bytes > 0) std::memset(body, 0, body_bytes);
  // A field with its default value would be left out, so the place of the id is kept by another
  // one.
  const std::uint64_t any_id = ~std::uint64_t{0};
  builder.Finish(client::CreateRequest(builder, any_id, kind,
                                       static_cast<client::ReadMode>(read_mode), vector));
  bytes_.assign(builder.GetBufferPointer(), builder.GetBufferPointer() + builder.GetSize());
  const auto* request = flatbuffers::GetRoot<client::Request>(bytes_.data());
  const auto* table = reinterpret_cast<const flatbuffers::Table*>(request);
  const auto* start = bytes_.data();
  id_at_ = static_cast<std::size_t>(table->GetAddressOf(client::Request::VT_ID) - start);
  body_at_ = static_cast<std::size_t>(request->body()->data() - start);
}

zmq::message_t RequestTemplate::make(std::uint64_t id, std::byte*& body) const {
  zmq::message_t message(bytes_.size());
  auto* data = static_cast<std::byte*>(message.data());
  std::memcpy(data, bytes_.data(), bytes_.size());
  std::memcpy(data + id_at_, &id, sizeof(id));
  body = data + body_at_;
  return message;
}

void write_places(SessionId session, std::uint32_t sequence, std::span<const canvas::Place> places,
                  std::byte* to) {
  CommandHeader header{session.value, sequence, sizeof(canvas::Place),
                       static_cast<std::uint16_t>(CommandKind::application)};
  for (const canvas::Place& place : places) {
    std::memcpy(to, &header, sizeof(header));
    std::memcpy(to + sizeof(header), &place, sizeof(place));
    to += kPlaceBytes;
    ++header.sequence;
  }
}

void write_cell_refs(std::span<const canvas::Place> cells, std::byte* to) {
  for (const canvas::Place& cell : cells) {
    const canvas::CellRef ref(cell.x(), cell.y());
    std::memcpy(to, &ref, sizeof(ref));
    to += sizeof(ref);
  }
}

const client::Reply* ReplyReader::read(const zmq::message_t& message) {
  const std::size_t size = message.size();
  if (size == 0) return nullptr;
  if (aligned_.size() * sizeof(std::uint64_t) < size) {
    aligned_.resize((size + sizeof(std::uint64_t) - 1) / sizeof(std::uint64_t));
  }
  std::memcpy(aligned_.data(), message.data(), size);
  const auto* data = reinterpret_cast<const std::uint8_t*>(aligned_.data());
  flatbuffers::Verifier verifier(data, size, kMaxDepth, kMaxTables);
  if (!verifier.VerifyBuffer<client::Reply>(nullptr)) return nullptr;
  const auto* reply = flatbuffers::GetRoot<client::Reply>(data);
  // An empty vector has nothing to be aligned.
  const auto readable = [](const auto* items) {
    return items == nullptr || items->size() == 0 || aligned(items);
  };
  return readable(reply->done()) && readable(reply->results()) ? reply : nullptr;
}

ResultRange results_of(const client::Done& done, const client::Reply& reply) {
  if (done.first_result() == kAllInDone) return {nullptr, true};
  const auto* results = reply.results();
  if (results == nullptr || done.first_result() > results->size() ||
      results->size() - done.first_result() < done.count() || done.count() == 0) {
    return {};
  }
  return {results->Get(done.first_result()), true};
}

}  // namespace parley::load
