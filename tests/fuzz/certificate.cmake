# Certificate messages and certificates.
set(parts seine::tls)
if(TARGET seine_ja4plus)
  list(APPEND parts seine::ja4plus)
endif()
seine_fuzz_target(certificate DEPS ${parts})
