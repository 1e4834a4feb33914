#!/usr/bin/env python3
"""The shipped packs over the corpus with its gateways' logs: every spoofed or impersonating client is flagged, no honest one is."""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import report  # noqa: E402

# A hit of these says that a client is not what it claims to be.
FLAGS = ("agent-mismatch", "impersonation")


def is_false(kind):
    return "-spoof-" in kind or kind.startswith("curlimp-")


def flows_of(path):
    with open(path, encoding="utf-8") as fh:
        for line in fh:
            label = json.loads(line)
            if label.get("type") == "flow" or label.get("kind") == "flow" or "client_kind" in label and "sport" in label:
                yield label


class Scenario:
    def __init__(self, args, corpus, name, classes):
        self.name, self.classes = name, classes
        labels = os.path.join(corpus, "labels", name)
        command = [programs.program(args, "seinectl"), "signature", "try", os.path.join(programs.SOURCE, "signatures"), "--json",
                   "--pcap", os.path.join(corpus, "pcap", name + ".pcap")]
        for kind in ("gateway", "caddy"):
            if os.path.exists("%s.%s.jsonl" % (labels, kind)):
                command += ["--gateway", "%s.%s.jsonl" % (labels, kind)]
        ran = programs.run(command, timeout_s=300)
        if ran.code:
            raise RuntimeError("%s: %s" % (name, ran))
        self.hits = {}
        for rule in json.loads(ran.out)["rules"]:
            if classes.get(rule["id"]) in FLAGS:
                for client in rule["clients"]:
                    self.hits.setdefault(client, []).append(rule["id"])
        self.flows = list(flows_of(labels + ".labels.jsonl"))

    def flagged(self, flow):
        return self.hits.get("%s:%s" % (flow["src"], flow["sport"]), [])


def main():
    args = programs.arguments(__doc__, ("--table", {"help": "write the table of docs/signatures.md there"}))
    corpus = programs.shared("corpus")
    if not corpus:
        report.skipped("corpus", "the shared corpus is not here")
        return
    ran = programs.run([programs.program(args, "seinectl"), "signature", "list", os.path.join(programs.SOURCE, "signatures"), "--json"])
    classes = {rule["id"]: rule["class"] for rule in json.loads(ran.out)}
    names = sorted(n[:-len(".pcap")] for n in os.listdir(os.path.join(corpus, "pcap")) if n.endswith(".pcap"))
    kinds, missed, wronged = {}, [], []
    for name in names:
        scenario = Scenario(args, corpus, name, classes)
        for flow in scenario.flows:
            kind, rules = flow["client_kind"], scenario.flagged(flow)
            row = kinds.setdefault(kind, {"flows": 0, "flagged": 0, "rules": {}})
            row["flows"] += 1
            row["flagged"] += bool(rules)
            for rule in rules:
                row["rules"][rule] = row["rules"].get(rule, 0) + 1
            if is_false(kind) and not rules:
                missed.append("%s %s %s:%s" % (name, kind, flow["src"], flow["sport"]))
            if rules and not is_false(kind):
                wronged.append("%s %s %s:%s %s" % (name, kind, flow["src"], flow["sport"], rules))
    report.check(sum(row["flows"] for row in kinds.values()) > 300, "flows with a label", len(kinds))
    report.check(any(is_false(kind) for kind in kinds), "false clients are among them", sorted(kinds))
    report.check(not missed, "every spoofed or impersonating client is flagged", missed)
    report.check(not wronged, "no honest client is", wronged)
    if args.table:
        with open(args.table, "w", encoding="utf-8") as out:
            out.write("| client | flows | flagged | by |\n| --- | --- | --- | --- |\n")
            for kind, row in sorted(kinds.items(), key=lambda item: (not is_false(item[0]), item[0])):
                out.write("| %s | %d | %d | %s |\n" % (kind, row["flows"], row["flagged"], ", ".join(sorted(row["rules"])) or "-"))


if __name__ == "__main__":
    report.run(main)
