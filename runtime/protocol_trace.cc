#include "runtime/protocol_trace.h"

#include <charconv>

#include "algorithms/contract/fnv.h"

namespace parley {
namespace {

// Of what stands in the lines; raised when a reader of older ones would misunderstand them.
constexpr std::uint64_t kFormat = 1;

// Names a message by its header, so that a receipt is matched with its sending.
std::string name_of(const Block& header) {
  std::uint64_t hash = fnv1a(header.bytes());
  std::string name(16, '0');
  for (auto digit = name.rbegin(); hash > 0; ++digit, hash >>= 4) {
    *digit = "0123456789abcdef"[hash & 15];
  }
  return name;
}

std::string_view name_of(Control::Kind kind) {
  switch (kind) {
    case Control::Kind::snapshot_saved:
      return "snapshot_saved";
    case Control::Kind::snapshot_loaded:
      return "snapshot_loaded";
    case Control::Kind::snapshot_failed:
      return "snapshot_failed";
    case Control::Kind::change_members:
      return "change_members";
    case Control::Kind::hand_over:
      return "hand_over";
  }
  return {};
}

std::string_view name_of(Write::Kind kind) {
  switch (kind) {
    case Write::Kind::state:
      return "hard_state";
    case Write::Kind::append:
      return "append";
    case Write::Kind::truncate:
      return "truncate";
    case Write::Kind::snapshot:
      return "compact";
  }
  return {};
}

std::string_view name_of(ControlReply::Outcome outcome) {
  static constexpr std::string_view kNames[] = {"done", "refused", "unknown"};
  return kNames[static_cast<std::size_t>(outcome)];
}

std::uint64_t size_of(std::span<const Block> bodies, BodyRange range) {
  std::uint64_t size = 0;
  for (const Block& body : bodies.subspan(range.first, range.count)) size += body.size();
  return size;
}

EpochRuns terms_of(const Inspection& inspection, std::span<const Record> records) {
  EpochRuns terms;
  for (const Record& record : records) terms.add(inspection.record_epoch(record));
  return terms;
}

}  // namespace

// A line being written at the end of the buffer: complete when it is destroyed.
class ProtocolTrace::Line final : public FieldSink {
 public:
  Line(ProtocolTrace& of, std::string_view event) : out_(of.buffer_) {
    out_ += '{';
    number("node", of.self_);
    number("incarnation", of.incarnation_);
    number("seq", ++of.sequence_);
    number("turn", of.turn_);
    number("time_ns", of.time_ns_);
    text("event", event);
  }
  ~Line() override { out_ += "}\n"; }
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;

  using FieldSink::number;
  void number(std::string_view name, std::uint64_t value) override {
    key(name);
    put(value);
  }
  void flag(std::string_view name, bool value) override {
    key(name);
    out_ += value ? "true" : "false";
  }
  // What would have to be escaped occurs in no name and is left out of prose.
  void text(std::string_view name, std::string_view value) override {
    key(name);
    out_ += '"';
    for (const char letter : value) {
      const bool plain = letter >= ' ' && letter <= '~' && letter != '"' && letter != '\\';
      out_ += plain ? letter : '?';
    }
    out_ += '"';
  }
  void rows(std::string_view name, std::size_t width,
            std::span<const std::uint64_t> numbers) override {
    key(name);
    out_ += '[';
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (i % width == 0) out_ += i == 0 ? "[" : ",[";
      put(numbers[i]);
      out_ += (i + 1) % width == 0 ? ']' : ',';
    }
    out_ += ']';
  }
  void members(std::string_view name, const Membership& members) override {
    begin(name);
    nodes("voters", members.voters);
    nodes("outgoing", members.outgoing);
    nodes("learners", members.learners);
    nodes("leaving", members.leaving);
    begin("disks");
    for (const Member& member : members.disks) {
      text(std::to_string(member.node.value), std::to_string(member.disk.value));
    }
    end();
    end();
  }

  // Fields up to `end` are those of an object.
  void begin(std::string_view name) {
    key(name);
    out_ += '{';
  }
  void end() { out_ += '}'; }

