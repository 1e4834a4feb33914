#!/usr/bin/env python3
"""Live extras of the dataplane: the two fibres of a tap, another user than root, telemetry, overload that sheds whole flows."""
import glob
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import netns  # noqa: E402
import pcap  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

STEADY = ("app", "sni", "ja4", "ja4s", "ja4h", "ja4t", "ja4ts", "packets_c", "packets_s", "payload_c", "payload_s", "seen")
CASES = ("tls12-ecdsa", "hello-retry", "plain-http1")
FLOOD_FLOWS, FLOOD_S = 4000, 3


class Dataplane:
    def __init__(self, args, folder, *options, wrap=lambda command: command, name="live"):
        self.out, self.stats = (os.path.join(folder, name + end) for end in (".jsonl", ".json"))
        self.socket, self.errors = os.path.join(folder, name + ".sock"), os.path.join(folder, name + ".err")
        command = [programs.program(args, "seine-dataplane"), "--records", "jsonl:" + self.out, "--stats", "json:" + self.stats, "--socket",
                   self.socket, *options]
        with open(self.errors, "wb") as errors:
            self.process = subprocess.Popen(wrap(command), stderr=errors)
        self.up = netns.wait_for(lambda: netns.answers(self.socket) or self.process.poll() is not None, 60) and self.process.poll() is None

    def said(self):
        with open(self.errors, encoding="utf-8", errors="replace") as fh:
            return fh.read()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        with open(self.stats, encoding="utf-8") as fh:
            stats = json.load(fh)
        with open(self.out, "rb") as fh:
            return code, [json.loads(line) for line in fh], stats

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def flows_of(lines):
    return {(f["src"], f["sport"], f["dport"]): {k: f[k] for k in STEADY if k in f} for f in lines if f.get("proto") in (6, "tcp")}


