seine_fuzz_target(preface DEPS seine::preface)
