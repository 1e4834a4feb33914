#!/usr/bin/env python3
"""What the demo's table says of a client: relayed, direct, or that the wire does not tell, and why."""
import os
import sys
import tempfile
import json
import subprocess

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import report  # noqa: E402

sys.path.insert(0, os.path.join(programs.SOURCE, "tools"))
import demo_table  # noqa: E402


def flow(tcp_ms, tls_ms, **more):
    return dict({"src": "192.0.2.1", "app": "tls", "ja4": "t13d", "t_first_ns": 1, "rtt_valid": True,
                 "rtt_tcp_us": int(tcp_ms * 1000), "rtt_tls_us": int(tls_ms * 1000)}, **more)


VERDICTS = [
    ("three slow samples", [flow(12, 90)] * 3, "relayed"),
    ("two slow samples", [flow(12, 90)] * 2, "unsaid"),
    ("one quick sample among slow ones", [flow(12, 90)] * 3 + [flow(12, 14)], "direct"),
    ("a far client that is direct", [flow(80, 83)], "direct"),
    ("a gap under half of a long way", [flow(80, 115)] * 5, "direct"),
    ("a gap of 19 ms on a short way", [flow(10, 29)] * 5, "direct"),
    ("a client next door", [flow(0.02, 0.9)] * 5, "unsaid"),
    ("samples that may not be compared", [flow(12, 90, rtt_valid=False, rtt_causes=["hello_retry"])] * 5, "unsaid"),
    ("QUIC", [flow(80, 200, app="quic", rtt_valid=False)] * 5, "unsaid"),
    ("HTTP in clear", [{"src": "192.0.2.1", "app": "http1", "t_first_ns": 1, "rtt_tcp_us": 20000}] * 5, "unsaid"),
    ("a PROXY header", [flow(12, 13, proxied_src="198.51.100.7")], "relayed"),
]


def main():
    for name, flows, want in VERDICTS:
        kind, why = demo_table.Client(flows).verdict()
        report.check(kind == want and why.startswith({"unsaid": "cannot say"}.get(want, want)), "%s: %s" % (name, want), (kind, why))
    _, why = demo_table.Client(VERDICTS[7][1]).verdict()
    report.check("hello retry" in why, "an invalid sample names its cause", why)
    with tempfile.TemporaryDirectory(prefix="seine-demo-") as folder:
        lines = [flow(12, 90, sport=n, src="2001:db8:1234:5678:9abc:def0:1234:%04x" % n, sni="a" * 200) for n in range(4)]
        with open(os.path.join(folder, "case.jsonl"), "w", encoding="utf-8") as fh:
            fh.writelines(json.dumps(line) + "\n" for line in lines)
        table = [sys.executable, "-B", os.path.join(programs.SOURCE, "tools", "demo_table.py"), folder, "case"]
        ran = programs.run(table)
        text = ran.out.decode()
        report.check(ran.code == 0 and "\033" not in text, "no colour off a terminal", ran)
        report.check(max(map(len, text.splitlines())) <= 120, "no line over 120 columns", max(text.splitlines(), key=len))
        with open(os.path.join(folder, "case.jsonl"), "w", encoding="utf-8"):
            pass
        report.equal(programs.run(table).code, 1, "a capture without a flow is a failed demo")
    for option, code in (("--serve", 1), ("--scale", 1), ("--nonsense", 2)):
        ran = subprocess.run([os.path.join(programs.SOURCE, "tools", "demo"), option], capture_output=True, check=False)
        report.check(ran.returncode == code and len(ran.stderr.splitlines()) == 1, "tools/demo %s ends with %d and one line" % (option, code), ran)


if __name__ == "__main__":
    report.run(main)
