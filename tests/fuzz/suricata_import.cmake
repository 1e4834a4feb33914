if(TARGET seine_control_signature)
  seine_fuzz_target(suricata_import DEPS seine::control_signature)
endif()
