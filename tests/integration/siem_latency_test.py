"""How long an alert takes from the dataplane's ring to the other end of syslog over TLS while flows come at a rate: the clock of a finding is read as
it goes into the ring, and again where its message is received. Figures, and no bound but that everything arrives (soak `exports`).
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
import programs  # noqa: E402
import receivers  # noqa: E402
import report  # noqa: E402

END = re.compile(rb" end=(\d+) ")


class TlsSink:
    """Takes octet-counted messages and notes when each came."""

    def __init__(self, certs):
        self.delays_ms, self.numbers = [], set()
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
        at, number = END.search(message), receivers.NUMBER.search(message)
        if at and number:
            self.delays_ms.append(now_ms - int(at.group(1)))
            self.numbers.add(int(number.group(1)))


def quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))]


def main():
    args = programs.arguments(__doc__, ("--flows", {"type": int, "default": 100000}), ("--findings", {"type": int, "default": 100}),
                              ("--seconds", {"type": int, "default": 20}), ("--out", {"default": ""}))
    folder = tempfile.mkdtemp(prefix="seine-latency-")
    daemon = control.Control(args, folder)
    try:
        certs = receivers.Certificates(os.path.join(folder, "certs"))
        sink = TlsSink(certs)
        with open(os.path.join(folder, "export.toml"), "w", encoding="ascii") as fh:
            fh.write('[[export]]\nname = "soc"\ncarrier = "syslog-tls"\nhost = "127.0.0.1"\nport = %d\nformat = "cef"\nca_file = "%s"\n' % (
                sink.port, certs.path("ca.pem")))
        report.check(daemon.start(60), "control starts", daemon.log())
        for words in (("config", "load", os.path.join(folder, "export.toml")), ("config", "commit")):
            ran = daemon.ctl(*words)
            report.check(ran.code == 0, "seinectl %s" % " ".join(words[:2]), "%s %s" % (ran, ran.out))
        ran = programs.run([programs.program(args, "seine-test-alerts"), daemon.ring, "512", str(args.flows), str(args.findings), str(args.seconds)],
                           timeout_s=args.seconds * 5 + 60)
        written = json.loads(ran.out)
        for _ in range(600):
            if len(sink.numbers) >= written["findings"]:
                break
            time.sleep(0.1)
        ring = daemon.ask("status")["rings"][0]
        cpu = subprocess.run(["ps", "-o", "cputimes=", "-p", str(daemon.process.pid)], stdout=subprocess.PIPE, check=False).stdout.strip()
        report.equal(len(sink.numbers), written["findings"], "every finding arrived")
        delays = sorted(sink.delays_ms)
        row = {"flows_a_second": args.flows, "seconds": args.seconds, "written": written, "flows_not_had": ring["lost"] + ring["dropped_ring_full"],
               "alerts": len(delays), "control_cpu_s": int(cpu or 0), "load_average": os.getloadavg()[0]}
        for name, share in (("p50_ms", 0.5), ("p99_ms", 0.99), ("most_ms", 1.0)):
            row[name] = round(quantile(delays, share), 1)
        print(json.dumps(row))
        if args.out:
            with open(args.out, "w", encoding="utf-8") as fh:
                json.dump(row, fh)
    finally:
        daemon.end()
        shutil.rmtree(folder, ignore_errors=True)


report.run(main)
