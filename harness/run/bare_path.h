// The bare path beside the strategies: what ZeroMQ and the machine allow without any algorithm.
#pragma once

#include <filesystem>
#include <string>

#include "harness/run/run.h"

namespace parley::harness {

// Not a strategy and in no registry; a name that a sweep may list among its algorithms. Its runs
// are those of the program parley_bare_path (client -> leader -> majority -> client, 16-byte
// commands, one client without sessions, nothing applied and nothing stored).
const Algorithm& bare_path();

// Why the bare path cannot run the spec, or empty: it knows one shape of load only.
std::string impossible_on_bare_path(const RunSpec& spec);

// Carries out `spec` and leaves manifest.json and summary.json in `folder`, which exists.
RunOutcome run_bare_path(const RunSpec& spec, const std::filesystem::path& folder,
                         const RunEnvironment& environment);

}  // namespace parley::harness