 private:
  void key(std::string_view name) {
    if (out_.back() != '{') out_ += ',';
    out_ += '"';
    out_ += name;
    out_ += "\":";
  }
  void put(std::uint64_t value) {
    char digits[20];
    out_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  }
  void nodes(std::string_view name, const std::vector<NodeId>& nodes) {
    key(name);
    out_ += '[';
    for (const NodeId& node : nodes) {
      if (&node != nodes.data()) out_ += ',';
      put(node.value);
    }
    out_ += ']';
  }

  std::string& out_;
};

ProtocolTrace::ProtocolTrace(const Algorithm& algorithm, const ReplicaConfig& config,
                             TraceOutput& output)
    : algorithm_(algorithm),
      output_(output),
      self_(config.self),
      incarnation_(config.incarnation),
      disk_(config.disk) {
  members_.voters = config.members;
}

ProtocolTrace::Line ProtocolTrace::line(std::string_view event) {
  ++lines_;
  return {*this, event};
}

// The lines that were dropped are missed before those that follow them are read.
void ProtocolTrace::begin() {
  time_ns_ = static_cast<std::uint64_t>(output_.now().time_since_epoch().count());
  if (dropped_ > 0) line("dropped").number("lines", dropped_);
}

void ProtocolTrace::give() {
  dropped_ = output_.take(buffer_) ? 0 : dropped_ + lines_;
  lines_ = 0;
  buffer_.clear();
}

void ProtocolTrace::started(const Recovered& recovered, const Replica& replica) {
  begin();
  status_ = replica.status();
  if (const Membership* members = replica.membership()) members_ = *members;
  {
    Line start = line("start");
    start.number("format", kFormat);
    start.text("algorithm", algorithm_.name);
    start.text("disk", std::to_string(disk_.value));
    if (const Inspection* inspection = algorithm_.inspection) {
      promise_ = inspection->promise(recovered.state);
      shown_vote_ = promise_.vote;
      const RecoveredSnapshot& snapshot = recovered.snapshot;
      const bool any = snapshot.id.index != LogIndex{};
      start.number("snapshot_term", any ? inspection->snapshot_epoch(snapshot.header) : Epoch{});
      terms_of(*inspection, recovered.records).put("log", start);
    }
    put_status(start);
    start.number("commit", status_.commit);
    start.members("members", members_);
  }
  give();
}

void ProtocolTrace::stepped(const Turn& turn, const Effects& effects, const Replica& replica) {
  ++turn_;
  begin();
  put_inputs(turn);
  for (const Write& write : effects.writes) put_write(write);
  put_changes(effects, replica);
  put_applied(effects);
  put_answers(effects);
  put_sends(effects.send_now, effects, Ticket{});
  put_sends(effects.send_when_durable, effects, issued_);
  give();
}

void ProtocolTrace::ended(std::string_view event) {
  begin();
  line(event);
  give();
}

// In the order in which the replica has taken them in.
void ProtocolTrace::put_inputs(const Turn& turn) {
  if (turn.durable_through > durable_) {
    durable_ = turn.durable_through;
    line("durable").number("ticket", durable_);
  }
  for (const Frame& frame : turn.frames) {
    Line receive = line("receive");
    receive.number("from", frame.from);
    receive.number("from_incarnation", frame.incarnation);
    put_message(receive, frame.header, frame.body.size());
  }
  for (const CommandRun& run : turn.commands) {
    Line submit = line("submit");
    submit.number("number", run.id.number);
    submit.number("commands", run.count);
  }
  for (const ReadRequest& read : turn.reads) {
    Line asked = line("read");
    asked.number("id", read.id);
    asked.text("mode", read.mode == ReadMode::local ? "local" : "linearizable");
  }
  for (const Control& control : turn.controls) put_control(control);
}

void ProtocolTrace::put_message(Line& to, const Block& header, std::uint64_t body_bytes) const {
  to.text("id", name_of(header));
  to.number("body_bytes", body_bytes);
  to.begin("message");
  if (algorithm_.fields != nullptr) algorithm_.fields(header, to);
  to.end();
}

