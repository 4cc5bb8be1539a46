// Executions as files: text, Chrome's trace events, ShiViz's logs, protocol traces. Everything is
// written as it comes; what is kept grows only with what is under way at one moment.
#pragma once

#include <iosfwd>
#include <memory>
#include <string_view>

#include "runtime/sim/trace.h"

namespace parley::sim {

// Each writes to `out`, which must outlive it; whether that worked, `out` tells afterwards.

// A line for every fact.
std::unique_ptr<TraceSink> make_text_trace(std::ostream& out);

// The JSON that Perfetto (ui.perfetto.dev) and chrome://tracing open: a process for each node, with
// its states, turns, messages (arrows from send to receipt) and what else happens there, and a
// counter of its commit index. Times are microseconds of virtual time; messages of one moment are
// set apart by tenths of a microsecond so that each is seen. Source: "Trace Event Format".
std::unique_ptr<TraceSink> make_chrome_trace(std::ostream& out);

// The log that ShiViz (bestchai.bitbucket.io/shiviz) opens: every event with the vector clock of
// its host. Hosts are nodes, clients, and the network, where messages are lost. Turns are left out.
std::unique_ptr<TraceSink> make_shiviz_trace(std::ostream& out);

// The nodes' protocol traces, in the order of time: docs/protocol_trace.md.
std::unique_ptr<TraceSink> make_protocol_trace(std::ostream& out);

// The format that the path's ending asks for: .json, .shiviz, .jsonl for the protocol traces,
// anything else for text.
std::unique_ptr<TraceSink> make_trace(std::string_view path, std::ostream& out);

}  // namespace parley::sim
