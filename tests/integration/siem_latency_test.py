"""How long an alert takes to the other end of syslog over TLS while flows come at a rate, from two places: from the dataplane's ring, by the clock of
a finding as it goes in there; and from the packet, by requests whose User-Agent is the time they are sent at, through a veth pair that a seine-dataplane
with a rule for them listens on. Everything arrives, and with --most-ms the 99th percentile of both is no more than that (soak `exports`: 1000).
"""
import json
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import netns  # noqa: E402
import programs  # noqa: E402
import receivers  # noqa: E402
import report  # noqa: E402

END = re.compile(rb" end=(\d+) ")
PROBE = re.compile(rb"=probe/(\d+)")  # nanoseconds
RULE = """[[rule]]
id = "probe-agent"
title = "The agent of the probe"
class = "scanner"
field = "http.user_agent"
prefix = "probe/"
limit = { per_rule = "off", per_source = "off" }
[[rule.match]]
http.user_agent = "probe/1"
[[rule.no_match]]
http.user_agent = "curl/8"
"""
SERVER = """import socket
listener = socket.create_server(("10.9.0.2", 8080), backlog=64)
while True:
    one, _ = listener.accept()
    with one:
        one.recv(4096)
        one.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n")
"""
CLIENT = """import socket, sys, time
begun = time.monotonic()
for n in range(int(sys.argv[1]) * 20):
    time.sleep(max(0, begun + n / 20 - time.monotonic()))
    with socket.create_connection(("10.9.0.2", 8080), 10) as one:
        one.sendall(b"GET /%d HTTP/1.1\\r\\nHost: probe\\r\\nUser-Agent: probe/%d\\r\\n\\r\\n" % (n, time.time_ns()))
        one.recv(4096)
print(n + 1)
"""


class TlsSink:
    """Takes octet-counted messages and notes when each came."""

    def __init__(self, certs):
        self.delays_ms, self.numbers = [], set()
        self.probes_ms = {}  # by the time a probe was sent at
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(4)
        self.port = self.listener.getsockname()[1]
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certs.path("server.pem"), certs.path("server.key"))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            one, _ = self.listener.accept()
            with self.context.wrap_socket(one, server_side=True) as stream:
                self.take(stream)

    def take(self, stream):
        data = b""
        while True:
            try:
                got = stream.recv(1 << 16)
            except OSError:
                return
            if not got:
                return
            now_ms = time.time() * 1000
            data += got
            while True:
                blank = data.find(b" ")
                if blank < 0 or len(data) < blank + 1 + int(data[:blank]):
                    break
                end = blank + 1 + int(data[:blank])
                self.message(data[blank + 1:end], now_ms)
                data = data[end:]

    def message(self, message, now_ms):
        probe = PROBE.search(message)
        if probe:
            self.probes_ms.setdefault(int(probe.group(1)), now_ms - int(probe.group(1)) / 1e6)
            return
        at, number = END.search(message), receivers.NUMBER.search(message)
        if at and number:
            self.delays_ms.append(now_ms - int(at.group(1)))
            self.numbers.add(int(number.group(1)))


