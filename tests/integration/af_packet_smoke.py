#!/usr/bin/env python3
"""Live over af_packet: real curl against a real server in network namespaces, what is seen equals a capture of the same run."""
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import netns  # noqa: E402
import pcap  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

BODY = 300000
# What does not depend on when a packet was seen.
STEADY = ("app", "sni", "alpn", "ja4", "ja4_o", "ja3", "ja4s", "ja3s", "ja4h", "ja4t", "ja4ts", "hdr_order", "packets_c", "packets_s",
          "payload_c", "payload_s", "seen")


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", str(BODY))
        self.end_headers()
        self.wfile.write(bytes(BODY))

    def log_message(self, *_):
        pass


def serve(folder):
    """Plain HTTP on 8080, TLS on 8443, until killed. Runs in the server's namespace."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
    plain, secure = (http.server.ThreadingHTTPServer(("10.9.0.2", port), Handler) for port in (8080, 8443))
    secure.socket = tls.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    with open(os.path.join(folder, "serving"), "w", encoding="ascii"):
        pass
    secure.serve_forever()


def sniff(interface, path):
    """A capture of all that passes, both directions, until SIGTERM."""
    tap = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    tap.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
    tap.bind((interface, 0))
    ended = []
    signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
    tap.settimeout(0.1)
    with open(path, "wb") as out:
        out.write(pcap.header(magic=pcap.LITTLE_NANO))
        out.flush()
        while True:
            try:
                data = tap.recv(1 << 17)
            except TimeoutError:
                if ended:
                    break
                continue
            now = time.time_ns()
            out.write(pcap.frame(now // 10**9, now % 10**9, data))


def flows(lines):
    """5-tuple to the steady values, of the flows of this test."""
    found = {}
    for line in lines:
        flow = json.loads(line)
        if flow.get("dport") in (8080, 8443):
            found[(flow["src"], flow["sport"], flow["dport"])] = {k: flow[k] for k in STEADY if k in flow}
    return found


class Run:
    """One pass: dataplane and sniffer on the server's interface, some downloads, a clean end."""

    def __init__(self, args, pair, folder, source=("--af-packet", "s0")):
        self.args, self.pair, self.folder, self.source = args, pair, folder, source
        self.tool, self.replay = programs.program(args, "seine-dataplane"), programs.program(args, "seine-replay")
        self.out, self.stats = os.path.join(folder, "live.jsonl"), os.path.join(folder, "live.json")
        self.socket, self.capture = os.path.join(folder, "admin.sock"), os.path.join(folder, "sniffed.pcap")
        self.errors = os.path.join(folder, "stderr")

    def fetch(self, count):
        secure = ["--insecure", "--resolve", "api.test:8443:10.9.0.2", "https://api.test:8443/v1/x"]
        for i in range(count):
            for target in (secure, ["http://10.9.0.2:8080/v1/y"]):
                got = self.pair.run(self.pair.client, ["curl", "--silent", "--show-error", "--output", os.devnull, "--max-time", "20", *target],
                                    capture_output=True, check=False)
                if got.returncode:
                    report.failed("curl %d" % i, got.stderr.decode(errors="replace"))

    def start_sniffer(self):
        return self.pair.start(self.pair.server, [sys.executable, "-B", os.path.abspath(__file__), "--sniff", "s0", self.capture])

    def live(self, workers, count, wrap=()):
        """Runs it; returns exit code, records and counters."""
        for path in (self.out, self.stats, self.capture):
            if os.path.exists(path):
                os.unlink(path)
        command = [*wrap, self.tool, *self.source, "--workers", str(workers), "--records", "jsonl:" + self.out, "--stats",
                   "json:" + self.stats, "--socket", self.socket]
        with open(self.errors, "wb") as errors:
            process = self.pair.start(self.pair.server, command, stderr=errors)
            if not netns.wait_for(lambda: netns.answers(self.socket) or process.poll() is not None) or process.poll() is not None:
                with open(self.errors, "rb") as said:
                    raise RuntimeError("seine-dataplane does not come up: %s" % said.read().decode(errors="replace"))
            sniffer = self.start_sniffer()
            netns.wait_for(lambda: os.path.exists(self.capture) and os.path.getsize(self.capture))
            self.fetch(count)
            self.status(workers)
            time.sleep(0.3)  # the last packets of the last connection
            sniffer.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGTERM)
            sniffer.wait()
            code = process.wait(timeout=60)
        with open(self.stats, encoding="utf-8") as fh:
            stats = json.load(fh)
        with open(self.out, "rb") as fh:
            return code, fh.read().splitlines(), stats

    def status(self, workers):
        tool = programs.program(self.args, "seinectl")
        if not tool:
            report.skipped("seinectl status", "seinectl is not built")
            return
        ran = programs.run([tool, "status", "--json", "--socket", self.socket])
        document = json.loads(ran.out) if ran.code == 0 else {}
        report.check(len(document.get("workers", [])) == workers and document.get("state") == "running",
                     "seinectl status while it runs", ran)

    def check(self, name, workers, count=6, wrap=()):
        code, lines, stats = self.live(workers, count, wrap)
        report.equal(code, 0, "%s: SIGTERM drains and ends with 0" % name)
        port, totals = stats["ports"][0], stats["totals"]
        report.equal(port["kernel_drops"], 0, "%s: the kernel lost nothing" % name)
        # The kernel's counter and ours are read one after the other: what arrives between is in one of them.
        late = port["kernel_packets"] - totals["packets"] - totals["handover_dropped"]
        report.check(-5 <= late <= 5, "%s: every packet the kernel saw was inspected" % name, "%d more seen than inspected" % late)
        report.equal(totals["records_dropped_ring_full"], 0, "%s: no record was lost" % name)
        seen = flows(lines)
        report.equal(len(seen), 2 * count, "%s: a record for every connection" % name)
        replayed = programs.run([self.replay, self.capture])
        wanted = {k: v for k, v in flows(replayed.out.splitlines()).items()}
        report.check(seen == wanted, "%s: the same as a capture of the same run" % name, difference(seen, wanted))
        report.check(all(f.get("ja4") or f.get("ja4h") or f.get("app") == "http1" for f in seen.values()),
                     "%s: each with its fingerprint" % name, list(seen.values())[:2])
        if workers > 1:
            busy = sum(1 for worker in stats["workers"] if worker["counters"]["packets"])
            report.check(busy == workers, "%s: every worker had flows" % name, "%d of %d" % (busy, workers))
            report.equal(totals["packets_taken_over"], totals["packets_handed_over"] - totals["handover_dropped"],
                         "%s: what one worker hands over another takes" % name)


