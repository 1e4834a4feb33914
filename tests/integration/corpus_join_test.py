#!/usr/bin/env python3
"""All captures of the corpus through dataplane and control with their gateways' logs: every line to its own connection."""
import collections
import glob
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

KEY_NAMES = ("key", "k", "api_key", "apikey", "access_token")


def key_of(line):
    """The API key that a log line shows, as a client sent it; None without one."""
    value = (line.get("authorization") or line.get("x_api_key") or "").strip()
    if value.lower().startswith("bearer "):
        value = value[7:].strip()
    if value:
        return value
    query = line.get("uri", "").partition("?")[2]
    for pair in query.split("&"):
        name, _, held = pair.partition("=")
        if name in KEY_NAMES and held:
            return held
    return None


class Scenario:
    """A capture, its flows by reference labels, and the lines of its gateway's log."""

    def __init__(self, capture, number):
        self.capture, self.number = capture, number
        self.name = os.path.basename(capture).partition(".")[0]
        labels = programs.shared("corpus", "labels")
        logs = [(end, form) for end, form in ((".gateway.jsonl", "nginx"), (".caddy.jsonl", "caddy"))
                if os.path.exists(os.path.join(labels, self.name + end))]
        self.log, self.format = (os.path.join(labels, self.name + logs[0][0]), logs[0][1]) if logs else (None, None)
        with open(os.path.join(labels, self.name + ".labels.jsonl"), encoding="utf-8") as fh:
            flows = [label for label in map(json.loads, fh) if label["type"] == "flow"]
        # First packet by (client, port); ports are used again within a capture at times.
        self.flows = collections.defaultdict(list)
        for flow in flows:
            self.flows[(flow["src"], flow["sport"])].append(int(flow["t_first"] * 1e9))
        self.lines = []
        if self.log:
            with open(self.log, encoding="utf-8") as fh:
                self.lines = [json.loads(line) for line in fh]

    def wanted(self):
        """(client, port) to the keys of its lines, in order; and counts of lines without key or flow."""
        found, keyless, flowless = collections.defaultdict(list), 0, 0
        for line in self.lines:
            end, key = (line["remote_addr"], int(line["remote_port"])), key_of(line)
            if key is None:
                keyless += 1
            elif end not in self.flows:
                flowless += 1
            else:
                found[end].append(key)
        return found, keyless, flowless


class Control:
    """seine-control over rings and logs, in a folder of its own."""

    def __init__(self, args, folder):
        self.args, self.folder = args, folder
        self.socket, self.keys = os.path.join(folder, "control.sock"), os.path.join(folder, "tag.keys")
        self.ctl = programs.program(args, "seinectl")
        control.make_tag_keys(args, self.keys)
        self.process = None

    def start(self, rings, sources):
        config = os.path.join(self.folder, "control.toml")
        with open(config, "w", encoding="utf-8") as fh:
            fh.write("rings = %s\nsocket = %s\ntag-keys = %s\naccount-sources = %s\nlog-level = \"debug\"\n[store]\nfolder = %s\nflow-hours = 8784\nflow-rate = 1000000\n" % tuple(
                map(json.dumps, (rings, self.socket, self.keys, sources, os.path.join(self.folder, "state")))))
        self.errors = open(os.path.join(self.folder, "control.log"), "ab")
        self.process = subprocess.Popen([programs.program(self.args, "seine-control"), "--config", config], stderr=self.errors)

    def ask(self, *words):
        ran = programs.run([self.ctl, *words, "--json", "--socket", self.socket])
        return json.loads(ran.out) if ran.code == 0 else None

    def wait(self, condition, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            if condition():
                return True
            time.sleep(0.3)
        return False

    def tag_of(self, key):
        ran = subprocess.run([self.ctl, "account", "tag", "--key", "--keys", self.keys], input=key.encode(), capture_output=True, check=False)
        return ran.stdout.decode().strip()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.errors.close()
        return code


def join_of(status):
    return (status or {}).get("join", {})


def main():
    args = programs.arguments(__doc__)
    captures = sorted(glob.glob(os.path.join(programs.shared("corpus", "pcap") or "/nonexistent", "*.pcap*")))
    if not captures:
        report.skipped("the corpus", "../shared/corpus is not there")
        return
    scenarios = [s for s in (Scenario(c, i + 1) for i, c in enumerate(captures)) if s.lines]
    with tempfile.TemporaryDirectory(prefix="seine-corpus-") as folder:
        control = Control(args, folder)
        ring, sources = os.path.join(folder, "flows.ring"), []
        inputs = [word for scenario in scenarios for word in ("--pcap", scenario.capture)]
        ran = programs.run([programs.program(args, "seine-dataplane"), *inputs, "--records", "ring:" + ring])
        if ran.code:
            report.failed("seine-dataplane over the corpus", ran)
            return
        for scenario in scenarios:
            sources.append("%s file %s format=%s from=start gateway=%d" % (scenario.name, scenario.log, scenario.format, scenario.number))
        control.start([ring], sources)
        lines = sum(len(s.lines) for s in scenarios)

        def settled():
            join = join_of(control.ask("status"))
            waiting = join.get("pending", 1)
            return join.get("records", 0) > 0 and not waiting
        report.check(control.wait(settled, 60), "control has taken in all captures and logs", control.ask("status"))
        time.sleep(2)  # one more commit: accounts of flows are what the store says
        check(control, scenarios, lines)
        report.equal(control.stop(), 0, "seine-control ends with 0")


def check(control, scenarios, lines):
    seen = collections.defaultdict(list)
    for flow in (control.ask("flow", "list", "--limit", "10000") or {}).get("flows", []):
        record = flow["record"]
        seen[(record["src"], record["sport"])].append((record["t_first_ns"], set(flow["accounts"])))
    report.check(len(seen) > 300, "control lists the flows of the corpus", len(seen))
    tags, totals = {}, collections.Counter()
    for scenario in scenarios:
        wanted, keyless, flowless = scenario.wanted()
        counts = collections.Counter(keyless=keyless, flowless=flowless)
        for end, firsts in sorted(scenario.flows.items()):
            # All connections of this client port in this capture.
            have = set().union(*(tags_of for at, tags_of in seen[end] if min(abs(at - first) for first in firsts) < 1e9))
            keys = wanted.get(end, [])
            for key in set(keys) - set(tags):
                tags[key] = control.tag_of(key)
            counts["joined"] += sum(1 for key in keys if tags[key] in have)
            counts["missing"] += sum(1 for key in keys if tags[key] not in have)
            counts["wrong"] += len(have - {tags[key] for key in keys})
        totals.update(counts)
        print("  %-34s %3d lines: joined %3d  wrong %d  missing %d  without key %d  without flow %d" % (
            scenario.name, len(scenario.lines), counts["joined"], counts["wrong"], counts["missing"], counts["keyless"], counts["flowless"]))
    print("  all %d lines: joined %d, wrong %d, missing %d" % (lines, totals["joined"], totals["wrong"], totals["missing"]))
    join = join_of(control.ask("status"))
    report.equal(totals["wrong"], 0, "no line is joined to a wrong connection")
    report.equal(totals["missing"], 0, "every line that has its flow is joined to it")
    report.check(totals["joined"] > 400, "the corpus has lines to join", totals)
    report.equal(join.get("records_joined"), totals["joined"], "control's own count of joined records")
    report.equal(join.get("records_ambiguous"), 0, "nothing was ambiguous")


report.run(main)
