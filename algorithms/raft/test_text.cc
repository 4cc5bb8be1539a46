#include "algorithms/raft/test_text.h"

#include <cstring>

#include "algorithms/raft/codec.h"
#include "algorithms/raft/text.h"

namespace parley::raft::test {
namespace {

template <class T>
std::string number(T id) {
  return std::to_string(id.value);
}

}  // namespace

std::string text_of(const CommandRun& run) {
  if (run.count == 0) return "-";
  const std::string text(reinterpret_cast<const char*>(run.body.data()), run.body.size());
  if (text.size() <= 20) return "\"" + text + "\"";
  return "\"" + text.substr(0, 4) + "...\" (" + std::to_string(text.size()) + " bytes)";
}

std::string text_of_message(const Block& header, const Block& body) {
  return raft::text_of_message(header, body, [](const CommandRun& run) { return text_of(run); });
}

std::string text_of(const Write& write) {
  switch (write.kind) {
    case Write::Kind::state: {
      const auto state = decode_state(write.header);
      return "state term " + number(state->term) + " vote " +
             (state->vote == kNoNode ? "none" : number(state->vote));
    }
    case Write::Kind::append: {
      const auto entry = decode_record({write.index, write.header, write.body});
      return "append " + number(write.index) + "@" + number(entry->term) + " " +
             text_of(entry->run);
    }
    case Write::Kind::truncate:
      return "truncate " + number(write.index);
    case Write::Kind::snapshot:
      return "snapshot " + number(write.index) + "@" + number(*decode_base(write.header));
  }
  return "?";
}

Block join(const Effects& effects, const BodyRange& range) {
  std::size_t size = 0;
  for (std::uint32_t i = 0; i < range.count; ++i) size += effects.bodies[range.first + i].size();
  return Block::make(size, [&](std::byte* to) {
    for (std::uint32_t i = 0; i < range.count; ++i) {
      const Block& body = effects.bodies[range.first + i];
      if (!body.empty()) std::memcpy(to, body.data(), body.size());
      to += body.size();
    }
  });
}

CommandRun run_of(NodeId origin, Incarnation incarnation, std::uint64_t run_number,
                  std::string_view text) {
  return {{origin, incarnation, run_number}, 1, Block::copy_of(std::as_bytes(std::span(text)))};
}

}  // namespace parley::raft::test
