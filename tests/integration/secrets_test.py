#!/usr/bin/env python3
"""No key, cookie or header value of the captures appears in a record, a ring, the statistics, a log line or a core file."""
import glob
import json
import os
import re
import resource
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

SECRET_HEADERS = {b"authorization", b"proxy-authorization", b"cookie", b"set-cookie", b"x-api-key", b"api-key"}
# What a record is meant to hold of a request: these values may appear, all others may not.
SHOWN_HEADERS = {b"host", b"user-agent", b":authority"}
HEADER_LINE = re.compile(rb"\r\n([A-Za-z][A-Za-z0-9-]*): *([^\r\n]+)")
QUERY = re.compile(rb"[?&](?:k|key|api_key|access_token)=([^&\s]+)")
LAB_KEY = re.compile(rb"sk-lab-[0-9a-f]{6,}")
SHORTEST = 6  # shorter values (`*/*`, `close`) say nothing and occur by chance


def cookie_parts(value):
    """Values and pairs: a value may be too short to look for, its pair is not."""
    pairs = [part.strip() for part in value.split(b";")]
    return pairs + [pair.partition(b"=")[2] for pair in pairs]


def values_of(capture):
    """(secrets, other header values, values a record shows) that this capture holds in clear."""
    secrets, others, shown = set(), set(), set()
    for _, payload in pcap.tcp_payloads(capture):
        head = b"\r\n" + payload.partition(b"\r\n\r\n")[0]
        if b" HTTP/1." not in head and not head.startswith(b"\r\nHTTP/1."):
            continue
        secrets.update(QUERY.findall(head))
        for name, value in HEADER_LINE.findall(head):
            low = name.lower()
            if low in SECRET_HEADERS:
                secrets.update([value, value.split(b" ")[-1]])
                if b"cookie" in low:
                    secrets.update(cookie_parts(value))
            elif low in SHOWN_HEADERS:
                shown.add(value)
            elif head.startswith(b"\r\nHTTP/1."):
                continue  # answers: sizes and dates are in records by right
            else:
                others.add(value)
    secrets = {v for v in secrets if len(v) >= SHORTEST}
    others = {v for v in others if len(v) >= SHORTEST and not any(v in s for s in shown)}
    return secrets, others - secrets, shown


def labelled_keys():
    """Keys that the corpus's labels and gateway logs name; they are inside TLS, so a sensor cannot even know them."""
    keys, folder = set(), programs.shared("corpus", "labels")
    for path in glob.glob(os.path.join(folder, "*.jsonl")) if folder else []:
        with open(path, encoding="utf-8") as fh:
            for line in fh:
                entry = json.loads(line)
                for name in ("key", "client_key", "x_api_key", "authorization"):
                    keys.add(str(entry.get(name) or "").split(" ")[-1])
                keys.update(entry.get("keys_seen") or [])
    return {k.encode() for k in keys if len(k) >= SHORTEST}


def found_in(blob, values):
    hits = [v for v in values if v in blob]
    return hits + LAB_KEY.findall(blob)[:3]


def outputs(args, capture, folder):
    """(name, bytes) of everything that the programs write about this capture."""
    replay, dataplane = programs.program(args, "seine-replay"), programs.program(args, "seine-dataplane")
    if replay:
        for options in ([], ["--events"], ["--records-all"]):
            ran = programs.run([replay, *options, capture])
            yield "seine-replay %s" % " ".join(options), ran.out + ran.err
    if dataplane:
        made = {kind: os.path.join(folder, kind) for kind in ("records.jsonl", "ring", "stats.json")}
        ran = programs.run([dataplane, "--pcap", capture, "--workers", "2", "--records-all", "--records", "jsonl:" + made["records.jsonl"],
                            "--records", "ring:" + made["ring"], "--stats", "json:" + made["stats.json"]], cwd=folder)
        report.check(ran.code == 0, "seine-dataplane runs with every output over %s" % os.path.basename(os.path.dirname(capture)), ran)
        yield "seine-dataplane log", ran.out + ran.err
        for kind, path in made.items():
            report.check(os.path.exists(path) and os.path.getsize(path) > 0, "%s is written" % kind)
            if os.path.exists(path):
                with open(path, "rb") as fh:
                    yield "seine-dataplane " + kind, fh.read().rstrip(b"\0")  # a ring is mostly room
                os.unlink(path)


