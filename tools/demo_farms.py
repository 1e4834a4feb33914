#!/usr/bin/env python3
"""The second half of the demo: farms, in a real capture on a benign day, and in a generated world.

usage: demo_farms.py BIN FOLDER [--seed N] [--seconds N] [--accounts N]

BIN holds the built programs, FOLDER is scratch. The generated world has as many accounts, at most --accounts, as this machine can
judge in the rest of --seconds, going by how long the day took.
"""
import argparse
import json
import os
import subprocess
import sys
import textwrap
import time

HERE = os.path.dirname(os.path.abspath(__file__))
CASE = os.path.join(HERE, "..", "tests", "golden", "farm-mixed")
DAY_ACCOUNTS = 20_000
SIZES = (100_000, 60_000, 40_000, 25_000)
SECONDS_PER_ACCOUNT = 1.1  # of the world, as many times those that an active account of the day took; measured on two cores
WIDTH = 119


def bold(text):
    return "\033[1m%s\033[0m" % text if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def run(words):
    ran = subprocess.run(words, capture_output=True, check=False)
    if ran.returncode != 0:
        sys.exit("demo_farms.py: %s ended with %d\n%s" % (os.path.basename(words[0]), ran.returncode, ran.stderr.decode(errors="replace")))
    return ran.stdout


def wrapped(text, first, rest):
    print(textwrap.fill(text, WIDTH, initial_indent=first, subsequent_indent=rest))


def print_farms(grade, most=3):
    stories = grade.get("stories", [])
    for story in stories[:most]:
        print("  %s: %s accounts" % (bold(story["farm"]), format(story["accounts"], ",")))
        wrapped(story["reason"], "      ", "      ")
        print("      why %s.. belongs to it (nats, they sum to its score of %.1f):" % (
            story["account"][:12], sum(line["nats"] for line in story["why"])))
        for line in [w for w in story["why"] if abs(w["nats"]) >= 0.05]:
            wrapped("%+6.2f  %s" % (line["nats"], line["sentence"]), "      ", "              ")
    if len(stories) > most:
        print("  and %d smaller ones" % (len(stories) - most))


def print_grade(grade):
    campaigns = ", ".join("%s %.1f %% of %d" % (c["name"], 100 * c["recall"], c["accounts"]) for c in grade["campaigns"])
    print("  against the truth: %.1f %% of %d farm accounts alerted (%s); %d of %s benign accounts wrongly; campaigns kept apart: ARI %s"
          % (100 * grade["recall"], grade["farm_accounts"], campaigns, grade["false_positives"], format(grade["benign_accounts"], ","),
             "-" if grade["ari"] is None else "%.2f" % grade["ari"]))


def merged_day(programs, folder, seed, extra=()):
    """The grade of the capture merged into a benign day on its own clock; `extra` goes to seine-evaluate."""
    gateway = os.path.join(CASE, "gateway.jsonl")
    with open(gateway, encoding="utf-8") as fh:
        second = int(float(json.loads(fh.readline())["msec"]))
    day, flows, merged = (os.path.join(folder, name) for name in ("day", "flows.jsonl", "merged"))
    run([os.path.join(programs, "seine-generate"), "world", "--benign", "--scale", str(DAY_ACCOUNTS), "--days", "1", "--seed", str(seed), "--day-of",
         str(second), "--out", day, "--quiet"])
    run([os.path.join(programs, "seine-replay"), os.path.join(CASE, "capture.pcap"), "--output", flows])
    run([sys.executable, "-B", os.path.join(HERE, "evaluate", "merge_capture.py"), "--world", day, "--flows", flows, "--gateway", gateway, "--labels",
         os.path.join(CASE, "operators.jsonl"), "--out", merged])
    return json.loads(run([os.path.join(programs, "seine-evaluate"), "--world", merged, "--no-baselines", "--explain", "--json", "--quiet",
                           *extra]))[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs")
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=45)
    parser.add_argument("--accounts", type=int, default=SIZES[0])
    args = parser.parse_args()
    start = time.monotonic()
    print()
    print(bold("Farms: the capture above on a generated benign day of %s accounts (seed %d), joined with its gateway's log"
               % (format(DAY_ACCOUNTS, ","), args.seed)))
    grade = merged_day(args.programs, args.folder, args.seed)
    print_farms(grade)
    print_grade(grade)
    spent = time.monotonic() - start
    sizes = [n for n in SIZES if n < args.accounts] + [args.accounts]
    fitting = [n for n in sizes if spent + n / DAY_ACCOUNTS * SECONDS_PER_ACCOUNT * spent <= args.seconds]
    size = max(fitting, default=min(sizes))
    print()
    print(bold("Farms: a generated world of %s accounts over seven days, level L4 (seed %d), three campaigns" % (format(size, ","), args.seed)))
    if size < args.accounts:
        print("  (%s would not fit into %.0f s here; tools/demo --scale published runs the full size)" % (format(args.accounts, ","), args.seconds))
    sys.stdout.flush()
    grade = json.loads(run([os.path.join(args.programs, "seine-evaluate"), "--level", "L4", "--seed", str(args.seed), "--scale", str(size), "--no-baselines",
                            "--sweep-hours", "24", "--explain", "--json", "--quiet"]))[0]
    print_farms(grade)
    print_grade(grade)
    print("  %s connections and %s requests in %.0f s" % (format(grade["flows"], ","), format(grade["exchanges"], ","), grade["seconds"]))
    return 0 if grade.get("stories") else 1


if __name__ == "__main__":
    sys.exit(main())