def split(folder):
    """The golden captures as two fibres: what goes up and what comes down. Returns the whole and both."""
    paths = [os.path.join(folder, name) for name in ("whole.pcap", "up.pcap", "down.pcap")]
    files = [open(path, "wb") for path in paths]
    for file in files:
        file.write(pcap.header(magic=pcap.LITTLE_NANO))
    at = 1_700_000_000_000_000_000
    for case in CASES:
        client = None
        for _, _, frame, _ in pcap.frames(os.path.join(programs.GOLDEN, case, "capture.pcap")):
            sender = frame[6:12] + frame[26:30]
            client = client or sender
            at += 1_000_000
            for file in (files[0], files[1] if sender == client else files[2]):
                file.write(pcap.frame(at // 10**9, at % 10**9, frame))
    for file in files:
        file.close()
    return paths


def two_fibres(args, folder):
    """ADDR+ADDR: both directions of a flow come by different ports and make one record."""
    whole, up, down = split(folder)
    eal = "--vdev net_pcap0,rx_pcap=%s --vdev net_pcap1,rx_pcap=%s" % (up, down)
    both = Dataplane(args, folder, "--port", "net_pcap0+net_pcap1", "--eal", eal, name="fibres")
    if not report.check(both.up, "the two fibres of a tap", both.said()):
        return
    time.sleep(0.5)
    code, lines, stats = both.end()
    report.equal((code, len(stats["ports"])), (0, 2), "the tap has two ports and ends with 0")
    # A file's half-open flows are recorded too; live they are not.
    wanted = flows_of(json.loads(line) for line in programs.run([programs.program(args, "seine-replay"), whole]).out.splitlines())
    seen = flows_of(lines)
    wanted = {k: v for k, v in wanted.items() if v.get("payload_c")}
    same = {k: {f: v.get(f) for f in ("ja4", "ja4s", "ja4h", "sni", "payload_c", "payload_s", "seen")} for k, v in wanted.items()}
    got = {k: {f: v.get(f) for f in ("ja4", "ja4s", "ja4h", "sni", "payload_c", "payload_s", "seen")} for k, v in seen.items()}
    differ = {k: (got.get(k), same.get(k)) for k in set(got) | set(same) if got.get(k) != same.get(k)}
    report.check(len(wanted) >= len(CASES) and not differ, "each flow is whole: as in a capture of both fibres", differ)
    report.check(stats["directions"]["both"] >= len(CASES) and stats["directions"]["client_only"] == 0, "and counted as seen both ways",
                 stats["directions"])
    one = Dataplane(args, folder, "--port", "net_pcap0", "--eal", "--vdev net_pcap0,rx_pcap=%s" % up, name="fibre")
    if report.check(one.up, "one fibre alone", one.said()):
        time.sleep(0.5)
        code, lines, stats = one.end()
        report.check(stats["directions"]["both"] == 0 and stats["directions"]["client_only"] >= len(CASES),
                     "one fibre alone counts as one-sided", stats["directions"])


def ask_telemetry(process, command):
    """Of DPDK's telemetry sockets the one of this process."""
    for path in sorted(glob.glob("/run/dpdk/rte/dpdk_telemetry.v2*")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            try:
                line.settimeout(10)
                line.connect(path)
                if json.loads(line.recv(1 << 14))["pid"] != process:
                    continue
                line.send(command.encode())
                return json.loads(line.recv(1 << 16))[command.split(",")[0]]
            except OSError:
                continue
    return None


def inside(pair):
    return lambda command: netns.Pair.inside(pair.server, command)


def other_user(args, folder, pair):
    """--user: nothing of root is left, and all goes on working."""
    live = Dataplane(args, folder, "--af-packet", "s0", "--user", "nobody", wrap=inside(pair), name="user")
    if not report.check(live.up, "--user nobody", live.said()):
        return

    def status_now():
        with open("/proc/%d/status" % live.process.pid, encoding="ascii") as fh:
            return dict(line.split(":", 1) for line in fh.read().splitlines())
    # Its socket is there a moment before it has become that user.
    netns.wait_for(lambda: status_now()["NoNewPrivs"].strip() == "1")
    status = status_now()
    report.check("0" not in status["Uid"].split() and "0" not in status["Gid"].split(), "no user or group of root", status["Uid"])
    report.equal([int(status[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")], [0, 0, 0, 0], "no capability is left")
    report.equal(status["NoNewPrivs"].strip(), "1", "and none can be had")
    threads = {}
    for path in glob.glob("/proc/%d/task/*/status" % live.process.pid):
        with open(path, encoding="ascii") as fh:
            threads[path] = [line.split()[1] for line in fh if line.startswith(("Uid:", "CapEff:"))]
    report.check(all(uid != "0" and int(caps, 16) == 0 for uid, caps in threads.values()), "of no thread", threads)
    knock(pair)
    answer = None
    for _ in range(60):
        answer = ask_telemetry(live.process.pid, "/seine/totals")
        if answer is None or answer.get("packets", 0) > 0:
            break
        time.sleep(0.1)
    if report.check(answer is not None and answer["packets"] > 0, "telemetry tells the totals", answer):
        report.equal(ask_telemetry(live.process.pid, "/seine/ports"), ["s0"], "telemetry names the ports")
        report.check(ask_telemetry(live.process.pid, "/seine/port,0")["ipackets"] > 0, "and counts them")
        report.check(ask_telemetry(live.process.pid, "/seine/worker,0")["packets"] > 0, "and each worker")
        report.check(isinstance(ask_telemetry(live.process.pid, "/seine/losses"), dict), "and what was lost")
    code, _, stats = live.end()
    report.equal((code, stats["state"]), (0, "ended"), "SIGTERM ends it with 0, counters written")
    report.check(not os.path.exists(live.socket), "its socket is gone")
    wrong = Dataplane(args, folder, "--af-packet", "s0", "--user", "no-such-user", wrap=inside(pair), name="wrong")
    code = wrong.process.wait(timeout=60)  # it ends by itself, under the sanitizers after some seconds
    report.check(code == 1 and "useradd" in wrong.said(), "an unknown user is refused with a remedy", (code, wrong.said()))
    report.check(not any(os.path.exists(path) for path in (wrong.socket, wrong.out)), "before anything is opened")


def knock(pair):
    """Some packets: a connection attempt that nobody answers."""
    code = "import socket\ntry:\n    socket.create_connection(('10.9.0.2', 9), 2)\nexcept OSError:\n    pass\n"
    pair.run(pair.client, [sys.executable, "-c", code], check=False)


FLOOD = """
import socket, struct, time, sys
line = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
line.bind(("c0", 0))
frames = []
for n in range(%d):
    udp = struct.pack(">HHHH", 1024 + n %% 60000, 9999, 108, 0) + bytes(100)
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 128, n, 0, 64, 17, 0, struct.pack(">I", 0x0a090001), struct.pack(">I", 0x0a090002))
    frames.append(b"\\xff" * 6 + b"\\2\\0\\0\\0\\0\\1\\x08\\0" + ip + udp)
end = time.monotonic() + float(sys.argv[1])
sent = 0
while time.monotonic() < end:
    for frame in frames:
        try:
            line.send(frame)
            sent += 1
        except OSError:
            pass
print(sent)
"""


def flood(pair, seconds):
    return int(pair.run(pair.client, [sys.executable, "-c", FLOOD % FLOOD_FLOWS, str(seconds)], capture_output=True, check=True).stdout)


def overload(args, folder, pair):
    """A worker that does not keep up: flows are left out whole, counted, and it is said; nothing is unexplained."""
    live = Dataplane(args, folder, "--af-packet", "s0", wrap=inside(pair), name="overload")
    if not report.check(live.up, "overload", live.said()):
        return
    flood(pair, 0.2)
    time.sleep(1.1)  # one look before
    live.process.send_signal(signal.SIGSTOP)
    flood(pair, FLOOD_S)
    live.process.send_signal(signal.SIGCONT)
    told = netns.wait_for(lambda: "overload" in live.said(), 20)
    report.check(told, "overload is told to the operator", live.said())
    flood(pair, 1)
    code, _, stats = live.end()
    totals, port = stats["totals"], stats["ports"][0]
    report.check(totals["packets_shed"] > 0 and totals["bytes_shed"] > 0, "what is left out is counted", totals["packets_shed"])
    report.check(port["kernel_drops"] > 0, "the kernel lost packets before", port)
    late = port["kernel_packets"] - port["kernel_drops"] - totals["packets"] - totals["packets_shed"]
    report.check(-5 <= late <= 5, "seen by the kernel = lost by it + left out + inspected", "%d unexplained of %s" % (late, port))
    report.equal(code, 0, "and it ends with 0")


def unwanted(args, folder, pair):
    """--keep-port: an interface takes no rules, so it is done in software, and said so."""
    live = Dataplane(args, folder, "--af-packet", "s0", "--keep-port", "9", wrap=inside(pair), name="kept")
    if not report.check(live.up, "--keep-port", live.said()):
        return
    flood(pair, 0.1)
    knock(pair)
    time.sleep(0.3)
    _, _, stats = live.end()
    port, totals = stats["ports"][0], stats["totals"]
    report.check(port["offload"] == "software" and "the card refuses" in port["offload_refusal"], "what a card refuses is told", port)
    report.check(totals["packets_unwanted"] > 100, "other ports are left out and counted", totals["packets_unwanted"])
    report.check(0 < totals["packets_tcp"] < 100, "the port that is wanted is kept", totals["packets_tcp"])
    report.check(totals["packets_udp"] < 50, "and nothing else but what may be a tunnel", totals["packets_udp"])


SENT = 3 << 20
TAKE = """
import socket
server = socket.create_server(("10.9.0.2", 873))
peer = server.accept()[0]
while peer.recv(65536):
    pass
"""
SEND = """
import socket, time
for attempt in range(100):
    try:
        line = socket.create_connection(("10.9.0.2", 873), 5)
        break
    except OSError:
        time.sleep(0.05)
line.sendall(bytes([1]) * %d)
line.close()
""" % SENT


def passed_by(args, folder, pair):
    """--bypass-mib: a bulk flow of no known protocol is offered to the card; an interface has none, which is said, and nothing is lost."""
    live = Dataplane(args, folder, "--af-packet", "s0", "--bypass-mib", "1", wrap=inside(pair), name="passed")
    if not report.check(live.up, "--bypass-mib", live.said()):
        return
    taker = pair.start(pair.server, [sys.executable, "-c", TAKE])
    pair.run(pair.client, [sys.executable, "-c", SEND], check=True, timeout=60)
    taker.wait(timeout=60)
    time.sleep(1.5)  # the cards are tended once a second
    _, lines, stats = live.end()
    port = stats["ports"][0]
    report.check(port["bypass_refused"] >= 1 and port["bypass_flows"] == 0 and "flags mask 7" in port.get("bypass_refusal", ""),
                 "a flow that no card takes is told", port)
    bulk = [f for f in lines if f.get("dport") == 873]
    # Of a settled flow a segment that comes behind a later one is not counted, and on a busy host some do.
    report.check([f.get("end_reason") for f in bulk] == ["fin"] and SENT // 2 < bulk[0]["payload_c"] <= SENT,
                 "and goes on in software, to its FIN", bulk)


def main():
    args = programs.arguments(__doc__, ("--all", {"action": "store_true", "help": "overload and kept ports too, which need floods"}))
    if not programs.program(args, "seine-dataplane"):
        report.skipped("live extras", "seine-dataplane is not built")
        return
    with tempfile.TemporaryDirectory(prefix="seine-live-") as folder:
        os.chmod(folder, 0o777)
        two_fibres(args, folder)
        reason = netns.reason_not_to()
        if reason:
            report.skipped("another user, telemetry, overload", reason)
            return
        with netns.Pair() as pair:
            pair.offloads_off()
            other_user(args, folder, pair)
            passed_by(args, folder, pair)
            if args.all:
                unwanted(args, folder, pair)
                overload(args, folder, pair)


if __name__ == "__main__":
    report.run(main)
