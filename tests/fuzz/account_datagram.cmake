seine_fuzz_target(account_datagram DEPS seine::account)
