// Faults of a run: the schedules that there are.
#pragma once

#include <cstdint>
#include <string>

#include "harness/run/run_spec.h"
#include "runtime/fault_schedule.h"

namespace parley::harness {

// The faults that `spec.faults` names, over the measured window:
//   none
//   kill-leader, kill-follower          in the middle of the window
//   kill-majority                       likewise all but a minority at once, the leader among them
//   restart-leader, restart-follower    likewise, and back a second later
//   pause-leader                        likewise stopped for two seconds (SIGSTOP)
//   isolate-leader                      likewise cut from all others for two seconds
//   one-way                             likewise the leader is not heard, but hears
//   partition                           likewise the leader and others, a minority, and the rest
//   flap                                from the middle on four times in a row: whoever leads is
//   cut
//                                       from all others for 0.4 s, every 0.8 s
//   slow-link-leader                    likewise its links are slower by 100 ms for two seconds
//   slow-disk-leader                    likewise each write to its disk by 100 ms
//   full-disk-leader                    likewise its disk is full, for a second
//   clock-step-leader                   likewise its clock is two seconds ahead, for two seconds
//   rolling-restart                     from the first quarter on each node in turn is asked to
//                                       stop, started again and waited for until it has caught up
//   random, random:COUNT                drawn by the run's seed, see random_faults; one every two
//                                       seconds where nothing else is said
//   random-all, random-all:COUNT        likewise of all kinds
// or the path of a TOML file:
//   [[fault]]
//   at_s = 2.5            # after the start of the measured window and before its end
//   kind = "restart"      # kill, restart, pause, cut, slow-link, slow-disk, full-disk, clock-step,
//                         # rolling-restart
//   node = "leader"       # leader, follower, majority (not of links), or a node's number
//   down_s = 1.0          # of "restart": how long it is away
//   [[fault]]
//   at_s = 5
//   kind = "cut"
//   node = "leader"       # cut off are its links,
//   side = "alone"        # or those of a "minority" that it is in,
//   direction = "both"    # or only what comes "in" or goes "out"
//   for_s = 2             # how long; of all but "kill", "restart" and "rolling-restart"
//   [[fault]]
//   at_s = 8
//   kind = "cut"
//   groups = [[1, 2, 3], [2, 4], [3, 5]]    # connected is whom some group holds both
//   [[fault]]
//   at_s = 10
//   kind = "slow-link"    # links as of "cut"
//   node = 2
//   delay_ms = 100        # each added to what the links are like
//   jitter_ms = 20
//   loss = 0.01
//   [[fault]]
//   at_s = 13
//   kind = "slow-disk"
//   node = "follower"
//   delay_ms = 100        # how much longer each write takes
//   [[fault]]
//   at_s = 16
//   kind = "full-disk"    # ends the node at its next write; for_s later it is started again
//   node = "leader"
//   [[fault]]
//   at_s = 19
//   kind = "clock-step"
//   node = "leader"
//   step_s = -2           # how far; for_s later it steps back
//   [[fault]]
//   at_s = 22
//   kind = "rolling-restart"
//   down_s = 0            # how long each node is away between its end and its start
//   within_s = 20         # it fails the run if it takes longer
// Throws ConfigError.
FaultSchedule load_faults(const RunSpec& spec);

// Whether a node is started again, which needs a durable mode: without, it has forgotten its votes
// and may not return as the same voter.
bool restarts(const FaultSchedule& faults);
// Whether disks are slow or full, which nodes without a durable mode do not have.
bool needs_disks(const FaultSchedule& faults);
// Whether nodes are told of faults while they run (harness/cluster/node_control.h).
bool needs_control(const FaultSchedule& faults);
// Why a cluster of `nodes` cannot have these faults, or empty.
std::string impossible_for(const FaultSchedule& faults, std::uint32_t nodes);

}  // namespace parley::harness
