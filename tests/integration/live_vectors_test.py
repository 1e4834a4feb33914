#!/usr/bin/env python3
"""The shared captures and hard cases played onto a wire: what seine-dataplane --af-packet tells of them is what is expected.

Frames are sent as fast as they are taken, so what depends on their times (JA4L) is left out. What stands on another link than
Ethernet is given an Ethernet header; PPP and NFLOG do not come over one and are told as skipped."""
import collections
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
import compare  # noqa: E402
import hard_test  # noqa: E402
import netns  # noqa: E402
import pcap  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402
import vectors_test  # noqa: E402

TIMED = ("ja4l_c", "ja4l_s")
MTU = 65535
LOST = " lost in the kernel"
# A copy is one that comes within a millisecond (dataplane/wire/duplicates.h); among so many frames it is looked for here.
COPY_S, COPY_AMONG = 0.001, 64
ETHERNET, NULL, RAW, LINUX_COOKED, IPV4, LINUX_COOKED_2 = 1, 0, 101, 113, 228, 276
MACS = bytes.fromhex("020000000002020000000001")


def by_version(packet):
    return MACS + struct.pack(">H", 0x86DD if packet[:1] and packet[0] >> 4 == 6 else 0x0800) + packet


def as_ethernet(link, data):
    """The frame as it would come over Ethernet; None where it would not."""
    if link == ETHERNET:
        return data
    if link in (RAW, IPV4):
        return by_version(data)
    if link == NULL:
        return by_version(data[4:])
    if link == LINUX_COOKED:
        return MACS + data[14:]
    if link == LINUX_COOKED_2:
        return MACS + data[:2] + data[20:]
    return None


def is_fragment(frame):
    """Of IPv4, behind any VLAN tags."""
    at = 12
    while frame[at:at + 2] in (b"\x81\x00", b"\x88\xa8"):
        at += 4
    return frame[at:at + 2] == b"\x08\x00" and len(frame) > at + 9 and struct.unpack(">H", frame[at + 8:at + 10])[0] & 0x3FFF != 0


def play(path, pause_s):
    """Sends every frame of a capture out of c0, some at a time; prints how many went, how many of them are IPv4 fragments, how many
    there were, and how many came later after the frame they are a copy of than a copy does. Runs in the client's namespace."""
    out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    out.bind(("c0", 0))
    sent, fragments, split, frames = 0, 0, 0, [as_ethernet(*one) for one in pcap.linked_frames(path)]
    sent_at, since_pause = collections.OrderedDict(), 0
    for frame in frames:
        if frame is None or len(frame) < 14:
            continue
        body = frame[14:]
        if since_pause >= 63 and body not in sent_at:
            time.sleep(pause_s)
            since_pause = 0
        before, now = sent_at.pop(body, None), time.monotonic()
        out.send(frame)
        split += before is not None and time.monotonic() - before > COPY_S
        sent_at[body] = now
        if len(sent_at) > COPY_AMONG:
            sent_at.popitem(last=False)
        sent += 1
        since_pause += 1
        fragments += is_fragment(frame)
    print(sent, fragments, len(frames), split)


