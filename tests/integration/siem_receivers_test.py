"""Real receivers: what was acknowledged arrived, what was not is sent again, and faults are named.

With --count it is the soak: so many events each, three receivers at a time, and a table with --out. ClickHouse, Prometheus and a line that
is cut take long and are part of the soak alone, or of --only. Kills are in siem_kills_test.py.
"""
import concurrent.futures
import json
import os
import shutil
import signal
import socket
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

TABLE = []
RECORDS_A_DATAGRAM = 64  # at most: 1,400 bytes and no record is under 22
SOAK_FROM = 100000  # events: from there on it is the soak
HOUSE = 500000000  # number of the first event that is sent for ClickHouse
SLICE = 10000
WARM_UP = 1000000000  # number of the first event that is not counted


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
    acknowledged = said.get("acknowledged_flows", 0)
    report.check(acknowledged == count and said.get("waiting") == 0 and ran.code == 0, "%s: all acknowledged" % name, "%s %s" % (said, ran))
    acknowledged_in_vain(name, said, seen, at_most_lost)
    report.check(missing <= at_most_lost, "%s: all arrived" % name, "%d of %d missing" % (missing, count))
    report.check(duplicates_allowed or doubles == 0, "%s: none twice" % name, "%d duplicates" % doubles)
    TABLE.append({"receiver": name, "sent": count, "acknowledged": acknowledged, "arrived": count - missing, "missing": missing,
                  "duplicates": doubles, "failed_deliveries": said.get("failed"), "cpu_s": said.get("cpu"), "wall_s": said.get("wall")})


def acknowledged_in_vain(name, said, seen, at_most=0):
    """Flows go out in order: so many of the first ones must be there as were acknowledged."""
    lost = sum(1 for n in range(said.get("acknowledged_flows", 0)) if n not in seen)
    report.check(lost <= at_most, "%s: what was acknowledged arrived" % name, "%d of %s did not" % (lost, said))


def file_receiver(driver, folder, count):
    path = os.path.join(folder, "events.json")
    said, ran = driver.run("file", count, carrier="file", path=path, format="ecs", budget=1 << 33)
    verdict("file", said, ran, receivers.numbers_of_file(path), count, False)


def syslog(driver, folder, certs, count, kinds=("udp", "tcp", "tls", "relp", "relp-tls")):
    if shutil.which("rsyslogd") is None:
        report.skipped("rsyslog", "rsyslog is not installed")
        return
    tls = {"ca": certs.path("ca.pem"), "cert": certs.path("client.pem"), "key": certs.path("client.key")}
    formats = {"tcp": "leef", "relp": "sd", "relp-tls": "sd"}
    for kind in kinds:
        server = receivers.Rsyslog(os.path.join(folder, kind), kind, certs if kind.endswith("tls") else None).start()
        carrier = kind if kind.startswith("relp") else "syslog-" + kind
        keys = dict(carrier=carrier, host="127.0.0.1", port=server.port, format=formats.get(kind, "cef"), budget=1 << 33, **(tls if kind.endswith("tls") else {}))
        if kind == "udp":
            keys["rate"] = 5000
        said, ran = driver.run(kind, count, **keys)
        wait_for_file(server.out, count)
        # Datagrams may be lost by their nature, but each is accounted for: the kernel counts those that found no room at the receiver.
        dropped = receivers.datagrams_dropped(server.port) if kind == "udp" else 0
        # The stop lets rsyslog write what it has.
        server.stop()
        verdict("rsyslog " + kind, said, ran, receivers.numbers_of_file(server.out), count, kind.startswith("relp"), dropped)
        os.unlink(server.out)


def cut_off(driver, folder, certs):
    """A sender that ends while most still waits: what it calls acknowledged is in the receiver's file, and what it does not call so still waits."""
    if shutil.which("rsyslogd") is None:
        return
    server = receivers.Rsyslog(os.path.join(folder, "cut"), "relp-tls", certs).start()
    count = 20000
    said, ran = driver.run("cut", count, carrier="relp-tls", host="127.0.0.1", port=server.port, format="sd", ca=certs.path("ca.pem"),
                           cert=certs.path("client.pem"), key=certs.path("client.key"), within=500)
    server.stop()
    report.check(ran.code in (0, 3) and said.get("acknowledged_flows", count + 1) + said.get("waiting", 0) == count, "RELP over TLS, cut off: each is counted once",
                 "%s %s" % (said, ran))
    acknowledged_in_vain("RELP over TLS, cut off", said, receivers.numbers_of_file(server.out))


