seine_program(account_join_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/account_join_bench.cpp DEPS seine::account)
