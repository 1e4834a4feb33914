seine_fuzz_target(quic_header DEPS seine::quic)
