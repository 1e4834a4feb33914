"""kill -9 of the sender, of seine-control and of receivers while events flow: what was not acknowledged is not lost, and plain syslog, over TCP or TLS,
loses no more than the receiver's socket buffer holds.

The quick tier runs a second or two of each; --rate and --rounds make it the soak.
"""
import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import programs  # noqa: E402
import receivers  # noqa: E402
import report  # noqa: E402

TABLE = []
GAP = 10000000  # between the numbers of two rounds: what was submitted after the last word of a killed sender is not counted


class Rsyslog(receivers.Rsyslog):
    def kill(self):
        self.stop(signal.SIGKILL)

    def again(self):
        self.start()

    def seen(self):
        return receivers.numbers_of_file(self.out)


class HttpSink:
    """The sink of receivers.py in a process of its own, which writes down what it takes before it answers."""

    def __init__(self, folder, certs):
        self.certs, self.port, self.out = certs, receivers.free_port(), os.path.join(folder, "hec.txt")
        self.process = None
        self.again()

    def again(self):
        self.process = subprocess.Popen([sys.executable, "-B", receivers.__file__, self.certs.folder, str(self.port), self.out], stdin=subprocess.DEVNULL)
        receivers.wait_for_port(self.port)

    def kill(self):
        self.process.kill()
        self.process.wait()

    stop = kill

    def seen(self):
        return receivers.numbers_of_file(self.out)


