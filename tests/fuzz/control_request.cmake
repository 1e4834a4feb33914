# Questions to seine-control.
seine_fuzz_target(control_request DEPS seine::command)
