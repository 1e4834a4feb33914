#!/usr/bin/env python3
"""The line from a capture to seinectl: dataplane, ring, control, store, answers; and control killed while it works."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

CAPTURE = os.path.join(programs.GOLDEN, "farm-mixed", "capture.pcap")
KILLS = 10


def dataplane(args, *options):
    return [programs.program(args, "seine-dataplane"), *options]


def replayed(args):
    """Flows of the capture as seine-replay prints them, by addresses."""
    ran = programs.run([programs.program(args, "seine-replay"), CAPTURE])
    flows = {}
    for line in ran.out.splitlines():
        flow = json.loads(line)
        flows[(flow["t_first_ns"], flow["src"], flow["sport"], flow["dst"], flow["dport"])] = flow
    return flows


def check_line(args, folder):
    daemon = control.Control(args, folder)
    if not report.check(daemon.start(), "control starts before there is a ring", daemon.log()):
        return
    try:
        status = daemon.ask("status")
        report.check(status["rings"][0]["open"] is False and "start seine-dataplane" in status["problems"][0],
                     "a ring that is not there is told with what to do", status)
        ran = programs.run(dataplane(args, "--pcap", CAPTURE, "--records", "ring:" + daemon.ring))
        report.check(ran.code == 0, "the dataplane fills the ring", ran)
        expected = replayed(args)
        status = daemon.wait_for(lambda s: s["flows"]["closed"] >= len(expected))
        report.equal(status["flows"]["opened"], len(expected), "every flow is counted once")
        report.equal(status["rings"][0]["lost"], 0, "no record is lost")
        check_flows(daemon, expected)
        check_questions(daemon)
        report.equal(daemon.stop(), 0, "SIGTERM ends it with 0")
        report.check(daemon.start(), "it starts again on its store", daemon.log())
        report.equal(len(daemon.ask("flow", "list", "--limit", "1000")["flows"]), len(expected), "its flows are still there")
        daemon.stop()
        check_others(args, daemon)
    finally:
        daemon.end()


def check_flows(daemon, expected):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        rows = daemon.ask("flow", "list", "--limit", "1000")["flows"]
        if len(rows) >= len(expected):
            break
        time.sleep(0.2)
    got = {}
    for row in rows:
        record = row["record"]
        got[(record["t_first_ns"], record["src"], record["sport"], record["dst"], record["dport"])] = record
    report.equal(len(got), len(expected), "flow list has them all")
    wrong = [key for key, flow in expected.items() if got.get(key) != flow]
    report.check(not wrong, "each is the record that seine-replay prints", [(got.get(k), expected[k]) for k in wrong[:1]])
    one = rows[0]
    shown = daemon.ask("flow", "show", one["flow_id"])
    report.equal(shown["record"], one["record"], "flow show gives one of them")
    ja4 = next(row["record"]["ja4"] for row in rows if "ja4" in row["record"])
    filtered = daemon.ask("flow", "list", "--ja4", ja4, "--limit", "1000")["flows"]
    report.equal(len(filtered), sum(1 for flow in expected.values() if flow.get("ja4") == ja4), "a filter lets its flows through")
    text = daemon.ctl("flow", "list").out.decode()
    report.check("known as" in text and one["record"]["src"] in text and "\x1b" not in text, "the table reads", text)


def check_questions(daemon):
    values = daemon.ask("fingerprint", "list")["values"]
    report.check(values and values[0]["flows"] > 0, "fingerprint list counts", values)
    value = next((v for v in values if v["known_as"]), None)
    if report.check(value is not None, "a fingerprint of the dictionary is named", values):
        shown = daemon.ask("fingerprint", "show", value["value"])
        field = next(f for f in shown["fields"] if f["field"] == "ja4")
        report.check(field["flows"] == value["flows"] and field["known_as"], "fingerprint show says whose it is", shown)
    begun = daemon.ask("fingerprint", "show", values[0]["value"][:-2])
    report.equal(begun["value"], values[0]["value"], "the beginning of one fingerprint is enough")
    several = daemon.ctl("fingerprint", "show", "t13d")
    report.check(several.code == 2 and b"more than one" in several.err, "of several they are named", several)
    learned = daemon.ctl("fingerprint", "learn", CAPTURE, "--as", "the test's own")
    report.check(learned.code == 0 and b"learned" in learned.out, "fingerprint learn reads a capture", learned)
    again = daemon.ask("fingerprint", "show", values[0]["value"])
    names = [known["name"] for field in again["fields"] for known in field["known_as"]]
    report.check("the test's own" in names, "what was learned is shown", again)
    none = daemon.ctl("fingerprint", "show", "t00d000000_000000000000_000000000000")
    report.check(none.code == 1 and b"--days" in none.err, "what was never seen is told", none)
    report.equal(daemon.ask("alert", "list")["alerts"], [], "no alert where nothing was found")
    screen = daemon.ctl("status").out.decode()
    report.check(len(screen.splitlines()) <= 24 and "opened" in screen, "status fits one screen", screen)
    watched = subprocess.run(["timeout", "3", programs.program(daemon.args, "seinectl"), "status", "--json", "--watch=1",
                              "--socket", daemon.socket], stdout=subprocess.PIPE, check=False)
    report.check(len(watched.stdout.splitlines()) >= 2, "--watch --json prints a line a time", watched.stdout[:200])
    report.equal(daemon.ctl("flow", "show", "x").code, 2, "a malformed argument is wrong usage")


def check_others(args, daemon):
    """Mistakes that are told before anything is done."""
    store = os.path.join(daemon.state, "seine.db")
    with open(store, "r+b") as file:
        file.seek(60)
        version = file.read(4)
        file.seek(60)
        file.write((99).to_bytes(4, "big"))
    ran = programs.run([programs.program(args, "seine-control"), "--config", daemon.config])
    report.check(ran.code == 1 and b"version 99" in ran.err, "a store of a newer version is refused", ran)
    with open(store, "r+b") as file:
        file.seek(60)
        file.write(version)
        file.seek(0)
        file.write(b"no database at all")
    ran = programs.run([programs.program(args, "seine-control"), "--config", daemon.config])
    report.check(ran.code == 1 and b"damaged" in ran.err and b"put a copy back" in ran.err, "a damaged store is refused", ran)


def check_kills(args, folder):
    """Killed ten times while a dataplane feeds it: every record of the ring is counted once."""
    daemon = control.Control(args, folder, "[store]\ncommit-ms = 50\n")
    report.check(daemon.start(), "control starts", daemon.log())
    feeds = 0
    expected = replayed(args)
    try:
        for number in range(KILLS):
            feed = subprocess.Popen(dataplane(args, "--pcap", CAPTURE, "--records", "ring:" + daemon.ring),
                                    stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            feeds += 1
            # While it has records that are not stored: some kills before, some after its commit.
            daemon.wait_for(lambda s: s["rings"][0]["records"] - s["rings"][0]["repeated"] > 0, 10, 0.01)
            time.sleep(0.02 * number)
            daemon.stop(signal.SIGKILL)
            if not daemon.start():
                report.failed("it starts after kill -9", daemon.log())
                return
            report.check(feed.wait(60) == 0, "the dataplane is not disturbed by kill %d" % (number + 1))
        total = feeds * len(expected)
        daemon.wait_for(lambda s: s["rings"][0]["fill"] == 0, 20)
        daemon.stop()
        report.check(daemon.start(), "it starts again", daemon.log())
        opened, closed, lost = stored_minutes(daemon)
        report.equal((opened, closed, lost), (total, total, 0), "every flow counted once over %d kills" % KILLS)
        rows = daemon.ask("flow", "list", "--limit", "10000")["flows"]
        report.equal(len({row["flow_id"] for row in rows}), total, "every flow has its row")
        report.equal(len(rows), total, "and none has two")
    finally:
        daemon.end()


def stored_minutes(daemon):
    return daemon.stored("select sum(opened), sum(closed), sum(lost) from minute")[0]


def main():
    args = programs.arguments(__doc__)
    for name in ("seine-control", "seinectl", "seine-dataplane", "seine-replay"):
        if programs.program(args, name) is None:
            report.skipped("control", "%s is not built" % name)
            return
    with tempfile.TemporaryDirectory(prefix="seine-control-") as folder:
        check_line(args, folder)
    with tempfile.TemporaryDirectory(prefix="seine-kills-") as folder:
        check_kills(args, folder)


if __name__ == "__main__":
    report.run(main)
