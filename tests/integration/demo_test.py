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
    args = programs.arguments(__doc__)
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
    for words in (("--scale",), ("--scale", "huge"), ("--nonsense",)):
        ran = subprocess.run([os.path.join(programs.SOURCE, "tools", "demo"), *words], capture_output=True, check=False)
        report.check(ran.returncode == 2 and len(ran.stderr.splitlines()) == 1, "tools/demo %s ends with 2 and one line" % " ".join(words), ran)
    farms(args)
    serve(args)


def farms(args):
    """The half about farms, with the smallest generated world."""
    with tempfile.TemporaryDirectory(prefix="seine-demo-") as folder:
        ran = programs.run([sys.executable, "-B", os.path.join(programs.SOURCE, "tools", "demo_farms.py"), args.bin, folder, "--accounts", "25000"],
                           timeout_s=600)
        text = ran.out.decode()
        report.check(ran.code == 0 and "opA 100.0 % of 20, opB 100.0 % of 6" in text and "ARI 1.00" in text, "both operators of the capture are told", ran)
        report.check("10.10.2.2" in text and "relay" in text, "the reasons name the relay and its round trips", ran)
        report.check("25,000 accounts over seven days" in text, "a generated world follows", ran)


def serve(args):
    with tempfile.TemporaryDirectory(prefix="seine-demo-") as folder:
        ran = programs.run([sys.executable, "-B", os.path.join(programs.SOURCE, "tools", "demo_serve.py"), args.bin, folder, "--once"], timeout_s=120)
        report.check(ran.code == 0 and b"accounts are known" in ran.out, "control stays over the capture and answers", ran)
        report.check(b"farm show F-" in ran.out, "and shows its farms", ran)


if __name__ == "__main__":
    report.run(main)
