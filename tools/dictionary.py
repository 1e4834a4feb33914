#!/usr/bin/env python3
"""Makes packaging/fingerprints.tsv from a labelled corpus of real clients.

usage: dictionary.py --bin DIR --corpus DIR >packaging/fingerprints.tsv

Each capture goes through seine-replay; a flow takes the label of its addresses and time. Where a relay ends
TLS and opens its own, the hello is the relay's and so is the name. Lines: field, value, client and version,
which hello, scenario it was seen in; sorted.
"""
import argparse
import glob
import json
import os
import re
import subprocess
import sys

FIELDS = ("ja4", "ja4_norm", "h2_settings", "h2_akamai", "hdr_order", "hassh", "ja4h")
TLS_FIELDS = ("ja4", "ja4_norm")


SOFTWARE = (("py-pycurl", "PycURL"), ("py-", "Python"), ("node-", "Node.js"), ("sdk-openai", "Node.js"), ("s_client", "OpenSSL"),
            ("scp", "OpenSSH"), ("ssh", "OpenSSH"), ("curl", "curl"), ("lwp", "libwww-perl"), ("php", "PHP"), ("nghttp", "nghttp2"),
            ("h2load", "nghttp2"), ("gtlsclient", "ngtcp2"), ("chromium", "Chromium"))


def version_of(label):
    """'curl 7.88.1': whose version the client's own first line gives."""
    text = (label.get("version") or "").split("\n")[0]
    if label["client_kind"].startswith(("ssh", "scp")):
        text = text.replace("OpenSSH_", "")
    found = re.search(r"\d+(\.\d+)+[\w+-]*", text)
    if not found:
        return ""
    software = [name for begin, name in SOFTWARE if label["client_kind"].startswith(begin)]
    return " ".join(software[:1] + [found.group(0)])


def name_of(label, tls):
    if tls and label.get("tls_made_by", "client") != "client":
        return label["tls_made_by"]
    version = version_of(label)
    kind = label["client_kind"]
    return "%s (%s)" % (kind, version) if version else kind


def labels_of(path):
    flows = {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            label = json.loads(line)
            if label["type"] == "flow":
                key = (label["src"], label["sport"], label["dst"], label["dport"], label["proto"])
                flows.setdefault(key, []).append(label)
    return flows


def values_of(flow, field):
    value = flow.get(field, [])
    return [value] if isinstance(value, str) else value


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--bin", required=True)
    ap.add_argument("--corpus", required=True)
    args = ap.parse_args()
    lines = {}
    for capture in sorted(glob.glob(os.path.join(args.corpus, "pcap", "*.pcap"))):
        scenario = os.path.basename(capture)[:-5]
        flows = labels_of(os.path.join(args.corpus, "labels", scenario + ".labels.jsonl"))
        ran = subprocess.run([os.path.join(args.bin, "seine-replay"), capture], check=True, stdout=subprocess.PIPE)
        for text in ran.stdout.decode().splitlines():
            flow = json.loads(text)
            near = flows.get((flow["src"], flow["sport"], flow["dst"], flow["dport"], flow["proto"]), [])
            if not near:
                continue
            label = min(near, key=lambda one: abs(one["t_first"] * 1e9 - flow["t_first_ns"]))
            if not label.get("client_kind") or len(label.get("runs_served") or [0]) > 1:
                continue
            hello = "resumed" if flow.get("session_presented") else "first hello"
            for field in FIELDS:
                for value in values_of(flow, field):
                    tls = field in TLS_FIELDS
                    key = (field, value, name_of(label, "ja4" in flow), hello if tls else "")
                    lines.setdefault(key, scenario)
    print("# Fingerprints of real clients, recorded at a server of ours: field, value, client (version), which hello,")
    print("# scenario of the corpus. Made by tools/dictionary.py; a fingerprint names software, never a person.")
    for key, scenario in sorted(lines.items()):
        print("\t".join(key + (scenario,)))
    kinds = {key[2] for key in lines}
    print("%d values, %d clients" % (len({key[:2] for key in lines}), len(kinds)), file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
