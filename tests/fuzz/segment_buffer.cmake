seine_fuzz_target(segment_buffer DEPS seine::stream)
