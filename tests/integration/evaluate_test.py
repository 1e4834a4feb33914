#!/usr/bin/env python3
"""seine-generate world and seine-evaluate as a user runs them: both forms, grading, and the independent grader."""
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs
import report

BASELINES = {"accounts_per_address", "accounts_per_address_and_ja4", "organisations_per_address", "shared_address_components",
             "stack_block_list_oracle", "address_set_jaccard", "proxy_score", "dense_subgraph", "communities"}


def made_up_result(folder, path, seed):
    """Alerts at random, better than chance: what is graded must not matter to who grades it."""
    draw = random.Random(seed)
    with open(os.path.join(folder, "truth.jsonl"), encoding="utf-8") as truth, open(path, "w", encoding="utf-8") as out:
        start = json.load(open(os.path.join(folder, "world.json"), encoding="utf-8"))["start_ns"]
        for line in truth:
            row = json.loads(line)
            flagged = draw.random() < (0.7 if row["farm"] else 0.01)
            label = None if draw.random() < 0.1 else "F-%d" % (sum(map(ord, row["farm"] or "x")) % 3 + draw.randrange(2))
            out.write(json.dumps({"account": row["account_tag"], "score_nats": draw.uniform(0, 20), "alerted": flagged,
                                  "first_alert_ns": start + draw.randrange(86400 * 10**9) if flagged else None, "farm": label if flagged else None}) + "\n")


def close(a, b):
    return a == b or (a is not None and b is not None and abs(a - b) < 1e-4 * max(1, abs(a)))


def compare_graders(args, evaluate, folder, result):
    script = programs.shared("worlds", "grade.py")
    if script is None:
        report.skipped("grades are those of the independent grader", "no ../shared/worlds/grade.py")
        return
    theirs = json.loads(subprocess.run([sys.executable, script, folder, result, "--json", "--fp-per-million", "100"], capture_output=True, check=True).stdout)
    ran = programs.run([evaluate, "--world", folder, "--grade", result, "--json", "--quiet"])
    if not report.check(ran.code == 0, "a result file is graded", ran):
        return
    ours = json.loads(ran.out)[0]
    pairs = [(key, ours[key], theirs[key]) for key in ("recall", "precision", "false_positives", "fp_per_million_day", "ari", "exchanges_to_alert_median",
                                                       "exchanges_prevented_share", "replacements", "replacements_linked_24h")]
    pairs += [("campaign " + a["name"], a["recall"], b["recall"]) for a, b in zip(ours["campaigns"], theirs["campaigns"])]
    for name in ("accounts_per_address", "accounts_per_address_and_ja4", "shared_address_components", "organisations_per_address"):
        pairs.append((name, ours["baselines"][name]["recall"], theirs["baselines"][name]["at_same_false_positives"]["recall"]))
        pairs.append((name + " at 100", ours["baselines"][name]["recall_at_100_per_million"], theirs["baselines"][name]["at_100_per_million"]["recall"]))
    wrong = [p for p in pairs if not close(p[1], p[2])]
    report.check(not wrong, "grades are those of the independent grader", wrong)
    report.equal(ours["false_positives_by_confounder"], theirs["false_positives_by_confounder"], "false positives by confounder likewise")
    report.equal(ours["farm_exchanges_before_first_alert"], theirs["farm_exchanges_before_first_alert"], "farm exchanges before the first alert likewise")


def side_by_side(evaluate):
    """Two runs at a time give what one after another gives, and end in one table of all levels."""
    common = [evaluate, "--level", "L1", "--level", "L4", "--scale", "2500", "--days", "2", "--quiet", "--threads", "1"]
    timed = ("seconds", "cpu_seconds", "peak_rss_mb", "world", "detector")
    runs = []
    for jobs in ("1", "2"):
        ran = programs.run(common + ["--json", "--jobs", jobs])
        if not report.check(ran.code == 0, "two levels are judged, %s at a time" % jobs, ran):
            return
        runs.append([{k: v for k, v in run.items() if k not in timed} for run in json.loads(ran.out)])
    report.check([r["level"] for r in runs[0]] == ["L1", "L4"] and runs[0][0]["recall"] > 0.8, "in their order, and with grades", runs[0])
    report.equal(runs[0], runs[1], "side by side as one after another")
    ran = programs.run(common + ["--jobs", "2"])
    report.check("| account recall % |" in ran.out.decode() and "| baseline proxy score, recall % |" in ran.out.decode(),
                 "the target table has a row for each metric and baseline", ran)
    ran = programs.run(common + ["--generator", "test {level} = L0 || exit 3 # {out}"])
    report.check(ran.code == 1 and b" seed 1: the generator failed: test L" in ran.err, "a generator that fails is told", ran)
    report.equal(programs.run(common + ["--generator", "true"]).code, 2, "a generator without a place for its output is refused")


def main():
    args = programs.arguments(__doc__)
    generate, evaluate = programs.program(args, "seine-generate"), programs.program(args, "seine-evaluate")
    if programs.run([generate, "world", "--help"]).code != 0:
        report.skipped("worlds are made and graded", "this seine-generate has no subcommand world: its table lacks world_command of tools/world")
        return
    with tempfile.TemporaryDirectory(prefix="seine-evaluate-") as folder:
        lines, packed, result = (os.path.join(folder, n) for n in ("lines", "packed", "result.jsonl"))
        common = [generate, "world", "--level", "L4", "--seed", "5", "--scale", "2500", "--days", "3", "--quiet"]
        for form in ([lines], [packed, "--packed"]):
            ran = programs.run(common + ["--out"] + form)
            report.check(ran.code == 0, "a world is made " + ("packed" if len(form) > 1 else "as JSON lines"), ran)
        runs = []
        for world in (lines, packed):
            ran = programs.run([evaluate, "--world", world, "--baselines-only", "--json", "--quiet"])
            report.check(ran.code == 0, "baselines are judged on " + os.path.basename(world), ran)
            runs.append(json.loads(ran.out)[0])
        report.equal(set(runs[0]["baselines"]), BASELINES, "all baselines are there")
        report.equal(runs[0]["baselines"], runs[1]["baselines"], "both forms of a world give the same grades")
        report.equal((runs[0]["flows"], runs[0]["records"]), (runs[1]["flows"], runs[1]["records"]), "and hold the same lines")
        made_up_result(lines, result, 3)
        compare_graders(args, evaluate, lines, result)
        bad = os.path.join(lines, "accounts.jsonl")
        with open(bad, "ab") as fh:
            fh.write(b'{"type":"request","gateway_id":"x"}\n')
        count = sum(1 for _ in open(bad, "rb"))
        ran = programs.run([evaluate, "--world", lines, "--baselines-only", "--quiet"])
        report.check(ran.code == 1 and "accounts.jsonl:%d:" % count in ran.err.decode(), "a bad line is told by file and number", ran)
    side_by_side(evaluate)
    for arguments, code in ((["--level", "L9"], 2), ([], 2), (["--world", "/nonexistent", "--quiet"], 1), (["--help"], 0)):
        report.equal(programs.run([evaluate] + arguments).code, code, "exit code of seine-evaluate " + " ".join(arguments))


report.run(main)
