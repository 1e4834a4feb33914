#!/usr/bin/env python3
"""Prints what Seine saw as a table: one row per client, its fingerprint, its round trips, and what may be said of it.

usage: demo_table.py FOLDER CASE...   where FOLDER holds CASE.jsonl as seine-dataplane wrote it
"""
import collections
import json
import os
import statistics
import sys

TITLES = {
    "farm-mixed": "TLS at an API server",
    "plain-http1": "HTTP/1 in clear",
    "quic-far": "QUIC, 80 ms away",
    "h2c": "HTTP/2 in clear",
}
WIDTH = 119
SAMPLES_MIN = 3      # round trips before a relay is named
GAP_MIN_US = 20_000  # and the least gap, beside half the TCP round trip
NEAR_US = 2_000      # closer than this, a relay beside its client cannot be told apart


def bold(text):
    return "\033[1m%s\033[0m" % text if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


class Client:
    """The flows of one address with one fingerprint."""

    def __init__(self, flows):
        self.flows = flows
        valid = [f for f in flows if f.get("rtt_valid") and "rtt_tcp_us" in f and "rtt_tls_us" in f]
        self.samples = len(valid)
        self.tcp_us = min((f["rtt_tcp_us"] for f in (valid or flows) if "rtt_tcp_us" in f), default=None)
        self.tls_us = min((f["rtt_tls_us"] for f in valid), default=None)
        self.gap_us = self.tls_us - self.tcp_us if valid else None

    def verdict(self):
        """(class, the words that say why)"""
        first = self.flows[0]
        if first.get("proxied_src"):
            return "relayed", "relayed: a PROXY header says so"
        if first.get("app") == "quic":
            return "unsaid", "cannot say: QUIC has no gap"
        if not any(f.get("payload_c") or f.get("ja4") for f in self.flows):
            return "unsaid", "cannot say: it sent nothing"
        if first.get("app") != "tls":
            return "unsaid", "cannot say: not TLS"
        if self.gap_us is None:
            causes = collections.Counter(c for f in self.flows for c in f.get("rtt_causes", []))
            return "unsaid", "cannot say: " + (causes.most_common(1)[0][0].replace("_", " ") if causes else "no valid round trip")
        if self.gap_us > max(GAP_MIN_US, self.tcp_us / 2):
            if self.samples >= SAMPLES_MIN:
                return "relayed", "relayed: %d samples, all slow" % self.samples
            return "unsaid", "cannot say: %d slow sample%s" % (self.samples, "s" if self.samples > 1 else "")
        if self.tls_us < NEAR_US:
            return "unsaid", "cannot say: too near"
        return "direct", "direct: both round trips agree"

    def order(self):
        return next((order for f in self.flows for order in f.get("hdr_order", [])), "-")

    def says(self):
        """What it calls itself; anybody may write anything there."""
        return next((f["user_agent"] for f in self.flows if f.get("user_agent")), "-")


def client_address(flow):
    return flow.get("proxied_src") or flow["src"]


def clients_of(flows):
    groups = collections.OrderedDict()
    for flow in flows:
        shape = flow.get("ja4_norm") or flow.get("ja4") or (flow.get("hdr_order") or ["-"])[0]
        groups.setdefault((client_address(flow), shape), []).append(flow)
    rows = [(address, Client(group)) for (address, _), group in groups.items()]
    silent = [not client.flows[0].get("ja4") and client.order() == "-" for _, client in rows]
    order = sorted(range(len(rows)), key=lambda n: (silent[n], -len(rows[n][1].flows), rows[n][1].flows[0]["t_first_ns"]))
    return [rows[n] for n in order]


def shortened(address):
    """An address in at most 15 columns: the middle of a long IPv6 address is left out."""
    return address if len(address) <= 15 else address[:7] + ".." + address[-6:]


def milliseconds(us):
    return "" if us is None else "%.1f" % (us / 1000)


