#include "algorithms/bully_2pc/test_text.h"

#include "algorithms/bully_2pc/codec.h"
#include "algorithms/bully_2pc/replica.h"
#include "algorithms/bully_2pc/text.h"

namespace parley::bully_2pc::test {
namespace {

template <class T>
std::string number(T id) {
  return std::to_string(id.value);
}

std::string text_of_append(const Write& write) {
  const std::size_t nodes = (write.header.size() - sizeof(EntryFields)) / 8;
  const auto entry = decode_record({write.index, write.header, write.body}, nodes);
  std::string text =
      "append " + number(write.index) + "@" + number(entry->epoch) + " " + text_of(entry->run);
  if (entry->note.left() > 0) text += ", " + std::to_string(entry->note.left()) + " left";
  return text;
}

}  // namespace

std::string text_of_message(const Block& header, const Block& body) {
  return bully_2pc::text_of_message(header, body,
                                    [](const CommandRun& run) { return text_of(run); });
}

std::string text_of(const Write& write) {
  switch (write.kind) {
    case Write::Kind::state: {
      const auto state = decode_state(write.header);
      return "state epoch " + number(state->epoch) + " promised " +
             (state->promised == kNoNode ? "none" : number(state->promised)) + " decided " +
             number(state->decided);
    }
    case Write::Kind::append:
      return text_of_append(write);
    case Write::Kind::truncate:
      return "truncate " + number(write.index);
    case Write::Kind::snapshot:
      return "snapshot " + number(write.index) + "@" +
             number(decode_base(write.header, write.header.size() / 8 - 1)->epoch);
  }
  return "?";
}

const story::Strategy kStrategy{
    .algorithm = &kBully2pc,
    .leader = "coordinator",
    .epoch = "epoch",
    .text_of_message = text_of_message,
    .text_of_write = text_of,
    .state =
        [](Epoch epoch) {
          return encode_state({epoch, kNoNode, {}});
        },
    .record =
        [](Epoch epoch, const CommandRun& run, std::uint32_t nodes) {
          return encode_record(epoch, run, 0, VectorClock(nodes).view());
        },
};

}  // namespace parley::bully_2pc::test
