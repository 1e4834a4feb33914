#!/usr/bin/env python3
"""seine-bench runs, checks its answers, and prints rows as they were promised; no time is judged here."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import report  # noqa: E402

KEYS = {"name", "value", "unit", "target", "met", "baseline", "ratio", "spread"}
TARGETS = ["mix", "settled_packet", "settled_lookup", "client_hellos", "quic_initials", "http1_heads",
           "start_to_first_packet", "join_records", "join_joined", "signature_scan_rate", "signature_scan_rate_unremembered"]
# Rows that are the difference of two measured runs: a short run on a busy machine may put one below nothing.
SIGNED = ["mix_all_forms", "signature_packs", "signature_reload_gap"]


def bench(bin_dir, *options):
    run = subprocess.run([os.path.join(bin_dir, "seine-bench"), "--json", *options], capture_output=True, text=True,
                         timeout=900)
    return run, json.loads(run.stdout) if run.returncode == 0 else None


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--bin", required=True)
    args = ap.parse_args()
    run, result = bench(args.bin, "--quick", "--rows", "mix,forms,handshakes,settled,start,join,signatures")
    if not report.check(result is not None, "seine-bench ends with 0", run.stderr[-400:]):
        return
    rows = {row["name"]: row for row in result["rows"]}
    report.check(all(KEYS <= set(row) for row in result["rows"]), "every row has every key")
    report.check(result["machine"].get("processor"), "the machine is named")
    for name in TARGETS:
        row = rows.get(name)
        if report.check(row is not None and row["value"] > 0 and row["target"] is not None, "row %s" % name, str(row)):
            report.check(isinstance(row["met"], bool), "row %s says whether it is met" % name)
    for name in SIGNED:
        report.check(name in rows and isinstance(rows[name]["met"], bool), "row %s says whether it is met" % name, str(rows.get(name)))
    with tempfile.TemporaryDirectory() as folder:
        capture = os.path.join(folder, "it's a mix.pcap")
        made = subprocess.run([os.path.join(args.bin, "seine-generate"), "mix", "--packets", "2000", "--concurrent", "50",
                               "--out", capture], capture_output=True, text=True, timeout=120)
        report.equal(made.returncode, 0, "seine-generate mix")
        again = capture + ".again"
        subprocess.run([os.path.join(args.bin, "seine-generate"), "mix", "--packets", "2000", "--concurrent", "50",
                        "--out", again], check=True, timeout=120)
        with open(capture, "rb") as one, open(again, "rb") as two:
            report.check(one.read() == two.read(), "the same options give the same bytes")
        with open(capture + ".json") as file:
            truth = json.load(file)
        report.check(truth["tls_client_hello"] > 0 and truth["quic_flows"] > 0, "the truth names what is in it")
        out = subprocess.run([os.path.join(args.bin, "seine-replay"), "--counters", os.path.join(folder, "c.json"), "-o",
                              "/dev/null", capture], timeout=120)
        with open(os.path.join(folder, "c.json")) as file:
            counters = json.load(file)
        report.equal((out.returncode, counters["tls_client_hellos"], counters["quic_client_hellos"],
                      counters["http1_requests"]),
                     (0, truth["tls_client_hello"], truth["quic_flows"], truth["http1_requests"]),
                     "seine-replay finds what the generator says is there")
        run, result = bench(args.bin, "--quick", "--file", capture, "--peer", "cat {}")
        report.check(result is not None and result["rows"][0]["ratio"] is not None, "--file and --peer", run.stderr[-400:])
    run, _ = bench(args.bin, "--rows", "nonsense")
    report.equal(run.returncode, 2, "an unknown group is wrong usage")


if __name__ == "__main__":
    report.run(main)
