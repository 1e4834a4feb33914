#!/usr/bin/env python3
"""The same input gives the same farms: any number of threads, restarts in the middle, records doubled, out of order or lost.

One generated world, played several times through the join into detection. The results of runs that must not differ are compared byte for byte.
"""
import json
import os
import random
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs
import report


def played(args, world, name, *options):
    """The result file of a run as bytes, and its grades; None if it failed."""
    out = os.path.join(os.path.dirname(world), name + ".jsonl")
    ran = programs.run([programs.program(args, "seine-evaluate"), "--world", world, "--no-baselines", "--json", "--quiet", "--result", out, *options], timeout_s=3600)
    if not report.check(ran.code == 0, "the world is played: " + name, ran):
        return None, None
    with open(out, "rb") as fh:
        return fh.read(), json.loads(ran.out)[0]


def farms(result):
    """Alerted accounts, grouped as their farms group them."""
    of = {}
    for row in map(json.loads, result.splitlines()):
        if row["alerted"]:
            of.setdefault(row["farm"], []).append(row["account"])
    return sorted(sorted(accounts) for accounts in of.values())


def lines_of(world):
    with open(os.path.join(world, "accounts.jsonl"), "rb") as fh:
        return fh.read().splitlines(keepends=True)


def altered(world, name, change):
    """The same world whose account records arrive otherwise."""
    folder = os.path.join(os.path.dirname(world), name)
    shutil.copytree(world, folder)
    with open(os.path.join(folder, "accounts.jsonl"), "wb") as fh:
        fh.writelines(change(lines_of(world), random.Random(7)))
    return folder


def doubled(lines, draw):
    """One in seven comes twice, the second time up to twenty records later."""
    keyed = [(n, line) for n, line in enumerate(lines)]
    keyed += [(n + draw.uniform(0, 20), line) for n, line in enumerate(lines) if draw.random() < 1 / 7]
    return [line for _, line in sorted(keyed, key=lambda pair: pair[0])]


def shuffled(lines, draw):
    """Records arrive up to a second later than they did, as several gateways' do."""
    arrived, keyed = 0, []
    for line in lines:
        arrived = max(arrived, json.loads(line)["t_req_us"])
        keyed.append((arrived + draw.uniform(0, 1e6), line))
    return [line for _, line in sorted(keyed, key=lambda pair: pair[0])]


def joined(grades):
    """What the join made of the records, as far as it counts for detection."""
    return [grades["detector"][key] for key in ("join_joined", "join_told", "join_unmatched", "join_ambiguous", "join_late")]


def close(grades, other):
    return other["recall"] >= grades["recall"] - 0.01 and other["false_positives"] <= grades["false_positives"]


def lost(lines, draw):
    return [line for line in lines if draw.random() > 0.01]


def main():
    args = programs.arguments(__doc__, ("--level", {"default": "L1"}), ("--scale", {"default": "3000"}), ("--days", {"default": "2"}), ("--seed", {"default": "3"}))
    with tempfile.TemporaryDirectory(prefix="seine-same-") as folder:
        world = os.path.join(folder, "world")
        ran = programs.run([programs.program(args, "seine-generate"), "world", "--level", args.level, "--scale", args.scale, "--days", args.days, "--seed", args.seed,
                            "--out", world, "--quiet"], timeout_s=600)
        if not report.check(ran.code == 0, "a world is made", ran):
            return
        first, grades = played(args, world, "one-thread", "--threads", "1")
        if first is None or not report.check(grades["recall"] > 0.5 and len(farms(first)) >= 2, "its farms are found", grades):
            return
        for threads in ("2", "8"):
            again, _ = played(args, world, threads + "-threads", "--threads", threads)
            report.check(again == first, "%s threads give the result of one, byte for byte" % threads)
        again, restarted = played(args, world, "restarts", "--threads", "1", "--restarts")
        report.check(again == first, "so do restarts after every sweep")
        times = restarted["detector"]
        report.check(times["restarts"] >= 5 and times["restarts_failed"] == 0, "that did happen", times)
        for name, change in (("doubled", doubled), ("shuffled", shuffled)):
            again, same = played(args, altered(world, name, change), name + "-records", "--threads", "1")
            if again is not None and joined(same) != joined(grades):
                # In a large world one record in a million is at the end of its waiting time, or told apart by what came before it.
                report.check(close(grades, same), "%s records: of those that the join took otherwise come no more false positives, and hardly a farm account less" % name, same)
                continue
            report.check(again is not None and farms(again) == farms(first), "%s records change no farm" % name)
        again, few = played(args, altered(world, "lost", lost), "lost-records", "--threads", "1")
        report.check(again is not None and close(grades, few), "one record in a hundred lost costs no farm and alerts nobody else", few)


report.run(main)
