seine_program(signature_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/signature_bench.cpp
  DEPS seine::signature seine::pipeline seine::capture PkgConfig::HYPERSCAN)
