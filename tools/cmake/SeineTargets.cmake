# One target per folder: seine_library(), seine_program(), seine_unit_test(), seine_fuzz_target().

# Flags of every target of ours; a consumer of a library inherits only its include path.
add_library(seine_flags INTERFACE)
target_compile_options(seine_flags INTERFACE
  -march=${SEINE_ARCH} -fno-omit-frame-pointer
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wold-style-cast
    -Wnon-virtual-dtor -Wswitch-enum>
  # g++ 12 sees overlaps in std::string that are not there (GCC bug 105329).
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict>)
if(SEINE_ASSERTIONS)
  target_compile_definitions(seine_flags INTERFACE SEINE_ASSERTIONS)
endif()
if(SEINE_JA4PLUS)
  target_compile_definitions(seine_flags INTERFACE SEINE_JA4PLUS=1)
endif()
if(SEINE_SANITIZE)
  target_compile_options(seine_flags INTERFACE -fsanitize=${SEINE_SANITIZE} -fno-sanitize-recover=all)
  if(SEINE_SANITIZE MATCHES "undefined")
    # It wants type information, which the core is built without.
    target_compile_options(seine_flags INTERFACE -fno-sanitize=vptr)
  endif()
  target_link_options(seine_flags INTERFACE -fsanitize=${SEINE_SANITIZE})
endif()

# Tests, and code that runs once a start or command, are run once and compiled often: no -O3 for them, where g++ 12 also warns of
# what is not there, and nothing at all under the sanitizers, which then compile them in half the time.
set(seine_seldom_options $<$<CONFIG:Release>:-O1>)
if(SEINE_SANITIZE AND NOT SEINE_FUZZ)
  set(seine_seldom_options -O0)
endif()
add_library(seine_test_flags INTERFACE)
target_compile_options(seine_test_flags INTERFACE $<$<CONFIG:Release>:-O1>)

# Standard headers are parsed once for each kind of target, which is a third of a build from nothing. Off, a file that
# forgets an include does not compile. What has headers forced on it (DPDK's flags do) goes without: GCC takes one, first.
option(SEINE_PRECOMPILED "Precompile the standard headers" ON)
if(SEINE_PRECOMPILED)
  set(core_headers <algorithm> <array> <atomic> <bit> <charconv> <cstdint> <cstring> <memory> <optional> <span> <string>
    <string_view> <vector>)
  set(rooms_headers ${core_headers} <chrono> <filesystem> <fstream> <functional> <map> <mutex> <set> <sstream> <unordered_map>)
  set(tests_headers ${rooms_headers} <random> <gtest/gtest.h>)
  set(seldom_headers ${rooms_headers})
  set(kinds core rooms seldom)
  if(SEINE_TESTS)
    find_package(GTest REQUIRED)
    list(APPEND kinds tests)
  endif()
  foreach(kind ${kinds})
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled/${kind}.cpp CONTENT "// Carries the precompiled headers of its kind.\n")
    add_library(seine_precompiled_${kind} OBJECT EXCLUDE_FROM_ALL ${CMAKE_BINARY_DIR}/precompiled/${kind}.cpp)
    target_link_libraries(seine_precompiled_${kind} PRIVATE seine_flags)
    target_compile_features(seine_precompiled_${kind} PRIVATE cxx_std_20)
    target_precompile_headers(seine_precompiled_${kind} PRIVATE ${${kind}_headers})
  endforeach()
  target_compile_options(seine_precompiled_core PRIVATE -fno-exceptions -fno-rtti)
  target_compile_options(seine_precompiled_seldom PRIVATE ${seine_seldom_options})
  if(SEINE_TESTS)
    target_link_libraries(seine_precompiled_tests PRIVATE GTest::gtest)
    target_compile_options(seine_precompiled_tests PRIVATE ${seine_seldom_options})
    target_compile_definitions(seine_precompiled_tests PRIVATE SEINE_ASSERTIONS)
  endif()
endif()

# seine_precompile(TARGET core|rooms|seldom|tests): what SEINE_PRECOMPILED does for one target.
function(seine_precompile target kind)
  if(SEINE_PRECOMPILED)
    target_precompile_headers(${target} REUSE_FROM seine_precompiled_${kind})
    # Read this way g++ 12 forgets that std::string is the system's, and warns of bounds inside it.
    target_compile_options(${target} PRIVATE $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-array-bounds -Wno-stringop-overflow
      -Wno-stringop-overread -Wno-maybe-uninitialized>)
  endif()
endfunction()

