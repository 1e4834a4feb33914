#!/usr/bin/env python3
"""Two dataplanes, one on each direction of a link: control takes their halves for one connection and joins the gateway's log as if one had seen both."""
import json
import os
import struct
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "support"))
import control  # noqa: E402
import pcap  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

GOLDEN = os.path.join(HERE, "..", "golden", "farm-mixed")
CAPTURE, LOG = os.path.join(GOLDEN, "capture.pcap"), os.path.join(GOLDEN, "gateway.jsonl")
ETHERNET_BYTES, SOURCE_PORT_AT = 14, 20


def from_server(frame):
    """Whether an Ethernet frame of IPv4 without options left port 443; what carries no ports came from nobody."""
    at = ETHERNET_BYTES + SOURCE_PORT_AT
    return frame[12:14] == b"\x08\x00" and len(frame) >= at + 2 and struct.unpack(">H", frame[at:at + 2])[0] == 443


def split(folder):
    """The capture's two directions as captures of their own, as an optical tap delivers them: the client's, then the server's."""
    with open(CAPTURE, "rb") as fh:
        head = fh.read(pcap.HEADER_BYTES)
    halves = [os.path.join(folder, name) for name in ("to_server.pcap", "to_client.pcap")]
    for server, path in enumerate(halves):
        with open(path, "wb") as out:
            out.write(head)
            for seconds, fraction, data, wire in pcap.frames(CAPTURE):
                if from_server(data) == bool(server):
                    out.write(pcap.frame(seconds, fraction, data, wire))
    return halves


def joined(args, folder, captures):
    """(flows and requests by account, control's join counters) of captures that a dataplane each has read."""
    os.mkdir(folder)
    keys = os.path.join(folder, "..", "tag.keys")
    rings = [os.path.join(folder, "ring%d" % n) for n in range(len(captures))]
    for number, (capture, ring) in enumerate(zip(captures, rings)):
        ran = programs.run([programs.program(args, "seine-dataplane"), "--pcap", capture, "--dataplane-id", str(number + 1), "--records", "ring:" + ring])
        if not report.check(ran.code == 0, "dataplane %d of %d reads its capture" % (number + 1, len(captures)), ran):
            return {}, {}
    source = "edge file %s format=nginx from=start gateway=1" % LOG
    daemon = control.Control(args, folder, "tag-keys = %s\naccount-sources = %s\n" % (json.dumps(keys), json.dumps([source])),
                             more_rings=rings[1:], ring=rings[0])
    try:
        if not report.check(daemon.start(), "control starts", daemon.log()):
            return {}, {}
        with open(LOG, encoding="utf-8") as fh:
            lines = sum(1 for _ in fh)
        status = daemon.wait_for(lambda s: s["join"]["records"] >= lines and not s["join"]["pending"]
                                 and all(ring["open"] and ring["fill"] == 0 for ring in s["rings"]), 60)
        report.equal(sum(ring["lost"] for ring in status["rings"]), 0, "no ring lost a record")
        report.equal(daemon.stop(), 0, "SIGTERM ends it with 0")
        return {tag: (flows, requests) for tag, flows, requests in daemon.stored("select tag, flows, requests from account")}, status["join"]
    finally:
        daemon.end()


def main():
    args = programs.arguments(__doc__)
    with tempfile.TemporaryDirectory(prefix="seine-two-rings-") as folder:
        control.make_tag_keys(args, os.path.join(folder, "tag.keys"))
        whole, by_one = joined(args, os.path.join(folder, "one"), [CAPTURE])
        halves, by_two = joined(args, os.path.join(folder, "two"), split(folder))
        print("  one dataplane: %s\n  two: %s" % tuple({k: v for k, v in join.items() if v} for join in (by_one, by_two)))
        report.check(len(whole) > 20, "one dataplane: accounts of the log have flows", len(whole))
        report.equal(halves, whole, "two dataplanes: the same flows and requests of every account")
        report.equal((by_two.get("flows_two_dataplanes"), by_two.get("connections")), (by_one.get("connections"),) * 2, "every connection was put together of its halves")
        report.equal(by_two.get("records_joined"), by_one.get("records_joined"), "as many records are joined")
        report.equal(by_two.get("records_ambiguous"), 0, "and none was ambiguous")


if __name__ == "__main__":
    report.run(main)
