#!/usr/bin/env python3
"""Makes seeds for the inspector target from golden captures: the first packets of some flows, in its mini format.

usage: make_inspector_seeds.py   writes tests/fuzz/seeds/inspector/NAME
"""
import math
import os
import struct
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import pcap  # noqa: E402
import programs  # noqa: E402

PACKETS = {"farm-mixed": 24, "plain-http1": 14, "h2c": 16, "quic-far": 8, "ppv2-plain": 10, "ssh": 20, "tls12-ecdsa": 14}
BYTES_MAX = 12000


def seed(capture, packets):
    out, last = bytes([0]), None
    for seconds, micros, data, _ in pcap.frames(capture)[:packets]:
        at = seconds * 1_000_000 + micros
        step = 0 if last is None else min(255, math.isqrt(max(0, at - last) // 100))
        last = at
        piece = struct.pack(">BH", step, min(len(data), 0x7FF)) + data[:0x7FF]
        if len(out) + len(piece) > BYTES_MAX:
            break
        out += piece
    return out


def main():
    folder = os.path.join(HERE, "seeds", "inspector")
    os.makedirs(folder, exist_ok=True)
    for case, packets in PACKETS.items():
        with open(os.path.join(folder, case), "wb") as fh:
            fh.write(seed(os.path.join(programs.GOLDEN, case, "capture.pcap"), packets))


if __name__ == "__main__":
    main()
