seine_fuzz_target(h2 DEPS seine::http)