class Wire:
    """A pair of namespaces that is quiet but for what is played."""

    def __init__(self, args, pair, folder):
        self.args, self.pair, self.folder = args, pair, folder
        self.tool = programs.program(args, "seine-dataplane")
        for name, interface in ((pair.client, "c0"), (pair.server, "s0")):
            pair.run(name, ["sysctl", "-qw", "net.ipv6.conf.%s.disable_ipv6=1" % interface], check=True)
            pair.run(name, ["ip", "address", "flush", "dev", interface], check=True)
            pair.run(name, ["ip", "link", "set", interface, "mtu", str(MTU), "arp", "off"], check=True)

    def tell(self, capture):
        """(file of records, why it is not to be judged or "") of one capture; what a busy host's kernel lost is played again, slower, and
        where it stood still between a frame and its copy, too."""
        for pause_s in (0.002, 0.02, 0.1):
            records, fault, split = self.tell_once(capture, pause_s)
            if not fault.endswith(LOST) and not split:
                break
        return records, fault

    def tell_once(self, capture, pause_s):
        out, stats, admin = (os.path.join(self.folder, name) for name in ("records.jsonl", "stats.json", "admin.sock"))
        process = self.pair.start(self.pair.server, [
            self.tool, "--af-packet", "s0", "--workers", str(self.args.workers), "--records-all", "--records", "jsonl:" + out, "--stats",
            "json:" + stats, "--socket", admin], stderr=subprocess.DEVNULL)
        if not netns.wait_for(lambda: netns.answers(admin) or process.poll() is not None) or process.poll() is not None:
            return None, "seine-dataplane does not come up", 0
        played = self.pair.run(self.pair.client, [sys.executable, "-B", os.path.abspath(__file__), "--play", capture, str(pause_s)],
                               capture_output=True, check=False)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
        if played.returncode != 0:
            return None, "not played: %s" % played.stderr.decode(errors="replace").strip().splitlines()[-1:], 0
        if code != 0:
            return None, "seine-dataplane ends with %d" % code, 0
        sent, fragments, there, split = (int(word) for word in played.stdout.split())
        if sent == 0 and there > 0:
            return out, "skipped", 0
        with open(stats, encoding="utf-8") as fh:
            document = json.load(fh)
        inspected, lost = document["totals"]["packets"], document["ports"][0]["kernel_drops"]
        # The kernel joins IPv4 fragments before it shares packets out (PACKET_FANOUT_FLAG_DEFRAG).
        if inspected < sent - fragments or lost:
            return None, "%d frames were sent, %d inspected, %d%s" % (sent, inspected, lost, LOST if lost else ""), 0
        return out, "", split


def vectors(args, wire):
    rules, found = compare.shared_rules(), vectors_test.pairs(args.set)
    if rules is None or not found:
        report.skipped("the shared %s over af_packet" % args.set, "they are not beside this checkout")
        return
    wrong, counts, unplayed = compare.read_wrong(vectors_test.WRONG), compare.Counts(), 0
    left_out = compare.RAW_FORMS + TIMED + (compare.JA4PLUS if args.no_ja4plus else ())
    chosen = [pair for pair in found[::args.every] if args.only in pair[0]]
    for capture, expected in chosen:
        name = "af_packet " + os.path.basename(capture)
        records, fault = wire.tell(capture)
        if fault == "skipped":
            unplayed += 1
            continue
        if not report.check(not fault, name + " is played", fault):
            continue
        got, differences = compare.match(rules, expected, records, os.path.basename(capture), wrong, left_out)
        counts.add(got)
        report.check(not differences, name, "%d differ: %s" % (len(differences), "; ".join(differences[:args.show])))
    if unplayed:
        report.skipped("%d captures over af_packet" % unplayed, "their link does not come over Ethernet")
    print(counts.table("seine-dataplane --af-packet over %s, %d captures" % (args.set, len(chosen) - unplayed)))
    report.check(sum(counts.total.values()) > 0, "something was compared")


def hard(args, wire):
    with tempfile.TemporaryDirectory(prefix="seine-hard-") as folder:
        made = hard_test.make(folder, args.flows)
        if made is None:
            return
        capture, wanted = made
        records, fault = wire.tell(capture)
        if report.check(not fault, "the hard cases are played", fault):
            with open(records, "rb") as fh:
                hard_test.check_cases("seine-dataplane --af-packet", wanted, fh.read())


def main():
    args = programs.arguments(__doc__, ("--set", {"default": "hard", "choices": ("hard", "vectors", "corpus")}),
                              ("--workers", {"type": int, "default": 1}), ("--every", {"type": int, "default": 1}),
                              ("--flows", {"type": int, "default": 50}), ("--only", {"default": ""}),
                              ("--show", {"type": int, "default": 3}), ("--no-ja4plus", {"action": "store_true"}))
    reason = netns.reason_not_to() or (None if programs.program(args, "seine-dataplane") else "seine-dataplane is not built")
    if reason:
        report.skipped("captures over af_packet", reason)
        return
    with tempfile.TemporaryDirectory(prefix="seine-live-") as folder, netns.Pair() as pair:
        wire = Wire(args, pair, folder)
        (hard if args.set == "hard" else vectors)(args, wire)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--play"]:
        play(sys.argv[2], float(sys.argv[3]))
    else:
        report.run(main)
