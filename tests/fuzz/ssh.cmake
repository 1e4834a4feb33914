seine_fuzz_target(ssh DEPS seine::ssh)
