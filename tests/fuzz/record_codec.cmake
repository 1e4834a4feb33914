# Record frames read, printed, written again; and account records.
seine_fuzz_target(record_codec DEPS seine::contract)