def wait_for_file(path, lines, most_s=5):
    """Until a receiver has written so many lines, or nothing more comes."""
    size = -1
    for _ in range(most_s * 10):
        now = os.path.getsize(path) if os.path.exists(path) else 0
        if now == size and now > 100 * lines:
            return
        size = now
        time.sleep(0.1)


def faults_of_tls(driver, folder, certs):
    if shutil.which("rsyslogd") is None:
        return
    server = receivers.Rsyslog(os.path.join(folder, "faults"), "tls", certs).start()
    base = dict(carrier="syslog-tls", host="127.0.0.1", port=server.port, format="cef", drain=1500)
    said, _ = driver.run("nocert", 50, ca=certs.path("ca.pem"), **base)
    report.check(said.get("acknowledged") == 0 and not said.get("up", True), "no client certificate: nothing counts as sent, and it says so", said)
    said, _ = driver.run("stranger", 50, ca=certs.path("stranger.pem"), cert=certs.path("client.pem"), key=certs.path("client.key"), **base)
    report.check(said.get("acknowledged") == 0 and "certificate" in said.get("error", ""), "another authority: refused and named", said)
    said, _ = driver.run("wrongname", 50, ca=certs.path("ca.pem"), cert=certs.path("client.pem"), key=certs.path("client.key"), name="other.example", **base)
    report.check(said.get("acknowledged") == 0 and "ostname" in said.get("error", ""), "another name: refused and named", said)
    server.stop()
    report.equal(receivers.numbers_of_file(server.out), {}, "none of these reached rsyslog")


def https(driver, certs, count, carrier):
    # Every fault costs a rest of a quarter of a second: fewer where there are a thousand batches.
    sink = receivers.Sink(certs, lose=30, busy=50) if count > SOAK_FROM else receivers.Sink(certs, lose=3, busy=5)
    said, ran = driver.run(carrier, count, carrier=carrier, url=sink.url, secret="0123-token", ca=certs.path("ca.pem"), format="ecs", timeout=2000,
                           budget=1 << 33, drain=1800000, timeout_s=2400)
    verdict(carrier, said, ran, sink.taken, count, carrier != "bulk")
    report.check(sink.lost > 0 and sink.requests > 1, "%s: answers were lost on purpose" % carrier, "%d of %d" % (sink.lost, sink.requests))
    report.check("0123-token" not in ran.err.decode() + ran.out.decode(), "%s: the token is not printed" % carrier)
    sink.close()


def refused_events(driver, certs):
    """A wrong index costs no event, an event that the indexer refuses costs none but itself."""
    keys = dict(carrier="hec", secret="t", ca=certs.path("ca.pem"), timeout=2000)
    sink = receivers.Sink(certs, misset=2, bad=17)
    said, _ = driver.run("refused", 300, url=sink.url, **keys)
    report.check(set(sink.taken) == set(range(300)) - {17} and said.get("refused") == 1 and said.get("failed", 0) >= 2,
                 "HEC: a wrong index is waited for, and one bad event is refused alone", said)
    sink.close()
    sink = receivers.Sink(certs, misset=1 << 30)
    said, _ = driver.run("misset", 50, url=sink.url, drain=800, **keys)
    report.check(said.get("refused") == 0 and said.get("waiting", 0) >= 50 and "check `index`" in said.get("error", ""),
                 "HEC: a wrong index is named, and the events wait", said)
    sink.close()


def expired(driver, certs):
    sink = receivers.Sink(certs, cert="expired")
    said, _ = driver.run("expired", 50, carrier="hec", url=sink.url, secret="t", ca=certs.path("ca.pem"), drain=1500)
    report.check(said.get("acknowledged") == 0 and "expired" in said.get("error", ""), "expired certificate: refused and named", said)
    sink.close()