def check_outputs(args, captures, folder):
    labelled = labelled_keys()
    for capture in captures:
        secrets, others, _ = values_of(capture)
        name = os.path.relpath(capture, os.path.join(programs.SOURCE, ".."))
        for what, blob in outputs(args, capture, folder):
            # Statistics hold counters and what they mean in words, `keep-alive` among them.
            hits = found_in(blob, secrets | labelled) + [v for v in others if v in blob and "stats" not in what]
            report.check(not hits, "%s of %s holds none of %d values" % (what.strip(), name, len(secrets | others | labelled)), hits[:3])


def check_that_we_would_see(args, capture):
    """The search itself works: what --raw shows by design is found."""
    secrets, _, _ = values_of(capture)
    report.check(len(secrets) >= 5, "the clear-text capture holds secrets to look for", secrets)
    replay = programs.program(args, "seine-replay")
    if replay and not args.no_ja4plus:
        ran = programs.run([replay, "--raw", capture])
        report.check(found_in(ran.out, secrets), "seine-replay --raw shows cookie values, and the search finds them", ran)


def long_capture(source, path, copies):
    """The capture many times over, an hour apart, so that a process is still at it when the signal comes."""
    with open(path, "wb") as fh:
        fh.write(pcap.header())
        for copy in range(copies):
            for seconds, fraction, data, wire in pcap.frames(source):
                fh.write(struct.pack("<IIII", seconds + 3600 * copy, fraction, len(data), wire) + data)


def allow_cores():
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def aborted(command, folder, after_s):
    """Runs `command`, sends SIGABRT after a while; (exit code, core files)."""
    job = subprocess.Popen(command, cwd=folder, preexec_fn=allow_cores, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after_s)
    job.send_signal(signal.SIGABRT)
    job.wait(60)
    return job.returncode, glob.glob(os.path.join(folder, "core*"))


def check_core(args, capture):
    dataplane = programs.program(args, "seine-dataplane")
    if not dataplane or args.sanitized:
        return
    secrets, _, _ = values_of(capture)
    with tempfile.TemporaryDirectory(prefix="seine-core-") as folder:
        control = os.path.join(folder, "control")
        os.mkdir(control)
        code, cores = aborted([sys.executable, "-c", "import time; kept = %r; time.sleep(30)" % sorted(secrets)[0]], control, 0.5)
        if code != -signal.SIGABRT or not cores:
            return report.skipped("core file", "this machine writes no core file into the working folder")
        with open(cores[0], "rb") as fh:
            report.check(found_in(fh.read(), secrets), "an ordinary program's core file does hold its secrets")
        long_path = os.path.join(folder, "long.pcap")
        long_capture(capture, long_path, 400)
        for after_s in (0.3, 0.6, 1.0):
            run_folder = os.path.join(folder, str(after_s))
            os.mkdir(run_folder)
            code, cores = aborted([dataplane, "--pcap", long_path, "--workers", "2", "--records", "jsonl:records"], run_folder, after_s)
            if code != -signal.SIGABRT:
                report.check(code == 0, "seine-dataplane ended by itself before the signal after %s s" % after_s, code)
                continue
            hits = []
            for core in cores:
                with open(core, "rb") as fh:
                    hits += found_in(fh.read(), secrets)
            report.check(not hits, "seine-dataplane stopped after %s s leaves %s" % (after_s, "no secret in its core file" if cores else "no core file"),
                         hits[:3])
    return None


def main():
    args = programs.arguments(__doc__, ("--no-ja4plus", {"action": "store_true"}), ("--shared", {"action": "store_true"}))
    clear = os.path.join(programs.GOLDEN, "plain-http1", "capture.pcap")
    captures = programs.golden_captures()
    if args.shared and programs.shared("corpus", "pcap"):
        captures = programs.captures(programs.shared("corpus", "pcap"))
    with tempfile.TemporaryDirectory(prefix="seine-secrets-") as folder:
        check_that_we_would_see(args, clear)
        check_outputs(args, captures, folder)
        check_core(args, clear)


if __name__ == "__main__":
    report.run(main)
