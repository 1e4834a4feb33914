seine_fuzz_target(http1 DEPS seine::http)
