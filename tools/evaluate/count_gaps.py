#!/usr/bin/env python3
"""Count the round trips of real relays: the tables that weigh a gap, from the corpus of captures.

usage: count_gaps.py --corpus DIR --replay seine-replay [--write]

Prints, and with --write puts into the tree, two rooms: tests/unit/detect/corpus_gaps.h (a line a connection whose two
round trips may be compared) and control/detect/relay_gaps.h (the share of relayed accounts in each bin of gap and ratio).

How the shares are counted: a pool is a scenario and a source address; relays that pass TLS through count, unless the
client sat beside its relay (such a gap is the time that a client computes, which the classes of direct accounts have too).
How far the client sits behind its relay (the gap) and how far the relay is from the server (the round trip of TCP) have
nothing to do with one another, and a laboratory knows only a few of either. So every pool's gap meets every pool's round
trip, direct ones too, and the pairs are counted in their bins, each pool with the same weight. A pool is added to each of the
five rows of the gap, half of it spread over the ratios as the round trips are and half evenly, so that nothing that a
laboratory lacks is impossible.
"""
import argparse
import collections
import glob
import json
import os
import statistics
import subprocess
import sys

THROUGH = ("squid-connect", "tinyproxy-connect", "microsocks-socks5", "haproxy-tcp", "haproxy-ppv2")
DELTA_MS = (5, 15, 40, 100)
RHO = (1.3, 2, 4)
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")


def keys_of(path):
    """Client address and port of a connection -> how many keys asked on it, from the gateway's log."""
    keys = collections.defaultdict(set)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                keys[(line["remote_addr"], int(line["remote_port"]))].add(line.get("x_api_key") or line.get("authorization"))
    return {connection: len(of) for connection, of in keys.items()}


Connection = collections.namedtuple("Connection", "scenario via source tcp tls late beside stack client_ms relay_ms keys")


def connections(corpus, replay):
    """Connections with a valid pair of round trips: those and the delay of the hello in microseconds, whether client and relay are neighbours,
    the client's stack, how far client and relay are in milliseconds, and how many keys asked on it."""
    for labels in sorted(glob.glob(os.path.join(corpus, "labels", "*.labels.jsonl"))):
        scenario = os.path.basename(labels)[:-len(".labels.jsonl")]
        via, beside, distance = {}, False, (0, 0)
        keys = keys_of(labels[:-len("labels.jsonl")] + "gateway.jsonl")
        with open(labels, encoding="utf-8") as lines:
            for label in map(json.loads, lines):
                beside = beside or label.get("type") == "scenario" and label.get("client_rtt_ms") == 0
                if label["type"] == "scenario":
                    distance = (label["client_rtt_ms"], label["proxy_rtt_ms"])
                if label["type"] == "flow":
                    key = tuple(label[k] for k in ("src", "sport", "dst", "dport", "proto"))
                    via[key] = "direct" if label.get("proxy_bypassed") else label["via"]
        ran = subprocess.run([replay, os.path.join(corpus, "pcap", scenario + ".pcap")], capture_output=True, check=True)
        for flow in map(json.loads, ran.stdout.splitlines()):
            key = tuple(flow.get(k) for k in ("src", "sport", "dst", "dport", "proto"))
            if key in via and flow.get("rtt_valid") and "rtt_tcp_us" in flow and "rtt_tls_us" in flow:
                yield Connection(scenario, via[key], flow["src"], flow["rtt_tcp_us"], flow["rtt_tls_us"], flow.get("late_hello_us", 0), beside,
                                 flow.get("ja4_norm", ""), *distance, keys.get((flow["src"], flow["sport"]), 0))


def step(value, bounds):
    return sum(value >= b for b in bounds)


def shares(rows):
    """Share of relayed accounts in each (row of the gap, column of the ratio)."""
    pools = collections.defaultdict(list)
    for c in rows:
        pools[(c.scenario, c.via, c.source if c.via != "direct" else "", c.beside)].append((c.tcp, c.tls))
    pools = {k: v for k, v in pools.items() if len(v) >= 3}
    tcp_ms = [statistics.median(t for t, _ in v) / 1000 for v in pools.values()]
    gaps = [statistics.median(s - t for t, s in v) / 1000 for k, v in pools.items() if k[1] in THROUGH and not k[3]]
    count = [[0.0] * 4 for _ in range(5)]
    for gap in gaps:
        for tcp in tcp_ms:
            count[step(gap, DELTA_MS)][step((tcp + gap) / max(tcp, 0.5), RHO)] += 1 / len(tcp_ms)
    # The middle of a row stands for gaps that no relay of the laboratory had.
    for row, middle in enumerate((2, 10, 25, 65, 150)):
        for tcp in tcp_ms:
            count[row][step((tcp + middle) / max(tcp, 0.5), RHO)] += 0.5 / len(tcp_ms)
        count[row] = [n + 0.125 for n in count[row]]
    total = sum(map(sum, count))
    return len(gaps), len(tcp_ms), [[n / total for n in row] for row in count]


def table_room(relays, ways, table):
    lines = ["// Share of relayed accounts in each bin of the round-trip gap. Written by",
             "// tools/evaluate/count_gaps.py from captures of real relays: %d pools of relays that pass TLS" % relays,
             "// through, each gap at the %d round trips of TCP that were measured." % ways,
             "#pragma once", "#include <array>", "#include <cstddef>", "", "namespace seine::detect {", "",
             "// Rows: delta <5, 5-15, 15-40, 40-100, >100 ms; columns: rho <1.3, 1.3-2, 2-4, >4."]
    start = "inline constexpr std::array<double, 20> kRelayGapShare = {"
    rows = [", ".join("%.4f" % n for n in row) for row in table]
    lines += [(start if n == 0 else " " * len(start)) + row + (",  //" if n < 4 else "};") for n, row in enumerate(rows)]
    lines += ["", "}  // namespace seine::detect", ""]
    return "\n".join(lines)


def rows_room(rows, path):
    """The room of the tests with its lines counted anew."""
    with open(path, encoding="utf-8") as fh:
        head = fh.read().split("inline constexpr CorpusGap kCorpusGaps[] = {\n")[0]
    sources, stacks = {}, {}
    out = [head + "inline constexpr CorpusGap kCorpusGaps[] = {"]
    for c in sorted(rows):
        source = sources.setdefault((c.scenario, c.source), len(sources) + 1)
        stack = stacks.setdefault(c.stack, len(stacks) + 1)
        out.append('    {"%s", "%s", %d, %d, %d, %d, %d, %d, %d, %d},' % (c.scenario, c.via, source, stack, c.client_ms, c.relay_ms, c.tcp, c.tls, c.late, c.keys))
    return "\n".join(out + ["};", "// clang-format on", "", "}  // namespace seine::detect::test", ""])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", required=True)
    parser.add_argument("--replay", required=True)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    rows = list(connections(args.corpus, args.replay))
    if not rows:
        sys.exit("count_gaps.py: %s: no connection with two round trips" % args.corpus)
    table = table_room(*shares(rows))
    print(table)
    if args.write:
        path = os.path.join(ROOT, "tests", "unit", "detect", "corpus_gaps.h")
        text = rows_room(rows, path)
        for name, content in ((path, text), (os.path.join(ROOT, "control", "detect", "relay_gaps.h"), table)):
            with open(name, "w", encoding="utf-8") as fh:
                fh.write(content)


if __name__ == "__main__":
    main()
