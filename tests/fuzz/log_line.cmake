seine_fuzz_target(log_line DEPS seine::account)
