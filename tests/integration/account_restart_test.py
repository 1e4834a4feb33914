#!/usr/bin/env python3
"""seine-control killed ten times while a log grows: no line lost, none taken twice, every one joined to its connection."""
import json
import os
import signal
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
                                 ["log file %s format=nginx from=start" % at("access.log")], at("state")))))
        log, errors = open(at("access.log"), "w", encoding="utf-8"), open(at("control.log"), "wb")

        def start():
            return subprocess.Popen([programs.program(args, "seine-control"), "--config", at("control.toml")], stderr=errors)

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

        def join():
            ran = programs.run([ctl, "status", "--json", "--socket", at("control.sock")])
            return json.loads(ran.out).get("join", {}) if ran.code == 0 else {}
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
        daemon.send_signal(signal.SIGTERM)
        report.equal(daemon.wait(timeout=60), 0, "seine-control ends with 0")


report.run(main)
