#!/usr/bin/env python3
"""Instructions a packet by callgrind, with a ratchet: times do not repeat on a shared machine, these do.

A limit is what was measured when it was set plus a tenth. It may be lowered with a change that earns it, and raised only
with a reason in the commit. Callgrind's processor has no SHA instructions, so what is hashed weighs more here than it costs.
"""
import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import report  # noqa: E402

# kind of mix -> (packets asked for, instructions a packet at most)
LIMITS = {"edge": (20000, 1235), "settled": (10000, 2545), "http": (10000, 6865)}


RULES_PERCENT_MAX = 10  # what the shipped packs may add to the mix


def counted(binary, kind, packets, *rules):
    """(instructions inside the inspector, packets that went through it)"""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run(["valgrind", "--tool=callgrind", "--toggle-collect=seine::pipeline::Inspector::inspect*",
                              "--callgrind-out-file=" + os.path.join(folder, "out"), binary, kind, str(packets), *rules],
                             capture_output=True, text=True, timeout=600)
    collected = re.search(r"Collected : (\d+)", run.stderr)
    if run.returncode != 0 or not collected:
        raise RuntimeError("callgrind: " + run.stderr[-400:])
    return int(collected.group(1)), json.loads(run.stdout)["packets"]


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--bin", required=True)
    ap.add_argument("--rules", required=True)
    args = ap.parse_args()
    binary = os.path.join(args.bin, "line_count")
    if not os.path.exists(binary):
        return report.skipped("instructions", "built without SEINE_BENCH")
    if not shutil.which("valgrind"):
        return report.skipped("instructions", "valgrind is not installed; tools/setup installs it")
    for kind, (packets, limit) in LIMITS.items():
        instructions, seen = counted(binary, kind, packets)
        each = instructions / seen
        if kind == "edge":
            added = 100 * (counted(binary, kind, packets, args.rules)[0] / instructions - 1)
            print("edge: the shipped rules add %.1f %%, at most %d" % (added, RULES_PERCENT_MAX))
            report.check(added <= RULES_PERCENT_MAX, "instructions.rules", "the shipped rules add %.1f %%" % added)
        print("%s: %.0f instructions a packet over %d packets, limit %d" % (kind, each, seen, limit))
        report.check(each <= limit, "instructions.%s" % kind,
                     "%.0f instructions a packet, limit %d: find what grew (callgrind_annotate), or say why" % (each, limit))


if __name__ == "__main__":
    report.run(main)
