// One node that gives each run the next index.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "algorithms/contract/replica.h"

namespace parley::unreplicated {

class Core {
 public:
  Core(const ReplicaConfig& config, const Recovered& recovered);

  void step(const Turn& turn, Effects& effects);
  [[nodiscard]] Status status() const;
  // Whether there is work for a further step without any input: recovered runs to hand over.
  [[nodiscard]] bool has_work() const { return !recovered_.empty(); }

 private:
  struct Pending {  // on its way to the disk
    Ticket ticket;
    CommittedRun committed;
  };

  void replay(Effects& effects);
  void append(const CommandRun& run, Effects& effects);
  void commit_durable(Ticket durable_through, Effects& effects);
  void answer_reads(const Turn& turn, Effects& effects) const;
  void use_snapshot(const Control& control, Effects& effects);

  NodeId self_;
  std::vector<CommittedRun> recovered_;
  std::deque<Pending> pending_;
  std::uint64_t pending_bytes_ = 0;
  Ticket last_ticket_;
  LogIndex last_;
  LogIndex commit_;
  LogIndex snapshot_;
  std::string broken_;
};

}  // namespace parley::unreplicated
