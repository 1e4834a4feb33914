# DTLS datagrams of one direction.
seine_fuzz_target(dtls DEPS seine::tls)
