"""Real receivers: what was acknowledged arrived, what was not is sent again, and faults are named.

With --count it is the soak: so many events each, and a table with --out.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import receivers  # noqa: E402
import report  # noqa: E402

TABLE = []


class Driver:
    def __init__(self, program, folder):
        self.program, self.folder, self.runs = program, folder, 0

    def command(self, box, count, **keys):
        return [self.program, os.path.join(self.folder, box), str(count)] + ["%s=%s" % item for item in keys.items()]

    def run(self, box, count, timeout_s=900, **keys):
        ran = programs.run(self.command(box, count, **keys), timeout_s=timeout_s)
        try:
            return json.loads(ran.out.decode("utf-8", "replace").strip().splitlines()[-1]), ran
        except (IndexError, ValueError):
            return {}, ran


def verdict(name, said, ran, seen, count, duplicates_allowed, at_most_lost=0):
    """Checks one receiver: everything acknowledged, everything there, no more than once where that is promised."""
    missing = sum(1 for n in range(count) if n not in seen)
    doubles = sum(n - 1 for n in seen.values())
    # Beside the driver's events there are those that say that the destination was down.
    report.check(said.get("acknowledged", 0) >= count and said.get("waiting") == 0 and ran.code == 0, "%s: all acknowledged" % name, "%s %s" % (said, ran))
    report.check(missing <= at_most_lost, "%s: all arrived" % name, "%d of %d missing" % (missing, count))
    report.check(duplicates_allowed or doubles == 0, "%s: none twice" % name, "%d duplicates" % doubles)
    TABLE.append({"receiver": name, "sent": count, "arrived": len(seen), "missing": missing, "duplicates": doubles,
                  "failed_deliveries": said.get("failed"), "cpu_s": said.get("cpu"), "wall_s": said.get("wall")})


def file_receiver(driver, folder, count):
    path = os.path.join(folder, "events.json")
    said, ran = driver.run("file", count, carrier="file", path=path, format="ecs", budget=1 << 33)
    verdict("file", said, ran, receivers.numbers_of_file(path), count, False)


def syslog(driver, folder, certs, count):
    if shutil.which("rsyslogd") is None:
        report.skipped("rsyslog", "rsyslog is not installed")
        return
    tls = {"ca": certs.path("ca.pem"), "cert": certs.path("client.pem"), "key": certs.path("client.key")}
    for kind, fmt in (("udp", "cef"), ("tcp", "leef"), ("tls", "cef"), ("relp", "sd")):
        server = receivers.Rsyslog(folder, kind, certs if kind == "tls" else None).start()
        carrier = "relp" if kind == "relp" else "syslog-" + kind
        keys = dict(carrier=carrier, host="127.0.0.1", port=server.port, format=fmt, budget=1 << 33, **(tls if kind == "tls" else {}))
        if kind == "udp":
            keys["rate"] = 5000
        n = min(count, 20000) if kind == "udp" else count
        said, ran = driver.run(kind, n, **keys)
        time.sleep(1)
        # The stop lets rsyslog write what it has; datagrams may be lost by their nature.
        server.stop()
        verdict("rsyslog " + kind, said, ran, receivers.numbers_of_file(server.out), n, kind == "relp", n if kind == "udp" else 0)
    faults_of_tls(driver, folder, certs)


def faults_of_tls(driver, folder, certs):
    server = receivers.Rsyslog(folder, "tls", certs).start()
    os.path.exists(server.out) and os.unlink(server.out)
    base = dict(carrier="syslog-tls", host="127.0.0.1", port=server.port, format="cef", drain=3000)
    said, _ = driver.run("nocert", 50, ca=certs.path("ca.pem"), **base)
    report.check(said.get("acknowledged") == 0 and not said.get("up", True), "no client certificate: nothing counts as sent, and it says so", said)
    said, _ = driver.run("stranger", 50, ca=certs.path("stranger.pem"), cert=certs.path("client.pem"), key=certs.path("client.key"), **base)
    report.check(said.get("acknowledged") == 0 and "certificate" in said.get("error", ""), "another authority: refused and named", said)
    said, _ = driver.run("wrongname", 50, ca=certs.path("ca.pem"), cert=certs.path("client.pem"), key=certs.path("client.key"), name="other.example", **base)
    report.check(said.get("acknowledged") == 0 and "ostname" in said.get("error", ""), "another name: refused and named", said)
    server.stop()
    report.equal(receivers.numbers_of_file(server.out), {}, "none of these reached rsyslog")


def https(driver, certs, count):
    for carrier, fmt in (("hec", "ecs"), ("bulk", "ecs"), ("webhook", "ocsf")):
        sink = receivers.Sink(certs, lose=3, busy=5)
        fast = 1 if count < 100000 else 0
        said, ran = driver.run(carrier, count, carrier=carrier, url=sink.url, secret="0123-token", ca=certs.path("ca.pem"), format=fmt, timeout=2000,
                               budget=1 << 33, drain=120000 if fast else 1800000, timeout_s=2400)
        if carrier == "webhook":
            # OCSF has the title in findings alone; the numbers are looked for in what has them.
            report.check(said.get("acknowledged", 0) >= count and said.get("waiting") == 0, "webhook: all acknowledged", said)
        else:
            verdict(carrier, said, ran, sink.taken, count, carrier != "bulk")
        report.check(sink.lost > 0 and sink.requests > 1, "%s: answers were lost on purpose" % carrier, "%d of %d" % (sink.lost, sink.requests))
        report.check("0123-token" not in ran.err.decode() + ran.out.decode(), "%s: the token is not printed" % carrier)
        sink.close()
    sink = receivers.Sink(certs, cert="expired")
    said, _ = driver.run("expired", 50, carrier="hec", url=sink.url, secret="t", ca=certs.path("ca.pem"), drain=2000)
    report.check(said.get("acknowledged") == 0 and "expired" in said.get("error", ""), "expired certificate: refused and named", said)
    sink.close()


def kafka(driver, args, folder, count):
    mock = programs.program(args, "seine-test-kafka")
    out = os.path.join(folder, "kafka.txt")
    with open(out, "wb") as fh:
        process = subprocess.Popen([mock, "seine"], stdout=fh, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        brokers = ""
        for _ in range(100):
            time.sleep(0.1)
            first = open(out, encoding="utf-8", errors="replace").readline()
            if first.startswith("brokers ") and first.endswith("\n"):
                brokers = first.split()[1]
                break
        # The mock trims its log: the soak keeps below what it holds.
        n = min(count, 20000)
        said, ran = driver.run("kafka", n, carrier="kafka", brokers=brokers, topic="seine", format="ecs")
        for _ in range(100):
            seen = receivers.numbers_of_file(out)
            if len(seen) >= n:
                break
            time.sleep(0.1)
        verdict("kafka (mock cluster)", said, ran, seen, n, False)
        with open(out, "rb") as fh:
            fh.readline()
            report.equal(len(fh.readline().split(b"\t")[0]), 32, "kafka: the key is the account's tag")
    finally:
        process.kill()
        process.wait()


def ipfix(driver, folder, count):
    import socket
    n = min(count, 3000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(0.2)
        path, datagrams, done = os.path.join(folder, "events.ipfix"), [], threading.Event()

        def receive():
            while not done.is_set():
                try:
                    datagrams.append(sink.recv(65535))
                except OSError:
                    pass

        thread = threading.Thread(target=receive)
        thread.start()
        said, _ = driver.run("ipfix", n, carrier="ipfix-udp", host="127.0.0.1", port=sink.getsockname()[1], format="ipfix", rate=5000, findings=10)
        time.sleep(0.5)
        done.set()
        thread.join()
    report.check(said.get("acknowledged") == n, "ipfix: all sent", said)
    with open(path, "wb") as fh:
        fh.write(b"".join(datagrams))
    if shutil.which("ipfixDump") is None:
        report.skipped("ipfixDump", "libfixbuf-tools is not installed")
    else:
        ran = programs.run(["ipfixDump", "-i", path])
        records = ran.out.count(b"--- data record ---") or ran.out.count(b"data record")
        report.check(ran.code == 0 and records == n, "ipfixDump reads every record", "%d of %d, %s" % (records, n, ran))
    if shutil.which("nfcapd") is None:
        report.skipped("nfcapd", "nfdump is not installed")
        return
    flows = os.path.join(folder, "nfcapd")
    os.makedirs(flows, exist_ok=True)
    port = receivers.free_port(socket.SOCK_DGRAM)
    process = subprocess.Popen(["nfcapd", "-w", flows, "-p", str(port), "-b", "127.0.0.1", "-t", "3600"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    time.sleep(1)
    said, _ = driver.run("nfcapd", n, carrier="ipfix-udp", host="127.0.0.1", port=port, format="ipfix", rate=5000)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    names = [os.path.join(flows, name) for name in os.listdir(flows) if name.startswith("nfcapd.")]
    ran = programs.run(["nfdump", "-r", names[0], "-o", "csv"])
    found = ran.out.count(b"198.51.100.7")
    report.check(found == n, "nfcapd decodes addresses and ports of every flow", "%d of %d, %s" % (found, n, ran))


def kills(driver, folder, count):
    """kill -9 of this side and of rsyslog while events flow over RELP: nothing acknowledged is lost, nothing submitted either."""
    if shutil.which("rsyslogd") is None:
        report.skipped("kill -9", "rsyslog is not installed")
        return
    server = receivers.Rsyslog(folder, "relp").start()
    os.path.exists(server.out) and os.unlink(server.out)
    rate, submitted, rounds = 20000, 0, 3
    for round_no in range(rounds):
        command = driver.command("kill", count * 100, carrier="relp", host="127.0.0.1", port=server.port, format="ecs", rate=rate, findings=1,
                                 skip=submitted, budget=1 << 32)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        known = submitted
        lines = 0
        while lines < 2:
            line = process.stderr.readline()
            if not line:
                break
            known = int(line)
            lines += 1
            if lines == 1 and round_no == 1:
                server.stop(signal.SIGKILL)
                time.sleep(0.3)
                server.start()
        process.kill()
        process.wait()
        process.stderr.close()
        submitted = known
        # Numbers past the last that was told may have been submitted as well; the next round begins there again.
    said, ran = driver.run("kill", 1, carrier="relp", host="127.0.0.1", port=server.port, format="ecs", findings=1, skip=submitted, budget=1 << 32, drain=120000)
    time.sleep(1)
    server.stop()
    seen = receivers.numbers_of_file(server.out)
    missing = sum(1 for n in range(submitted) if n not in seen)
    report.check(ran.code == 0, "kill -9: what waited was delivered after the restart", "%s %s" % (said, ran))
    report.equal(missing, 0, "kill -9 of both sides over RELP: %d findings submitted, none missing" % submitted)
    TABLE.append({"receiver": "rsyslog relp, kill -9 of both sides", "sent": submitted, "arrived": len(seen), "missing": missing,
                  "duplicates": sum(n - 1 for n in seen.values())})


def silent(driver):
    """A receiver that accepts and never reads: the window closes, the destination is down with a reason, and this side lives."""
    import socket
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        said, _ = driver.run("silent", 30000, carrier="syslog-tcp", host="127.0.0.1", port=listener.getsockname()[1], format="ecs", timeout=1000, drain=4000,
                             budget=16 << 20, findings=100)
        report.check(not said.get("up", True) and said.get("failed", 0) >= 1 and " s" in said.get("error", ""), "zero window: given up and named", said)
        report.check(said.get("shed_findings") == 0 and said.get("shed_flows", 0) > 0, "zero window: flows are shed, no finding", said)
        report.check(said.get("wall", 99) < 60, "zero window: submitting is not slowed", said)


def main():
    args = programs.arguments(__doc__, ("--count", {"type": int, "default": 0}), ("--out", {"default": ""}))
    count = args.count or (500 if args.sanitized else 3000)
    program = programs.program(args, "seine-test-export")
    folder = tempfile.mkdtemp(prefix="seine-siem-")
    try:
        driver = Driver(program, folder)
        certs = receivers.Certificates(os.path.join(folder, "certs"))
        file_receiver(driver, folder, count)
        syslog(driver, folder, certs, count)
        https(driver, certs, count)
        kafka(driver, args, folder, count)
        ipfix(driver, folder, count)
        if not args.sanitized:
            kills(driver, folder, count)
        silent(driver)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if args.out:
        with open(args.out, "w", encoding="utf-8") as fh:
            json.dump(TABLE, fh, indent=1)
    for row in TABLE:
        print(row)


report.run(main)
