seine_program(flow_table_bench SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/flow_table_bench.cpp DEPS seine::flow)