def clickhouse(folder, brokers, driver):
    """A server that reads the topic already, with a table for it."""
    if shutil.which("clickhouse-server") is None:
        report.skipped("ClickHouse", "clickhouse-server is not installed")
        return None
    house = receivers.ClickHouse(os.path.join(folder, "clickhouse")).start()
    house.read_topic(brokers, "seine")
    for number in range(60):
        driver.run("warm", 1, carrier="kafka", brokers=brokers, topic="seine", format="ecs", skip=WARM_UP + number)
        if house.counts(">= %d" % WARM_UP)[0] > 0:
            return house
        time.sleep(1)
    report.failed("ClickHouse reads the topic", "nothing came within a minute")
    house.stop()
    return None


def to_clickhouse(house, driver, brokers, count):
    """In slices, each once the one before is in ClickHouse: the mock keeps 5 MB of a partition and trims what no reader has had yet, which no
    cluster does. Numbers above those of the first reader."""
    acknowledged, cpu, wall, rows = 0, 0.0, 0.0, [0, 0, 0, 0]
    for first in range(0, count, SLICE):
        size = min(SLICE, count - first)
        said, _ = driver.run("house", size, carrier="kafka", brokers=brokers, topic="seine", format="ecs", budget=1 << 33, skip=HOUSE + first)
        acknowledged, cpu, wall = acknowledged + said.get("acknowledged_flows", 0), cpu + said.get("cpu", 0), wall + said.get("wall", 0)
        for _ in range(300):
            rows = house.counts("BETWEEN %d AND %d" % (HOUSE, HOUSE + count))
            if rows[1] >= first + size:
                break
            time.sleep(0.1)
    TABLE.append({"receiver": "ClickHouse's Kafka engine", "sent": count, "acknowledged": acknowledged, "arrived": rows[1], "missing": count - rows[1],
                  "duplicates": rows[0] - rows[1], "cpu_s": round(cpu, 1), "wall_s": round(wall, 1)})
    report.equal((acknowledged, rows[0], rows[1]), (count, count, count), "ClickHouse's Kafka engine has every event, once")
    report.equal((rows[2], rows[3]), (HOUSE + count - 1, 0), "and each is one JSON object")
    house.stop()


