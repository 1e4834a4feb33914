#!/usr/bin/env python3
"""Real nginx and HAProxy in network namespaces, real clients with keys: accounts by log, syslog, inline, unique id and datagram."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import netns  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

SERVER = "10.9.0.2"
UPSTREAM = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "2"); self.end_headers(); self.wfile.write(b"ok")
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("127.0.0.1", 8081), Handler).serve_forever()
"""


class Rig:
    """Dataplane, control, gateways and clients in one folder."""

    def __init__(self, args, pair, folder):
        self.args, self.pair, self.folder = args, pair, folder
        self.ctl = programs.program(args, "seinectl")
        self.keys, self.socket = os.path.join(folder, "tag.keys"), os.path.join(folder, "control.sock")
        self.wanted = {}  # client port to key
        self.counts = {"nginx": 0, "haproxy": 0, "datagram": 0}
        self.control = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, source, name):
        """A shipped example with the words of this deployment."""
        gateway = os.path.join(programs.SOURCE, "tools", "gateway")
        with open(os.path.join(gateway, source), encoding="utf-8") as fh:
            text = fh.read()
        for word, value in (("folder", self.folder), ("seine_log", os.path.join(gateway, "nginx", "seine_log.conf")), ("address", SERVER),
                            ("upstream", "127.0.0.1:8081")):
            text = text.replace("@%s@" % word, value)
        with open(self.path(name), "w", encoding="utf-8") as fh:
            fh.write(text)
        return self.path(name)

    def start(self):
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=api.test", "-keyout",
                        self.path("key.pem"), "-out", self.path("cert.pem")], capture_output=True, check=True)
        with open(self.path("both.pem"), "wb") as both:
            for part in ("cert.pem", "key.pem"):
                with open(self.path(part), "rb") as fh:
                    both.write(fh.read())
        for words in (("account", "key", "new"), ("account", "key", "mac", "3", self.path("mac.key")),
                      ("account", "key", "export", self.path("hash.key"))):
            ran = programs.run([self.ctl, *words, "--keys", self.keys])
            report.check(ran.code == 0, "seinectl " + " ".join(words[:3]), ran)
        subprocess.run(["gcc", "-std=c11", "-O1", "-D_GNU_SOURCE", "-DSEINE_ACCOUNT_PROGRAM", "-o", self.path("client"),
                        os.path.join(programs.SOURCE, "tools", "gateway", "seine_account.c"), "-lcrypto"], check=True)
        sources = ["nginx-file file %s format=nginx gateway=1 from=start" % self.path("seine.log"),
                   "nginx-syslog syslog-unix %s format=nginx gateway=2 mode=0666" % self.path("nginx.sock"),
                   "haproxy syslog-unix %s format=haproxy gateway=3 mode=0666" % self.path("haproxy.sock"),
                   "records unix %s mode=0666" % self.path("account.sock"), "inline inline - gateway=5"]
        with open(self.path("control.toml"), "w", encoding="utf-8") as fh:
            fh.write("rings = %s\nsocket = %s\ntag-keys = %s\naccount-sources = %s\n[store]\nfolder = %s\n" % tuple(
                map(json.dumps, ([self.path("flows.ring")], self.socket, self.keys, sources, self.path("state")))))
        with open(self.path("control.log"), "wb") as errors:
            self.control = subprocess.Popen([programs.program(self.args, "seine-control"), "--config", self.path("control.toml")],
                                            stderr=errors)
            self.pair.started.append(self.control)
        report.check(netns.wait_for(lambda: os.path.exists(self.path("nginx.sock")) and self.ask("status"), 60), "seine-control is up",
                     self.tail("control.log"))
        with open(self.path("gateways.log"), "wb") as errors:
            inside = lambda *command: self.pair.start(self.pair.server, list(command), stderr=errors, stdout=errors)  # noqa: E731
            self.dataplane = inside(programs.program(self.args, "seine-dataplane"), "--af-packet", "s0", "--af-packet", "lo", "--records",
                                    "ring:" + self.path("flows.ring"), "--hash-key-file", self.path("hash.key"), "--socket",
                                    self.path("admin.sock"))
            up = netns.wait_for(lambda: netns.answers(self.path("admin.sock")), 40)
            report.check(up, "seine-dataplane is up", self.tail("gateways.log"))
            inside(sys.executable, "-c", UPSTREAM)
            self.nginx = inside("nginx", "-c", self.write("nginx/example.conf", "nginx.conf"))
            inside("haproxy", "-f", self.write("haproxy/example.cfg", "haproxy.cfg"))
        for port in (8081, 443, 8443, 10443):
            report.check(netns.wait_for(lambda: self.listens(port), 60), "port %d is listened on" % port, self.tail("gateways.log"))

    def listens(self, port):
        """Whether something in the servers' namespace listens at the TCP port."""
        ran = self.pair.run(self.pair.server, ["ss", "-Hltn", "sport = :%d" % port], capture_output=True, check=False)
        return bool(ran.stdout.strip())

    def tail(self, name):
        with open(self.path(name), "rb") as fh:
            return fh.read()[-600:].decode("utf-8", "replace")

    def ask(self, *words):
        ran = programs.run([self.ctl, *words, "--json", "--socket", self.socket])
        return json.loads(ran.out) if ran.code == 0 else None

    def fetch(self, port, key, header, *options, requests=1):
        """One connection of curl; remembers whose it is."""
        url = "https://api.test:%d/v1/x" % port
        command = ["curl", "--silent", "--show-error", "--insecure", "--max-time", "20", "--resolve", "api.test:%d:%s" % (port, SERVER),
                   "--header", header % key, "--write-out", "%{local_port} %{http_code}\n", *options]
        for _ in range(requests):
            command += ["--output", os.devnull, url]
        got = self.pair.run(self.pair.client, command, capture_output=True, check=False)
        answers = [line.split() for line in got.stdout.decode().splitlines() if line]
        fine = got.returncode == 0 and len(answers) == requests and len({a[0] for a in answers}) == 1
        report.check(fine and all(a[1] == "200" for a in answers), "curl to %d with %s, %d requests" % (port, " ".join(options), requests),
                     got.stderr.decode("utf-8", "replace") + got.stdout.decode("utf-8", "replace"))
        if fine:
            self.wanted[int(answers[0][0])] = key
        return int(answers[0][0]) if fine else 0

    def tag_of(self, key):
        ran = subprocess.run([self.ctl, "account", "tag", "--key", "--keys", self.keys], input=key.encode(), capture_output=True,
                             check=False)
        return ran.stdout.decode().strip()

    def clients(self):
        number = 0
        for options in (("--tls-max", "1.2", "--http1.1"), ("--tlsv1.3", "--http1.1"), ("--tlsv1.3", "--http2"), ("--tls-max", "1.2", "--http2")):
            for requests in (1, 3):
                for header in ("x-api-key: %s", "Authorization: Bearer %s"):
                    number += 1
                    self.fetch(443, "sk-live-nginx-%d" % number, header, *options, requests=requests)
                    self.counts["nginx"] += requests
        for port in (8443, 10443):
            for options in (("--tls-max", "1.2", "--http1.1"), ("--tlsv1.3", "--http2")):
                number += 1
                self.fetch(port, "sk-live-haproxy-%d" % number, "x-api-key: %s", *options, requests=2)
                self.counts["haproxy"] += 2

    def datagrams(self):
        """A gateway that tells by the C client: with and without MAC, and forged."""
        lines = []
        for number in range(4):
            key = "sk-live-datagram-%d" % number
            # No key on the wire: the gateway knows the account by other means.
            port = self.fetch(443, "", "x-other: 1%s", "--tlsv1.3")
            self.wanted[port] = key
            lines.append("10.9.0.1 %d %s 443 %s %d" % (port, SERVER, self.tag_of(key), time.time_ns() // 1000))
        for target, mac, number, part in (("unix:" + self.path("account.sock"), "-", "0", lines[:2]),
                                          ("unix:" + self.path("account.sock"), self.path("mac.key"), "3", lines[2:]),
                                          ("unix:" + self.path("account.sock"), self.path("hash.key"), "3", lines[:1])):
            ran = subprocess.run([self.path("client"), target, "7", mac, number], input="\n".join(part).encode() + b"\n", check=False)
            report.equal(ran.returncode, 0, "the C client sends with MAC key " + number)
        self.counts["datagram"] = 4

    def accounts_by_port(self):
        """Client port to accounts, of flows that are stored: those that have ended, as of the last commit."""
        seen = {}
        for flow in (self.ask("flow", "list", "--limit", "10000") or {"flows": []})["flows"]:
            if flow["record"]["src"] == "10.9.0.1":
                seen.setdefault(flow["record"]["sport"], set()).update(flow["accounts"])
        return seen

    def check(self):
        total = self.counts["nginx"] * 3 + self.counts["haproxy"] * 2 + self.counts["datagram"]

        def done():
            join = (self.ask("status") or {}).get("join", {})
            return join.get("records", 0) >= total and not join.get("pending", 1)
        report.check(netns.wait_for(done, 45), "all that the sources say is judged", (self.ask("status") or {}).get("join"))
        # A connection is listed once it has ended and a commit was made, which takes its time on a busy machine.
        tags = {port: self.tag_of(key) for port, key in self.wanted.items()}
        netns.wait_for(lambda: all(tags[port] in self.accounts_by_port().get(port, set()) for port in tags), 90)
        sources = {s["name"]: s for s in self.ask("account", "source", "list")["sources"]}
        report.equal(sources["nginx-file"]["records"], self.counts["nginx"], "a record for each request by the log file")
        report.equal(sources["nginx-syslog"]["records"], self.counts["nginx"], "and by syslog")
        report.equal(sources["haproxy"]["records"], self.counts["haproxy"], "and by HAProxy's syslog")
        report.equal(sources["inline"]["records"], self.counts["nginx"] + self.counts["haproxy"], "and inline")
        report.equal((sources["records"]["records"], sources["records"]["forged"]), (4, 1), "records by datagram, a forged one refused")
        seen = self.accounts_by_port()
        wrong, missing = [], []
        for port, key in sorted(self.wanted.items()):
            want = tags[port]
            have = seen.get(port, set())
            missing += [(key, port, sorted(have) if port in seen else "not listed")] if want not in have else []
            wrong += [key] if have - {want} else []
        print("  %d connections of clients: joined %d, wrong %d, missing %d" % (
            len(self.wanted), len(self.wanted) - len(missing), len(wrong), len(missing)))
        report.equal(missing, [], "every connection has its account")
        report.equal(wrong, [], "none has another")
        join = self.ask("status")["join"]
        report.equal((join["records_unmatched"], join["records_ambiguous"], join["records_off_time"]), (0, 0, 0), "no record went nowhere")
        report.check(join["joined_by_id"] > 0, "records were joined by the unique id of PROXY v2", join)


def main():
    args = programs.arguments(__doc__)
    reason = netns.reason_not_to()
    for tool in ("nginx", "haproxy", "curl", "openssl", "gcc"):
        reason = reason or (None if shutil.which(tool) else "needs %s" % tool)
    if reason:
        report.skipped("gateways in network namespaces", reason)
        return
    with tempfile.TemporaryDirectory(prefix="seine-gateway-") as folder, netns.Pair() as pair:
        os.chmod(folder, 0o777)
        rig = Rig(args, pair, folder)
        try:
            rig.start()
            rig.clients()
            rig.datagrams()
            rig.check()
        finally:
            rig.nginx.send_signal(signal.SIGQUIT)
        rig.dataplane.send_signal(signal.SIGTERM)
        report.equal(rig.dataplane.wait(timeout=60), 0, "seine-dataplane ends with 0")
        rig.control.send_signal(signal.SIGTERM)
        report.equal(rig.control.wait(timeout=60), 0, "seine-control ends with 0")


report.run(main)