class Line:
    """A dataplane on one end of a veth pair, and probes through it."""

    def __init__(self, args, folder):
        self.args, self.ring, self.pair, self.client = args, os.path.join(folder, "line.ring"), netns.Pair(), None
        self.log = os.path.join(folder, "line.log")
        os.makedirs(os.path.join(folder, "rules", "own"))
        with open(os.path.join(folder, "rules", "own", "probe.toml"), "w", encoding="ascii") as fh:
            fh.write(RULE)
        self.rules, self.socket = os.path.join(folder, "rules"), os.path.join(folder, "line.sock")

    def start(self):
        self.pair.__enter__()
        with open(self.log, "wb") as log:
            self.pair.start(self.pair.server, [programs.program(self.args, "seine-dataplane"), "--af-packet", "s0", "--records", "ring:" + self.ring,
                                               "--signatures", self.rules, "--socket", self.socket, "--dataplane-id", "2"],
                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pair.start(self.pair.server, [sys.executable, "-c", SERVER], stdin=subprocess.DEVNULL)
        return netns.wait_for(lambda: netns.answers(self.socket), 60)

    def probe(self, seconds):
        self.client = self.pair.start(self.pair.client, [sys.executable, "-c", CLIENT, str(seconds)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)

    def sent(self):
        out, _ = self.client.communicate(timeout=120)
        return int(out or 0)

    def end(self):
        self.pair.__exit__()


def figures(delays):
    delays = sorted(delays)
    return {name: round(delays[min(len(delays) - 1, int(share * len(delays)))], 1) for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("most_ms", 1.0))
            if delays}


def main():
    args = programs.arguments(__doc__, ("--flows", {"type": int, "default": 100000}), ("--findings", {"type": int, "default": 100}),
                              ("--seconds", {"type": int, "default": 20}), ("--most-ms", {"type": int, "default": 0}), ("--out", {"default": ""}))
    folder = tempfile.mkdtemp(prefix="seine-latency-")
    line = None
    if netns.reason_not_to() is None:
        line = Line(args, folder)
    else:
        report.skipped("from the packet", netns.reason_not_to())
    daemon = control.Control(args, folder, more_rings=[line.ring] if line is not None else [])
    try:
        if line is not None:
            report.check(line.start(), "the dataplane listens", open(line.log, encoding="utf-8", errors="replace").read()[-400:])
        certs = receivers.Certificates(os.path.join(folder, "certs"))
        sink = TlsSink(certs)
        with open(os.path.join(folder, "export.toml"), "w", encoding="ascii") as fh:
            fh.write('[[export]]\nname = "soc"\ncarrier = "syslog-tls"\nhost = "127.0.0.1"\nport = %d\nformat = "cef"\nca_file = "%s"\n' % (
                sink.port, certs.path("ca.pem")))
        report.check(daemon.start(60), "control starts", daemon.log())
        for words in (("config", "load", os.path.join(folder, "export.toml")), ("config", "commit")):
            ran = daemon.ctl(*words)
            report.check(ran.code == 0, "seinectl %s" % " ".join(words[:2]), "%s %s" % (ran, ran.out))
        if line is not None:
            line.probe(args.seconds)
        ran = programs.run([programs.program(args, "seine-test-alerts"), daemon.ring, "512", str(args.flows), str(args.findings), str(args.seconds)],
                           timeout_s=args.seconds * 5 + 60)
        written = json.loads(ran.out)
        probes = line.sent() if line is not None else 0
        for _ in range(600):
            if len(sink.numbers) >= written["findings"] and len(sink.probes_ms) >= probes:
                break
            time.sleep(0.1)
        ring = daemon.ask("status")["rings"][0]
        cpu = subprocess.run(["ps", "-o", "cputimes=", "-p", str(daemon.process.pid)], stdout=subprocess.PIPE, check=False).stdout.strip()
        report.equal((len(sink.numbers), len(sink.probes_ms)), (written["findings"], probes), "every finding arrived")
        row = {"flows_a_second": args.flows, "seconds": args.seconds, "written": written, "flows_not_had": ring["lost"] + ring["dropped_ring_full"],
               "control_cpu_s": int(cpu or 0), "load_average": os.getloadavg()[0], "from the ring": dict(figures(sink.delays_ms), alerts=len(sink.delays_ms)),
               "from the packet": dict(figures(sink.probes_ms.values()), alerts=len(sink.probes_ms))}
        print(json.dumps(row))
        for place in ("from the packet", "from the ring"):
            if args.most_ms and row[place]["alerts"]:
                report.check(row[place]["p99_ms"] <= args.most_ms, "%s: 99th percentile %.1f ms of %d at most, at %d flows/s (%d of %d had no room)" % (
                    place, row[place]["p99_ms"], args.most_ms, args.flows, row["flows_not_had"], args.flows * args.seconds))
        if args.out:
            with open(args.out, "w", encoding="utf-8") as fh:
                json.dump(row, fh)
    finally:
        if line is not None:
            line.end()
        daemon.end()
        shutil.rmtree(folder, ignore_errors=True)


report.run(main)
