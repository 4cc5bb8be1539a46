#include "algorithms/bully_2pc/text.h"

#include "algorithms/bully_2pc/codec.h"

namespace parley::bully_2pc {
namespace {

std::string number(std::uint64_t value) {
  return std::to_string(value);
}

template <class T>
std::string number(T id) {
  return std::to_string(id.value);
}

std::string text_of(const Position& position) {
  return number(position.index) + "@" + number(position.epoch);
}

// " [4-5@2] [6@2]", or " [4@2 "a" 5@2 "b"] [6@2 "c"]"
std::string text_of_batches(EntryReader entries, LogIndex before, RunText text_of_run) {
  std::string text;
  if (entries.done()) return " nothing";
  while (!entries.done()) {
    const LogIndex first = before.next();
    std::string runs;
    EntryReader::Item item;
    do {
      item = entries.take();
      before = before.next();
      if (text_of_run == nullptr) continue;
      runs += " " + text_of({item.epoch, before}) + " " + text_of_run(item.run);
    } while (item.note.left() > 0);
    if (text_of_run == nullptr) {
      runs = " " + (before > first ? number(first) + "-" : std::string()) +
             text_of({item.epoch, before});
    }
    text += " [" + runs.substr(1) + "]";
  }
  return text;
}

std::string text_of_prepare(const wire::Message& message, const Block& header, const Block& body,
                            RunText text_of_run) {
  const Prepare prepare = decode(*message.prepare());
  std::string text =
      "prepare epoch " + number(prepare.epoch) + " after " + text_of(prepare.prev) + ":" +
      text_of_batches(EntryReader(message, header, body), prepare.prev.index, text_of_run) +
      "; decided " + number(prepare.decided);
  if (prepare.base > LogIndex{}) text += "; log after " + number(prepare.base);
  if (prepare.round > 0) text += "; round " + number(prepare.round);
  return text;
}

std::string text_of_vote(const Vote& vote) {
  std::string text = "vote epoch " + number(vote.epoch) + " prepared " + number(vote.prepared);
  if (vote.refused > LogIndex{}) text += "; no to what follows " + number(vote.refused);
  if (vote.round > 0) text += "; round " + number(vote.round);
  return text;
}

std::string text_of_answer(const Answer& answer) {
  const char* words[] = {"agrees", "ranks higher", "has a coordinator"};
  return "answer #" + number(answer.round) + " " + words[static_cast<int>(answer.objection)] +
         "; epoch " + number(answer.epoch);
}

std::string text_of_forward(const wire::Message& message, const Block& header, const Block& body,
                            RunText text_of_run) {
  std::string text = "forward";
  ForwardReader runs(message, header, body, {});
  while (const auto forwarded = runs.next()) {
    text += " #" + number(forwarded->run.id.number);
    if (text_of_run != nullptr) text += " " + text_of_run(forwarded->run);
  }
  return text;
}

std::string text_of_snapshot(const SnapshotId& snapshot) {
  return "snapshot " + number(snapshot.index) + " of " + number(std::uint64_t{snapshot.parts}) +
         " parts";
}

// Of messages without runs.
std::string text_of_short(const wire::Message& message) {
  switch (message.kind()) {
    case wire::Kind::election:
      return "election #" + number(decode(*message.election()).round);
    case wire::Kind::answer:
      return text_of_answer(decode(*message.answer()));
    case wire::Kind::coordinator: {
      const Coordinator coordinator = decode(*message.coordinator());
      return "coordinator epoch " + number(coordinator.epoch) +
             (coordinator.ready ? "" : ", catching up");
    }
    case wire::Kind::claim:
      return "claim epoch " + number(decode(*message.claim()).epoch);
    case wire::Kind::promised: {
      const Promised promised = decode(*message.promised());
      return "promised epoch " + number(promised.epoch) +
             (promised.granted ? " granted; log " + text_of(promised.last) : " refused");
    }
    case wire::Kind::vote:
      return text_of_vote(decode(*message.vote()));
    case wire::Kind::commit: {
      const Commit commit = decode(*message.commit());
      return "commit epoch " + number(commit.epoch) + " decided " + number(commit.decided);
    }
    case wire::Kind::fetch: {
      const Fetch fetch = decode(*message.fetch());
      std::string text = "fetch epoch " + number(fetch.epoch) + " after " + number(fetch.after);
      if (fetch.snapshot.index == LogIndex{}) return text;
      return text + "; " + text_of_snapshot(fetch.snapshot) + " from " +
             number(std::uint64_t{fetch.part});
    }
    case wire::Kind::part: {
      const Part part = decode(*message.part());
      return "part epoch " + number(part.epoch) + " " + number(std::uint64_t{part.part}) + " of " +
             text_of_snapshot(part.snapshot);
    }
    case wire::Kind::read_request:
      return "read_request #" + number(decode(*message.read_request()).number);
    case wire::Kind::read_reply: {
      const ReadReply reply = decode(*message.read_reply());
      return "read_reply #" + number(reply.number) + " index " + number(reply.index);
    }
    default:
      return "?";
  }
}

}  // namespace

std::string text_of_message(const Block& header, const Block& body, RunText text_of_run) {
  const wire::Message& message = decode(header);
  switch (message.kind()) {
    case wire::Kind::prepare:
      return text_of_prepare(message, header, body, text_of_run);
    case wire::Kind::batches: {
      const Batches batches = decode(*message.batches());
      return "batches epoch " + number(batches.epoch) + " after " + text_of(batches.prev) + ":" +
             text_of_batches(EntryReader(message, header, body), batches.prev.index, text_of_run);
    }
    case wire::Kind::forward:
      return text_of_forward(message, header, body, text_of_run);
    default:
      return text_of_short(message);
  }
}

std::string describe(const Block& header, const Block& body) {
  return text_of_message(header, body, nullptr);
}

}  // namespace parley::bully_2pc
