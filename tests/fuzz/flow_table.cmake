seine_fuzz_target(flow_table DEPS seine::flow)
