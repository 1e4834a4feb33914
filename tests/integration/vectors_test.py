#!/usr/bin/env python3
"""Every expected value of the shared captures, from seine-replay, seine-dataplane or the bench's feed, counted per fingerprint."""
import concurrent.futures
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import compare  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

WRONG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors_wrong.txt")


def pairs(name):
    """[(capture, expected)] of a shared set, empty where it is not there."""
    if name == "vectors":
        folder, expected, ending = programs.shared("vectors", "pcap"), programs.shared("vectors", "expected"), None
    else:
        folder, expected, ending = programs.shared("corpus", "pcap"), programs.shared("corpus", "expected"), ".pcap"
    if folder is None or expected is None:
        return []
    found = []
    for capture in programs.captures(folder):
        base = os.path.basename(capture)
        want = os.path.join(expected, (base[:-len(ending)] if ending else base) + ".jsonl")
        if os.path.exists(want):
            found.append((capture, want))
    return found


def command(args, tool, capture, out_path):
    if args.program == "seine-replay":
        return [tool, "--raw", capture]
    if args.program == "seine-bench":
        return [tool, "--feed", capture, "--output", out_path]
    return [tool, "--pcap", capture, "--workers", str(args.workers), "--records-all", "--records", "jsonl:" + out_path]


def one(args, rules, tool, wrong, capture, expected):
    with tempfile.TemporaryDirectory(prefix="seine-vectors-") as folder:
        out_path = os.path.join(folder, "records.jsonl")
        ran = programs.run(command(args, tool, capture, out_path), timeout_s=240, cwd=folder)
        if args.program == "seine-replay":
            with open(out_path, "wb") as fh:
                fh.write(ran.out)
        # A capture that ends in the middle of a packet gives its good part and exit 1 (interfaces.md section 2).
        if ran.code not in (0, 1) or not os.path.exists(out_path):
            return compare.Counts(), ["%s" % ran]
        if ran.code == 1 and len(ran.error_lines()) != 1:
            return compare.Counts(), ["exit 1 without one clear line: %s" % ran]
        left_out = compare.RAW_FORMS if args.program == "seine-dataplane" else ()
        if args.no_ja4plus:
            left_out += compare.JA4PLUS
        return compare.match(rules, expected, out_path, os.path.basename(capture), wrong, left_out)


def main():
    args = programs.arguments(__doc__, ("--program", {"default": "seine-replay"}), ("--set", {"default": "vectors"}),
                              ("--workers", {"type": int, "default": 2}), ("--every", {"type": int, "default": 1}),
                              ("--jobs", {"type": int, "default": 2}), ("--only", {"default": ""}),
                              ("--show", {"type": int, "default": 3}), ("--no-ja4plus", {"action": "store_true"}),
                              ("--table", {"help": "file that gets the counts per fingerprint"}))
    tool, rules, found = programs.program(args, args.program), compare.shared_rules(), pairs(args.set)
    title = "%s over %s" % (args.program, args.set)
    if tool is None:
        return report.failed(title, "%s is not built" % args.program)
    if rules is None or not found:
        return report.skipped(title, "../shared/%s is not beside this checkout" % args.set)
    wrong, counts = compare.read_wrong(WRONG), compare.Counts()
    chosen = [pair for pair in found[::args.every] if args.only in pair[0]]
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as crew:
        results = crew.map(lambda pair: one(args, rules, tool, wrong, *pair), chosen)
        for (capture, _), (got, differences) in zip(chosen, results):
            counts.add(got)
            name = "%s %s" % (args.program, os.path.basename(capture))
            report.check(not differences, name, "%d differ: %s" % (len(differences), "; ".join(differences[:args.show])))
    table = counts.table("%s, %d captures" % (title, len(chosen)))
    print(table)
    if args.table:
        with open(args.table, "w", encoding="utf-8") as fh:
            fh.write(table + "\n")
    return report.check(sum(counts.total.values()) > 0, title + " compared something")


if __name__ == "__main__":
    report.run(main)
