// What this program was built from.
#pragma once

#include <string_view>

namespace parley {

extern const std::string_view kVersion;
extern const std::string_view kCommit;  // "unknown" outside a git checkout; "-dirty" with changes
extern const std::string_view kBuildType;
extern const std::string_view kCompiler;
extern const std::string_view kBuildFolder;   // with tests/ and benchmarks/
extern const std::string_view kSourceFolder;  // with reports/
// From the folder of an installed program to that of its data, with reports/ too.
extern const std::string_view kDataFromPrograms;

}  // namespace parley
