#include "algorithms/raft/test_text.h"

#include "algorithms/raft/codec.h"
#include "algorithms/raft/membership.h"
#include "algorithms/raft/replica.h"
#include "algorithms/raft/text.h"

namespace parley::raft::test {
namespace {

template <class T>
std::string number(T id) {
  return std::to_string(id.value);
}

std::string text_of_entry(const CommandRun& run) {
  if (run.count > 0 || run.body.empty()) return text_of(run);
  return "members " + parley::text_of(*decode_members(run.body.bytes()));
}

}  // namespace

std::string text_of_message(const Block& header, const Block& body) {
  return raft::text_of_message(header, body, text_of_entry);
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
             text_of_entry(entry->run);
    }
    case Write::Kind::truncate:
      return "truncate " + number(write.index);
    case Write::Kind::snapshot:
      return "snapshot " + number(write.index) + "@" + number(decode_base(write.header)->term);
  }
  return "?";
}

const story::Strategy kStrategy{
    .algorithm = &kRaft,
    .leader = "leader",
    .epoch = "term",
    .text_of_message = text_of_message,
    .text_of_write = text_of,
    .state =
        [](Epoch term) {
          return encode_state({term, kNoNode});
        },
    .record = [](Epoch term, const CommandRun& run,
                 std::uint32_t) { return encode_record(term, run); },
};

}  // namespace parley::raft::test
