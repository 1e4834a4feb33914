#!/usr/bin/env python3
"""Merge a real capture with a generated benign day: one world folder that seine-evaluate reads.

usage: merge_capture.py --world DAY --flows REPLAY.jsonl --gateway GATEWAY.jsonl --out DIR [--labels LABELS.jsonl] [--rename N]

DAY is made by `seine-generate world --benign --days 1 --day-of SECONDS` (JSON lines). REPLAY.jsonl is what
seine-replay or seine-dataplane wrote of the capture, GATEWAY.jsonl the access log of the gateway behind it.
Without --labels all accounts of the capture count as benign. --rename N gives every address and key of the
capture another name, by the number N.
"""
import argparse
import hashlib
import heapq
import ipaddress
import json
import os
import re
import shutil
import sys

FLOW_KEYS = ("ja4", "ja4_norm", "syn", "rtt_tcp_us", "rtt_tls_us", "rtt_valid", "late_hello_us")


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield json.loads(line)
            except ValueError as error:
                sys.exit("merge_capture.py: %s:%d: %s" % (path, number, error))


def hex_tag(kind, name, digits=32):
    return hashlib.sha256(("%s\0%s" % (kind, name)).encode()).hexdigest()[:digits]


class Names:
    """Addresses and keys of the capture, renamed or as they are."""

    def __init__(self, seed):
        self.seed = seed
        self.addresses = {}

    def address(self, text):
        if self.seed is None or ":" in text:
            return text
        if text not in self.addresses:
            n = int(hashlib.sha256(("%d/%s" % (self.seed, text)).encode()).hexdigest()[:6], 16)
            # 198.18.0.0/15 is for benchmarks: nothing of a generated day is in it.
            while str(ipaddress.ip_address(0xC6120000 + n % (1 << 17))) in self.addresses.values():
                n += 1
            self.addresses[text] = str(ipaddress.ip_address(0xC6120000 + n % (1 << 17)))
        return self.addresses[text]

    def key(self, text):
        return text if self.seed is None else "%d:%s" % (self.seed, text)


def capture_flows(path, names):
    """Flow lines of the capture in the form of a world."""
    for record in read_lines(path):
        if "ja4" not in record:
            continue
        first, last = record["t_first_ns"], record["t_last_ns"]
        flow = {"flow_id": 0, "t_open_ns": first, "t_close_ns": max(last, first + 1), "src": names.address(record["src"]), "sport": record["sport"],
                "dst": names.address(record["dst"]), "dport": record["dport"], "proto": record["proto"]}
        flow.update({key: record[key] for key in FLOW_KEYS if key in record})
        if "ttl_c" in record:
            flow["ttl"] = record["ttl_c"]
        flow["session_presented"] = record.get("session_presented", [])
        flow["session_issued"] = record.get("session_issued", [])
        flow["retrans"] = record.get("retrans", 0)
        flow["exchanges"] = record.get("exchanges", [])
        yield flow


def log_two(n):
    return max(0, int(n).bit_length() - 1)


def capture_records(path, names):
    """Account records that the gateway's log lines stand for, in order of the log."""
    agents = {}
    for number, line in enumerate(read_lines(path), 1):
        key = line.get("x_api_key") or re.sub(r"^Bearer ", "", line.get("authorization", ""))
        if not key:
            continue
        start = float(line["msec"]) - float(line["request_time"])
        agent = line.get("user_agent", "").split("/")[0]
        agents.setdefault(agent, len(agents) + 1)
        tag = hex_tag("acct", names.key(key))
        yield {"type": "request", "version": 1, "gateway_id": 60, "seq": number, "t_req_us": int(start * 1e6), "t_conn_us": 0,
               "client_ip": names.address(line["remote_addr"]), "client_port": int(line["remote_port"]), "server_ip": names.address(line["server_addr"]),
               "server_port": int(line["server_port"]), "proto": "udp" if line["http"].startswith("HTTP/3") else "tcp", "stream_no": int(line["conn_requests"]),
               "account_tag": tag, "org_tag": tag, "key_tag": hex_tag("key", names.key(key), 16), "tag_epoch": 1, "endpoint_id": 1, "model_id": 1,
               "status_class": int(line["status"]) // 100, "limit_flag": int(line["status"] == "429"), "tok_in_b": 6, "tok_out_b": log_two(int(line["bytes_sent"]) // 4 or 1),
               "tier": 1, "trust": 1, "first_seen_day": 0, "session_hint": "%016x" % 0, "platform_id": 400 + agents[agent], "header_desc": "%016x" % 0, "flags": []}


