seine_fuzz_target(quic_initial DEPS seine::quic)
