#!/usr/bin/env python3
"""A bump in the wire between two namespaces: nothing is reordered, what passes is inspected, and a kill cuts it for a moment only."""
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import netns  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

KILLS_QUICK, KILLS = 1, 3
EVERY_S = 0.002  # between two datagrams
SETTLE_S = 1.2   # of a run between two kills
GAP_MAX_S = 1.0  # the median of the cuts; one of them may meet a busy machine


class Wire(netns.Pair):
    """client c0 -- a0 middle b0 -- s0 server, the middle without an address."""

    def __enter__(self):
        self.middle = "seine-m-%d" % os.getpid()
        for name in (self.client, self.server, self.middle):
            subprocess.run(["ip", "netns", "add", name], check=True)
        for outer, inner, name, address in (("c0", "a0", self.client, "10.9.0.1/24"), ("s0", "b0", self.server, "10.9.0.2/24")):
            subprocess.run(["ip", "link", "add", outer, "netns", name, "type", "veth", "peer", "name", inner, "netns", self.middle], check=True)
            self.run(name, ["ip", "address", "add", address, "dev", outer], check=True)
            self.run(self.middle, ["sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % inner], check=False)
            for space, interface in ((name, outer), (self.middle, inner)):
                self.run(space, ["ip", "link", "set", interface, "up"], check=True)
                for word in ("tso", "gso", "gro", "tx", "rx", "sg"):
                    self.run(space, ["ethtool", "-K", interface, word, "off"], capture_output=True, check=False)
        return self

    def __exit__(self, *args):
        super().__exit__(*args)
        subprocess.run(["ip", "netns", "delete", self.middle], check=False)


def serve():
    """Echoes datagrams on 9000; answers HTTP on 8080 once a connection. Runs in the server's namespace."""
    def datagrams():
        ends = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        ends.bind(("10.9.0.2", 9000))
        while True:
            data, peer = ends.recvfrom(2048)
            ends.sendto(data, peer)
    threading.Thread(target=datagrams, daemon=True).start()
    listener = socket.create_server(("10.9.0.2", 8080), backlog=64)
    print("serving", flush=True)
    while True:
        peer, _ = listener.accept()
        with peer:
            peer.recv(65536)
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n" + bytes(200000))


def send(seconds):
    """Numbered datagrams at a steady rate: prints what came back as JSON. Runs in the client's namespace."""
    ends = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ends.connect(("10.9.0.2", 9000))
    got, sent, stop = [], 0, time.monotonic() + seconds

    def listen():
        ends.settimeout(0.5)
        while time.monotonic() < stop + 0.5:
            try:
                got.append((int(ends.recv(2048)), time.monotonic()))
            except (TimeoutError, ConnectionError):
                pass
    listener = threading.Thread(target=listen)
    listener.start()
    print("sending", flush=True)
    while time.monotonic() < stop:
        try:
            ends.send(b"%d" % sent)
        except OSError:
            pass
        sent += 1
        time.sleep(EVERY_S)
    listener.join()
    numbers = [n for n, _ in got]
    arrivals = [at for _, at in got] + [stop]
    cuts = [b - a for a, b in zip(arrivals, arrivals[1:]) if b - a > 20 * EVERY_S]
    print(json.dumps({"sent": sent, "came": len(numbers), "ordered": numbers == sorted(numbers), "twice": len(numbers) - len(set(numbers)),
                      "cuts": cuts}))


class Bump:
    def __init__(self, args, wire, folder):
        self.ctl = programs.program(args, "seinectl")
        self.wire, self.records = wire, os.path.join(folder, "records.jsonl")
        self.socket, self.stats = os.path.join(folder, "admin.sock"), os.path.join(folder, "stats.json")
        self.errors = open(os.path.join(folder, "stderr"), "w+b")
        self.command = [programs.program(args, "seine-dataplane"), "--inline", "a0+b0", "--records", "ring:" + os.path.join(folder, "ring"),
                        "--records", "jsonl:" + self.records, "--stats", "json:" + self.stats, "--socket", self.socket]

    def start(self):
        self.process = self.wire.start(self.wire.middle, self.command, stderr=self.errors)
        return netns.wait_for(lambda: netns.answers(self.socket) or self.process.poll() is not None) and self.process.poll() is None

    def children(self):
        with open("/proc/%d/task/%d/children" % (self.process.pid, self.process.pid), encoding="ascii") as fh:
            return [int(word) for word in fh.read().split()]

    def child(self):
        """The process that forwards; its parent watches it."""
        children = self.children()
        owner = programs.run([self.ctl, "status", "--json", "--socket", self.socket])
        process = json.loads(owner.out)["pid"] if owner.code == 0 else None
        return process if process in children else None

    def said(self):
        self.errors.seek(0)
        return self.errors.read().decode(errors="replace")


def client(wire, *words):
    return [*netns.Pair.inside(wire.client, [sys.executable, "-B", os.path.abspath(__file__), *words])]


def fetch(wire):
    return wire.run(wire.client, ["curl", "--silent", "--output", os.devnull, "--max-time", "10", "--write-out", "%{size_download}",
                                  "http://10.9.0.2:8080/v1/models"], capture_output=True, check=False).stdout


def passes(wire, bump):
    """Everything crosses, in order, once."""
    ran = subprocess.run(client(wire, "--send", "2"), capture_output=True, check=False, timeout=60)
    seen = json.loads(ran.stdout.splitlines()[-1])
    report.check(seen["sent"] > 100 and seen["came"] == seen["sent"], "every datagram crosses and comes back", seen)
    report.check(seen["ordered"] and seen["twice"] == 0, "none is reordered, none comes twice", seen)
    report.equal(fetch(wire), b"200000", "a download crosses")
    report.check("a part of the wire" in bump.said() and "the link is cut" in bump.said(), "the start says what a crash does", bump.said())


def kills(wire, bump, count):
    longest = []
    for _ in range(count):
        # The next one stands by as soon as it has started, which takes a moment on a busy machine.
        netns.wait_for(lambda: len(bump.children()) == 2 and bump.child() is not None)
        time.sleep(SETTLE_S)
        victim = bump.child()
        if not report.check(victim is not None, "there is a process to kill"):
            break
        sender = subprocess.Popen(client(wire, "--send", "4"), stdout=subprocess.PIPE)
        sender.stdout.readline()
        time.sleep(0.5)
        os.kill(victim, signal.SIGKILL)
        seen = json.loads(sender.communicate(timeout=120)[0].splitlines()[-1])
        longest.append(max(seen["cuts"], default=0.0))
        report.check(seen["ordered"] and seen["twice"] == 0, "nothing is reordered or doubled by the change", seen)
    print("cut for %s s by kill -9" % ", ".join("%.2f" % gap for gap in longest))
    report.check(len(longest) == count and bump.said().count("next one takes over") == count, "the next one takes over after every kill",
                 bump.said())
    report.check(statistics.median(longest) <= GAP_MAX_S, "forwarding is back within a second", longest)
    report.equal(fetch(wire), b"200000", "a download crosses afterwards")


def stands_still(wire, bump):
    victim = bump.child()
    os.kill(victim, signal.SIGSTOP)
    report.check(netns.wait_for(lambda: bump.child() not in (None, victim)), "one that stands still is replaced", bump.said())
    netns.wait_for(lambda: netns.answers(bump.socket))
    report.check("stands still" in bump.said(), "and it is said why", bump.said())


def ends(wire, bump):
    fetch(wire)
    bump.process.send_signal(signal.SIGTERM)
    report.equal(bump.process.wait(timeout=60), 0, "SIGTERM ends both with 0")
    with open(bump.stats, encoding="utf-8") as fh:
        totals = json.load(fh)["totals"]
    report.check(totals["packets_forwarded"] == totals["packets_received"] and totals["forward_dropped"] == 0,
                 "as many went out as came in", {k: v for k, v in totals.items() if "forward" in k or k == "packets_received"})
    with open(bump.records, "rb") as fh:
        flows = [json.loads(line) for line in fh]
    report.check(any(f.get("app") == "http1" and f.get("dport") == 8080 for f in flows), "and what passed was inspected", flows[:3])


def refusals(args, wire):
    wire.run(wire.middle, ["ip", "address", "add", "10.9.9.9/32", "dev", "a0"], check=True)
    tool = programs.program(args, "seine-dataplane")
    for words, wanted in ((["a0+b0"], "has an address"), (["b0+nothing0"], "nothing0"), (["a0"], "as A+B"), (["a0+a0"], "as A+B")):
        ran = wire.run(wire.middle, [tool, "--inline", *words], capture_output=True, check=False)
        report.check(ran.returncode in (1, 2) and wanted in ran.stderr.decode() and ran.stderr.count(b"\n") == 1,
                     "--inline %s is refused in one line" % words[0], ran)
    wire.run(wire.middle, ["ip", "address", "flush", "dev", "a0"], check=True)


def main():
    args = programs.arguments(__doc__, ("--all", {"action": "store_true", "help": "%d kills, and one that stands still" % KILLS}))
    reason = netns.reason_not_to()
    for tool in ("curl", "ethtool"):
        reason = reason or (None if shutil.which(tool) else "needs %s" % tool)
    if reason or not programs.program(args, "seine-dataplane") or not programs.program(args, "seinectl"):
        report.skipped("inline between network namespaces", reason or "seine-dataplane or seinectl is not built")
        return
    with tempfile.TemporaryDirectory(prefix="seine-inline-") as folder, Wire() as wire:
        server = wire.start(wire.server, [sys.executable, "-B", os.path.abspath(__file__), "--serve"], stdout=subprocess.PIPE)
        report.equal(server.stdout.readline(), b"serving\n", "the server is up")
        refusals(args, wire)
        bump = Bump(args, wire, folder)
        if report.check(bump.start(), "the bump is up", bump.said()):
            passes(wire, bump)
            kills(wire, bump, KILLS if args.all else KILLS_QUICK)
            if args.all:
                stands_still(wire, bump)
            ends(wire, bump)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        serve()
    elif sys.argv[1:2] == ["--send"]:
        send(float(sys.argv[2]))
    else:
        report.run(main)
