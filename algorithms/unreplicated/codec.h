// How a run is written to storage and found again.
#pragma once

#include <optional>

#include "algorithms/contract/command.h"
#include "algorithms/contract/replica.h"

namespace parley::unreplicated {

// The header of the record that holds `run`.
Block encode_record(const CommandRun& run);

// The run of a record, or nothing if its header is not one that encode_record made.
std::optional<CommandRun> decode_record(const Record& record);

}  // namespace parley::unreplicated
