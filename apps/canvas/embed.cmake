# Writes the files of the web page into a C++ source. Run as a script:
# cmake -DOUTPUT=page.cc -DFOLDER=page "-DFILES=index.html,style.css" -P embed.cmake
string(REPLACE "," ";" FILES "${FILES}")
set(types_html "text/html")
set(types_css "text/css")
set(types_js "text/javascript")

set(arrays "")
set(rows "")
foreach(file ${FILES})
  file(READ "${FOLDER}/${file}" hex HEX)
  string(REGEX REPLACE "(..)" "'\\\\x\\1'," bytes "${hex}")
  string(REGEX REPLACE "([^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,)" "\\1\n    "
         bytes "${bytes}")
  string(MAKE_C_IDENTIFIER "${file}" name)
  string(REGEX MATCH "[a-z]+$" extension "${file}")
  set(path "/${file}")
  if(file STREQUAL "index.html")
    set(path "/")
  elseif(extension STREQUAL "html")
    string(REPLACE ".html" "" path "/${file}")
  endif()
  string(APPEND arrays "constexpr char k_${name}[] = {\n    ${bytes}};\n\n")
  string(APPEND rows "    {\"${path}\", \"${types_${extension}}; charset=utf-8\", {k_${name}, sizeof(k_${name})}},\n")
endforeach()

file(WRITE "${OUTPUT}.new"
"#include \"apps/canvas/page.h\"

namespace parley {
namespace {

${arrays}constexpr PageFile kPageFiles[] = {
${rows}};

}  // namespace

std::span<const PageFile> page_files() { return kPageFiles; }

}  // namespace parley
")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
