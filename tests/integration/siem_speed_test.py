"""How fast events leave on one processor: into a file in each format, and over TLS syslog to a receiver on another processor.

A row says events a CPU second of the sender, generator included, which is what is held to the aim; beside it events a second of the clock, which other
programs on the machine lower, and how fast the machine was meanwhile. Formats take turns, and the median of the rounds counts (soak `exports`).
"""
import json
import mmap
import os
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import receivers  # noqa: E402
import report  # noqa: E402

FILE_AIM = 200000  # events a CPU second
TLS_AIM = 60000
FORMATS = ("eve", "ecs", "ocsf", "cef", "leef", "sd")
MACHINE = ("hash_mb_s", "copy_mb_s")


def one_run(args, box, count, timeout_s=600, **keys):
    """What the sender says; held to the first processor of this process."""
    first = str(min(os.sched_getaffinity(0)))
    ran = programs.run(["taskset", "-c", first, programs.program(args, "seine-test-export"), box, str(count)] + ["%s=%s" % item for item in keys.items()],
                       timeout_s=timeout_s)
    shutil.rmtree(box, ignore_errors=True)
    try:
        said = json.loads(ran.out.decode("utf-8", "replace").strip().splitlines()[-1])
    except (IndexError, ValueError):
        said = {}
    whole = ran.code == 0 and said.get("acknowledged_flows") == count and said.get("waiting") == 0
    if not whole:
        report.failed("%s %s: all is sent" % (keys["carrier"], keys["format"]), "%s %s" % (said, ran))
    return said if whole else None


def row_of(name, count, runs, aim):
    """One line of the table from the runs, and the verdict."""
    cpu = sorted(round(count / run["cpu"]) for run in runs)
    wall = sorted(round(count / run["wall"]) for run in runs)
    row = {"to": name, "events": count, "rounds": len(runs), "cpu_second_median": round(statistics.median(cpu)), "cpu_second_least": cpu[0],
           "cpu_second_most": cpu[-1], "second_median": round(statistics.median(wall)), "second_most": wall[-1], "aim": aim}
    row.update({key: round(statistics.median(run[key] for run in runs)) for key in MACHINE})
    report.check(row["cpu_second_median"] >= aim, "%s: %d events a CPU second of %d wanted, %d to %d; by the clock %d (best %d)" % (
        name, row["cpu_second_median"], aim, cpu[0], cpu[-1], row["second_median"], row["second_most"]))
    return row


def into_files(args, folder):
    runs = {kind: [] for kind in FORMATS}
    for turn in range(args.rounds):
        for kind in FORMATS:
            out = os.path.join(folder, "out")
            said = one_run(args, os.path.join(folder, "box"), args.count, carrier="file", path=out, format=kind, budget=1 << 33, rotate=1 << 26, machine=1)
            for name in (out, out + ".1"):
                if os.path.exists(name):
                    os.unlink(name)
            if said is not None:
                runs[kind].append(said)
        print("  files, round %d of %d" % (turn + 1, args.rounds), flush=True)
    return [row_of("file, " + kind, args.count, of, FILE_AIM) for kind, of in runs.items() if of]


def over_tls(args, folder):
    certs = receivers.Certificates(os.path.join(folder, "certs"))
    runs = []
    for turn in range(args.rounds):
        port, out = receivers.free_port(), os.path.join(folder, "taken")
        with open(out, "wb") as taken:
            sink = subprocess.Popen(["taskset", "-c", str(max(os.sched_getaffinity(0))), "openssl", "s_server", "-quiet", "-accept", "127.0.0.1:%d" % port,
                                     "-cert", certs.path("server.pem"), "-key", certs.path("server.key"), "-CAfile", certs.path("ca.pem"), "-Verify", "1",
                                     "-verify_return_error"], stdin=subprocess.PIPE, stdout=taken, stderr=subprocess.DEVNULL)
        try:
            receivers.wait_for_port(port)
            said = one_run(args, os.path.join(folder, "box"), args.count, carrier="syslog-tls", host="127.0.0.1", port=port, format="cef",
                           ca=certs.path("ca.pem"), cert=certs.path("client.pem"), key=certs.path("client.key"), budget=1 << 33, machine=1)
            receivers.wait_until_still(out)
        finally:
            sink.kill()
            sink.wait()
            sink.stdin.close()
        if said is not None:
            with open(out, "rb") as fh, mmap.mmap(fh.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                arrived = len(set(receivers.NUMBER.findall(whole)))
            report.equal(arrived, args.count, "TLS, round %d: it arrived" % (turn + 1))
            runs.append(said)
        os.unlink(out)
    return [row_of("TLS syslog, cef", args.count, runs, TLS_AIM)] if runs else []


def main():
    args = programs.arguments(__doc__, ("--count", {"type": int, "default": 300000, "help": "events of a run"}), ("--rounds", {"type": int, "default": 3}),
                              ("--only", {"default": "", "help": "file or tls"}), ("--out", {"default": ""}))
    folder = tempfile.mkdtemp(prefix="seine-speed-")
    parts = {"file": into_files, "tls": over_tls}
    table = []
    try:
        for name in args.only.split(",") if args.only else parts:
            table += parts[name](args, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    receivers.tell(table, args.out)


report.run(main)
