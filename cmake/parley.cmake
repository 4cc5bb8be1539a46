# How a folder of Parley is built: one library, its tests, its benchmarks, and the dependencies it may have.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_UNITY_BUILD_BATCH_SIZE 6)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

find_program(PARLEY_CCACHE ccache)
if(PARLEY_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${PARLEY_CCACHE})
endif()

include(GNUInstallDirs)
find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(RocksDB REQUIRED IMPORTED_TARGET rocksdb)
pkg_check_modules(ZeroMQ REQUIRED IMPORTED_TARGET libzmq)
# By pkg-config: its CMake package wants the libraries of parts that are not used here.
pkg_check_modules(Prometheus REQUIRED IMPORTED_TARGET prometheus-cpp-core)
find_package(FlatBuffers CONFIG REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(PNG REQUIRED)
# What `parley test` and `parley bench` build before they run.
if(PARLEY_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
  add_custom_target(parley_tests)
endif()
if(PARLEY_BENCHMARKS)
  find_package(benchmark REQUIRED)
  add_custom_target(parley_benchmarks)
endif()

# Flags that every target of ours shares. -ffp-contract=off keeps floating point the same on every compiler.
add_library(parley_flags INTERFACE)
target_compile_options(parley_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                              -ffp-contract=off)
target_include_directories(parley_flags INTERFACE ${CMAKE_SOURCE_DIR})
# Generated code is not ours to mend.
target_include_directories(parley_flags SYSTEM INTERFACE ${CMAKE_BINARY_DIR}/generated)
if(PARLEY_WERROR)
  target_compile_options(parley_flags INTERFACE -Werror)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False positives of g++ 12 on inlined strings and on structured headers of the libraries used.
  target_compile_options(parley_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds
                                                -Wno-stringop-overflow -Wno-stringop-overread)
  # In a unity build a source's own types stand in an included file, which this warning is about.
  target_compile_options(parley_flags INTERFACE -Wno-subobject-linkage)
endif()
if(PARLEY_SANITIZE)
  target_compile_options(parley_flags INTERFACE -fsanitize=${PARLEY_SANITIZE} -fno-omit-frame-pointer
                                                -fno-sanitize-recover=all)
  target_link_options(parley_flags INTERFACE -fsanitize=${PARLEY_SANITIZE})
endif()

# What nearly every test includes, read once for all of them, and the options that this demands to be the same:
# tests are compiled once for each time that they run, so they are optimised only a little.
if(PARLEY_TESTS)
  add_library(parley_test_headers OBJECT ${CMAKE_CURRENT_LIST_DIR}/test_headers.cc)
  # An assertion of GoogleTest holds an if of its own.
  target_compile_options(parley_test_headers PUBLIC -O0 -Wno-dangling-else)
  target_link_libraries(parley_test_headers PUBLIC parley_flags GTest::gmock)
  target_precompile_headers(parley_test_headers PRIVATE
    <gmock/gmock.h> <gtest/gtest.h> <algorithm> <atomic> <chrono> <cstdint> <filesystem> <fstream> <functional> <map>
    <memory> <optional> <regex> <set> <span> <sstream> <string> <thread> <vector>)
  set_target_properties(parley_test_headers PROPERTIES EXCLUDE_FROM_ALL ON UNITY_BUILD OFF)
endif()

# parley_module(<folder> [MUTANTS] SOURCES ... [SCHEMAS ...] [DEPENDS <folder> ...] [LIBRARIES ...])
# Declares the library of a folder, for instance algorithms/raft as target parley_algorithms_raft.
# SCHEMAS are FlatBuffers files; each x.fbs is included as "<folder>/x_generated.h".
# MUTANTS: there is a second library, <target>_mutants, whose guards can be left out (algorithms/contract/guard.h).
function(parley_module folder)
  cmake_parse_arguments(M "MUTANTS" "" "SOURCES;SCHEMAS;DEPENDS;LIBRARIES" ${ARGN})
  string(REPLACE "/" "_" name parley_${folder})
  add_library(${name} STATIC ${M_SOURCES})
  target_link_libraries(${name} PUBLIC parley_flags ${M_LIBRARIES})
  foreach(dependency ${M_DEPENDS})
    parley_check_dependency(${folder} ${dependency})
    string(REPLACE "/" "_" dependency_name parley_${dependency})
    target_link_libraries(${name} PUBLIC ${dependency_name})
  endforeach()
  if(M_SCHEMAS)
    foreach(schema ${M_SCHEMAS})
      get_filename_component(stem ${schema} NAME_WE)
      get_filename_component(directory ${CMAKE_BINARY_DIR}/generated/${folder}/${schema} DIRECTORY)
      set(output ${directory}/${stem}_generated.h)
      add_custom_command(
        OUTPUT ${output}
        COMMAND flatbuffers::flatc --cpp --cpp-std c++17 --scoped-enums -o ${directory}
                ${CMAKE_CURRENT_SOURCE_DIR}/${schema}
        DEPENDS ${schema} VERBATIM)
      target_sources(${name} PRIVATE ${output})
      list(APPEND outputs ${output})
    endforeach()
    add_custom_target(${name}_schemas DEPENDS ${outputs})
    add_dependencies(${name} ${name}_schemas)
    target_link_libraries(${name} PUBLIC flatbuffers::flatbuffers)
  endif()
  if(M_MUTANTS)
    parley_mutants_module(${name} "${M_SOURCES}" "${M_DEPENDS}" "${M_LIBRARIES}")
  endif()
endfunction()

function(parley_mutants_module name sources depends libraries)
  add_library(${name}_mutants STATIC EXCLUDE_FROM_ALL ${sources})
  target_compile_definitions(${name}_mutants PUBLIC PARLEY_MUTANTS)
  target_link_libraries(${name}_mutants PUBLIC parley_flags ${libraries})
  foreach(dependency ${depends})
    string(REPLACE "/" "_" dependency_name parley_${dependency})
    target_link_libraries(${name}_mutants PUBLIC ${dependency_name}_mutants)
  endforeach()
  if(TARGET ${name}_schemas)
    add_dependencies(${name}_mutants ${name}_schemas)
    target_link_libraries(${name}_mutants PUBLIC flatbuffers::flatbuffers)
  endif()
endfunction()

# algorithms -> contract; runtime -> contract; apps -> contract; harness -> all.
function(parley_check_dependency folder dependency)
  if(folder MATCHES "^harness" OR folder STREQUAL "algorithms/registry"
     OR dependency STREQUAL "algorithms/contract")
    return()
  endif()
  string(REGEX MATCH "^[^/]+" root ${folder})
  string(REGEX MATCH "^[^/]+" dependency_root ${dependency})
  if(NOT root STREQUAL dependency_root OR root STREQUAL "algorithms")
    message(FATAL_ERROR "${folder} may not depend on ${dependency}")
  endif()
endfunction()

# parley_test(<folder> [FULL] SOURCES ... [DEPENDS ...] [LIBRARIES ...])
# Tests of a folder. `parley test --algorithm A` runs those whose folder or name has the algorithm's name.
# FULL: tests that take long or want an idle machine. Only `parley test --full` runs them, each alone;
# by CTest itself they are left out with -LE '^full$'.
function(parley_test folder)
  if(NOT PARLEY_TESTS)
    return()
  endif()
  cmake_parse_arguments(T "FULL" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  set(test ${name}_test)
  set(properties TIMEOUT 600)
  if(T_FULL)
    set(test ${name}_full_test)
    list(APPEND properties LABELS full RUN_SERIAL TRUE)
  endif()
  add_executable(${test} ${T_SOURCES})
  target_link_libraries(${test} PRIVATE parley_${name} ${T_LIBRARIES} GTest::gmock GTest::gtest_main)
  if(T_FULL)
    target_compile_options(${test} PRIVATE -Wno-dangling-else)  # they measure: optimised like the program
  else()
    target_compile_options(${test} PRIVATE $<TARGET_PROPERTY:parley_test_headers,INTERFACE_COMPILE_OPTIONS>)
    target_precompile_headers(${test} REUSE_FROM parley_test_headers)
  endif()
  foreach(dependency ${T_DEPENDS})
    string(REPLACE "/" "_" dependency_name parley_${dependency})
    target_link_libraries(${test} PRIVATE ${dependency_name})
  endforeach()
  set_target_properties(${test} PROPERTIES UNITY_BUILD OFF EXCLUDE_FROM_ALL ON
                                           RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_dependencies(parley_tests ${test})
  target_compile_definitions(${test} PRIVATE PARLEY_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  gtest_discover_tests(${test} DISCOVERY_MODE PRE_TEST NO_PRETTY_VALUES TEST_PREFIX "${folder}:"
                       PROPERTIES ${properties})
endfunction()

# parley_benchmark(<folder> SOURCES ... [DEPENDS ...]) builds <folder>_benchmark, which `parley bench` runs.
function(parley_benchmark folder)
  if(NOT PARLEY_BENCHMARKS)
    return()
  endif()
  cmake_parse_arguments(B "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  string(REPLACE "/" "_" name ${folder})
  add_executable(${name}_benchmark ${B_SOURCES})
  set_target_properties(${name}_benchmark PROPERTIES
    UNITY_BUILD OFF EXCLUDE_FROM_ALL ON RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/benchmarks)
  add_dependencies(parley_benchmarks ${name}_benchmark)
  target_link_libraries(${name}_benchmark PRIVATE parley_${name} ${B_LIBRARIES} benchmark::benchmark_main)
  foreach(dependency ${B_DEPENDS})
    string(REPLACE "/" "_" dependency_name parley_${dependency})
    target_link_libraries(${name}_benchmark PRIVATE ${dependency_name})
  endforeach()
endfunction()
