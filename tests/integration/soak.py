#!/usr/bin/env python3
"""The long runs of tools/test --soak: one issue's line at its full size, with figures as JSON.

usage: soak.py vectors|hard|mix|receivers|exports|floods|clients|worlds|hostile|sweep|published|join|kills|scale --bin DIR --out FILE.json, or soak.py fuzz --logs DIR --out FILE.json
"""
import argparse
import glob
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


def script(name, *options, timeout_s=7200):
    return programs.run([sys.executable, "-B", os.path.join(HERE, name), *options], timeout_s=timeout_s)


def checks_of(ran):
    lines = ran.out.decode("utf-8", "replace").splitlines()
    return {"ok": sum(x.startswith("ok - ") for x in lines), "failed": [x for x in lines if x.startswith("FAILED - ")],
            "skipped": [x for x in lines if x.startswith("skipped - ")], "exit": ran.code}


def vectors(args):
    """Every capture, both programs, one and four workers."""
    runs = {}
    for name in ("vectors", "corpus"):
        runs["replay " + name] = checks_of(script("vectors_test.py", "--bin", args.bin, "--set", name))
        for workers in ("1", "4"):
            runs["dataplane %s, %s workers" % (name, workers)] = checks_of(script(
                "vectors_test.py", "--bin", args.bin, "--set", name, "--program", "seine-dataplane", "--workers", workers))
    return runs


def hard(args):
    """1,000 flows of each hard case."""
    return {"hard 1000": checks_of(script("hard_test.py", "--bin", args.bin, "--flows", "1000"))}


def mix(args):
    """A mixed capture of 1.5 million packets: one and four workers alike, every hello found, time taken."""
    generator = programs.shared("tools", "mkbench.py")
    if generator is None:
        return {"mix": {"ok": 0, "failed": [], "skipped": ["../shared/tools/mkbench.py is not beside this checkout"], "exit": 77}}
    failed, figures = [], {}
    with tempfile.TemporaryDirectory(prefix="seine-soak-") as folder:
        capture = os.path.join(folder, "mix.pcap")
        print("  making 1.5 million packets", flush=True)
        made = programs.run([sys.executable, generator, "--packets", "1500000", "--out", capture], timeout_s=3600)
        if made.code != 0:
            return {"mix": {"ok": 0, "failed": [str(made)], "skipped": [], "exit": 1}}
        with open(capture + ".json", encoding="utf-8") as fh:
            truth = json.load(fh)
        lines = {}
        for workers in (1, 4):
            out = os.path.join(folder, "records.jsonl")
            print("  %d workers" % workers, flush=True)
            ran = programs.run([os.path.join(args.bin, "seine-dataplane"), "--pcap", capture, "--workers", str(workers),
                                "--records", "jsonl:" + out], timeout_s=3600, cwd=folder)
            if ran.code != 0:
                failed.append("%d workers: %s" % (workers, ran))
                continue
            with open(out, "rb") as fh:
                lines[workers] = sorted(fh)
            figures["seconds, %d workers" % workers] = round(ran.seconds, 2)
        if lines.get(1) != lines.get(4):
            failed.append("1 and 4 workers differ")
        flows = [json.loads(line) for line in lines.get(1, [])]
        hellos = {"t": sum(f.get("ja4", "").startswith("t") for f in flows), "q": sum(f.get("ja4", "").startswith("q") for f in flows)}
        for kind, want in (("t", truth["tls_client_hello"]), ("q", truth["quic_flows"])):
            figures["%s hellos" % kind] = [hellos[kind], want]
            if hellos[kind] != want:
                failed.append("%d of %d hellos of kind %s" % (hellos[kind], want, kind))
    return {"mix": dict(ok=5 - len(failed), failed=failed, skipped=[], exit=1 if failed else 0, **figures)}


def floods(args):
    """Floods of each kind: memory flat, honest clients fingerprinted, every frame accounted for."""
    program = os.path.join(args.bin, "test_floods")
    with tempfile.TemporaryDirectory(prefix="seine-soak-") as folder:
        out = os.path.join(folder, "floods.json")
        print("  %d flows of each kind" % args.flows, flush=True)
        ran = programs.run([program, "--gtest_output=json:" + out], timeout_s=24 * 3600, env=dict(os.environ, SEINE_FLOOD_FLOWS=str(args.flows)))
        if not os.path.exists(out):
            return {"floods": {"ok": 0, "failed": [str(ran), ran.out[-2000:].decode("utf-8", "replace")], "skipped": [], "exit": 1}}
        with open(out, encoding="utf-8") as fh:
            cases = [case for suite in json.load(fh)["testsuites"] for case in suite["testsuite"]]
    kept_out = {"name", "file", "line", "status", "result", "timestamp", "time", "classname", "failures"}
    runs = {}
    for case in cases:
        failed = [fault["failure"] for fault in case.get("failures", ())]
        figures = {key: int(value) for key, value in case.items() if key not in kept_out}
        runs[case["name"]] = dict(ok=int(not failed), failed=failed, skipped=[], exit=1 if failed else 0, **figures)
    return runs


