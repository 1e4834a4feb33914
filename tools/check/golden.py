#!/usr/bin/env python3
"""Golden cases: tests/golden/CASE/capture.* through seine-replay, byte for byte against expected.jsonl.

usage: golden.py --bin DIR [--update | --no-ja4plus] [CASE...]

A difference is shown field by field. `--update` writes the new lines; the commit says why they changed.
`--no-ja4plus` is for a build without JA4+: its fields are then wanted absent.
"""
import argparse
import json
import os
import subprocess
import sys

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
GOLDEN = os.path.join(ROOT, "tests", "golden")
SHOWN_MAX = 12
JA4PLUS = {"ja4s", "ja4s_r", "ja4h", "ja4x", "ja4l_c", "ja4l_s", "ja4t", "ja4ts", "ja4ssh", "ja4ssh_final", "ja4d"}


def cases(chosen):
    names = [n for n in sorted(os.listdir(GOLDEN)) if os.path.isdir(os.path.join(GOLDEN, n))]
    return [n for n in names if not chosen or n in chosen]


def capture_of(folder):
    found = [n for n in sorted(os.listdir(folder)) if n.startswith("capture.")]
    return os.path.join(folder, found[0]) if found else None


def flow_name(flow):
    return "%s %s:%s > %s:%s" % tuple(flow.get(k, "?") for k in ("proto", "src", "sport", "dst", "dport"))


def differences(want, got):
    """Lines that say which flow and field changed, so that a reader need not compare two long lines."""
    shown = []
    for number in range(max(len(want), len(got))):
        if number >= len(want) or number >= len(got):
            line = (got if number >= len(want) else want)[number]
            shown.append("%s record %d: %s" % ("+" if number >= len(want) else "-", number + 1, line.decode()[:160]))
        elif want[number] != got[number]:
            old, new = json.loads(want[number]), json.loads(got[number])
            fields = [f for f in list(old) + [f for f in new if f not in old] if old.get(f) != new.get(f)]
            shown.append("  record %d, %s:" % (number + 1, flow_name(new)))
            for field in fields or ["order of the keys"]:
                shown.append("    %s: %s -> %s" % (field, json.dumps(old.get(field)), json.dumps(new.get(field))))
    return shown


def without_ja4plus(lines):
    """The same lines as a build without JA4+ prints them."""
    kept = [{k: v for k, v in json.loads(line).items() if k not in JA4PLUS} for line in lines.splitlines()]
    return b"".join(json.dumps(flow, separators=(",", ":"), ensure_ascii=False).encode() + b"\n" for flow in kept)


def run_case(replay, name, args):
    folder = os.path.join(GOLDEN, name)
    capture, expected = capture_of(folder), os.path.join(folder, "expected.jsonl")
    if capture is None:
        return "no capture.* in it"
    done = subprocess.run([replay, capture], stdin=subprocess.DEVNULL, capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        return "seine-replay ended with %d: %s" % (done.returncode, done.stderr.decode("utf-8", "replace").strip())
    want = b""
    if os.path.exists(expected):
        with open(expected, "rb") as fh:
            want = fh.read()
    if args.no_ja4plus:
        want = without_ja4plus(want)
    if done.stdout == want and want:
        return None
    shown = differences(want.splitlines(), done.stdout.splitlines())
    if args.update:
        print("\n".join(shown))
        with open(expected, "wb") as fh:
            fh.write(done.stdout)
        print("updated - %s: %d lines" % (name, len(done.stdout.splitlines())))
        return None
    print("\n".join(shown[:SHOWN_MAX]))
    return "%d lines differ; tools/check/golden.py --bin DIR --update shows them all and takes them" % len(shown)


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--bin", required=True, help="folder of the built programs")
    ap.add_argument("--update", action="store_true")
    ap.add_argument("--no-ja4plus", action="store_true")
    ap.add_argument("cases", nargs="*")
    args = ap.parse_args()
    chosen, bad = cases(args.cases), 0
    for name in chosen:
        fault = run_case(os.path.join(args.bin, "seine-replay"), name, args)
        if fault:
            bad += 1
            print("FAILED - %s: %s" % (name, fault))
        elif not args.update:
            print("ok - %s" % name)
    if not chosen:
        print("FAILED - golden: no such case")
    return 1 if bad or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