def difference(seen, wanted):
    for key in sorted(set(seen) | set(wanted)):
        one, other = seen.get(key), wanted.get(key)
        if one != other:
            return "%s: live %s, captured %s" % (key, one, other)
    return ""


def make_certificate(folder):
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=api.test", "-keyout",
                           os.path.join(folder, "key.pem"), "-out", os.path.join(folder, "cert.pem")], capture_output=True, check=False)
    return made.returncode == 0


def reason_not_to(args, *tools):
    """Why this cannot be run here, or None."""
    reason = netns.reason_not_to()
    for tool in tools:
        reason = reason or (None if shutil.which(tool) else "needs %s" % tool)
    return reason or (None if programs.program(args, "seine-dataplane") else "seine-dataplane is not built")


def start_server(pair, folder):
    """The server in its namespace; whether it is up."""
    pair.start(pair.server, [sys.executable, "-B", os.path.abspath(__file__), "--serve", folder])
    return report.check(netns.wait_for(lambda: os.path.exists(os.path.join(folder, "serving"))), "the server is up")


def main():
    args = programs.arguments(__doc__)
    reason = reason_not_to(args, "curl", "openssl")
    if reason:
        report.skipped("af_packet in network namespaces", reason)
        return
    with tempfile.TemporaryDirectory(prefix="seine-netns-") as folder, netns.Pair() as pair:
        os.chmod(folder, 0o777)
        if not make_certificate(folder):
            report.skipped("af_packet in network namespaces", "openssl makes no certificate")
            return
        if not start_server(pair, folder):
            return
        run = Run(args, pair, folder)
        run.check("merged packets, 1 worker", 1)
        if not pair.offloads_off():
            report.skipped("packets as on the wire", "needs ethtool (apt-get install ethtool)")
            return
        run.check("1 worker", 1)
        run.check("2 workers", 2, count=12)
        if shutil.which("setpriv"):
            caps = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+net_raw,+net_admin",
                    "--ambient-caps=+net_raw,+net_admin")
            for path in (run.out, run.stats, run.socket):
                if os.path.exists(path):
                    os.unlink(path)
            run.check("unprivileged with two capabilities", 1, wrap=caps)


if __name__ == "__main__":
    if len(sys.argv) > 2 and sys.argv[1] == "--serve":
        serve(sys.argv[2])
    elif len(sys.argv) > 3 and sys.argv[1] == "--sniff":
        sniff(sys.argv[2], sys.argv[3])
    else:
        report.run(main)
