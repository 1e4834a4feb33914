# Any text as a configuration, and as an audit log.
seine_fuzz_target(config_toml DEPS seine::config)