# Files of one folder are compiled eight at a time, so that what they all include and instantiate is worked out once: half of
# a build from nothing. Names of unnamed namespaces are then a folder's, not a file's. Off, each file shows that it stands alone.
option(SEINE_UNITY "Compile files of one folder together" ON)
# seine_together(TARGET REGEX SOURCE...): all but the sources that match REGEX, if it is not empty: files alike, with the same
# names in each.
function(seine_together target apart)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${SEINE_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  if(apart)
    set(alone ${ARGN})
    list(FILTER alone INCLUDE REGEX "${apart}")
    set_source_files_properties(${alone} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()

# seine_library(NAME [EXCEPTIONS] [SELDOM] [DEPS target...] [PRIVATE_DEPS target...] [EXCLUDE regex] [APART regex])
# Takes every .cpp and .h beside the CMakeLists.txt; target seine_NAME, alias seine::NAME. Without
# EXCEPTIONS the sources are built -fno-exceptions -fno-rtti (floors 1 to 5 of the dataplane), each alone: what is inlined on the
# packet path does not hang on its neighbours. SELDOM: code that runs once a start or command is built -O1, in three quarters of
# the time, and -O0 under the sanitizers. APART: see seine_together().
function(seine_library name)
  cmake_parse_arguments(ARG "EXCEPTIONS;SELDOM" "EXCLUDE;APART" "DEPS;PRIVATE_DEPS" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  file(GLOB headers CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.h)
  if(ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${ARG_EXCLUDE}")
  endif()
  set(target seine_${name})
  if(sources)
    add_library(${target} STATIC ${sources})
    set(reach PUBLIC)
    target_link_libraries(${target} PRIVATE $<BUILD_INTERFACE:seine_flags> ${ARG_PRIVATE_DEPS})
    set(kind rooms)
    if(NOT ARG_EXCEPTIONS)
      target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>)
      set(kind core)
    else()
      seine_together(${target} "${ARG_APART}" ${sources})
    endif()
    if(ARG_SELDOM)
      target_compile_options(${target} PRIVATE ${seine_seldom_options})
      set(kind seldom)
    endif()
    if(NOT "PkgConfig::DPDK" IN_LIST ARG_PRIVATE_DEPS)
      seine_precompile(${target} ${kind})
    endif()
    target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers})
    # A header whose neighbours all have sources is still compiled alone (include what you use).
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  else()
    add_library(${target} INTERFACE)
    set(reach INTERFACE)
    target_sources(${target} INTERFACE FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR} FILES ${headers})
    set_target_properties(${target} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()
  add_library(seine::${name} ALIAS ${target})
  target_compile_features(${target} ${reach} cxx_std_20)
  target_include_directories(${target} ${reach} $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>)
  target_link_libraries(${target} ${reach} ${ARG_DEPS})
endfunction()

# seine_program(NAME SOURCES file... DEPS target...): an executable in build/<preset>/bin.
function(seine_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE seine_flags ${ARG_DEPS})
  seine_precompile(${name} rooms)
  seine_together(${name} "")
endfunction()

# seine_unit_test(NAME DEPS target... [LABELS l...] [DEFINES d...] [APART regex]): every *_test.cpp beside the
# CMakeLists.txt in one GoogleTest executable test_NAME, one ctest entry labelled `unit`.
function(seine_unit_test name)
  cmake_parse_arguments(ARG "" "APART" "DEPS;LABELS;DEFINES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*_test.cpp)
  if(NOT sources)
    message(WARNING "${CMAKE_CURRENT_SOURCE_DIR} holds no *_test.cpp")
    return()
  endif()
  add_executable(test_${name} ${sources})
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(test_${name} PRIVATE SEINE_ASSERTIONS SEINE_SOURCE_DIR="${PROJECT_SOURCE_DIR}" ${ARG_DEFINES})
  target_link_libraries(test_${name} PRIVATE seine_flags ${ARG_DEPS} GTest::gtest GTest::gtest_main)
  target_compile_options(test_${name} PRIVATE ${seine_seldom_options})
  seine_precompile(test_${name} tests)
  seine_together(test_${name} "${ARG_APART}" ${sources})
  add_test(NAME unit.${name} COMMAND test_${name})
  set_tests_properties(unit.${name} PROPERTIES LABELS "unit;${ARG_LABELS}" TIMEOUT 600)
endfunction()

# seine_fuzz_target(NAME DEPS target...): tests/fuzz/NAME_fuzz.cpp with LLVMFuzzerTestOneInput.
# With SEINE_FUZZ (clang) a libFuzzer program fuzz_NAME; in every preset a replayer that runs the seeds
# of tests/fuzz/seeds/NAME on exact-size heap buffers, as ctest entry fuzz_seeds.NAME. Target fuzz_targets builds them all.
add_custom_target(fuzz_targets)
function(seine_fuzz_target name)
  cmake_parse_arguments(ARG "" "" "DEPS" ${ARGN})
  set(source ${PROJECT_SOURCE_DIR}/tests/fuzz/${name}_fuzz.cpp)
  set(seeds ${PROJECT_SOURCE_DIR}/tests/fuzz/seeds/${name})
  if(SEINE_FUZZ)
    add_executable(fuzz_${name} ${source})
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  else()
    add_executable(fuzz_${name} ${source} ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cpp)
  endif()
  target_include_directories(fuzz_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(fuzz_${name} PRIVATE SEINE_ASSERTIONS)
  target_link_libraries(fuzz_${name} PRIVATE seine_flags seine_test_flags ${ARG_DEPS})
  add_dependencies(fuzz_targets fuzz_${name})
  add_test(NAME fuzz_seeds.${name} COMMAND fuzz_${name} -runs=0 ${seeds})
  set_tests_properties(fuzz_seeds.${name} PROPERTIES LABELS "fuzz_seeds" TIMEOUT 300)
endfunction()
