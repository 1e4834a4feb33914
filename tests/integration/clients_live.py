#!/usr/bin/env python3
"""Real clients (curl, Python, Node, Chromium) against a real nginx: what is seen live equals a tcpdump of the same run, flow by flow."""
import collections
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import af_packet_smoke as live  # noqa: E402
import af_xdp_smoke as mirror  # noqa: E402
import netns  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

SECURE, PLAIN = "https://api.test:8443/v1/x", "http://10.9.0.2:8080/v1/y"
NGINX = """
daemon off; master_process off; pid %(folder)s/nginx.pid; error_log %(folder)s/nginx.err;
events { worker_connections 512; }
http {
  access_log off; client_body_temp_path %(folder)s/t1; proxy_temp_path %(folder)s/t2; fastcgi_temp_path %(folder)s/t3;
  uwsgi_temp_path %(folder)s/t4; scgi_temp_path %(folder)s/t5; types { text/html html; } default_type text/html;
  server { listen 10.9.0.2:8080; root %(folder)s/www; }
  server { listen 10.9.0.2:8443 ssl http2; root %(folder)s/www; ssl_certificate %(folder)s/cert.pem;
           ssl_certificate_key %(folder)s/key.pem; ssl_protocols TLSv1.2 TLSv1.3; }
}
"""
PYTHON = """
import http.client, ssl
context = ssl.create_default_context(); context.check_hostname = False; context.verify_mode = ssl.CERT_NONE
context.set_alpn_protocols(["http/1.1"])
for _ in range(2):
    link = http.client.HTTPSConnection("10.9.0.2", 8443, context=context, timeout=20)
    for _ in range(3):
        link.request("GET", "/v1/x"); assert len(link.getresponse().read()) > 100000
    link.close()
"""
NODE = """
const https = require('https'), http2 = require('http2');
https.get({host: '10.9.0.2', port: 8443, path: '/v1/x', servername: 'api.test', rejectUnauthorized: false}, (r) => { r.resume(); r.on('end', () => {
  const session = http2.connect('https://10.9.0.2:8443', {servername: 'api.test', rejectUnauthorized: false});
  const ask = session.request({':path': '/v1/x'}); ask.resume(); ask.on('end', () => session.close()); ask.end(); }); });
"""
CHROMIUM = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--no-first-run", "--ignore-certificate-errors", "--host-resolver-rules=MAP api.test 10.9.0.2", "--dump-dom")


def tool(*names):
    return next((path for path in map(shutil.which, names) if path), None)


class ClientsRun(live.Run):
    """One pass with every client that is installed; the same run goes to a tcpdump."""

    def start_sniffer(self):
        return self.pair.start(self.pair.server, ["tcpdump", "-i", "s0", "-B", "65536", "-U", "-Z", "root", "-s", "0", "-w", self.capture],
                               stderr=subprocess.DEVNULL)

    def client(self, name, command, timeout_s=120):
        got = programs.run(self.pair.inside(self.pair.client, command), timeout_s=timeout_s)
        report.check(got.code == 0, "%s talks to nginx" % name, got)

    def fetch(self, count):
        curl = ["curl", "--silent", "--show-error", "--insecure", "--max-time", "30", "--resolve", "api.test:8443:10.9.0.2", "--output", os.devnull]
        for _ in range(count):
            self.client("curl, h2", [*curl, SECURE])
            self.client("curl, h1", [*curl, "--http1.1", SECURE])
            self.client("curl, TLS 1.2", [*curl, "--tls-max", "1.2", SECURE])
            self.client("curl, clear", [*curl, PLAIN])
            self.client("Python", [sys.executable, "-c", PYTHON])
            if tool("node", "nodejs"):
                self.client("Node", [tool("node", "nodejs"), "-e", NODE])
            if tool("chromium", "chromium-browser"):
                profile = tempfile.mkdtemp(dir=self.folder, prefix="profile")
                self.client("Chromium", [tool("chromium", "chromium-browser"), *CHROMIUM, "--user-data-dir=" + profile, SECURE])
                shutil.rmtree(profile, ignore_errors=True)

    def compare(self, name, workers, count):
        """The losses counted on the way, the records of the run and of its capture."""
        code, lines, stats = self.live(workers, count)
        report.equal(code, 0, "%s: SIGTERM drains and ends with 0" % name)
        port, totals = stats["ports"][0], stats["totals"]
        lost = port["kernel_drops"] + totals["handover_dropped"]
        report.equal(totals["records_dropped_ring_full"], 0, "%s: no record was lost" % name)
        seen, wanted = live.flows(lines), live.flows(programs.run([self.replay, self.capture]).out.splitlines())
        prints = collections.Counter(flow["ja4"] for flow in wanted.values() if "ja4" in flow)
        print("%s: %d flows, %d with a hello, %d different JA4; frames lost by the counters: %d" %
              (name, len(wanted), sum(prints.values()), len(prints), lost))
        for ja4, times in sorted(prints.items()):
            print("  %s %d" % (ja4, times))
        report.check(len(prints) >= 4 and sum(prints.values()) >= 6 * count, "%s: clients of several kinds were there" % name, prints)
        return lost, seen, wanted, stats

    def check_all(self, name, workers, count):
        """Nothing may be missing: af_packet with a large ring loses nothing at this rate."""
        lost, seen, wanted, stats = self.compare(name, workers, count)
        report.equal(lost, 0, "%s: no frame was lost" % name)
        report.check(seen == wanted, "%s: every flow equals the tcpdump's, JA4 and the rest" % name, live.difference(seen, wanted))
        if workers > 1:
            busy = sum(1 for worker in stats["workers"] if worker["counters"]["packets"])
            report.equal(busy, workers, "%s: every worker had flows" % name)

    def check_mirror(self, name, workers, count):
        """A flow may differ only for frames that the counters name."""
        lost, seen, wanted, stats = self.compare(name, workers, count)
        port, xdp = stats["ports"][0], stats["xdp"]
        late = xdp["xdp_steered"] - port["ipackets"] - port["kernel_drops"]
        report.check(0 <= late <= 5, "%s: every steered frame is received or counted as lost" % name, "%d more steered than that" % late)
        hellos = sum("ja4" in flow for flow in wanted.values())
        missing = [key for key, flow in wanted.items() if "ja4" in flow and seen.get(key, {}).get("ja4") is None]
        wrong = [key for key in wanted if key in seen and seen[key].get("ja4") not in (None, wanted[key].get("ja4"))]
        print("%s: %d of %d hellos arrived; %d did not, with %d frames counted as lost" %
              (name, hellos - len(missing), hellos, len(missing), lost + late))
        report.check(not wrong, "%s: every JA4 equals the tcpdump's" % name, wrong)
        report.check(len(missing) <= lost + late, "%s: no hello is missing without a counted frame" % name, missing)


