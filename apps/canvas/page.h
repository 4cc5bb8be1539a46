// The files of the web page, embedded at build time from apps/canvas/page.
#pragma once

#include <span>
#include <string_view>

namespace parley {

struct PageFile {
  std::string_view path;          // "/page.js"
  std::string_view content_type;  // with the character set
  std::string_view content;
};

std::span<const PageFile> page_files();

}  // namespace parley
