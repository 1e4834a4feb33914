# Ring files with any header and any entries.
seine_fuzz_target(ring_file DEPS seine::export)
