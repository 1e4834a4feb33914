#!/usr/bin/env python3
"""Broken captures, wrong options and a refusing DPDK: the good part is processed, one line says what was wrong."""
import os
import struct
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import pcap  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

SOUND = os.path.join(programs.GOLDEN, "farm-mixed", "capture.pcap")


def write(folder, name, blob):
    path = os.path.join(folder, name)
    with open(path, "wb") as fh:
        fh.write(blob)
    return path


def one_line(ran, name, *words):
    """Exactly one line on stderr, with every one of `words` in it and nothing a programmer would have to explain."""
    lines = ran.error_lines()
    low = "\n".join(lines).lower()
    return report.check(len(lines) == 1 and all(w.lower() in low for w in words) and "0x7f" not in low and "assert" not in low,
                        name, "want one line with %s; %s" % (list(words), ran))


class Replay:
    name = "seine-replay"

    def __init__(self, tool, folder):
        self.tool, self.folder = tool, folder

    def over(self, capture):
        ran = programs.run([self.tool, capture], cwd=self.folder)
        return ran, ran.out.splitlines()


class Dataplane:
    name = "seine-dataplane"

    def __init__(self, tool, folder):
        self.tool, self.folder = tool, folder

    def over(self, capture):
        out = os.path.join(self.folder, "records.jsonl")
        if os.path.exists(out):
            os.unlink(out)
        ran = programs.run([self.tool, "--pcap", capture, "--workers", "2", "--records", "jsonl:" + out], cwd=self.folder)
        if not os.path.exists(out):
            return ran, []
        with open(out, "rb") as fh:
            return ran, sorted(fh.read().splitlines())


def broken_captures(folder):
    """(name, path, path of a sound capture with the same good part or None)"""
    with open(SOUND, "rb") as fh:
        blob = fh.read()
    offsets = pcap.frame_offsets(blob)
    middle = offsets[len(offsets) // 2]
    good = write(folder, "good.pcap", blob[:middle])
    huge = blob[:middle] + struct.pack("<IIII", 1795200090, 0, 0x7FFFFFFF, 0x7FFFFFFF) + bytes(64)
    yield "no such file", os.path.join(folder, "absent.pcap"), None
    yield "a folder", folder, None
    yield "an empty file", write(folder, "empty.pcap", b""), None
    yield "a header cut short", write(folder, "short.pcap", blob[:13]), None
    yield "a wrong magic", write(folder, "magic.pcap", b"\x7fELF" + blob[4:400]), None
    yield "cut inside a packet", write(folder, "cut.pcap", blob[:middle + 16 + 20]), good
    yield "cut inside a packet header", write(folder, "cuthead.pcap", blob[:middle + 7]), good
    yield "a packet length past reason", write(folder, "huge.pcap", huge), good
    yield "a link type nobody knows", write(folder, "link.pcap", pcap.header(link_type=147) + pcap.frame(1, 0, bytes(60))), None


def check_captures(program, folder):
    ran, lines = program.over(SOUND)
    report.check(ran.code == 0 and lines and not ran.err, "%s: a sound capture gives records and no line" % program.name, ran)
    header_only = write(folder, "header.pcap", pcap.header())
    ran, lines = program.over(header_only)
    report.check(ran.code == 0 and not lines, "%s: a capture without packets is sound" % program.name, ran)
    for what, path, good in broken_captures(folder):
        ran, lines = program.over(path)
        report.equal(ran.code, 1, "%s: %s ends with 1" % (program.name, what))
        one_line(ran, "%s: %s gets one line that names it" % (program.name, what), os.path.basename(path))
        if good:
            _, wanted = program.over(good)
            report.check(lines == wanted and wanted, "%s: %s, its good part is processed" % (program.name, what),
                         "%d records, %d wanted" % (len(lines), len(wanted)))
        else:
            report.check(not lines, "%s: %s gives no record" % (program.name, what), lines[:1])


def check_several(program, folder):
    """A broken capture among sound ones does not keep them from being read."""
    bad = write(folder, "bad.pcap", b"nothing of the kind")
    ran = programs.run([program.tool, bad, SOUND], cwd=folder)
    alone, _ = program.over(SOUND)
    report.check(ran.code == 1 and ran.out == alone.out, "seine-replay: a bad file among good ones costs only itself", ran)
    one_line(ran, "seine-replay: and is named", "bad.pcap")


def check_usage(tool, name, *commands):
    for options in commands:
        ran = programs.run([tool, *options])
        report.equal(ran.code, 2, "%s %s ends with 2" % (name, " ".join(options) or "without arguments"))
        one_line(ran, "%s %s gets one line" % (name, " ".join(options) or "without arguments"), *options[:1])


def check_runtime(tool, folder):
    """What the machine refuses: one line that says what to do, exit 1."""
    out = os.path.join(folder, "absent-folder", "records.jsonl")
    ran = programs.run([tool, "--pcap", SOUND, "--records", "jsonl:" + out], cwd=folder)
    report.equal(ran.code, 1, "seine-dataplane: records to a folder that is not there ends with 1")
    one_line(ran, "seine-dataplane: and names the file", "records.jsonl")
    ran = programs.run([tool, "--pcap", SOUND, "--eal", "--no-such-eal-option"], cwd=folder)
    report.equal(ran.code, 1, "seine-dataplane: DPDK refusing to start ends with 1")
    one_line(ran, "seine-dataplane: and says what DPDK was given", "--no-such-eal-option")
    ran = programs.run([tool, "--pcap", SOUND, "--eal", "-m 99999999"], cwd=folder)
    report.equal(ran.code, 1, "seine-dataplane: more memory than there is ends with 1")
    one_line(ran, "seine-dataplane: and names memory", "memory")
    ran = programs.run([tool, "--af-packet", "nosuchif0", "--records", "jsonl:-"], cwd=folder, timeout_s=30)
    report.equal(ran.code, 1, "seine-dataplane: an interface that is not there ends with 1")
    one_line(ran, "seine-dataplane: and names the interface", "--af-packet", "nosuchif0")


def main():
    args = programs.arguments(__doc__)
    replay, dataplane = programs.program(args, "seine-replay"), programs.program(args, "seine-dataplane")
    with tempfile.TemporaryDirectory(prefix="seine-bad-") as folder:
        if replay:
            check_captures(Replay(replay, folder), folder)
            check_several(Replay(replay, folder), folder)
            check_usage(replay, "seine-replay", ["--no-such-option"], [])
        if dataplane:
            check_captures(Dataplane(dataplane, folder), folder)
            check_usage(dataplane, "seine-dataplane", ["--no-such-option"], ["--workers", "none", "--pcap", SOUND],
                        ["--records", "nonsense", "--pcap", SOUND], [])
            check_runtime(dataplane, folder)
    report.check(replay or dataplane, "a program to run is built")


if __name__ == "__main__":
    report.run(main)