void ProtocolTrace::put_control(const Control& control) {
  Line asked = line(name_of(control.kind));
  if (control.kind == Control::Kind::change_members) {
    asked.number("add", control.change.add);
    asked.number("remove", control.change.remove);
    asked.text("disk", std::to_string(control.change.disk.value));
  } else if (control.kind == Control::Kind::hand_over) {
    asked.number("to", control.to);
  } else {
    asked.number("index", control.snapshot.index);
  }
}

void ProtocolTrace::put_write(const Write& write) {
  issued_ = write.ticket;
  const Inspection* inspection = algorithm_.inspection;
  Line written = line(name_of(write.kind));
  written.number("ticket", write.ticket);
  if (write.kind != Write::Kind::state) written.number("index", write.index);
  if (inspection == nullptr) return;
  if (write.kind == Write::Kind::state) {
    promise_ = inspection->promise(write.header);
    written.number("term", promise_.epoch);
    written.number("vote", promise_.vote);
    written.number("decided", promise_.decided);
  } else if (write.kind == Write::Kind::append) {
    const Record record{write.index, write.header, write.body};
    written.number("term", inspection->record_epoch(record));
    if (inspection->members == nullptr) return;
    if (const auto members = inspection->members(record)) written.members("members", *members);
  } else if (write.kind == Write::Kind::snapshot) {
    written.number("term", inspection->snapshot_epoch(write.header));
  }
}

void ProtocolTrace::put_status(Line& to) const {
  to.text("role", status_.role);
  to.number("term", status_.epoch);
  if (algorithm_.inspection != nullptr) to.number("vote", promise_.vote);
  to.number("leader", status_.leader);
  to.number("last", status_.last);
  to.number("snapshot", status_.snapshot);
}

// What is different after the turn.
void ProtocolTrace::put_changes(const Effects& effects, const Replica& replica) {
  const Status before = status_;
  status_ = replica.status();
  if (status_.role != before.role || status_.epoch != before.epoch ||
      status_.leader != before.leader || promise_.vote != shown_vote_) {
    shown_vote_ = promise_.vote;
    Line state = line("state");
    put_status(state);
  }
  const Membership* members = replica.membership();
  if (members != nullptr && *members != members_) {
    members_ = *members;
    line("members").members("members", members_);
  }
  if (status_.commit > before.commit) line("commit").number("index", status_.commit);
  if (!effects.broken_invariant.empty()) line("broken").text("why", effects.broken_invariant);
}

void ProtocolTrace::put_applied(const Effects& effects) {
  if (effects.install != LogIndex{}) line("install").number("index", effects.install);
  for (const CommittedRun& committed : effects.commit) {
    Line apply = line("apply");
    apply.number("index", committed.index);
    apply.number("origin", committed.run.id.origin);
    apply.number("origin_incarnation", committed.run.id.incarnation);
    apply.number("number", committed.run.id.number);
    apply.number("commands", committed.run.count);
  }
  if (!effects.merge.empty()) line("merge").number("cells", effects.merge.size());
}

void ProtocolTrace::put_answers(const Effects& effects) {
  for (const RunReply& reply : effects.replies) {
    line("accept").number("number", reply.run.number);
  }
  for (const ReadReady& ready : effects.reads_ready) {
    Line served = line("read_ready");
    served.number("id", ready.id);
    served.number("index", ready.index);
  }
  for (const Refusal& refusal : effects.refused) {
    Line refused = line("refuse");
    refused.text("what", refusal.kind == Refusal::Kind::run ? "run" : "read");
    refused.number("number", refusal.number);
  }
  for (const ControlReply& reply : effects.control_replies) {
    Line answered = line("control_reply");
    answered.text("outcome", name_of(reply.outcome));
    answered.text("reason", reply.reason);
  }
}

// A message that waits for a ticket leaves when that is durable, and not if the node crashes
// before.
void ProtocolTrace::put_sends(std::span<const Message> messages, const Effects& effects,
                              Ticket after) {
  for (const Message& message : messages) {
    Line send = line("send");
    send.number("to", message.to);
    send.number("after_ticket", after > durable_ ? after : Ticket{});
    put_message(send, message.header, size_of(effects.bodies, message.body));
  }
}

}  // namespace parley
