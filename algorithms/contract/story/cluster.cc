#include "algorithms/contract/story/cluster.h"

#include <algorithm>
#include <utility>

namespace parley::story {
namespace {

constexpr Duration kLatency = std::chrono::milliseconds(1);

std::string name(std::uint32_t id) {
  return std::to_string(id);
}

}  // namespace

Cluster::Cluster(const Strategy& strategy, std::uint32_t size, OptionValues options,
                 std::uint64_t seed, bool down, std::uint32_t spare)
    : strategy_(strategy), nodes_(size + spare), options_(std::move(options)), random_(seed) {
  for (std::uint32_t id = size + 1; id <= size + spare; ++id) node(id).disk_id = {1};
  for (std::uint32_t id = 1; id <= size + spare && !down; ++id) restart(id);
}

// --- inputs ---

void Cluster::restart(std::uint32_t id) {
  Node& node = this->node(id);
  ReplicaConfig config;
  config.self = NodeId{id};
  config.incarnation = {++node.incarnation};
  for (std::uint32_t i = 1; i <= size(); ++i) {
    if (this->node(i).disk_id == DiskId{}) config.members.push_back(NodeId{i});
  }
  config.disk = node.disk_id;
  config.options = options_;
  config.seed = random_.bits();
  config.now = now(node);
  node.log = node.disk.records;
  Recovered recovered = node.disk;  // whose records stay complete, for the checks
  const LogIndex base = recovered.snapshot.id.index;
  std::erase_if(recovered.records, [base](const Record& record) { return record.index <= base; });
  node.issued = node.durable = Ticket{};
  node.last_run = node.last_read = 0;
  node.applied.assign(committed_.begin(),
                      committed_.begin() + static_cast<std::ptrdiff_t>(base.value));
  node.loading.reset();
  node.reads.clear();
  node.replica = strategy_.algorithm->make(config, recovered);
  note_role(id);
}

void Cluster::crash(std::uint32_t id) {
  Node& node = this->node(id);
  node.replica.reset();
  node.unsynced.clear();
  node.waiting.clear();
  node.role.clear();
  std::erase_if(flying_, [id](const Packet& packet) { return packet.to == id; });
}

void Cluster::wipe(std::uint32_t id) {
  node(id).disk = {};
  ++node(id).disk_id.value;
}

void Cluster::set_disk(std::uint32_t id, const std::vector<std::uint64_t>& terms,
                       std::uint64_t term) {
  Recovered disk;
  for (const std::uint64_t entry_term : terms) {
    const LogIndex index{disk.records.size() + 1};
    const CommandRun run =
        run_of(NodeId{9}, {1}, index.value, name(static_cast<std::uint32_t>(entry_term)));
    disk.records.push_back({index, strategy_.record({entry_term}, run, size()), run.body});
    term = std::max(term, entry_term);
  }
  disk.state = strategy_.state({term});
  node(id).disk = std::move(disk);
}

void Cluster::submit(std::uint32_t id, const std::vector<std::string>& texts) {
  Node& node = this->node(id);
  Input input;
  for (const std::string& text : texts) {
    input.commands.push_back(run_of(NodeId{id}, {node.incarnation}, ++node.last_run, text));
  }
  step(id, std::move(input));
}

void Cluster::snapshot(std::uint32_t id) {
  const LogIndex index{node(id).applied.size()};
  Input input;
  input.controls.push_back({Control::Kind::snapshot_saved, {index, 2, 1}});
  step(id, std::move(input));
}

void Cluster::change_members(std::uint32_t id, const MemberChange& change) {
  Input input;
  Control& control = input.controls.emplace_back();
  control.kind = Control::Kind::change_members;
  control.id = ++controls_;
  control.change = change;
  if (change.add != kNoNode) control.change.disk = node(change.add.value).disk_id;
  step(id, std::move(input));
}

void Cluster::hand_over(std::uint32_t id, std::uint32_t to) {
  Input input;
  Control& control = input.controls.emplace_back();
  control.kind = Control::Kind::hand_over;
  control.id = ++controls_;
  control.to = NodeId{to};
  step(id, std::move(input));
}

void Cluster::read(std::uint32_t id) {
  Input input;
  input.reads.push_back({++node(id).last_read});
  step(id, std::move(input));
}

void Cluster::set_manual_disk(std::uint32_t id, bool manual) {
  node(id).manual_disk = manual;
}

void Cluster::sync(std::uint32_t id, Ticket through) {
  make_durable(node(id), through);
  step(id, {});
}

void Cluster::load_late(std::uint32_t id) {
  node(id).loads_late = true;
}

void Cluster::load(std::uint32_t id) {
  if (!node(id).loading) return;
  Input ready;
  ready.controls.push_back(
      {Control::Kind::snapshot_loaded, *std::exchange(node(id).loading, std::nullopt)});
  step(id, std::move(ready));
}

// --- time and network ---

void Cluster::fire_timer(std::uint32_t id) {
  Node& node = this->node(id);
  advance_clock(id, std::max(Duration{}, node.replica->deadline() - now(node)));
}

void Cluster::advance_clock(std::uint32_t id, Duration time) {
  node(id).clock_ahead += time;
  step(id, {});
}

void Cluster::run(Duration time) {
  const Instant end = now_ + time;
  for (;;) {
    Instant next = end;
    for (const Packet& packet : flying_) next = std::min(next, packet.due);
    for (const Node& node : nodes_) {
      if (node.replica == nullptr || node.replica->deadline() == kNever) continue;
      next = std::min(next, std::max(now_, node.replica->deadline() - node.clock_ahead));
    }
    if (next >= end) break;
    steps_at_once_ = next == now_ ? steps_at_once_ + 1 : 0;
    if (steps_at_once_ > 1000) return violated("time stands still: a deadline does not move");
    now_ = next;
    std::vector<Packet> due;
    std::erase_if(flying_, [&](const Packet& packet) {
      if (packet.due > now_) return false;
      due.push_back(packet);
      return true;
    });
    arrive(std::move(due));
    for (std::uint32_t id = 1; id <= size(); ++id) {
      if (is_up(id) && node(id).replica->deadline() <= now(node(id))) step(id, {});
    }
  }
  now_ = end;
}

void Cluster::deliver_all() {
  while (!flying_.empty()) arrive(std::exchange(flying_, {}));
}

void Cluster::deliver(std::uint32_t from, std::uint32_t to) {
  std::vector<Packet> chosen;
  std::erase_if(flying_, [&](const Packet& packet) {
    if ((from != 0 && packet.from != from) || (to != 0 && packet.to != to)) return false;
    chosen.push_back(packet);
    return true;
  });
  arrive(std::move(chosen));
}

void Cluster::copy(std::uint32_t from, std::uint32_t to) {
  for (const Packet& packet : flying_) {
    if ((from == 0 || packet.from == from) && (to == 0 || packet.to == to)) {
      copies_.push_back(packet);
    }
  }
}

void Cluster::replay(std::uint32_t from, std::uint32_t to) {
  std::vector<Packet> chosen;
  std::erase_if(copies_, [&](const Packet& packet) {
    if ((from != 0 && packet.from != from) || (to != 0 && packet.to != to)) return false;
    chosen.push_back(packet);
    return true;
  });
  arrive(std::move(chosen));
}

void Cluster::drop(std::uint32_t from, std::uint32_t to) {
  std::erase_if(flying_, [&](const Packet& packet) {
    return (from == 0 || packet.from == from) && (to == 0 || packet.to == to);
  });
}

void Cluster::launch(Packet packet) {
  ++messages_sent_;
  if (cut_.contains({packet.from, packet.to}) || !is_up(packet.to)) return;
  if (random_.chance(faults_.lose)) return;
  packet.due = now_ + kLatency;
  if (random_.chance(faults_.duplicate)) {
    Packet twin = packet;
    twin.due += random_.between(Duration{}, std::chrono::milliseconds(50));
    flying_.push_back(std::move(twin));
  }
  if (random_.chance(faults_.delay)) {
    packet.due += random_.between(Duration{}, std::chrono::milliseconds(50));
  }
  flying_.push_back(std::move(packet));
}

// What arrives at a node at once makes one turn.
void Cluster::arrive(std::vector<Packet> packets) {
  for (std::uint32_t id = 1; id <= size(); ++id) {
    Input input;
    for (Packet& packet : packets) {
      if (packet.to != id || !is_up(id)) continue;
      if (!strategy_.algorithm->verify(packet.header, packet.body))
        violated("a frame of a replica is not valid");
      input.frames.push_back(
          {{}, NodeId{packet.from}, packet.incarnation, packet.header, packet.body});
    }
    if (!input.frames.empty()) step(id, std::move(input));
  }
}

// --- a step, as a live driver does it ---

void Cluster::step(std::uint32_t id, Input input) {
  step_once(id, input);
  // A disk that needs no time: what was written is durable in a step that follows at once.
  while (is_up(id) && !node(id).manual_disk && !node(id).unsynced.empty()) {
    make_durable(node(id));
    step_once(id, {});
  }
  if (is_up(id) && !node(id).loads_late) load(id);
}

void Cluster::step_once(std::uint32_t id, const Input& input) {
  Node& node = this->node(id);
  Turn turn;
  turn.now = now(node);
  turn.durable_through = node.durable;
  turn.applied_through = {node.applied.size()};
  turn.frames = input.frames;
  turn.commands = input.commands;
  turn.reads = input.reads;
  turn.controls = input.controls;
  effects_.clear();
  node.replica->step(turn, store_, effects_);
  if (!effects_.broken_invariant.empty()) violated(effects_.broken_invariant);
  note_role(id);
  trace_step(id, effects_);
  take_writes(id, effects_);
  take_messages(id, effects_);
  take_commits(id, effects_);
  take_snapshots(id, effects_);
}

void Cluster::take_writes(std::uint32_t id, Effects& effects) {
  Node& node = this->node(id);
  for (Write& write : effects.writes) {
    if (write.ticket != node.issued.next()) violated("tickets of node " + name(id) + " have a gap");
    node.issued = write.ticket;
    if (write.kind == Write::Kind::append) {
      if (write.index.value != node.log.size() + 1) violated("an append leaves a gap");
      node.log.push_back({write.index, write.header, write.body});
    } else if (write.kind == Write::Kind::truncate) {
      node.log.resize(write.index.value - 1);
    } else if (write.kind == Write::Kind::snapshot && write.index.value > node.log.size()) {
      node.log.assign(records_.begin(),
                      records_.begin() + static_cast<std::ptrdiff_t>(write.index.value));
    }
    node.unsynced.push_back(std::move(write));
  }
}

void Cluster::make_durable(Node& node, Ticket through) {
  while (!node.unsynced.empty() && node.unsynced.front().ticket <= through) {
    const Write& write = node.unsynced.front();
    switch (write.kind) {
      case Write::Kind::state:
        node.disk.state = write.header;
        break;
      case Write::Kind::append:
        node.disk.records.push_back({write.index, write.header, write.body});
        break;
      case Write::Kind::truncate:
        node.disk.records.resize(write.index.value - 1);
        break;
      case Write::Kind::snapshot:
        node.disk.snapshot = {{write.index, 2, 1}, write.header, {}};
        if (write.index.value > node.disk.records.size()) {
          node.disk.records.assign(
              records_.begin(), records_.begin() + static_cast<std::ptrdiff_t>(write.index.value));
        }
        break;
    }
    node.durable = write.ticket;
    node.unsynced.pop_front();
  }
  while (!node.waiting.empty() && node.waiting.front().ticket <= node.durable) {
    launch(std::move(node.waiting.front().packet));
    node.waiting.pop_front();
  }
}

void Cluster::take_messages(std::uint32_t id, const Effects& effects) {
  Node& node = this->node(id);
  for (const Message& message : effects.send_now) launch(packet_of(id, message, effects));
  for (const Message& message : effects.send_when_durable) {
    if (node.issued <= node.durable) {
      launch(packet_of(id, message, effects));
    } else {
      node.waiting.push_back({node.issued, packet_of(id, message, effects)});
    }
  }
}

Cluster::Packet Cluster::packet_of(std::uint32_t id, const Message& message,
                                   const Effects& effects) {
  Block body = join(effects, message.body);
  if (message.part != kNoPart) body = run_of({}, {}, 0, "a part").body;
  return {id, message.to.value, {}, {node(id).incarnation}, message.header, std::move(body)};
}

// What was received is ready in the next step; what is installed is what others have applied.
void Cluster::take_snapshots(std::uint32_t id, const Effects& effects) {
  Node& node = this->node(id);
  for (const SnapshotPart& part : effects.snapshot_parts) {
    if (part.number + 1 == part.snapshot.parts) node.loading = part.snapshot;
  }
  if (effects.install == LogIndex{}) return;
  if (effects.install.value <= node.applied.size()) violated("an older state would be installed");
  node.applied.assign(committed_.begin(),
                      committed_.begin() + static_cast<std::ptrdiff_t>(effects.install.value));
}

// State machine safety: no two nodes ever commit different entries at one index.
void Cluster::take_commits(std::uint32_t id, const Effects& effects) {
  Node& node = this->node(id);
  for (const CommittedRun& committed : effects.commit) {
    const std::uint64_t index = committed.index.value;
    if (index != node.applied.size() + 1) violated("node " + name(id) + " commits out of order");
    node.applied.push_back(committed);
    const Epoch epoch = epoch_of(node.log[index - 1]);
    const std::string what = std::to_string(epoch.value) + " " + text_of(committed.run);
    if (order_.size() < index) {
      order_.push_back(what);
      committed_.push_back(committed);
      records_.push_back(node.log[index - 1]);
    } else if (order_[index - 1] != what) {
      violated("node " + name(id) + " commits " + what + " at " + std::to_string(index) +
               " where " + order_[index - 1] + " was committed");
    }
  }
  for (const ReadReady& ready : effects.reads_ready) node.reads[ready.id] = ready.index;
}

// --- what can be seen ---

void Cluster::trace(Show kind, std::string line) {
  if (shown_.contains(kind)) trace_.push_back(std::move(line));
}

std::vector<std::string> Cluster::take_trace() {
  return std::exchange(trace_, {});
}

void Cluster::violated(std::string story) {
  trace_.push_back("VIOLATION: " + story);
  if (violation_.empty()) violation_ = std::move(story);
}

// Election safety: at most one leader in an epoch.
void Cluster::note_role(std::uint32_t id) {
  const Status status = node(id).replica->status();
  const std::string role = std::string(status.role) + " in " + std::string(strategy_.epoch) + " " +
                           std::to_string(status.epoch.value);
  if (role != node(id).role) trace(Show::roles, name(id) + " is " + role);
  node(id).role = role;
  note_members(id);
  if (!leads(id)) return;
  const auto [it, fresh] = leaders_.emplace(status.epoch.value, id);
  if (it->second != id)
    violated("two leaders in " + std::string(strategy_.epoch) + " " +
             std::to_string(status.epoch.value));
}

void Cluster::note_members(std::uint32_t id) {
  const Membership* members = node(id).replica->membership();
  if (members == nullptr) return;
  std::string text = parley::text_of(*members);
  const bool news = text != node(id).members && !node(id).members.empty();
  if (news) trace(Show::roles, name(id) + " has members " + text);
  node(id).members = std::move(text);
}

void Cluster::trace_step(std::uint32_t id, const Effects& effects) {
  for (const Write& write : effects.writes) {
    trace(Show::writes, name(id) + " writes #" + std::to_string(write.ticket.value) + " " +
                            strategy_.text_of_write(write));
  }
  const auto message = [&](const Message& sent, const char* lane) {
    trace(Show::messages, name(id) + " -> " + name(sent.to.value) + lane + " " +
                              strategy_.text_of_message(sent.header, join(effects, sent.body)));
  };
  for (const Message& sent : effects.send_now) message(sent, "");
  for (const Message& sent : effects.send_when_durable) message(sent, " (when durable)");
  if (effects.install != LogIndex{}) {
    trace(Show::commits,
          name(id) + " goes on from the snapshot of " + std::to_string(effects.install.value));
  }
  for (const CommittedRun& committed : effects.commit) {
    trace(Show::commits, name(id) + " commits " + std::to_string(committed.index.value) + " " +
                             text_of(committed.run));
  }
  for (const ReadReady& ready : effects.reads_ready) {
    trace(Show::commits, name(id) + " may serve read " + std::to_string(ready.id) + " at index " +
                             std::to_string(ready.index.value));
  }
  for (const ControlReply& answer : effects.control_replies) {
    constexpr const char* kOutcomes[] = {"done", "refused: ", "unknown: "};
    trace(Show::roles, name(id) + " answers " + std::to_string(answer.id) + ": " +
                           kOutcomes[static_cast<std::size_t>(answer.outcome)] + answer.reason);
  }
  for (const Refusal& refusal : effects.refused) {
    const char* reason = refusal.reason == Refusal::Reason::no_leader ? "no leader" : "overloaded";
    trace(Show::commits, name(id) + " refuses " +
                             (refusal.kind == Refusal::Kind::run ? "run " : "read ") +
                             std::to_string(refusal.number) + ": " + reason);
  }
}

Status Cluster::status(std::uint32_t id) const {
  return nodes_[id - 1].replica->status();
}

bool Cluster::leads(std::uint32_t id) const {
  return status(id).role == strategy_.leader;
}

Epoch Cluster::epoch_of(const Record& record) const {
  return strategy_.algorithm->inspection->record_epoch(record);
}

std::uint32_t Cluster::leader() const {
  std::uint32_t found = 0;
  for (std::uint32_t id = 1; id <= size(); ++id) {
    if (!is_up(id) || !leads(id)) continue;
    if (found == 0 || status(id).epoch > status(found).epoch) found = id;
  }
  return found;
}

std::string Cluster::status_line(std::uint32_t id) const {
  if (!is_up(id)) return name(id) + " is down";
  const Status s = status(id);
  std::string line = name(id) + " " + std::string(s.role) + " " + std::string(strategy_.epoch) +
                     " " + std::to_string(s.epoch.value) + " leader " +
                     (s.leader == kNoNode ? "none" : name(s.leader.value)) + " commit " +
                     std::to_string(s.commit.value) + " last " + std::to_string(s.last.value);
  if (s.held_runs > 0) line += " holds " + std::to_string(s.held_runs);
  if (s.in_doubt > 0) line += ", " + std::to_string(s.in_doubt) + " in doubt";
  if (s.blocked) line += ", blocked";
  return line;
}

std::string Cluster::log_line(std::uint32_t id) const {
  const Node& node = nodes_[id - 1];
  std::string line = name(id) + ":";
  for (const Record& record : is_up(id) ? node.log : node.disk.records) {
    const std::uint32_t empty = record.body.empty() ? 0 : 1;
    line += " " + std::to_string(epoch_of(record).value) + text_of({{}, empty, record.body});
  }
  return line;
}

std::vector<std::string> Cluster::committed(std::uint32_t id) const {
  std::vector<std::string> texts;
  for (const CommittedRun& committed : nodes_[id - 1].applied) {
    if (committed.run.count > 0) texts.push_back(text_of(committed.run));
  }
  return texts;
}

const std::map<std::uint64_t, LogIndex>& Cluster::reads(std::uint32_t id) const {
  return nodes_[id - 1].reads;
}

}  // namespace parley::story
