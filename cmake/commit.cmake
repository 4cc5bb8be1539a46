# Writes the source that names the commit, at each build; only when it has changed.
execute_process(COMMAND git -C ${SOURCE} rev-parse --short=12 HEAD
                OUTPUT_VARIABLE PARLEY_COMMIT OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
                RESULT_VARIABLE failed)
if(failed)
  set(PARLEY_COMMIT unknown)
else()
  execute_process(COMMAND git -C ${SOURCE} status --porcelain --untracked-files=no
                  OUTPUT_VARIABLE changes ERROR_QUIET)
  if(changes)
    string(APPEND PARLEY_COMMIT -dirty)
  endif()
endif()
set(CMAKE_BINARY_DIR ${BINARY})
set(CMAKE_SOURCE_DIR ${SOURCE})
configure_file(${INPUT} ${OUTPUT} @ONLY)
