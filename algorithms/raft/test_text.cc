#include "algorithms/raft/test_text.h"

#include <cstring>

#include "algorithms/raft/codec.h"

namespace parley::raft::test {
namespace {

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

template <class T>
std::string number(T id) {
  return std::to_string(id.value);
}

std::string text_of_append(const wire::Message& message, const Block& header, const Block& body) {
  const AppendEntries append = decode(*message.append());
  std::string text = "append term " + number(append.term) + " after " + number(append.prev_index) +
                     "@" + number(append.prev_term) + ":";
  EntryReader entries(message, header, body);
  LogIndex index = append.prev_index;
  if (entries.done()) text += " nothing";
  while (!entries.done()) {
    const EntryReader::Item item = entries.take();
    index = index.next();
    text += " " + number(index) + "@" + number(item.term) + " " + text_of(item.run);
  }
  text += "; commit " + number(append.commit);
  if (append.round > 0) text += "; round " + number(append.round);
  if (!append.wants_ack) text += "; no answer wanted";
  return text;
}

std::string text_of_append_reply(const wire::Message& message) {
  const AppendReply reply = decode(*message.append_reply());
  std::string text = "append_reply term " + number(reply.term) + " agreed " + number(reply.agreed);
  if (reply.round > 0) text += " round " + number(reply.round);
  if (reply.rejected == LogIndex{}) return text;
  text += " rejected " + number(reply.rejected) + "; last " + number(reply.last) + ", terms";
  std::vector<TermStart> starts;
  decode_term_starts(message, starts);
  for (const TermStart& start : starts)
    text += " " + number(start.term) + " from " + number(start.first);
  return text;
}

}  // namespace

std::string text_of(const CommandRun& run) {
  if (run.count == 0) return "-";
  const std::string text(reinterpret_cast<const char*>(run.body.data()), run.body.size());
  if (text.size() <= 20) return "\"" + text + "\"";
  return "\"" + text.substr(0, 4) + "...\" (" + std::to_string(text.size()) + " bytes)";
}

std::string text_of_message(const Block& header, const Block& body) {
  const wire::Message& message = decode(header);
  switch (message.kind()) {
    case wire::Kind::vote_request: {
      const VoteRequest request = decode(*message.vote_request());
      return std::string(request.pre ? "pre_vote_request" : "vote_request") + " term " +
             number(request.term) + " log " + number(request.last_index) + "@" +
             number(request.last_term);
    }
    case wire::Kind::vote_reply: {
      const VoteReply reply = decode(*message.vote_reply());
      return std::string(reply.pre ? "pre_vote_reply" : "vote_reply") + " term " +
             number(reply.term) + (reply.granted ? " granted" : " refused");
    }
    case wire::Kind::append:
      return text_of_append(message, header, body);
    case wire::Kind::append_reply:
      return text_of_append_reply(message);
    case wire::Kind::forward: {
      std::string text = "forward";
      ForwardReader runs(message, body, {});
      while (const auto run = runs.next())
        text += " #" + number(run->id.number) + " " + text_of(*run);
      return text;
    }
    case wire::Kind::read_request:
      return "read_request #" + number(decode(*message.read_request()).number);
    case wire::Kind::read_reply: {
      const ReadIndexReply reply = decode(*message.read_reply());
      return "read_reply #" + number(reply.number) + " index " + number(reply.index);
    }
    case wire::Kind::install: {
      const InstallSnapshot install = decode(*message.install());
      return "install term " + number(install.term) + " snapshot " +
             number(install.snapshot.index) + "@" + number(install.snapshot_term) + " part " +
             number(std::uint64_t{install.part}) + " of " +
             number(std::uint64_t{install.snapshot.parts});
    }
    case wire::Kind::install_reply: {
      const InstallReply reply = decode(*message.install_reply());
      return "install_reply term " + number(reply.term) + " snapshot " +
             number(reply.snapshot.index) + " wants part " + number(std::uint64_t{reply.next});
    }
    case wire::Kind::none:
      break;
  }
  return "?";
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
