// The scripts that make reports: Parley's own, in JavaScript, with modules from npm.
#pragma once

#include <filesystem>
#include <string>

namespace parley::cli {

// Where they are: in the source if this program runs where it was built, else where it is
// installed.
std::filesystem::path reports_folder();

// Whether a program is on PATH.
bool on_path(const std::string& program);

// Why no report can be made here and what to do about it, or empty.
std::string report_problem();

}  // namespace parley::cli
