#!/usr/bin/env python3
"""Adds up ctest's JUnit files: single checks where a test prints them, the test itself where not.

usage: tally.py NAME=FILE.xml...   prints what failed and what was skipped with its reason; the last line is
`passed failed skipped` as three numbers
"""
import re
import sys
import xml.etree.ElementTree as tree

GTEST_PASSED = re.compile(r"^\[  PASSED  \] (\d+) tests?\.", re.M)
GTEST_FAILED = re.compile(r"^\[  FAILED  \] ([\w/]+\.[\w/]+)(?:, where.*)?$", re.M)
GTEST_SKIP = re.compile(r"^\[ RUN      \] (\S+)\n((?:(?!\[ RUN).*\n)*?)\[  SKIPPED \] \1", re.M)
CHECK = re.compile(r"^(ok|FAILED|skipped) - (.*)$", re.M)


def of_case(case):
    """(passed, [failed names], [(skipped name, reason)]) of one ctest entry."""
    name, status = case.get("name"), case.get("status")
    out = case.findtext("system-out") or ""
    whole = "".join(case.itertext())
    checks = CHECK.findall(out)
    skips = [("%s %s" % (name, m.group(1)), " ".join(m.group(2).split()) or "gives no reason") for m in GTEST_SKIP.finditer(out)]
    if checks:
        passed = sum(kind == "ok" for kind, _ in checks)
        failed = ["%s: %s" % (name, text) for kind, text in checks if kind == "FAILED"]
        skips = [("%s %s" % (name, text.partition(": ")[0]), text.partition(": ")[2]) for kind, text in checks if kind == "skipped"]
    else:
        counted = GTEST_PASSED.search(out)
        passed = int(counted.group(1)) if counted else (1 if status == "run" else 0)
        failed = ["%s: %s" % (name, one) for one in sorted(set(GTEST_FAILED.findall(out)))]
    if status == "fail" and not failed:
        failed = ["%s: %s" % (name, " ".join(whole.split())[-300:])]
        passed = passed if checks or GTEST_PASSED.search(out) else 0
    if status in ("notrun", "disabled") and not skips:
        skips = [(name, "it did not run")]
    return passed, failed, skips


def main():
    if len(sys.argv) < 2:
        print("usage: tally.py NAME=FILE.xml...", file=sys.stderr)
        return 2
    total_passed, failed, skipped = 0, [], []
    for pair in sys.argv[1:]:
        preset, _, path = pair.partition("=")
        try:
            root = tree.parse(path).getroot()
        except (OSError, tree.ParseError) as fault:
            failed.append("%s: no results in %s: %s" % (preset, path, fault))
            continue
        for case in root.iter("testcase"):
            got, bad, left = of_case(case)
            total_passed += got
            failed += ["%s %s" % (preset, one) for one in bad]
            skipped += [("%s %s" % (preset, name), why) for name, why in left]
    if skipped:
        print("skipped:")
        for name, why in skipped:
            print("  %s: %s" % (name, why))
    if failed:
        print("failed:")
        for one in failed:
            print("  %s" % one)
    print("%d %d %d" % (total_passed, len(failed), len(skipped)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
