# Any bytes as an event's frame and texts, in every format.
seine_fuzz_target(siem_formats DEPS seine::siem seine_sample_events)
