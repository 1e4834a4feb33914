seine_fuzz_target(wire_decode DEPS seine::wire)
