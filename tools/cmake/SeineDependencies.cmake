# Outside libraries as imported targets, each found once; Debian package names in tools/packages.txt.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

function(seine_pkg target module)
  pkg_check_modules(${target} REQUIRED IMPORTED_TARGET GLOBAL ${module})
  # Third-party headers are SYSTEM: our warnings are for our code.
  get_target_property(dirs PkgConfig::${target} INTERFACE_INCLUDE_DIRECTORIES)
  if(dirs)
    set_target_properties(PkgConfig::${target} PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${dirs}")
  endif()
endfunction()

seine_pkg(SODIUM libsodium)
seine_pkg(CRYPTO libcrypto)
seine_pkg(PCAP libpcap)
seine_pkg(NGHTTP2 libnghttp2)
seine_pkg(PCRE2 libpcre2-8)
seine_pkg(HYPERSCAN libhs)
seine_pkg(SQLITE sqlite3)
find_package(spdlog REQUIRED)
find_package(TBB REQUIRED)
find_library(SEINE_IPSEC_MB IPSec_MB REQUIRED)
# toml++ compiled once: as a header alone it is compiled again by every file that reads TOML. Debian's library throws, and
# dataplane/signature is built without exceptions; both kinds in one program would share names with different insides.
# Its parser asserts what it answers with an error right after (a key that goes on with a backslash): asan builds kept that.
file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/toml/toml.cpp CONTENT
  "#define TOML_ASSERT(expr) static_assert(true)\n#define TOML_IMPLEMENTATION\n#include <toml++/toml.h>\n")
add_library(seine_toml STATIC ${CMAKE_BINARY_DIR}/toml/toml.cpp)
target_compile_definitions(seine_toml PUBLIC TOML_HEADER_ONLY=0 TOML_EXCEPTIONS=0 TOML_ENABLE_FORMATTERS=0)
target_compile_options(seine_toml PRIVATE $<$<CONFIG:Release>:-O1>)
target_link_libraries(seine_toml PRIVATE seine_flags)
find_package(Boost 1.74 REQUIRED COMPONENTS program_options)
if(SEINE_TESTS)
  find_package(GTest REQUIRED)
endif()

if(SEINE_DPDK)
  pkg_check_modules(DPDK REQUIRED IMPORTED_TARGET GLOBAL libdpdk)
  # libdpdk.pc carries -march=corei7, which would win over ours: one -march for every file.
  get_target_property(opts PkgConfig::DPDK INTERFACE_COMPILE_OPTIONS)
  list(FILTER opts EXCLUDE REGEX "^-march=")
  set_target_properties(PkgConfig::DPDK PROPERTIES INTERFACE_COMPILE_OPTIONS "${opts}")
  get_target_property(dirs PkgConfig::DPDK INTERFACE_INCLUDE_DIRECTORIES)
  if(dirs)
    set_target_properties(PkgConfig::DPDK PROPERTIES INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${dirs}")
  endif()
endif()
