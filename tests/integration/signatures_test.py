#!/usr/bin/env python3
"""Signatures as a user meets them: the ten lines of docs/signatures.md against a live dataplane, and what goes wrong."""
import http.server
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import netns  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass


def tutorial():
    """The commands of the page's first console block."""
    with open(os.path.join(programs.SOURCE, "docs", "signatures.md"), encoding="utf-8") as fh:
        return fh.read().split("```console\n", 1)[1].split("```", 1)[0].strip().splitlines()


class Live:
    """A dataplane on the server's interface of a pair of namespaces, and a web server there."""

    def __init__(self, args, pair, folder):
        self.args, self.pair, self.folder = args, pair, folder
        self.socket = os.path.join(folder, "admin.sock")
        self.ring = os.path.join(folder, "ring")
        self.events = os.path.join(folder, "events.jsonl")
        self.errors = os.path.join(folder, "stderr")
        self.process = None

    def start(self, *more):
        command = [programs.program(self.args, "seine-dataplane"), "--af-packet", "s0", "--records", "ring:" + self.ring, "--records",
                   "jsonl:" + self.events, "--events", "--socket", self.socket, *more]
        with open(self.errors, "ab") as errors:
            self.process = self.pair.start(self.pair.server, command, stderr=errors)
        if not netns.wait_for(lambda: netns.answers(self.socket) or self.process.poll() is not None, 60) or self.process.poll() is not None:
            with open(self.errors, "rb") as said:
                raise RuntimeError("seine-dataplane does not come up: %s" % said.read().decode(errors="replace"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def ctl(self, *words):
        return programs.run([programs.program(self.args, "seinectl"), "signature", *words, "--socket", self.socket], cwd=self.folder)

    def about(self):
        ran = programs.run([programs.program(self.args, "seinectl"), "status", "--json", "--socket", self.socket])
        return json.loads(ran.out)["signatures"]

    def stats(self):
        ran = self.ctl("stats", "--json", "--all")
        return {rule["id"]: rule for rule in json.loads(ran.out)["rules"]}


def serve_in(pair):
    code = ("import http.server,sys\nsys.path.insert(0,%r)\nfrom signatures_test import Handler\n"
            "http.server.ThreadingHTTPServer(('10.9.0.2',8080),Handler).serve_forever()") % os.path.dirname(os.path.abspath(__file__))
    return pair.start(pair.server, [sys.executable, "-B", "-c", code])


def run_tutorial(live):
    shutil.copy(os.path.join(programs.GOLDEN, "plain-http1", "capture.pcap"), os.path.join(live.folder, "yesterday.pcap"))
    lines = tutorial()
    report.equal(len(lines), 10, "the tutorial has ten lines")
    env = dict(os.environ, PATH=live.args.bin + os.pathsep + os.environ["PATH"])
    said = {}
    for line in lines:
        words = line.split()
        if words[0] == "seinectl" and words[2] not in ("test",):
            line += " --socket " + live.socket
        command = ["sh", "-c", line]
        ran = live.pair.run(live.pair.client, command, cwd=live.folder, env=env, capture_output=True, check=False) if words[0] == "curl" \
            else subprocess.run(command, cwd=live.folder, env=env, capture_output=True, check=False)
        said[words[2] if words[0] == "seinectl" else words[0]] = ran.stdout.decode()
        report.check(ran.returncode == 0, "tutorial: " + " ".join(words[:3]), ran.stderr)
        if words[0] == "curl":
            netns.wait_for(lambda: live.stats().get("probe-agent", {}).get("hits"), 10)
    report.check("all hold" in said["test"], "tutorial: test says that the examples hold", said["test"])
    report.check("no rule hits" in said["try"], "tutorial: try finds nothing in a capture without the probe", said["try"])
    report.check("version 1 runs" in said["push"] and "taken back" in said["push"], "tutorial: push says what runs until when", said["push"])
    report.check("probe-agent" in said["stats"], "tutorial: the rule hit", said["stats"])
    report.check("taken back" in said["rollback"], "tutorial: rollback takes it back", said["rollback"])
    report.check("find our own probe" in said["versions"], "tutorial: the history says why", said["versions"])


def check_processors(live):
    """The thread that loads rules is not given the workers' processors, where others are left."""
    workers = set()
    for task in os.listdir("/proc/%d/task" % live.process.pid):
        with open("/proc/%d/task/%s/comm" % (live.process.pid, task), encoding="utf-8") as fh:
            if "worker" in fh.read():
                workers |= os.sched_getaffinity(int(task))
    if not os.sched_getaffinity(0) - workers:
        report.skipped("processors of their own", "the workers have all of them")
        return
    loader = os.sched_getaffinity(live.process.pid)
    report.check(workers and not loader & workers, "who loads rules keeps off the workers' processors", (loader, workers))


def check_versions(live):
    """After the tutorial: no rules run, version 1 is kept."""
    report.equal(live.about()["generation"], 0, "after the rollback no rules run")
    ran = live.ctl("push", "rules", "--reason", "again", "--confirm-within", "off")
    report.check(ran.code == 0 and live.about()["confirmed"] == 2, "a push that needs no confirmation stays", ran)
    ran = live.ctl("shadow", "probe-agent", "--confirm-within", "off")
    report.check(ran.code == 0 and live.stats()["probe-agent"]["state"] == "shadow", "a rule goes into shadow without a restart", ran)
    live.pair.run(live.pair.client, ["curl", "--silent", "--user-agent", "probe/3", "http://10.9.0.2:8080/"], capture_output=True, check=False)
    netns.wait_for(lambda: live.stats()["probe-agent"]["hits"], 10)
    rule = live.stats()["probe-agent"]
    report.check(rule["hits"] == 1 and rule["findings"] == 0, "in shadow it counts and does not alert", rule)
    ran = live.ctl("rollback", "2", "--confirm-within", "off")
    report.check(ran.code == 0 and live.about()["generation"] == 4 and live.stats()["probe-agent"]["state"] == "enabled",
                 "rollback ships an earlier version as a new one", ran)
    report.check(b"state enabled -> shadow" in live.ctl("diff", "2", "3").out, "diff names what changed")
    ran = live.ctl("export", "exported", "2")
    report.check(ran.code == 0 and os.path.exists(os.path.join(live.folder, "exported", "mine", "probe.toml")), "export writes the rules", ran)
    ran = live.ctl("push", "rules", "--reason", "soon", "--confirm-within", "1s")
    report.check(ran.code == 0 and live.about()["pending"], "a push waits to be confirmed", ran)
    report.check(live.ctl("push", "rules", "--reason", "second").code == 1, "while one waits another is refused")
    report.check(netns.wait_for(lambda: live.about()["generation"] == 4, 15), "nobody confirmed: the set before is back by itself", live.about())


def check_mistakes(live):
    before = live.about()
    with open(os.path.join(live.folder, "rules", "mine", "bad.toml"), "w", encoding="utf-8") as fh:
        fh.write('[[rule]]\nid = "bad"\nfield = "http.user_agent"\npattern = "("\n')
    ran = live.ctl("push", "rules", "--reason", "broken")
    report.check(ran.code == 1 and b"bad.toml:4:11: the pattern does not compile" in ran.out, "a broken rule is not pushed", ran.out[:300])
    os.unlink(os.path.join(live.folder, "rules", "mine", "bad.toml"))
    random.seed(1)
    words = ["".join(random.choices("abcdefghijklmnopqrstuvwxyz", k=7)) for _ in range(400)]
    dear = os.path.join(live.folder, "rules", "mine", "dear.toml")
    with open(dear, "w", encoding="utf-8") as fh:
        fh.write('[[rule]]\nid = "dear"\ntitle = "t"\nclass = "policy"\nfield = "http.path"\npattern = \'(%s)[0-9]{3}\'\n'
                 '[[rule.match]]\nhttp.path = "/%s123"\n[[rule.no_match]]\nhttp.path = "/"\n' % ("|".join(words), words[0]))
    ran = live.ctl("lint", "rules")
    report.check(ran.code == 0 and b"dear.toml:5:" in ran.out and b"rule `dear`" in ran.out, "lint names a rule whose cost is out of line", ran)
    ran = live.ctl("lint", "rules", "--cost-limit", "10")
    report.check(ran.code == 1 and b"belongs into a file" in ran.out, "and refuses it where a limit is given", ran)
    ran = live.ctl("push", "rules", "--reason", "dear", "--cost-limit", "10")
    report.check(ran.code == 1 and b"rule `dear`" in ran.out and b"not pushed" in ran.err, "so does push", ran)
    ran = live.ctl("push", "rules", "--reason", "dear", "--cost-limit", "none")
    report.check(ran.code == 2 and b"--cost-limit takes" in ran.err, "a limit that is none is told what it takes", ran)
    os.unlink(dear)
    report.equal(live.about()["generation"], before["generation"], "the running set is untouched by all of it")
    blob = os.path.join(live.ring + ".signatures", "versions", "2", "rules.blob")
    with open(blob, "rb") as fh:
        data = bytearray(fh.read())
    data[len(data) // 2] ^= 0x10
    bad = os.path.join(live.folder, "bad.blob")
    with open(bad, "wb") as fh:
        fh.write(data)
    import reload_proof_test  # noqa: PLC0415
    answer = reload_proof_test.Admin(live.socket).reload(99, bad)
    report.check("checksum is wrong" in answer, "a damaged blob is refused", answer)
    answer = reload_proof_test.Admin(live.socket).reload(99, "/nowhere/x.blob")
    report.check("cannot be read" in answer, "a blob that is not there is refused", answer)
    answer = reload_proof_test.Admin(live.socket).reload(1, blob)
    report.check("not newer" in answer, "an old generation is refused", answer)
    report.equal({k: v for k, v in live.about().items() if k != "packets_matched"}, {k: v for k, v in before.items() if k != "packets_matched"},
                 "what runs is untouched")


def check_restart(live):
    report.equal(live.stop(), 0, "a clean end")
    with open(live.events, encoding="utf-8") as fh:
        findings = [json.loads(line) for line in fh if '"finding"' in line]
    mine = [f for f in findings if f["rules"] == ["probe-agent"]]
    report.check(len(mine) == 1 and mine[0]["rule_value"] == ["probe/2"] and mine[0]["rule_generation"] == 1 and mine[0]["src"] == "10.9.0.1",
                 "the finding says rule, generation, value and source", findings)
    ran = programs.run([programs.program(live.args, "seine-records"), live.ring + ".alerts"])
    report.check(b"probe-agent" in ran.out, "it lies in the ring of alerts", ran)
    live.start()
    about = live.about()
    report.check(about["generation"] == 4 and about["origin"].endswith("accepted.blob"), "a restart begins with the accepted set", about)
    report.equal(live.stop(), 0, "and ends clean")


def main():
    args = programs.arguments(__doc__)
    why = netns.reason_not_to() or (None if shutil.which("curl") else "needs curl")
    if why:
        report.skipped("signatures", why)
        return
    with netns.Pair() as pair, tempfile.TemporaryDirectory() as folder:
        pair.offloads_off()
        live = Live(args, pair, folder)
        serve_in(pair)
        live.start()
        netns.wait_for(lambda: pair.run(pair.client, ["curl", "--silent", "--output", os.devnull, "http://10.9.0.2:8080/"], check=False).returncode == 0)
        check_processors(live)
        run_tutorial(live)
        check_versions(live)
        check_mistakes(live)
        check_restart(live)


if __name__ == "__main__":
    report.run(main)
