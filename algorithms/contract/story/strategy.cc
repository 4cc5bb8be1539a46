#include "algorithms/contract/story/strategy.h"

#include <cstring>

namespace parley::story {

std::string text_of(const CommandRun& run) {
  if (run.count == 0) return "-";
  const std::string text(reinterpret_cast<const char*>(run.body.data()), run.body.size());
  if (text.size() <= 20) return "\"" + text + "\"";
  return "\"" + text.substr(0, 4) + "...\" (" + std::to_string(text.size()) + " bytes)";
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

}  // namespace parley::story
