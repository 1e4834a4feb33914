if(TARGET seine_generate_mix)
  seine_program(line_count SOURCES ${CMAKE_CURRENT_LIST_DIR}/line_count.cpp
    DEPS seine::pipeline seine::generate_mix)
endif()
