# ClientHello bodies and the fingerprints made of them.
seine_fuzz_target(client_hello DEPS seine::tls seine::fingerprint)
