#!/usr/bin/env python3
"""kill -9 of the dataplane at any time: what was in the ring is had, and the next start says how much was not."""
import mmap
import os
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pcap  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

CONNECTIONS = 30000
KILLS = 6
COUNTERS_AT, COUNTERS, WORKERS = 4096, 8, 64
REQUEST = b"GET /v1/models HTTP/1.1\r\nHost: api.test\r\nUser-Agent: seine-test\r\n\r\n"


def segment(number, client, flags, seq, ack, payload=b""):
    ends = (struct.pack(">I", 0x0a000000 + number), b"\xc6\x33\x64\x02")
    ports = (40000, 80)
    if not client:
        ends, ports = ends[::-1], ports[::-1]
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40 + len(payload), seq & 0xffff, 0, 64, 6, 0, *ends)
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + struct.pack(">HHIIBBHHH", *ports, seq, ack, 0x50, flags, 64240, 0, 0) + payload


def make(path, connections):
    """Connections with one request each, 10 us apart: open, request and close records, spread over the whole capture."""
    with open(path, "wb") as out:
        out.write(pcap.header(magic=pcap.LITTLE_NANO))
        at = 0
        for number in range(connections):
            size = len(REQUEST)
            for data in (segment(number, True, 2, 1000, 0), segment(number, False, 18, 9000, 1001), segment(number, True, 16, 1001, 9001),
                         segment(number, True, 24, 1001, 9001, REQUEST), segment(number, True, 17, 1001 + size, 9001),
                         segment(number, False, 17, 9001, 1002 + size)):
                at += 10000
                out.write(pcap.frame(1700000000 + at // 10**9, at % 10**9, data))


class Ring:
    """The counters of a ring file, read while it is written: worker to name to sum."""

    NAMES = ("frames_written", "bytes_written", "dropped_ring_full", "dropped_too_long", "dropped_before_ring", "records_made", "frames_to_alerts")

    def __init__(self, path):
        with open(path, "rb") as fh:
            self.map = mmap.mmap(fh.fileno(), COUNTERS_AT + WORKERS * COUNTERS * 8, prot=mmap.PROT_READ)

    def total(self, name):
        return sum(struct.unpack_from("<Q", self.map, COUNTERS_AT + (worker * COUNTERS + self.NAMES.index(name)) * 8)[0]
                   for worker in range(WORKERS))

    def arrived(self):
        return sum(self.total(name) for name in ("frames_written", "dropped_ring_full", "dropped_too_long", "dropped_before_ring", "frames_to_alerts"))


def command(tool, capture, ring):
    return [tool, "--pcap", capture, "--workers", "2", "--records", "ring:" + ring]


def killed_run(tool, capture, ring, after):
    """Runs and kills when `after` more frames are in the ring; False when it ended before."""
    with subprocess.Popen(command(tool, capture, ring), stderr=subprocess.DEVNULL, cwd=os.path.dirname(ring)) as process:
        while not os.path.exists(ring) or os.path.getsize(ring) < COUNTERS_AT + WORKERS * COUNTERS * 8:
            if process.poll() is not None:
                return False
            time.sleep(0.001)
        counters = Ring(ring)
        begun = counters.total("frames_written")
        while counters.total("frames_written") < begun + after and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        return process.wait() == -signal.SIGKILL


def check_kill(args, capture, folder, number):
    tool, records = programs.program(args, "seine-dataplane"), programs.program(args, "seine-records")
    ring = os.path.join(folder, "ring%d" % number)
    after = random.Random(number).randrange(1, CONNECTIONS)
    name = "kill %d, after %d frames" % (number, after)
    if not report.check(killed_run(tool, capture, ring, after), "%s: killed at work" % name):
        return
    counters = Ring(ring)
    written, made, dropped = (counters.total(n) for n in ("frames_written", "records_made", "dropped_ring_full"))
    lost = made - counters.arrived()
    dumped = programs.run([records, ring])
    frames = dumped.out.count(b"\n")
    # Between the frame's head and its count a kill may fall once.
    report.check(dumped.code == 0 and written <= frames <= written + 1, "%s: every frame that was put in is had, whole" % name,
                 "%s: %d put in, %d had" % (dumped, written, frames))
    report.check(lost >= 0 and made > 0, "%s: no more came than was made" % name, "%d made, %d arrived" % (made, counters.arrived()))
    # The next start carries on, says the loss, and adds it to the ring's account.
    small = os.path.join(folder, "small.pcap")
    ran = programs.run(command(tool, small, ring), cwd=folder)
    said = re.search(rb"lost (\d+) records that it had made", ran.err)
    report.check(ran.code == 0 and said and abs(int(said.group(1)) - lost) <= 1, "%s: the next start says how much was lost" % name,
                 "%s: %d made and not in" % (ran, lost))
    print("%s: %d records in the ring, %d lost with the process, %d dropped for want of a reader" % (name, frames, lost, dropped))
    report.equal(counters.total("records_made"), counters.arrived(), "%s: made equals put in plus lost, by reason" % name)
    os.unlink(ring)


def main():
    args = programs.arguments(__doc__)
    with tempfile.TemporaryDirectory(prefix="seine-kill-") as folder:
        capture = os.path.join(folder, "capture.pcap")
        make(capture, CONNECTIONS)
        make(os.path.join(folder, "small.pcap"), 1)
        for number in range(KILLS):
            check_kill(args, capture, folder, number)


if __name__ == "__main__":
    report.run(main)
