#!/usr/bin/env python3
"""seine-control killed ten times while a log grows: no line lost, none taken twice, every one joined to its connection.

Then killed between rotations of the log, in which its old file and its new one are both read: again each line once. Then while records come by
a socket: each that it had read is stored, or counted as lost at the next start.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import netns  # noqa: E402
import pcap  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

FLOWS = 300
KILLS = 10
ROTATIONS = 3
BY_SOCKET = 2000


def segment(from_client, port, seq, ack, flags, payload=b""):
    """An Ethernet frame with one TCP segment between 10.1.0.1:port and 10.1.0.2:8080; checksums are the capture's business."""
    client, server = b"\x0a\x01\x00\x01", b"\x0a\x01\x00\x02"
    source, target, ports = (client, server, (port, 8080)) if from_client else (server, client, (8080, port))
    tcp = struct.pack("!HHIIBBHHH", *ports, seq, ack, 5 << 4, flags, 64000, 0, 0) + payload
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0, source, target)
    return b"\x02" * 12 + b"\x08\x00" + ip + tcp


def write_capture(path, now):
    head = b"GET /v1/x HTTP/1.1\r\nHost: h\r\n\r\n"
    with open(path, "wb") as out:
        out.write(pcap.header(magic=pcap.LITTLE_NANO))
        for number in range(FLOWS):
            port = 20000 + number
            for i, frame in enumerate((segment(True, port, 1, 0, 2), segment(False, port, 1, 2, 18), segment(True, port, 2, 2, 16),
                                       segment(True, port, 2, 2, 24, head), segment(True, port, 2 + len(head), 2, 17),
                                       segment(False, port, 2, 3 + len(head), 17))):
                at = now + number * 1000000 + i * 1000
                out.write(pcap.frame(at // 10**9, at % 10**9, frame))


def rotated_and_killed(daemon, log, start, at, join):
    """Lines of flows that nobody saw: what counts is that each is taken once. The daemon after that."""
    taken, written = FLOWS, 0

    def write(count):
        nonlocal written
        for _ in range(count):
            log.write(json.dumps({"msec": "%.3f" % time.time(), "remote_addr": "10.9.0.1", "remote_port": str(1024 + written),
                                  "x_api_key": "sk-%d" % written}) + "\n")
            written += 1
        log.flush()

    for rotation in range(ROTATIONS):
        write(20)
        os.rename(at("access.log"), at("access.log.%d" % rotation))
        write(20)  # its writer has the old file open for a while
        log = open(at("access.log"), "w", encoding="utf-8")
        write(20)
        taken = FLOWS + written
        netns.wait_for(lambda: join().get("records", 0) >= taken, 30)
        time.sleep(0.3 * rotation)  # before the commit, or after it
        daemon.send_signal(signal.SIGKILL)
        daemon.wait()
        write(20)
        daemon = start()
    taken = FLOWS + written
    netns.wait_for(lambda: join().get("records", 0) >= taken, 30)
    time.sleep(0.5)
    report.equal(join().get("records"), taken, "rotated %d times and killed after each, every line is taken once" % ROTATIONS)
    return daemon


def killed_with_a_socket(daemon, start, at, ask):
    """The daemon after that."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as gateway:
        for number in range(BY_SOCKET):
            record = {"type": "closed", "account_tag": "%032x" % (number + 1), "gateway_id": 9, "seq": number, "proto": 0}
            gateway.sendto(json.dumps(record).encode(), at("gw.sock"))
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    with open(at("flows.ring.taken"), "rb") as fh:
        taken = struct.unpack("<QQQ", fh.read(24))[2]
    daemon = start()
    netns.wait_for(lambda: ask().get("account_sources"), 30)
    status = ask()
    stored, lost = status["join"]["records_told"], status["account_records_unstored"]
    print("  %d records by a socket and a kill: read %d, stored %d, told as lost %d" % (BY_SOCKET, taken, stored, lost))
    report.check(taken > BY_SOCKET // 2, "they came", taken)
    report.equal(stored + lost, taken, "each record that was read of a socket is stored or told as lost")
    daemon.send_signal(signal.SIGKILL)
    daemon.wait()
    daemon = start()
    netns.wait_for(lambda: ask().get("account_sources"), 30)
    report.equal(ask()["account_records_unstored"], lost, "and told once")
    return daemon


def main():
    args = programs.arguments(__doc__)
    ctl = programs.program(args, "seinectl")
    with tempfile.TemporaryDirectory(prefix="seine-restart-") as folder:
        at = lambda name: os.path.join(folder, name)  # noqa: E731
        now = time.time_ns() - 10**9
        write_capture(at("clear.pcap"), now)
        control.make_tag_keys(args, at("tag.keys"))
        ran = programs.run([programs.program(args, "seine-dataplane"), "--pcap", at("clear.pcap"), "--records", "ring:" + at("flows.ring")])
        report.check(ran.code == 0, "seine-dataplane over the capture", ran)
        with open(at("control.toml"), "w", encoding="utf-8") as fh:
            fh.write("rings = %s\nsocket = %s\ntag-keys = %s\naccount-sources = %s\n[store]\nfolder = %s\ncommit-ms = 100\n" % tuple(
                map(json.dumps, ([at("flows.ring")], at("control.sock"), at("tag.keys"),
                                 ["log file %s format=nginx from=start" % at("access.log"), "gw unix %s" % at("gw.sock")], at("state")))))
        log, errors = open(at("access.log"), "w", encoding="utf-8"), open(at("control.log"), "wb")

        def start():
            return subprocess.Popen([programs.program(args, "seine-control"), "--config", at("control.toml")], stderr=errors)

        def ask():
            ran = programs.run([ctl, "status", "--json", "--socket", at("control.sock")])
            return json.loads(ran.out) if ran.code == 0 else {}

        def join():
            return ask().get("join", {})
        daemon = start()
        written = 0
        for kill in range(KILLS + 1):
            end = FLOWS * (kill + 1) // (KILLS + 1)
            while written < end:
                moment = (now + written * 1000000) / 1e9
                log.write(json.dumps({"msec": "%.3f" % moment, "remote_addr": "10.1.0.1", "remote_port": str(20000 + written),
                                      "x_api_key": "sk-%d" % written}) + "\n")
                log.flush()
                written += 1
                time.sleep(0.015)
            if kill < KILLS:
                daemon.send_signal(signal.SIGKILL)
                daemon.wait()
                daemon = start()

        netns.wait_for(lambda: join().get("records", 0) >= FLOWS and not join().get("pending", 1), 30)
        time.sleep(1)
        last = join()
        print("  %d lines, %d kills: records %s, joined %s" % (FLOWS, KILLS, last.get("records"), last.get("records_joined")))
        report.equal(last.get("records"), FLOWS, "no line lost and none taken twice")
        report.equal(last.get("records_joined"), FLOWS, "every one is joined")
        ran = programs.run([ctl, "account", "list", "--limit", "1000", "--json", "--socket", at("control.sock")])
        accounts = json.loads(ran.out)["accounts"] if ran.code == 0 else []
        report.equal((len(accounts), sum(a["requests"] for a in accounts), sum(a["flows"] for a in accounts)), (FLOWS, FLOWS, FLOWS),
                     "accounts, requests and flows in the store")
        daemon = rotated_and_killed(daemon, log, start, at, join)
        daemon = killed_with_a_socket(daemon, start, at, ask)
        daemon.send_signal(signal.SIGTERM)
        report.equal(daemon.wait(timeout=60), 0, "seine-control ends with 0")


report.run(main)
