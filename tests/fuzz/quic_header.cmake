# QUIC packet headers of a datagram.
seine_fuzz_target(quic_header DEPS seine::quic)
