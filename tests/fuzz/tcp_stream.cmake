seine_fuzz_target(tcp_stream DEPS seine::stream)
