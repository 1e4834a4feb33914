#!/usr/bin/env python3
"""The 29 hard cases of the shared generator: every flow's hello is found and gives the case's fingerprint."""
import collections
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import report  # noqa: E402

CASES = 29
# The generator counts conversations; this case holds two flows in each, on one 5-tuple.
FLOWS_PER_CONVERSATION = {"fin_reuse": 2}


def count(lines):
    """{case: (flows whose hello was read, set of their fingerprints)}"""
    flows, prints = collections.Counter(), collections.defaultdict(set)
    for line in lines.splitlines():
        flow = json.loads(line)
        name = flow.get("sni", "")
        if name.endswith(".case.example") and flow.get("ja4"):
            flows[name.split(".")[0]] += 1
            prints[name.split(".")[0]].add(flow["ja4"])
    return flows, prints


def check_cases(tool, wanted, lines):
    flows, prints = count(lines)
    for case in sorted(wanted):
        want = wanted[case] * FLOWS_PER_CONVERSATION.get(case, 1)
        report.check(flows[case] == want and len(prints[case]) == 1, "%s %s %d of %d flows" % (tool, case, want, want),
                     "%d of %d flows, fingerprints %s" % (flows[case], want, sorted(prints[case])))
    report.equal(len(wanted), CASES, "%s saw every case" % tool)
    tcp = {p for case in prints for p in prints[case] if p.startswith("t")}
    report.check(len(tcp) == 2, "%s two client profiles over TCP, whatever carries them" % tool, sorted(tcp))


def make(folder, flows):
    """(capture, {case: conversations}) of the generator; None, and told, where it cannot be made."""
    generator = programs.shared("tools", "mkbench.py")
    if generator is None:
        report.skipped("hard cases", "../shared/tools/mkbench.py is not beside this checkout")
        return None
    capture = os.path.join(folder, "hard.pcap")
    made = programs.run([sys.executable, generator, "--hard", str(flows), "--out", capture], timeout_s=600)
    if made.code != 0:
        if b"cryptography is missing" in made.err:
            report.skipped("hard cases", "python3-cryptography is not installed")
        else:
            report.failed("hard cases", "the generator failed: %s" % made)
        return None
    with open(capture + ".json", encoding="utf-8") as fh:
        manifest = json.load(fh)
    sums = ("flows", "packets", "bytes", "avg_packet", "seconds_at_rate", "seed", "concurrent")
    return capture, {k: v for k, v in manifest.items() if k not in sums and not k.endswith("_flows")}


def main():
    args = programs.arguments(__doc__, ("--flows", {"type": int, "default": 50}))
    with tempfile.TemporaryDirectory(prefix="seine-hard-") as folder:
        made = make(folder, args.flows)
        if made is None:
            return
        capture, wanted = made
        out = os.path.join(folder, "records.jsonl")
        ways = [("seine-replay", [capture, "--output", out]),
                ("seine-dataplane", ["--pcap", capture, "--workers", "2", "--records", "jsonl:" + out]),
                ("seine-bench", ["--feed", capture, "--output", out])]
        built = [(name, programs.program(args, name), options) for name, options in ways]
        for name, tool, options in built:
            if not tool:
                continue
            ran = programs.run([tool, *options], timeout_s=300, cwd=folder)
            if report.check(ran.code == 0, name + " reads the hard capture", ran):
                with open(out, "rb") as fh:
                    check_cases(name, wanted, fh.read())
        report.check(built[0][1] or built[1][1], "a program to run is built")


if __name__ == "__main__":
    report.run(main)
