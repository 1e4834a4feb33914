#!/usr/bin/env python3
"""The same records however many workers there are, at every run, with DPDK or without it."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import report  # noqa: E402

ORDER = ("t_first_ns", "proto", "src", "sport", "dst", "dport", "ordinal")


def sort_key(line):
    flow = json.loads(line)
    return tuple(flow.get(k, 0) if k in ("t_first_ns", "sport", "dport", "ordinal") else str(flow.get(k, "")) for k in ORDER)


def ordered(lines):
    return sorted(lines, key=lambda line: (sort_key(line), line))


def dataplane(tool, capture, workers, folder, *options):
    out = os.path.join(folder, "records.jsonl")
    if os.path.exists(out):
        os.unlink(out)
    ran = programs.run([tool, "--pcap", capture, "--workers", str(workers), "--records", "jsonl:" + out, *options],
                       timeout_s=300, cwd=folder)
    if ran.code != 0:
        return ran, []
    with open(out, "rb") as fh:
        return ran, fh.read().splitlines()


def first_difference(one, other):
    for a, b in zip(one, other):
        if a != b:
            return "%s / %s" % (a[:300], b[:300])
    return "%d lines / %d lines" % (len(one), len(other))


def check_capture(args, capture, name, folder):
    replay, tool = programs.program(args, "seine-replay"), programs.program(args, "seine-dataplane")
    if replay:
        first, second = programs.run([replay, capture]), programs.run([replay, capture])
        report.check(first.code == 0 and first.out == second.out and first.out, "seine-replay %s twice, the same bytes" % name, first)
    if not tool:
        return
    ran, one = dataplane(tool, capture, 1, folder)
    if not report.check(ran.code == 0 and one, "seine-dataplane %s, 1 worker" % name, ran):
        return
    _, again = dataplane(tool, capture, 1, folder)
    report.check(one == again, "seine-dataplane %s twice, the same bytes" % name, first_difference(one, again))
    ran, four = dataplane(tool, capture, 4, folder)
    report.check(ordered(one) == ordered(four), "seine-dataplane %s, 1 and 4 workers alike" % name,
                 "%s: %s" % (ran, first_difference(ordered(one), ordered(four))))
    if replay:
        lines = ordered(first.out.splitlines())
        report.check(lines == ordered(one), "seine-replay and seine-dataplane alike on %s" % name,
                     first_difference(lines, ordered(one)))


def main():
    args = programs.arguments(__doc__, ("--shared", {"action": "store_true", "help": "also the shared corpus"}))
    captures = programs.golden_captures()
    if args.shared and programs.shared("corpus", "pcap"):
        captures += programs.captures(programs.shared("corpus", "pcap"))
    with tempfile.TemporaryDirectory(prefix="seine-workers-") as folder:
        for capture in captures:
            name = os.path.relpath(capture, programs.GOLDEN) if capture.startswith(programs.GOLDEN) else os.path.basename(capture)
            check_capture(args, capture, name, folder)


if __name__ == "__main__":
    report.run(main)