def clients(args):
    """Real clients and a real server in network namespaces, over af_packet and af_xdp."""
    ran = script("clients_live.py", "--bin", args.bin, "--rounds", str(args.rounds))
    said = [line for line in ran.out.decode("utf-8", "replace").splitlines() if not line.startswith("ok - ")]
    return {"clients": dict(checks_of(ran), said=said)}


def fuzz(args):
    """What the fuzz targets' logs say."""
    runs = {}
    for path in sorted(glob.glob(os.path.join(args.logs, "*.code"))):
        name = os.path.basename(path)[:-5]
        with open(path, encoding="utf-8") as fh:
            code = int(fh.read())
        with open(path[:-5] + ".log", encoding="utf-8", errors="replace") as fh:
            executed = re.findall(r"stat::number_of_executed_units:\s*(\d+)", fh.read())
        runs[name] = {"ok": int(code == 0), "failed": [] if code == 0 else ["exit %d" % code], "skipped": [], "exit": code,
                      "executions": int(executed[-1]) if executed else 0}
    return runs


LEVELS = ("L1", "L2", "L3", "L4", "L5a", "L5b", "L5c")


def evaluated(args, *options):
    """A run of seine-evaluate with its grades; a level that finds no farm is told, not judged, here."""
    ran = programs.run([os.path.join(args.bin, "seine-evaluate"), "--json", *options], timeout_s=7200)
    grades = json.loads(ran.out) if ran.code == 0 else []
    return {"exit": ran.code, "failed": [] if ran.code == 0 else ran.error_lines()[-1:], "grades": grades}


def worlds(args):
    """Every level at 100,000 accounts with five seeds, baselines beside it."""
    seeds = [option for seed in "12345" for option in ("--seed", seed)]
    return {level: evaluated(args, "--level", level, *seeds) for level in LEVELS}


def hostile(args):
    """100 million tokens that nobody else shows, poured into detection: memory holds its cap, farms stay found."""
    os.environ["SEINE_HOSTILE_TOKENS"] = "100000000"
    began = time.monotonic()
    ran = programs.run([os.path.join(args.bin, "test_detect"), "--gtest_filter=HostileTokens.*"], timeout_s=7200)
    said = [line for line in ran.out.decode("utf-8", "replace").splitlines() if "HostileTokens" in line or "Failure" in line]
    return {"hostile 100000000": {"exit": ran.code, "ok": 1 if ran.code == 0 else 0, "failed": said if ran.code else [],
                                  "seconds": round(time.monotonic() - began, 1)}}


def sweep(args):
    """A sweep and a saved state of 1,024,000 accounts in steps, with one and two threads: what each takes."""
    runs = {}
    for threads in ("1", "2"):
        ran = programs.run([os.path.join(args.bin, "test_detect"), "--gtest_filter=SweepAtScale.*"], timeout_s=7200,
                           env=dict(os.environ, SEINE_SWEEP_ACCOUNTS="1000000", SEINE_SWEEP_FARM="23995", SEINE_SWEEP_THREADS=threads))
        lines = ran.out.decode("utf-8", "replace").splitlines()
        runs["sweep, %s threads" % threads] = {"exit": ran.code, "ok": 1 if ran.code == 0 else 0, "failed": [x for x in lines if "Failure" in x],
                                               "figures": [x.strip() for x in lines if x.startswith("  ")]}
    return runs


def published(args):
    """Every level once at the published scale: 1,024,000 accounts, 30 days, 16.55 million farm exchanges."""
    return {level: evaluated(args, "--level", level, "--scale", "published", "--no-baselines") for level in LEVELS}


def join(args):
    """300,000 account records/s with 100,000 flow openings/s for 60 s: the join alone, the generator apart from the measured CPU; then all of control."""
    ran = programs.run([os.path.join(args.bin, "account_join_bench"), "60", "100000", "3", "5", "200"], timeout_s=3600)
    runs = {"join": {"exit": ran.code, "figures": ran.out.decode("utf-8", "replace").splitlines(), "failed": ran.error_lines()}}
    # The whole daemon by the clock, the generator on the same processors: wants a machine where nothing else runs.
    run = script("control_join_test.py", "--bin", args.bin, "--rate", "100000", "--seconds", "60")
    runs["join, whole control"] = dict(checks_of(run), said=[x for x in run.out.decode("utf-8", "replace").splitlines() if x.startswith("  ")])
    return runs