def print_tls(rows):
    print("  %-15s %5s  %-37s %7s %7s %7s  %s" % ("client", "flows", "JA4", "TCP ms", "TLS ms", "gap ms", "seen as"))
    for address, client in rows:
        print(("  %-15s %5d  %-37s %7s %7s %7s  %s" % (
            shortened(address), len(client.flows), client.flows[0].get("ja4", "-"), milliseconds(client.tcp_us),
            milliseconds(client.tls_us), milliseconds(client.gap_us), client.verdict()[1]))[:WIDTH])


def print_clear(rows):
    print("  %-15s %5s %8s  %-19s %-37s %s" % ("client", "flows", "requests", "HTTP order", "says it is", "seen as"))
    for address, client in rows:
        requests = sum(f.get("requests", 0) for f in client.flows)
        print(("  %-15s %5d %8d  %-19s %-37.37s %s" % (
            shortened(address), len(client.flows), requests, client.order(), client.says(), client.verdict()[1]))[:WIDTH])


def print_section(case, flows):
    names = collections.Counter(f.get("sni") or f.get("host") or "" for f in flows)
    named = ", ".join(n for n, _ in names.most_common(3) if n)
    packets = sum(f.get("packets_c", 0) + f.get("packets_s", 0) for f in flows)
    print()
    title = "%s (%s): %d flows, %s packets, to %s" % (TITLES.get(case, case), case, len(flows), format(packets, ","), named)
    print(bold(title[:WIDTH]))
    rows, told = clients_of(flows), collections.Counter()
    if any(f.get("ja4") for f in flows):
        print_tls(rows)
    else:
        print_clear(rows)
    for _, client in rows:
        told[client.verdict()[0]] += len(client.flows)
    return told


def print_finding(flows):
    """What stands out: the address with the most relayed flows."""
    by_address = collections.defaultdict(list)
    for address, client in clients_of(flows):
        if client.verdict()[0] == "relayed":
            by_address[address].append(client)
    if not by_address:
        return
    address, found = max(by_address.items(), key=lambda item: sum(len(c.flows) for c in item[1]))
    count = sum(len(c.flows) for c in found)
    gap = statistics.median(c.gap_us for c in found if c.gap_us is not None) / 1000
    print()
    print("What stands out: %s carries %d of %d flows with %d TLS stack%s, and the TLS answers come at least %.0f ms later than"
          % (address, count, len(flows), len(found), "s" if len(found) > 1 else "", gap))
    print("the TCP answers. TCP ends at that address; whoever speaks TLS sits farther away. Many accounts behind such an")
    print("address are what a proxy farm looks like from the edge.")


def main():
    if len(sys.argv) < 3:
        print(__doc__.strip(), file=sys.stderr)
        return 2
    folder, told, everything = sys.argv[1], collections.Counter(), []
    print(bold("Seine: real captures, through DPDK, by %s" % "seine-dataplane --pcap FILE --workers 2 --records jsonl:FILE"))
    for number, case in enumerate(sys.argv[2:]):
        with open(os.path.join(folder, case + ".jsonl"), encoding="utf-8") as fh:
            flows = [json.loads(line) for line in fh]
        told.update(print_section(case, flows))
        everything += flows
        if number == 0:
            print_finding(flows)
    prints = {f["ja4"] for f in everything if f.get("ja4")}
    orders = {h for f in everything for h in f.get("hdr_order", [])}
    print()
    print("%s %d flows, %d JA4, %d header orders; %d flows direct, %d relayed, %d where the wire does not say."
          % (bold("Totals:"), len(everything), len(prints), len(orders), told["direct"], told["relayed"], told["unsaid"]))
    print("A relay is named after %d round trips whose gap passes %d ms and half the TCP one; `direct` means that nothing farther"
          % (SAMPLES_MIN, GAP_MIN_US // 1000))
    print("than the gap stands behind the address.")
    print()
    print(bold("Where to go next"))
    print("  build/release/bin/seine-replay FILE...        every field of your own capture as JSON lines")
    print("  build/release/bin/seine-dataplane --help      the DPDK process: captures, interfaces, ports")
    print("  README.md, docs/records.md                    what each field means, and what cannot be seen from here")
    return 0 if everything else 1


if __name__ == "__main__":
    sys.exit(main())
