#!/usr/bin/env python3
"""Reloads under traffic: pushes that alternate two sets, and every packet matched by exactly one of them, none lost, none twice."""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import netns  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

RULE = """[[rule]]
id = "%s"
title = "One of two sets"
class = "policy"
limit = { per_rule = "off", per_source = "off" }
field = "http.path"
prefix = "/n/"
[[rule.match]]
http.path = "/n/1"
[[rule.no_match]]
http.path = "/m/1"
"""


class Admin:
    """What seinectl says to a dataplane's admin socket, without seinectl (dataplane/contract/admin.h)."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(60)
        self.socket.connect(path)

    def ask(self, kind, body=b""):
        self.socket.send(struct.pack("<IHBBII", 0x4d444153, 1, kind, 0, 16 + len(body), 7) + body)
        text = b""
        while True:
            packet = self.socket.recv(1 << 16)
            text += packet[16:]
            if not packet[7] & 1:
                return packet[6], text.decode()

    def reload(self, generation, path, confirm_s=0):
        """Empty, or why it was refused."""
        return self.ask(3, struct.pack("<QI", generation, confirm_s) + path.encode())[1]

    def stats(self):
        return json.loads(self.ask(1)[1])


SECONDS_MAX = 600


def send(per_second, until):
    """Datagrams that are a request each, numbered, from ever other ports, until the file `until` is there; then says in it how
    many there were. Runs in the client's namespace."""
    begun = time.monotonic()
    sent = 0
    while sent < SECONDS_MAX * per_second and not os.path.exists(until):
        i = sent
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            one.bind(("10.9.0.1", 1024 + i % 60000))
            one.sendto(b"GET /n/%d HTTP/1.1\r\nHost: x\r\n\r\n" % i, ("10.9.0.2", 8000 + i // 60000))
        sent += 1
        ahead = begun + sent / per_second - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
    with open(until, "w", encoding="utf-8") as fh:
        fh.write("%d" % sent)


def blobs(args, folder, live_socket):
    """Two compiled sets, made by seinectl itself."""
    for name in "ab":
        os.makedirs(os.path.join(folder, name))
        with open(os.path.join(folder, name, "r.toml"), "w", encoding="utf-8") as fh:
            fh.write(RULE % ("set-" + name))
        ran = programs.run([programs.program(args, "seinectl"), "signature", "push", os.path.join(folder, name), "--reason", name,
                            "--confirm-within", "off", "--socket", live_socket])
        if ran.code:
            raise RuntimeError("push: %s" % ran)
    return [os.path.join(folder, "ring.signatures", "versions", str(n), "rules.blob") for n in (1, 2)]


def main():
    args = programs.arguments(__doc__, ("--pushes", {"type": int, "default": 1000}), ("--rate", {"type": int, "default": 1000}),
                              ("--workers", {"type": int, "default": 2}))
    why = netns.reason_not_to()
    if why:
        report.skipped("reload", why)
        return
    with netns.Pair() as pair, tempfile.TemporaryDirectory() as folder:
        pair.offloads_off()
        path, events = os.path.join(folder, "admin.sock"), os.path.join(folder, "events.jsonl")
        dataplane = pair.start(pair.server, [programs.program(args, "seine-dataplane"), "--af-packet", "s0", "--workers", str(args.workers), "--records",
                                             "jsonl:" + events, "--records", "ring:" + os.path.join(folder, "ring"), "--events", "--socket", path],
                               stderr=subprocess.DEVNULL)
        if not netns.wait_for(lambda: netns.answers(path) or dataplane.poll() is not None, 60):
            raise RuntimeError("seine-dataplane does not come up")
        files = blobs(args, folder, path)
        admin = Admin(path)
        until = os.path.join(folder, "until")
        sender = pair.start(pair.client, [sys.executable, "-B", os.path.abspath(__file__), "--bin", args.bin, "--send", until, "--rate", str(args.rate)])
        time.sleep(0.5)
        refused, begun, during = [], time.monotonic(), 0
        for i in range(args.pushes):
            answer = admin.reload(3 + i, files[i % 2])
            refused += [answer] if answer else []
            during += sender.poll() is None
            time.sleep(max(0.0, begun + (i + 1) * 0.008 - time.monotonic()))
        spent = time.monotonic() - begun
        open(until, "w", encoding="utf-8").close()
        sender.wait(timeout=60)
        with open(until, encoding="utf-8") as fh:
            count = int(fh.read())
        time.sleep(1)
        stats = admin.stats()
        dataplane.terminate()
        report.equal(dataplane.wait(timeout=120), 0, "the dataplane ends clean")
        judge(args, events, stats, count, refused, during, spent)


def judge(args, events, stats, count, refused, during, spent):
    report.equal(refused, [], "%d pushes were taken, in %.1f s" % (args.pushes, spent))
    report.check(during == args.pushes and count > args.pushes, "traffic ran meanwhile", "%d of %d pushes while it did" % (during, args.pushes))
    report.equal(stats["signatures"]["swaps"], args.pushes + 2, "each is one swap")
    report.equal(stats["signatures"]["generation"], args.pushes + 2, "the last one runs")
    lost = sum(port["kernel_drops"] + port["imissed"] for port in stats["ports"])
    report.equal(lost, 0, "the kernel lost no packet")
    times, sets, wrong = {}, set(), []
    with open(events, encoding="utf-8") as fh:
        for line in fh:
            if '"finding"' not in line:
                continue
            finding = json.loads(line)
            number = int(finding["rule_value"][0].rsplit("/", 1)[1])
            times[number] = times.get(number, 0) + 1
            generation = finding["rule_generation"]
            sets.add(generation)
            # Generations 1 and 2 are sets a and b, then they alternate from a on.
            if finding["rules"] != ["set-" + "ab"[(generation - 1) % 2]]:
                wrong.append(finding)
    missing = [n for n in range(count) if n not in times]
    twice = [n for n, seen in times.items() if seen != 1]
    report.check(not missing, "every packet was matched (%d packets)" % count, "%d were not: %s" % (len(missing), missing[:9]))
    report.check(not twice, "none was matched twice", twice[:9])
    report.check(not wrong, "each by the rules of the generation that it names", wrong[:2])
    report.check(len(sets) > args.pushes // 4, "many generations matched", "%d of %d" % (len(sets), args.pushes))
    totals = stats["totals"]
    report.check(stats["signatures"]["packets_matched"] >= count, "packets counted by generations", stats["signatures"])
    report.equal(totals.get("match_hits_dropped", 0), 0, "no hit was dropped")
    report.equal(totals.get("records_dropped_ring_full", 0), 0, "no record was dropped")


if __name__ == "__main__":
    if "--send" in sys.argv:
        given = programs.arguments(__doc__, ("--send", {}), ("--rate", {"type": int}))
        send(given.rate, given.send)
    else:
        report.run(main)