def kills(args):
    """kill -9 of control ten times at 100,000 flows/s and 300,000 log lines/s for 60 s: every record and line once."""
    run = script("control_kills_test.py", "--bin", args.bin, "--rate", "100000", "--lines", "3", "--seconds", "60", "--ring-mb", "1024")
    said = [line for line in run.out.decode("utf-8", "replace").splitlines() if line.startswith("  ")]
    return {"kills": dict(checks_of(run), said=said)}


def scale(args):
    """A store of 1,000,000 accounts and 30,000,000 flows: how fast control answers, and what feeding it costs."""
    with tempfile.TemporaryDirectory(prefix="seine-soak-") as folder:
        ran = programs.run([os.path.join(args.bin, "seine-test-scale"), folder, "30000000", "1000000"], timeout_s=24 * 3600)
        figures = json.loads(ran.out) if ran.code == 0 else {}
    most = {"account_show_ms": 50, "fingerprint_show_ms": 50, "status_ms": 10}
    failed = ["%s: %s, %d at most" % (name, figures.get(name), bound) for name, bound in most.items()
              if not figures or figures[name][0] > bound]
    if not 0 <= figures.get("signature_try_s", -1) < 10:
        failed.append("signature_try_s: %s, 10 at most" % figures.get("signature_try_s"))
    return {"scale": {"exit": ran.code or int(bool(failed)), "ok": 4 - len(failed), "failed": failed, "figures": figures}}


def with_table(args, name, *options):
    """A script that writes its table as JSON, with its checks; each check is told as it comes."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="seine-soak-") as folder:
        table = os.path.join(folder, "table.json")
        command = [sys.executable, "-B", os.path.join(HERE, name), "--bin", args.bin, "--out", table, *options]
        lines = []
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            for line in process.stdout:
                print("  " + line.decode("utf-8", "replace").rstrip()[:200], flush=True)
                lines.append(line)
        run = checks_of(programs.Ran(process.returncode, b"".join(lines), b"", 0))
        run["seconds"] = round(time.monotonic() - began, 1)
        if os.path.exists(table):
            with open(table, encoding="utf-8") as fh:
                run["table"] = json.load(fh)
    return run


def receivers(args):
    """1,000,000 events to each real receiver, the table beside the checks; --only names receivers."""
    return {"receivers 1000000": with_table(args, "siem_receivers_test.py", "--count", "1000000", *(["--only", args.only] if args.only else []))}


def exports(args):
    """kill -9 of senders, of seine-control and of receivers at 20,000 events a second; events a second on one processor; how long alerts take at
    100,000 flows a second. --only kills, speed or latency."""
    parts = {"kills": ("siem_kills_test.py", "--rate", "20000", "--rounds", "4", "--words", "4"), "speed": ("siem_speed_test.py",),
             "latency": ("siem_latency_test.py", "--most-ms", "1000")}
    wanted = args.only.split(",") if args.only else list(parts)
    if not set(wanted) <= set(parts):
        sys.exit("soak.py: --only takes %s" % ", ".join(parts))
    return {name: with_table(args, *parts[name]) for name in wanted}


SOAKS = {"vectors": vectors, "hard": hard, "mix": mix, "receivers": receivers, "exports": exports, "floods": floods, "clients": clients,
         "fuzz": fuzz, "worlds": worlds, "hostile": hostile, "sweep": sweep, "published": published, "join": join, "kills": kills, "scale": scale}


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("name", choices=sorted(SOAKS))
    ap.add_argument("--bin")
    ap.add_argument("--logs")
    ap.add_argument("--flows", type=int, default=20000000, help="of each flood")
    ap.add_argument("--rounds", type=int, default=5, help="of all clients")
    ap.add_argument("--only", default="", help="of receivers and exports: parts, separated by commas")
    ap.add_argument("--out", required=True)
    args = ap.parse_args()
    if args.name != "fuzz" and not args.bin:
        ap.error("--bin is missing")
    started = time.monotonic()
    runs = SOAKS[args.name](args)
    peak = max(resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    done = {"soak": args.name, "seconds": round(time.monotonic() - started, 1), "peak_rss_mb": peak // 1024, "runs": runs}
    with open(args.out, "w", encoding="utf-8") as fh:
        json.dump(done, fh, indent=1)
        fh.write("\n")
    print(json.dumps(done, indent=1))
    return 1 if not runs or any(r["exit"] not in (0, 77) for r in runs.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
