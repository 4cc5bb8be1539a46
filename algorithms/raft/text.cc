#include "algorithms/raft/text.h"

#include <vector>

#include "algorithms/raft/codec.h"

namespace parley::raft {
namespace {

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

template <class T>
std::string number(T id) {
  return std::to_string(id.value);
}

// " 4-6@2 7@3"
std::string text_of_ranges(EntryReader& entries, LogIndex before) {
  std::string text;
  while (!entries.done()) {
    const Epoch term = entries.next_term();
    const LogIndex first = before.next();
    for (; !entries.done() && entries.next_term() == term; entries.skip()) before = before.next();
    text += " " + number(first);
    if (before > first) text += "-" + number(before);
    text += "@" + number(term);
  }
  return text;
}

// " 4@2 "a" 5@2 "b""
std::string text_of_each(EntryReader& entries, LogIndex index, RunText text_of_run) {
  std::string text;
  while (!entries.done()) {
    const EntryReader::Item item = entries.take();
    index = index.next();
    text += " " + number(index) + "@" + number(item.term) + " " + text_of_run(item.run);
  }
  return text;
}

std::string text_of_append(const wire::Message& message, const Block& header, const Block& body,
                           RunText text_of_run) {
  const AppendEntries append = decode(*message.append());
  std::string text = "append term " + number(append.term) + " after " + number(append.prev_index) +
                     "@" + number(append.prev_term) + ":";
  EntryReader entries(message, header, body);
  if (entries.done()) text += " nothing";
  text += text_of_run == nullptr ? text_of_ranges(entries, append.prev_index)
                                 : text_of_each(entries, append.prev_index, text_of_run);
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

std::string text_of_forward(const wire::Message& message, const Block& body, RunText text_of_run) {
  std::string text = "forward";
  ForwardReader runs(message, body, {});
  while (const auto run = runs.next()) {
    text += " #" + number(run->id.number);
    if (text_of_run != nullptr) text += " " + text_of_run(*run);
  }
  return text;
}

}  // namespace

std::string text_of_message(const Block& header, const Block& body, RunText text_of_run) {
  const wire::Message& message = decode(header);
  switch (message.kind()) {
    case wire::Kind::vote_request: {
      const VoteRequest request = decode(*message.vote_request());
      return std::string(request.pre ? "pre_vote_request" : "vote_request") + " term " +
             number(request.term) + " log " + number(request.last_index) + "@" +
             number(request.last_term) + (request.handed_over ? ", handed over" : "");
    }
    case wire::Kind::vote_reply: {
      const VoteReply reply = decode(*message.vote_reply());
      return std::string(reply.pre ? "pre_vote_reply" : "vote_reply") + " term " +
             number(reply.term) + (reply.granted ? " granted" : " refused");
    }
    case wire::Kind::append:
      return text_of_append(message, header, body, text_of_run);
    case wire::Kind::append_reply:
      return text_of_append_reply(message);
    case wire::Kind::forward:
      return text_of_forward(message, body, text_of_run);
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
    case wire::Kind::timeout_now: {
      const TimeoutNow message_now = decode(*message.timeout_now());
      return "timeout_now term " + number(message_now.term) + " log " + number(message_now.last);
    }
    case wire::Kind::none:
      break;
  }
  return "?";
}

std::string describe(const Block& header, const Block& body) {
  return text_of_message(header, body, nullptr);
}

}  // namespace parley::raft
