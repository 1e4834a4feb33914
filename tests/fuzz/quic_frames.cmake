# Frames of an opened Initial, and transport parameters.
seine_fuzz_target(quic_frames DEPS seine::quic)
