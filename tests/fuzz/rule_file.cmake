seine_fuzz_target(rule_file DEPS seine::signature)
