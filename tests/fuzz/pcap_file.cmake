seine_fuzz_target(pcap_file DEPS seine::capture)
