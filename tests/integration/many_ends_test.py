#!/usr/bin/env python3
"""One packet that ends very many flows at once: every record of theirs comes out."""
import json
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pcap  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

FLOWS = 150000
DAY_S = 86400


def syn(number):
    """A SYN of its own source to one server."""
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 60, number & 0xffff, 0, 64, 6, 0, struct.pack(">I", 0x0a000000 + number), b"\xc6\x33\x64\x02")
    tcp = struct.pack(">HHIIBBHHH", 40000, 443, number, 0, 0xa0, 2, 64240, 0, 0)
    return b"\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0" + ip + tcp + b"\2\4\5\xb4\4\2\x08\n\0\0\0\1\0\0\0\0\1\3\3\7"


def make(path):
    with open(path, "wb") as out:
        out.write(pcap.header(magic=pcap.LITTLE_NANO))
        for number in range(FLOWS):
            out.write(pcap.frame(1700000000, number * 1000, syn(number)))
        out.write(pcap.frame(1700000000 + DAY_S, 0, syn(FLOWS)))


def main():
    args = programs.arguments(__doc__)
    replay = programs.program(args, "seine-replay")
    with tempfile.TemporaryDirectory(prefix="seine-ends-") as folder:
        capture, counters, records = (os.path.join(folder, name) for name in ("many.pcap", "counters.json", "records.jsonl"))
        make(capture)
        ran = programs.run([replay, capture, "--counters", counters, "--output", records], timeout_s=600)
        report.equal(ran.code, 0, "seine-replay reads it to its end")
        with open(counters, encoding="utf-8") as fh:
            counted = json.load(fh)
        with open(records, "rb") as fh:
            lines = sum(1 for _ in fh)
        report.equal(counted["records_dropped_ring_full"], 0, "no record is lost on the way out")
        report.equal(lines, FLOWS + 1, "a line for every flow")


if __name__ == "__main__":
    report.run(main)
