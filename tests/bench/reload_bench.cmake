if(TARGET seine_runtime)
  seine_program(reload_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/reload_bench.cpp DEPS seine::runtime)
endif()
