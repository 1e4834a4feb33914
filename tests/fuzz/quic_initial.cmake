# Datagrams of one flow through a QUIC session.
seine_fuzz_target(quic_initial DEPS seine::quic)