def operators(path, names):
    """Account tag -> operator or None, from the labels of the capture."""
    out = {}
    for line in read_lines(path):
        if line.get("type") == "run":
            out[hex_tag("acct", names.key(line["key"]))] = None if line["operator"] == "benign" else line["operator"]
    return out


def merge(day, added, key, path):
    """The lines of a file of the day and the added ones, in order of key; flow ids are numbered anew."""
    # Only the added lines are parsed: the order of the day's stays as it is.
    pattern = re.compile(('"%s":(\\d+)' % key).encode())
    with open(day, "rb") as lines, open(path, "wb") as out:
        highest = 0

        def dated():
            nonlocal highest
            for line in lines:
                highest = max(highest, int(pattern.search(line).group(1)))
                yield highest, 0, line
        fresh = sorted((item[key], n, json.dumps(item, separators=(",", ":")).encode() + b"\n") for n, item in enumerate(added, 1))
        flow_id = re.compile(rb'"flow_id":\d+')
        for number, (_, _, line) in enumerate(heapq.merge(dated(), fresh), 1):
            out.write(flow_id.sub(b'"flow_id":%d' % number, line, count=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--world", "--flows", "--gateway", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--labels")
    parser.add_argument("--rename", type=int)
    args = parser.parse_args()
    names = Names(args.rename)
    os.makedirs(args.out, exist_ok=True)
    flows = list(capture_flows(args.flows, names))
    records = list(capture_records(args.gateway, names))
    with open(os.path.join(args.world, "world.json"), encoding="utf-8") as fh:
        world = json.load(fh)
    outside = [f for f in flows if not world["start_ns"] <= f["t_open_ns"] < world["end_ns"]]
    if outside or not flows:
        sys.exit("merge_capture.py: %s: %d of %d flows are not inside the day of %s; make it with --day-of %d" %
                 (args.flows, len(outside), len(flows), args.world, flows[0]["t_open_ns"] // 10**9 if flows else 0))
    merge(os.path.join(args.world, "flows.jsonl"), flows, "t_open_ns", os.path.join(args.out, "flows.jsonl"))
    merge(os.path.join(args.world, "accounts.jsonl"), records, "t_req_us", os.path.join(args.out, "accounts.jsonl"))
    shutil.copy(os.path.join(args.world, "prefixes.csv"), os.path.join(args.out, "prefixes.csv"))
    who = operators(args.labels, names) if args.labels else {}
    truth = [json.loads(line) for line in open(os.path.join(args.world, "truth.jsonl"), encoding="utf-8")]
    for tag in sorted({r["account_tag"] for r in records}):
        truth.append({"account_tag": tag, "farm": who.get(tag), "campaign": who.get(tag), "level": "capture" if who.get(tag) else None, "confounder": None,
                      "org_tag": tag, "active": True, "replaces": None, "closed_ns": None})
    truth.sort(key=lambda row: row["account_tag"])
    row_of = {row["account_tag"]: n for n, row in enumerate(truth)}
    with open(os.path.join(args.out, "truth.jsonl"), "w", encoding="utf-8") as fh:
        fh.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in truth)
    open_of = {(f["src"], f["sport"]): f for f in flows}
    seen = set()
    with open(os.path.join(args.out, "truth_exchanges.csv"), "w", encoding="utf-8") as fh:
        fh.write("truth_row,t_open_ns,exchanges\n")
        for flow, record in sorted(((open_of.get((r["client_ip"], r["client_port"])), r) for r in records), key=lambda x: x[0]["t_open_ns"] if x[0] else 0):
            if flow is None or not who.get(record["account_tag"]) or (record["account_tag"], flow["sport"]) in seen:
                continue
            seen.add((record["account_tag"], flow["sport"]))
            fh.write("%d,%d,%d\n" % (row_of[record["account_tag"]], flow["t_open_ns"], max(1, len(flow["exchanges"]))))
    world["level"] = "capture"
    with open(os.path.join(args.out, "world.json"), "w", encoding="utf-8") as fh:
        json.dump(world, fh)
    print("%s: %d connections and %d records of the capture on the day of seed %s, %d accounts" % (args.out, len(flows), len(records), world["seed"], len(truth)))


if __name__ == "__main__":
    main()
