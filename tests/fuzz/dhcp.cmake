# DHCP messages, and JA4D of them where it is built.
seine_fuzz_target(dhcp DEPS seine::dhcp $<TARGET_NAME_IF_EXISTS:seine::ja4plus>)
