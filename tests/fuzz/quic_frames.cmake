seine_fuzz_target(quic_frames DEPS seine::quic)