def kafka(driver, args, folder, count):
    mock = programs.program(args, "seine-test-kafka")
    out = os.path.join(folder, "kafka.txt")
    with open(out, "wb") as fh:
        process = subprocess.Popen([mock, "seine"], stdout=fh, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        brokers = receivers.first_line(out, "brokers ").split()[1]
        # The mock keeps some megabytes of each partition: at this rate its readers keep up.
        said, ran = driver.run("kafka", count, carrier="kafka", brokers=brokers, topic="seine", format="ecs", rate=10000, budget=1 << 33)
        for _ in range(100):
            seen = {n: times for n, times in receivers.numbers_of_file(out).items() if n < HOUSE}
            if len(seen) >= count:
                break
            time.sleep(0.1)
        verdict("kafka (mock cluster)", said, ran, seen, count, False)
        house = clickhouse(folder, brokers, driver) if count > SOAK_FROM or "clickhouse" in args.only else None
        if house is not None:
            to_clickhouse(house, driver, brokers, count)
        with open(out, "rb") as fh:
            fh.readline()
            report.equal(len(fh.readline().split(b"\t")[0]), 32, "kafka: the key is the account's tag")
    finally:
        process.kill()
        process.wait()


def collect_udp(driver, count, path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink, open(path, "wb") as out:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(0.2)
        done = threading.Event()

        def receive():
            while not done.is_set():
                try:
                    out.write(sink.recv(65535))
                except OSError:
                    pass

        thread = threading.Thread(target=receive)
        thread.start()
        port = sink.getsockname()[1]
        said, ran = driver.run("ipfix-udp", count, carrier="ipfix-udp", host="127.0.0.1", port=port, format="ipfix", rate=10000, findings=10)
        time.sleep(0.5)
        done.set()
        thread.join()
        dropped = receivers.datagrams_dropped(port)
    return said, ran, dropped


def collect_tcp(driver, count, path):
    """A stream of IPFIX messages is an IPFIX file (RFC 5655)."""
    with socket.socket() as listener, open(path, "wb") as out:
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)

        def receive():
            one, _ = listener.accept()
            with one:
                while True:
                    data = one.recv(1 << 16)
                    if not data:
                        return
                    out.write(data)

        thread = threading.Thread(target=receive)
        thread.start()
        said, ran = driver.run("ipfix-tcp", count, carrier="ipfix-tcp", host="127.0.0.1", port=listener.getsockname()[1], format="ipfix", findings=10)
        thread.join()
    return said, ran, 0


def records_in(path):
    """Data records that ipfixDump prints, line by line: a million of them are gigabytes."""
    with subprocess.Popen(["ipfixDump", "-i", path], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as process:
        found = sum(1 for line in process.stdout if line.startswith(b"--- data record"))
    return found, process.returncode


def ipfix(driver, folder, count):
    for carrier, collect in (("udp", collect_udp), ("tcp", collect_tcp)):
        path = os.path.join(folder, "events-%s.ipfix" % carrier)
        said, ran, dropped = collect(driver, count, path)
        report.check(said.get("acknowledged") == count, "ipfix-%s: all sent" % carrier, "%s %s" % (said, ran))
        if shutil.which("ipfixDump") is None:
            report.skipped("ipfixDump", "libfixbuf-tools is not installed")
            continue
        records, code = records_in(path)
        told = ("ipfixDump, ipfix-" + carrier, count, records, dropped, said)
        report.check(code == 0 and of_datagrams(*told), "ipfixDump reads every record of ipfix-%s" % carrier,
                     "%d of %d, %d datagrams dropped, exit %d" % (records, count, dropped, code))
        os.unlink(path)
    nfcapd(driver, folder, count)


def of_datagrams(name, count, arrived, dropped, said):
    """A row of the table; whether all arrived but for records of datagrams that the kernel counts as dropped at the receiver's socket."""
    TABLE.append({"receiver": name, "sent": count, "arrived": arrived, "missing": count - arrived, "duplicates": 0, "datagrams_dropped": dropped,
                  "cpu_s": said.get("cpu"), "wall_s": said.get("wall")})
    return arrived == count or (dropped > 0 and dropped <= count - arrived <= RECORDS_A_DATAGRAM * dropped)


def nfcapd(driver, folder, count):
    if shutil.which("nfcapd") is None:
        report.skipped("nfcapd", "nfdump is not installed")
        return
    flows = os.path.join(folder, "nfcapd")
    os.makedirs(flows, exist_ok=True)
    port = receivers.free_port(socket.SOCK_DGRAM)
    process = subprocess.Popen(["nfcapd", "-w", flows, "-p", str(port), "-b", "127.0.0.1", "-t", "3600", "-B", str(8 << 20)], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    time.sleep(1)
    said, _ = driver.run("nfcapd", count, carrier="ipfix-udp", host="127.0.0.1", port=port, format="ipfix", rate=10000)
    time.sleep(1)
    dropped = receivers.datagrams_dropped(port)
    process.send_signal(signal.SIGTERM)
    process.wait(20)
    names = [os.path.join(flows, name) for name in os.listdir(flows) if name.startswith("nfcapd.")]
    found = 0
    with subprocess.Popen(["nfdump", "-r", names[0], "-o", "csv"], stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as reader:
        found = sum(1 for line in reader.stdout if b"198.51.100.7" in line)
    report.check(of_datagrams("nfcapd", count, found, dropped, said), "nfcapd decodes addresses and ports of every flow",
                 "%d of %d, %d datagrams dropped" % (found, count, dropped))


def asked_of_prometheus(port, question):
    """The value of one instant query, or nothing yet."""
    ran = programs.run(["curl", "-s", "--max-time", "2", "-G", "--data-urlencode", "query=" + question, "http://127.0.0.1:%d/api/v1/query" % port])
    try:
        found = json.loads(ran.out)["data"]["result"]
        return int(float(found[0]["value"][1])) if found else None
    except (ValueError, KeyError):
        return None


def prometheus(args, folder, count):
    """seine-control with a destination, scraped meanwhile: the counters in Prometheus are what arrived, event by event."""
    if shutil.which("prometheus") is None:
        report.skipped("Prometheus", "prometheus is not installed")
        return
    folder = os.path.join(folder, "prometheus")
    os.makedirs(folder)
    metrics, own, out = receivers.free_port(), receivers.free_port(), os.path.join(folder, "out.json")
    daemon = control.Control(args, folder, extra='metrics = "127.0.0.1:%d"' % metrics)
    with open(os.path.join(folder, "export.toml"), "w", encoding="ascii") as fh:
        fh.write('[[export]]\nname = "archive"\ncarrier = "file"\npath = "%s"\nformat = "cef"\nkinds = ["alert", "flow"]\nrotate_megabytes = 0\n' % out)
    with open(os.path.join(folder, "prometheus.yml"), "w", encoding="ascii") as fh:
        fh.write('global: {scrape_interval: 1s}\nrule_files: ["%s"]\nscrape_configs: [{job_name: seine, static_configs: [{targets: ["127.0.0.1:%d"]}]}]\n' % (
            os.path.join(programs.SOURCE, "control", "export", "seine.rules.yml"), metrics))
    scraper = None
    try:
        report.check(daemon.start(60), "Prometheus: control starts", daemon.log())
        for words in (("config", "load", os.path.join(folder, "export.toml")), ("config", "commit")):
            report.equal(daemon.ctl(*words).code, 0, "Prometheus: seinectl %s" % " ".join(words[:2]))
        scraper = subprocess.Popen(["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--web.listen-address=127.0.0.1:%d" % own],
                                   cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        rate = 20000 if count > SOAK_FROM else 2000
        ran = programs.run([programs.program(args, "seine-test-alerts"), daemon.ring, "512", str(rate), str(rate // 100), str(max(1, count // rate))],
                           timeout_s=count // rate * 3 + 60)
        written = json.loads(ran.out)
        sent = written["flows"] + written["findings"]
        arrived = 0
        for _ in range(300):
            arrived = receivers.lines_of(out)
            if arrived >= sent:
                break
            time.sleep(0.5)
        scraped = {}
        questions = {"delivered": 'sum(seine_export_delivered_events_total{destination="archive"})',
                     "events": 'sum(seine_events_total{kind=~"signature_alert|flow_summary"})',
                     "ages": 'sum(seine_event_age_seconds_count)'}
        for _ in range(100):
            scraped = {name: asked_of_prometheus(own, question) for name, question in questions.items()}
            if scraped["delivered"] == arrived:
                break
            time.sleep(0.2)
        report.equal((arrived, scraped["delivered"], scraped["events"]), (sent, sent, sent), "Prometheus has counted every event that arrived")
        report.check((scraped["ages"] or 0) >= written["findings"], "and the time of each finding", "%s of %d" % (scraped["ages"], written["findings"]))
        text = programs.run(["curl", "-s", "--max-time", "5", "http://127.0.0.1:%d/metrics" % metrics]).out
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        report.check(text and checked.returncode == 0 and not checked.stdout, "promtool finds nothing in the metrics", checked.stdout)
        TABLE.append({"receiver": "Prometheus, counters of a file destination", "sent": sent, "arrived": scraped["delivered"], "missing": sent - (scraped["delivered"] or 0),
                      "duplicates": 0})
    finally:
        if scraper is not None:
            scraper.kill()
            scraper.wait()
        daemon.end()


def silent(driver):
    """A receiver that accepts and never reads: the window closes, the destination is down with a reason, and this side lives."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        said, _ = driver.run("silent", 30000, carrier="syslog-tcp", host="127.0.0.1", port=listener.getsockname()[1], format="ecs", timeout=1000, drain=4000,
                             budget=16 << 20, findings=100)
        report.check(not said.get("up", True) and said.get("failed", 0) >= 1 and " s" in said.get("error", ""), "zero window: given up and named", said)
        report.check(said.get("shed_findings") == 0 and said.get("shed_flows", 0) > 0, "zero window: flows are shed, no finding", said)
        report.check(said.get("wall", 99) < 60, "zero window: submitting is not slowed", said)


KEEPER = """import socket, sys, threading
def keep(one):
    while True:
        data = one.recv(1 << 16)
        if not data:
            return
        with lock:
            out.write(data)
            out.flush()
out, lock = open(sys.argv[1], "wb"), threading.Lock()
listener = socket.create_server(("10.9.0.2", 5140))
while True:
    threading.Thread(target=keep, args=(listener.accept()[0],), daemon=True).start()
"""


def half_open(driver, folder):
    """The line is cut without a word from the other end: given up within the timeout, and all arrives once it is whole again."""
    if netns.reason_not_to() is not None:
        report.skipped("half-open connection", netns.reason_not_to())
        return
    out = os.path.join(folder, "half-open.log")
    with netns.Pair() as pair:
        pair.start(pair.server, [sys.executable, "-c", KEEPER, out], stdin=subprocess.DEVNULL)
        netns.wait_for(lambda: os.path.exists(out))
        count = 6000
        sender = pair.start(pair.client, driver.command("half-open", count, carrier="syslog-tcp", host="10.9.0.2", port=5140, format="cef", rate=1500,
                                                        timeout=1000), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        netns.wait_for(lambda: os.path.getsize(out) > 0)
        pair.run(pair.server, ["ip", "link", "set", "s0", "down"], check=True)
        time.sleep(2.5)
        there = len(numbers_in_stream(out))
        pair.run(pair.server, ["ip", "link", "set", "s0", "up"], check=True)
        said = json.loads(sender.communicate(timeout=120)[0].splitlines()[-1])
        netns.wait_for(lambda: len(numbers_in_stream(out)) >= count)
        seen = numbers_in_stream(out)
    report.check(there < count and said.get("failed", 0) >= 1, "half-open: it was cut in the middle, and noticed", "%d, %s" % (there, said))
    report.check(said.get("up") and said.get("waiting") == 0 and set(seen) >= set(range(count)), "half-open: all arrived after it",
                 "%d missing, %s" % (count - len(seen), said))


def numbers_in_stream(path):
    with open(path, "rb") as fh:
        return receivers.numbers_in(fh.read())


def main():
    args = programs.arguments(__doc__, ("--count", {"type": int, "default": 0}), ("--out", {"default": ""}), ("--only", {"default": ""}))
    count = args.count or (500 if args.sanitized else 3000)
    program = programs.program(args, "seine-test-export")
    folder = tempfile.mkdtemp(prefix="seine-siem-")
    try:
        driver = Driver(program, folder)
        certs = receivers.Certificates(os.path.join(folder, "certs"))
        parts = {"file": lambda: file_receiver(driver, folder, count), "syslog": lambda: syslog(driver, folder, certs, count),
                 "cut": lambda: cut_off(driver, folder, certs), "faults": lambda: faults_of_tls(driver, folder, certs), "hec": lambda: https(driver, certs, count, "hec"),
                 "bulk": lambda: https(driver, certs, count, "bulk"), "webhook": lambda: https(driver, certs, count, "webhook"),
                 "expired": lambda: expired(driver, certs), "refused": lambda: refused_events(driver, certs),
                 "kafka": lambda: kafka(driver, args, folder, count),
                 "ipfix": lambda: ipfix(driver, folder, count), "silent": lambda: silent(driver)}
        alone = {kind: lambda kind=kind: syslog(driver, folder, certs, count, (kind,)) for kind in ("udp", "tcp", "tls", "relp", "relp-tls")}
        alone["clickhouse"] = lambda: kafka(driver, args, folder, count)
        alone["nfcapd"] = lambda: nfcapd(driver, folder, count)
        alone["half-open"] = lambda: half_open(driver, folder)
        alone["prometheus"] = lambda: prometheus(args, folder, count)
        named = dict(alone, **parts)
        # The soak: three at a time of those that wait for their own rate beside those that work; what has a mock that forgets first and alone.
        soak = ["kafka", "prometheus", "udp", "hec", "ipfix", "relp-tls", "webhook", "bulk", "file", "tcp", "tls", "relp", "cut", "faults", "expired", "refused",
                "silent", "half-open"]
        wanted = args.only.split(",") if args.only else soak if count > SOAK_FROM else list(parts)
        if not set(wanted) <= set(named):
            raise SystemExit("--only takes %s" % ", ".join(sorted(named)))
        if count > SOAK_FROM and wanted[0] == "kafka":
            named[wanted.pop(0)]()
        # Mostly waiting: side by side.
        with concurrent.futures.ThreadPoolExecutor(3 if count > SOAK_FROM else len(parts)) as pool:
            for done in [pool.submit(named[name]) for name in wanted]:
                done.result()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    receivers.tell(TABLE, args.out)


report.run(main)
