# ServerHello and NewSessionTicket bodies.
set(parts seine::tls seine::fingerprint)
if(TARGET seine_ja4plus)
  list(APPEND parts seine::ja4plus)
endif()
seine_fuzz_target(server_hello DEPS ${parts})