def start_nginx(pair, folder):
    os.makedirs(os.path.join(folder, "www", "v1"))
    for name in ("x", "y"):
        with open(os.path.join(folder, "www", "v1", name), "w", encoding="ascii") as fh:
            fh.write("<html><body>%s</body></html>\n" % ("seine " * 40000))
    with open(os.path.join(folder, "nginx.conf"), "w", encoding="ascii") as fh:
        fh.write(NGINX % {"folder": folder})
    process = pair.start(pair.server, ["nginx", "-c", os.path.join(folder, "nginx.conf"), "-e", os.path.join(folder, "nginx.err")],
                         stderr=subprocess.DEVNULL)
    up = netns.wait_for(lambda: pair.run(pair.client, ["curl", "-s", "-o", os.devnull, "--max-time", "2", PLAIN], check=False).returncode == 0)
    why = ""
    if not up and os.path.exists(os.path.join(folder, "nginx.err")):
        with open(os.path.join(folder, "nginx.err"), encoding="utf-8", errors="replace") as fh:
            why = fh.read()[-500:]
    report.check(up and process.poll() is None, "nginx is up", why)
    return up


def main():
    args = programs.arguments(__doc__, ("--rounds", {"type": int, "default": 2}))
    reason = live.reason_not_to(args, "curl", "openssl", "nginx", "tcpdump", "ethtool", "tc", "sysctl")
    if reason:
        report.skipped("real clients in network namespaces", reason)
        return
    for name, found in (("Node", tool("node", "nodejs")), ("Chromium", tool("chromium", "chromium-browser"))):
        if not found:
            report.skipped("%s as a client" % name, "not installed (tools/setup clients)")
    with tempfile.TemporaryDirectory(prefix="seine-clients-") as folder, netns.Pair() as pair:
        os.chmod(folder, 0o755)
        pair.offloads_off()
        if not live.make_certificate(folder) or not start_nginx(pair, folder):
            report.failed("real clients in network namespaces", "no server")
            return
        run = ClientsRun(args, pair, folder)
        run.check_all("af_packet, 1 queue", 1, args.rounds)
        run.check_all("af_packet, 2 queues", 2, args.rounds)
        reason = mirror.make_mirror(pair)
        if reason:
            report.skipped("af_xdp on a mirror port", reason)
            return
        run.source = ("--af-xdp", "m1")
        run.check_mirror("af_xdp, 1 worker", 1, args.rounds)
        run.check_mirror("af_xdp, 2 workers", 2, args.rounds)


if __name__ == "__main__":
    report.run(main)