class Kafka:
    """librdkafka's mock cluster forgets everything when it is killed, which no cluster does: its brokers are cut off instead."""

    def __init__(self, args, folder):
        self.out = os.path.join(folder, "kafka.txt")
        with open(self.out, "wb") as fh:
            self.process = subprocess.Popen([programs.program(args, "seine-test-kafka"), "seine"], stdout=fh, stdin=subprocess.PIPE,
                                            stderr=subprocess.DEVNULL)
        self.brokers = receivers.first_line(self.out, "brokers ").split()[1]

    def say(self, word):
        self.process.stdin.write(word + b"\n")
        self.process.stdin.flush()

    def kill(self):
        self.say(b"down")

    def again(self):
        self.say(b"up")

    def stop(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()

    def seen(self):
        return receivers.numbers_of_file(self.out)

    def forgotten(self):
        """Messages that the mock took and threw away before anybody could read them."""
        with open(self.out, "rb") as fh:
            return sum(int(line.split()[1]) for line in fh if line.startswith(b"trimmed "))


class File:
    """The kernel is the receiver, and is not killed."""

    def __init__(self, folder):
        self.out = os.path.join(folder, "events.txt")

    def kill(self):
        pass

    again = stop = kill

    def seen(self):
        return receivers.numbers_of_file(self.out)


def command(args, box, count, keys):
    return [programs.program(args, "seine-test-export"), box, str(count)] + ["%s=%s" % item for item in keys.items()]


def round_of(args, box, keys, first, kill, words):
    """Submits from `first` on until the sender has said `words` numbers, then kills it; the receiver is killed in between. Returns the last number
    that it told, plus one."""
    sender = subprocess.Popen(command(args, box, 10 * GAP, dict(keys, skip=first)), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL)
    known = first
    for said in range(words):
        line = sender.stderr.readline()
        if not line:
            break
        known = int(line)
        if said == 0 and kill is not None:
            kill.kill()
            time.sleep(0.3)
            kill.again()
    sender.kill()
    sender.wait()
    sender.stderr.close()
    return known


def killed(args, folder, name, receiver, keys, losses_bytes=0, bytes_each=1):
    """Rounds in which the sender is killed, and in every second one the receiver; then the rest is delivered."""
    box = os.path.join(folder, name + "-box")
    keys = dict(keys, rate=args.rate, findings=1, budget=1 << 32)
    ranges = []
    for number in range(args.rounds):
        first = number * GAP
        ranges.append((first, round_of(args, box, keys, first, receiver if number % 2 == 0 else None, args.words)))
    keys.pop("rate")
    ran = programs.run(command(args, box, 1, dict(keys, skip=args.rounds * GAP, drain=240000)), timeout_s=300)
    report.check(ran.code == 0, "%s: what waited was delivered after the last kill" % name, "%s %s" % (ran, ran.out))
    submitted = sum(end - first for first, end in ranges)
    seen, missing = {}, []
    for _ in range(100):
        seen = receiver.seen()
        missing = [n for first, end in ranges for n in range(first, end) if n not in seen]
        if not missing or losses_bytes:
            break
        time.sleep(0.1)
    if losses_bytes == 0:
        forgotten = getattr(receiver, "forgotten", lambda: 0)()
        report.equal((len(missing), submitted > 0, forgotten), (0, True, 0), "%s: none of %d is lost (and none thrown away by the receiver)" % (name, submitted))
    else:
        # What was handed over before a kill and not read yet; what comes while it is away and after is not part of that.
        lost = pieces(missing)
        receiver_kills = (args.rounds + 1) // 2
        report.check(len(missing) * bytes_each <= losses_bytes * receiver_kills and len(lost) <= receiver_kills,
                     "%s: a kill of the receiver loses one piece, no larger than its socket buffer" % name, "%d of %d in %s" % (
                         len(missing), submitted, lost[:9]))
    missing = len(missing)
    twice = sum(n - 1 for n in seen.values())
    TABLE.append({"receiver": name, "sender killed": args.rounds, "receiver killed": (args.rounds + 1) // 2, "sent": submitted, "missing": missing, "twice": twice})
    receiver.stop()


def pieces(numbers):
    """Numbers in order as (first, last) of each run."""
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1] = (out[-1][0], n)
        else:
            out.append((n, n))
    return out


def tls_window():
    """What a TCP socket of the receiver may hold unread."""
    with open("/proc/sys/net/ipv4/tcp_rmem", encoding="ascii") as fh:
        return int(fh.read().split()[2])


def control_killed(args, folder):
    """seine-control itself: 20,000 events a second, the findings among them numbered, into a file and over RELP."""
    name = "seine-control"
    daemon = control.Control(args, folder)
    server = Rsyslog(os.path.join(folder, "control"), "relp").start()
    out = os.path.join(folder, "control.json")
    with open(os.path.join(folder, "export.toml"), "w", encoding="ascii") as fh:
        fh.write('[[export]]\nname = "file"\ncarrier = "file"\npath = "%s"\nrotate_megabytes = 0\nformat = "ecs"\nkinds = ["alert", "flow"]\n'
                 '[[export]]\nname = "relp"\ncarrier = "relp"\nhost = "127.0.0.1"\nport = %d\nformat = "cef"\n' % (out, server.port))
    try:
        if not report.check(daemon.start(60), "%s starts" % name, daemon.log()):
            return
        for words in (("config", "load", os.path.join(folder, "export.toml")), ("config", "commit", "--reason", "kills")):
            ran = daemon.ctl(*words)
            report.check(ran.code == 0, "seinectl %s" % " ".join(words[:2]), "%s %s" % (ran, ran.out))
        seconds = 2 * args.rounds + 2
        load = subprocess.Popen([programs.program(args, "seine-test-alerts"), daemon.ring, "64", str(args.rate), str(max(10, args.rate // 20)),
                                 str(seconds)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        for _ in range(args.rounds):
            time.sleep(2)
            daemon.stop(signal.SIGKILL)
            if not report.check(daemon.start(60), "%s starts after kill -9" % name, daemon.log()[-300:]):
                return
        written = json.loads(load.communicate()[0])
        # The rings are shown as of half a second ago, and flows go out after findings: it is through when a second look says the same.
        for _ in range(240):
            if all(n in receivers.numbers_of_file(at) for at in (out, server.out) for n in (written["findings"] - 1,)):
                break
            time.sleep(0.5)
        for _ in range(2):
            time.sleep(1)
            daemon.wait_for(lambda s: all(r["open"] and r["fill"] == 0 for r in s["rings"]) and all(
                e["waiting_findings"] + e["waiting_flows"] == 0 for e in s["exports"]), 240, 0.5)
        rings = daemon.ask("status")["rings"]
        report.equal(daemon.stop(), 0, "SIGTERM ends it with 0")
        server.stop()
        report.equal([(r["damaged"], r["malformed"]) for r in rings], [(0, 0)] * 2, "no ring was found damaged")
        report.equal(written["dropped_findings"], 0, "every finding found room in its ring")
        for at, seen in (("file", receivers.numbers_of_file(out)), ("relp", server.seen())):
            missing = pieces([n for n in range(written["findings"]) if n not in seen])
            report.equal(missing, [], "%s, %s: none of %d findings is lost" % (name, at, written["findings"]))
            TABLE.append({"receiver": "%s, %s" % (name, at), "sender killed": args.rounds, "receiver killed": 0, "sent": written["findings"],
                          "missing": sum(last + 1 - first for first, last in missing), "twice": sum(n - 1 for n in seen.values()), "flows": written["flows"],
                          "flows dropped": written["dropped_flows"]})
        with open(out, "rb") as fh:
            flows = sum(1 for line in fh if b'"flow_summary"' in line)
        report.check(flows >= written["flows"] - written["dropped_flows"], "every flow that had room in the ring is told", "%d of %s" % (flows, written))
    finally:
        daemon.end()
        server.stop()


def main():
    args = programs.arguments(__doc__, ("--rate", {"type": int, "default": 4000}), ("--rounds", {"type": int, "default": 1}),
                              ("--words", {"type": int, "default": 2, "help": "seconds of a round"}), ("--only", {"default": ""}), ("--out", {"default": ""}))
    folder = tempfile.mkdtemp(prefix="seine-kills-")
    try:
        certs = receivers.Certificates(os.path.join(folder, "certs"))
        tls = {"ca": certs.path("ca.pem"), "cert": certs.path("client.pem"), "key": certs.path("client.key")}

        def of_rsyslog(kind, **keys):
            server = Rsyslog(os.path.join(folder, kind), kind, certs if kind == "tls" else None).start()
            killed(args, folder, "rsyslog " + kind, server, dict(keys, host="127.0.0.1", port=server.port),
                   0 if kind == "relp" else tls_window(), 700)

        def of_hec():
            sink = HttpSink(folder, certs)
            killed(args, folder, "hec", sink, dict(carrier="hec", url="https://127.0.0.1:%d" % sink.port, secret="t", ca=certs.path("ca.pem"), format="ecs",
                                                   timeout=3000))

        def of_kafka():
            cluster = Kafka(args, folder)
            killed(args, folder, "kafka", cluster, dict(carrier="kafka", brokers=cluster.brokers, topic="seine", format="ecs"))

        def of_file():
            receiver = File(folder)
            killed(args, folder, "file", receiver, dict(carrier="file", path=receiver.out, format="ecs"))

        parts = {"hec": of_hec, "kafka": of_kafka, "file": of_file}
        if shutil.which("rsyslogd") is None:
            report.skipped("rsyslog", "rsyslog is not installed")
        else:
            parts.update({"tcp": lambda: of_rsyslog("tcp", carrier="syslog-tcp", format="cef")})
            parts.update({"control": lambda: control_killed(args, folder), "relp": lambda: of_rsyslog("relp", carrier="relp", format="ecs"),
                          "tls": lambda: of_rsyslog("tls", carrier="syslog-tls", format="cef", **tls)})
        wanted = args.only.split(",") if args.only else parts
        with concurrent.futures.ThreadPoolExecutor(1 if args.rate >= 20000 else len(parts)) as pool:
            for done in [pool.submit(parts[name]) for name in wanted]:
                done.result()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    receivers.tell(TABLE, args.out)


report.run(main)
