seine_fuzz_target(syslog DEPS seine::account)
