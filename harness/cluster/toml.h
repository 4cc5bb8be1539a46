// TOML text as plain values.
#pragma once

#include <string>
#include <string_view>

#include "harness/cluster/config_file.h"

namespace parley::harness {

// Parses a document into a table. Throws ConfigError with `name` and the line where it is not TOML.
ConfigValue parse_toml(std::string_view text, const std::string& name);

}  // namespace parley::harness
