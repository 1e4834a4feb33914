seine_program(record_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/record_bench.cpp DEPS seine::export)
