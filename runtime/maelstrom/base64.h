// Bytes as text (RFC 4648, §4).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "algorithms/contract/block.h"

namespace parley::maelstrom {

std::string to_base64(Bytes bytes);

// False if the text, which comes from outside, is not padded base64.
bool from_base64(std::string_view text, std::vector<std::byte>& bytes);

}  // namespace parley::maelstrom
