#!/usr/bin/env python3
"""The whole of seine-control at a rate: flows by a ring, account records by a Unix socket; each record joined to its flow, none to a wrong one.

Prints what it cost in processor time. With --held the generator writes no more while the ring is half full: what is measured then is the cost, and
the rate that this machine took, with the generator on the same processors.
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402


def cpu_s(pid):
    """Of the process, and of each of its threads that took a tenth of a second."""
    def taken(path):
        with open(path, encoding="ascii", errors="replace") as fh:
            fields = fh.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    tasks = "/proc/%d/task" % pid
    threads = sorted((taken("%s/%s/stat" % (tasks, task)) for task in os.listdir(tasks)), reverse=True)
    return taken("/proc/%d/stat" % pid), [round(one, 1) for one in threads if one >= 0.1]


def most_memory_mb(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as fh:
        return next(int(line.split()[1]) for line in fh if line.startswith("VmHWM")) // 1024


def in_memory(room):
    """A folder in memory with so many bytes free, as /run/seine is one; None: there is none."""
    try:
        about = os.statvfs("/dev/shm")
    except OSError:
        return None
    return "/dev/shm" if about.f_bavail * about.f_frsize >= room else None


def wrong_accounts(daemon, written, keys, lines):
    """How many accounts have not exactly the flows and requests that the generator gave them."""
    had = {tag: (flows, requests) for tag, flows, requests in daemon.stored("select tag, flows, requests from account")}
    wrong = 0
    for key in range(keys):
        flows = (written["opened"] - key) // keys + (1 if key else 0)  # numbers 1 to `opened` that are `key` modulo `keys`
        tag = key.to_bytes(8, "little") + bytes(7) + b"\1"
        wrong += had.pop(tag, (0, 0)) != (flows, flows * lines)
    return wrong + len(had)


def main():
    args = programs.arguments(__doc__, ("--rate", {"type": int, "default": 2000, "help": "flow openings a second"}),
                              ("--lines", {"type": int, "default": 3, "help": "account records a flow"}),
                              ("--seconds", {"type": int, "default": 5}), ("--ring-mb", {"type": int, "default": 512}),
                              ("--keys", {"type": int, "default": 100000, "help": "accounts"}), ("--held", {"action": "store_true"}))
    memory = in_memory(2 * args.ring_mb << 20)
    with tempfile.TemporaryDirectory(prefix="seine-join-") as folder, tempfile.TemporaryDirectory(prefix="seine-join-", dir=memory) as place:
        keys, socket = os.path.join(folder, "tag.keys"), os.path.join(folder, "accounts.sock")
        control.make_tag_keys(args, keys)
        daemon = control.Control(args, folder, 'tag-keys = "%s"\naccount-sources = ["edge unix %s gateway=7"]\n' % (keys, socket),
                                 ring=os.path.join(place, "flows.ring"))
        try:
            if not report.check(daemon.start(60), "control starts", daemon.log()):
                return
            before = cpu_s(daemon.process.pid)[0]
            load = subprocess.Popen([programs.program(args, "seine-test-load"), daemon.ring, str(args.ring_mb), "unix:" + socket, str(args.rate),
                                     str(args.lines), str(args.seconds), str(args.keys)] + ["held"] * args.held,
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            written = json.loads(load.communicate()[0])
            status = daemon.wait_for(lambda s: s["rings"][0]["fill"] == 0 and s["join"]["records"] >= written["lines"] and not s["join"]["pending"],
                                     300, 1)
            spent, threads = cpu_s(daemon.process.pid)
            spent -= before
            memory = most_memory_mb(daemon.process.pid)
            report.equal(daemon.stop(), 0, "SIGTERM ends it with 0")
            join = status["join"]
            rate = written["opened"] / written["opening_s"]
            print("  written: %s" % written)
            print("  %.1f s of processor time (threads %s): %.1f us a flow, %d records a CPU-second; %d flows/s taken; %d MB at most" % (
                spent, threads, spent * 1e6 / max(1, written["opened"]), written["lines"] / spent, rate, memory))
            print("  join: %s" % {k: v for k, v in join.items() if v})
            report.equal(join["records"], written["lines"], "every record is taken once")
            report.check(join["records_joined"] >= 0.995 * written["lines"], "99.5 % are joined", join)
            report.equal(written["dropped"], 0, "the ring had room for every flow")
            if not args.held:
                report.check(rate >= 0.995 * args.rate, "flows opened at the rate asked for", rate)
            report.equal(join["flows_evicted"], 0, "and the join for every connection")
            if join["records_joined"] == written["lines"]:
                report.equal(wrong_accounts(daemon, written, args.keys, args.lines), 0, "every account has its own flows and requests")
        finally:
            daemon.end()


if __name__ == "__main__":
    report.run(main)
