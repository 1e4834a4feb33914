#!/usr/bin/env python3
"""A thousand known keys and names through every source: none is found in store, log, ring, on sockets or in a core dump."""
import json
import os
import re
import secrets
import signal
import socket
import struct
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

COUNT = 1000


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def segment(from_client, port, seq, ack, flags, payload=b""):
    """An Ethernet frame with one TCP segment between 10.1.0.1:port and 10.1.0.2:8080."""
    client, server = socket.inet_aton("10.1.0.1"), socket.inet_aton("10.1.0.2")
    source, target = (client, server) if from_client else (server, client)
    ports = (port, 8080) if from_client else (8080, port)
    tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 64000, 0, 0) + payload
    tcp = tcp[:16] + struct.pack("!H", checksum(source + target + struct.pack("!HH", 6, len(tcp)) + tcp)) + tcp[18:]
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, source, target)
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return b"\x02" * 12 + b"\x08\x00" + ip + tcp


def write_capture(path, keys):
    """Requests in clear, one connection a key."""
    now = time.time_ns()
    with open(path, "wb") as out:
        out.write(pcap.header(magic=pcap.LITTLE_NANO))
        for number, key in enumerate(keys):
            head = b"GET /v1/x?key=%s HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer %s\r\n\r\n" % (key.encode(), key.encode())
            port = 20000 + number
            for i, frame in enumerate((segment(True, port, 1, 0, 2), segment(False, port, 1, 2, 18), segment(True, port, 2, 2, 16),
                                       segment(True, port, 2, 2, 24, head), segment(True, port, 2 + len(head), 2, 17),
                                       segment(False, port, 2, 3 + len(head), 17))):
                at = now + number * 1000000 + i * 1000
                out.write(pcap.frame(at // 10**9, at % 10**9, frame))


class Listener:
    """Between seinectl and control: passes packets on and keeps their bytes."""

    def __init__(self, path, target):
        self.path, self.target, self.bytes = path, target, bytearray()
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.server.bind(path)
        self.server.listen(8)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.server.accept()
            control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            control.connect(self.target)
            for source, target in ((client, control), (control, client)):
                threading.Thread(target=self.carry, args=(source, target), daemon=True).start()

    def carry(self, source, target):
        while True:
            data = source.recv(1 << 20)
            if not data:
                break
            self.bytes += data
            target.send(data)
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def dumped_memory(pid):
    """What a core dump of the process would hold: every mapping that is not marked as left out."""
    parts, span = [], None
    with open("/proc/%d/smaps" % pid, encoding="utf-8") as maps:
        for line in maps:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
            if head:
                span = (int(head.group(1), 16), int(head.group(2), 16), head.group(3))
            elif line.startswith("VmFlags:") and " dd" not in line and span[2].startswith("r"):
                parts.append(span[:2])
    with open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for first, last in parts:
            for at in range(first, last, 1 << 24):
                try:
                    memory.seek(at)
                    yield memory.read(min(1 << 24, last - at))
                except (OSError, ValueError, OverflowError):
                    break



def leaks(pattern, data):
    """Every needle has the same beginning, so one search finds the few places to look at."""
    return {match.group(0) for match in pattern.finditer(data)}


def main():
    args = programs.arguments(__doc__)
    ctl = programs.program(args, "seinectl")
    # One unmistakable beginning each, as long as a key is.
    keys = ["sk-known-%04d-%s" % (i, secrets.token_hex(12)) for i in range(COUNT)]
    names = ["acct-known-%04d-%s" % (i, secrets.token_hex(8)) for i in range(COUNT)]
    orgs = ["org-known-%04d-%s" % (i, secrets.token_hex(8)) for i in range(COUNT)]
    pattern = re.compile(rb"(?:sk|acct|org)-known-\d{4}-[0-9a-f]{4}")
    with tempfile.TemporaryDirectory(prefix="seine-secrets-") as folder:
        at = lambda name: os.path.join(folder, name)  # noqa: E731
        for words in (("new",), ("export", at("hash.key"))):
            made = programs.run([ctl, "account", "key", *words, "--keys", at("tag.keys")])
            report.check(made.code == 0, "seinectl account key " + words[0], made)
        write_capture(at("clear.pcap"), keys[500:800])
        ran = programs.run([programs.program(args, "seine-dataplane"), "--pcap", at("clear.pcap"), "--records", "ring:" + at("flows.ring"),
                            "--hash-key-file", at("hash.key")])
        report.check(ran.code == 0, "seine-dataplane over requests in clear", ran)
        sources = ["log file %s format=nginx account=account org=org from=start" % at("access.log"), "slog syslog-unix %s format=nginx" % at("slog.sock"),
                   "records unix %s" % at("account.sock"), "inline inline -"]
        with open(at("control.toml"), "w", encoding="utf-8") as fh:
            fh.write("rings = %s\nsocket = %s\ntag-keys = %s\naccount-sources = %s\nlog-level = \"debug\"\n[store]\nfolder = %s\n" % tuple(
                map(json.dumps, ([at("flows.ring")], at("control.sock"), at("tag.keys"), sources, at("state")))))
        with open(at("control.log"), "wb") as errors:
            control = subprocess.Popen([programs.program(args, "seine-control"), "--config", at("control.toml")], stderr=errors)
        try:
            drive(args, folder, control, (keys, names, orgs), pattern)
        finally:
            if control.poll() is None:
                control.send_signal(signal.SIGKILL)
            control.wait()


def line_of(number, port, keys, names, orgs):
    return json.dumps({"msec": "%.3f" % time.time(), "remote_addr": "10.2.0.1", "remote_port": str(port), "x_api_key": keys[number],
                       "account": names[number] if number % 2 else "", "org": orgs[number], "uri": "/x?k=" + keys[number]})


def drive(args, folder, control, known, pattern):
    keys, names, orgs = known
    at = lambda name: os.path.join(folder, name)  # noqa: E731
    ctl = programs.program(args, "seinectl")
    report.check(netns.wait_for(lambda: os.path.exists(at("control.sock"))), "seine-control is up")
    listener = Listener(at("between.sock"), at("control.sock"))
    with open(at("access.log"), "w", encoding="utf-8") as log:
        for i in range(300):
            log.write(line_of(i, 1000 + i, keys, names, orgs) + "\n")
            # Lines that are not understood hold keys too.
            log.write(keys[i] + " is no JSON\n" if i % 10 == 0 else "{\"msec\":\"%s\"}\n" % keys[i] if i % 10 == 1 else "")
        log.flush()
    sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for i in range(300, 400):
        sender.sendto(b"<190>Nov 28 01:02:03 host nginx: " + line_of(i, 1000 + i, keys, names, orgs).encode(), at("slog.sock"))
    for i in range(400, 500):
        record = {"client_ip": "10.3.0.1", "client_port": i, "proto": "tcp", "t_req_us": time.time_ns() // 1000, "key": "Bearer " + keys[i],
                  "account": names[i], "org": orgs[i]}
        sender.sendto(json.dumps(record).encode(), at("account.sock"))
        sender.sendto(json.dumps({**record, "seq": "x" + keys[i]}).encode(), at("account.sock"))
    lines = "".join(json.dumps({"account": names[i], "keys": [keys[i]], "org": orgs[i], "created": "2026-01-02T03:04:05Z", "tier": 2}) + "\n"
                    for i in range(800, COUNT))
    done = subprocess.run([ctl, "account", "import", "-", "--keys", at("tag.keys"), "--socket", at("between.sock")], input=lines.encode(),
                          capture_output=True, check=False)
    report.check(done.returncode == 0, "seinectl account import", done.stderr.decode())

    def ask(*words):
        ran = programs.run([ctl, *words, "--json", "--socket", at("between.sock")])
        return json.loads(ran.out) if ran.code == 0 else {}

    def taken():
        listed = {s["name"]: s for s in ask("account", "source", "list").get("sources", [])}
        return listed and listed["log"]["records"] + listed["slog"]["records"] + listed["records"]["records"] + listed["inline"]["records"] >= 800
    report.check(netns.wait_for(taken, 40), "every source was taken in", ask("account", "source", "list"))
    time.sleep(3)
    shown = [ask("account", "list", "--limit", "1000"), ask("account", "source", "list"), ask("status"), ask("flow", "list", "--limit", "1000")]
    report.check(len(shown[0].get("accounts", [])) >= 300, "accounts were learned", len(shown[0].get("accounts", [])))
    # What is searched with finds what is there: a test that cannot fail would be none.
    report.check(leaks(pattern, open(at("access.log"), "rb").read()), "the search finds keys in the gateway's own log")
    memory, size = set(), 0
    for part in dumped_memory(control.pid):
        memory |= leaks(pattern, part)
        size += len(part)
    report.check(size > 1 << 20, "the memory that a core dump would hold was read", size)
    report.equal(sorted(memory)[:5], [], "no key and no name in what a core dump would hold")
    control.send_signal(signal.SIGTERM)
    report.equal(control.wait(timeout=60), 0, "seine-control ends with 0")
    report.equal(sorted(leaks(pattern, bytes(listener.bytes)))[:5], [], "none on the socket between seinectl and control")
    places = [at("flows.ring"), at("flows.ring.alerts"), at("control.log")]
    places += [os.path.join(where, name) for where, _, files in os.walk(at("state")) for name in files]
    report.check(len(places) > 3, "the store has files", places)
    for path in places:
        if not os.path.exists(path):
            continue
        with open(path, "rb") as fh:
            report.equal(sorted(leaks(pattern, fh.read()))[:5], [], "none in " + os.path.relpath(path, folder))


report.run(main)
