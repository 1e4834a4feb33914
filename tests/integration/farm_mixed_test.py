#!/usr/bin/env python3
"""The real capture with two small farms behind real proxies, through the dataplane, merged into a generated benign day on its own clock."""
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import programs
import report

MERGE = os.path.join(HERE, "..", "..", "tools", "evaluate", "merge_capture.py")


def judged(args, folder, seed, rename):
    """Grades of the merged day, or None."""
    capture, gateway, labels = (programs.shared("corpus", *p) for p in (("pcap", "s-farm-mixed.pcap"), ("labels", "s-farm-mixed.gateway.jsonl"),
                                                                      ("labels", "s-farm-mixed.labels.jsonl")))
    day, flows, merged = (os.path.join(folder, n) for n in ("day", "flows.jsonl", "merged"))
    with open(gateway, encoding="utf-8") as fh:
        second = int(float(json.loads(fh.readline())["msec"]))
    commands = [[programs.program(args, "seine-generate"), "world", "--benign", "--scale", "20000", "--days", "1", "--seed", str(seed), "--day-of", str(second),
                 "--out", day, "--quiet"],
                [programs.program(args, "seine-dataplane"), "--pcap", capture, "--records", "jsonl:" + flows],
                [sys.executable, MERGE, "--world", day, "--flows", flows, "--gateway", gateway, "--labels", labels, "--out", merged]
                + (["--rename", str(rename)] if rename else []),
                [programs.program(args, "seine-evaluate"), "--world", merged, "--no-baselines", "--explain", "--json", "--quiet"]]
    for command in commands:
        ran = programs.run(command, timeout_s=600)
        if ran.code != 0:
            report.failed("seed %d: %s" % (seed, os.path.basename(command[0])), ran)
            return None
    return json.loads(ran.out)[0]


def main():
    args = programs.arguments(__doc__, ("--seeds", {"default": "1,2", "help": "comma-separated"}))
    if programs.shared("corpus", "pcap", "s-farm-mixed.pcap") is None:
        report.skipped("the merged day", "no ../shared/corpus")
        return
    if programs.run([programs.program(args, "seine-generate"), "world", "--help"]).code != 0:
        report.skipped("the merged day", "this seine-generate has no subcommand world")
        return
    for n, seed in enumerate(map(int, args.seeds.split(","))):
        with tempfile.TemporaryDirectory(prefix="seine-farm-mixed-") as folder:
            grades = judged(args, folder, seed, seed if n > 0 else None)
            if grades is None:
                continue
            recalls = {c["name"]: c["recall"] for c in grades["campaigns"]}
            report.equal(recalls, {"opA": 1, "opB": 1}, "seed %d: all 26 accounts of both operators are alerted" % seed)
            report.equal(grades["false_positives"], 0, "seed %d: no benign account is" % seed)
            for story in grades["stories"]:
                told = " ".join(line["sentence"] for line in story["why"])
                report.check(("uses the address" in told or "/24: " in told) and ("TLS answers come much later" in told or "says hello late" in told),
                             "seed %d: why names the address of the relay, and its gap or late hello" % seed, story)
            report.equal(grades["ari"], 1, "seed %d: the operators are kept apart" % seed)


report.run(main)
