seine_fuzz_target(rule_blob DEPS seine::signature)
