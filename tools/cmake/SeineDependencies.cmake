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
find_library(SEINE_IPSEC_MB IPSec_MB REQUIRED)
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
