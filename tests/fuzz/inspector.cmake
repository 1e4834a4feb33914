# The whole line; left out until the pipeline is there.
if(TARGET seine_pipeline)
  seine_fuzz_target(inspector DEPS seine::pipeline)
endif()
