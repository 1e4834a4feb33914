# TLS records of one direction.
seine_fuzz_target(tls_records DEPS seine::tls)
