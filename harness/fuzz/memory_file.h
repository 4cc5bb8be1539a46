// A file without a disk, for decoders that want a path.
#pragma once

#include <filesystem>
#include <string>

#include "algorithms/contract/block.h"

namespace parley::fuzz {

// One such file a thread, with these contents until the next call. Throws std::system_error.
const std::filesystem::path& memory_file(Bytes contents);

}  // namespace parley::fuzz
