#!/usr/bin/env python3
"""`seinectl farm` against a running control that knows farms: lists, pictures, decisions that outlive sweeps and restarts, and feedback.

A small generated world is played into a detection state whose clock ends today; control starts with it as after a restart.
"""
import json
import os
import sys
import tempfile
import time
import xml.dom.minidom

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

WORLD = ["--level", "L1", "--seed", "1", "--scale", "3000", "--days", "2"]


def wait_for_sweep(daemon, after):
    status = daemon.wait_for(lambda s: s["farms"]["last_sweep_ns"] > after)
    return status["farms"]["last_sweep_ns"]


def campaigns(daemon):
    return {f["id"]: f for f in daemon.ask("farm", "list") if f["level"] == "campaign"}


def check_views(daemon, farms):
    largest = max(farms.values(), key=lambda f: f["accounts"])
    shown = daemon.ask("farm", "show", largest["id"])
    report.equal(len(shown["members"]), largest["accounts"], "farm show names every account that farm list counts")
    account = shown["members"][0]["account"]
    why = daemon.ask("farm", "why", account)
    report.check(abs(sum(line["nats"] for line in why["lines"]) - why["score_nats"]) < 1e-6, "farm why sums to the score", why)
    moments = daemon.ask("farm", "timeline", largest["id"])["timeline"]
    report.check(moments == sorted(moments, key=lambda m: m["at"]) and {"first connection", "alerted"} <= {m["what"] for m in moments},
                 "farm timeline tells in order what happened", moments)
    alerted = sum(int(m["detail"].split()[0]) for m in moments if m["what"] in ("alerted", "replaced"))
    report.equal(alerted, largest["accounts"], "and its accounts add up")
    changed = daemon.ask("farm", "diff", largest["id"], "--since", "400d")
    report.equal((changed["accounts_before"], len(changed["joined"])), (0, largest["accounts"]), "farm diff since before the farm has all of them as new")
    changed = daemon.ask("farm", "diff", largest["id"], "--since", "1s")
    report.check(len(changed["joined"]) <= 3 and changed["accounts_before"] + len(changed["joined"]) == changed["accounts_now"],
                 "and since a second ago hardly any", changed)
    picture = daemon.ctl("farm", "graph", largest["id"])
    report.check(picture.code == 0 and xml.dom.minidom.parseString(picture.out).documentElement.tagName == "svg", "farm graph draws an SVG", picture)
    dot = daemon.ctl("farm", "graph", largest["id"], "--dot")
    report.check(dot.code == 0 and dot.out.startswith(b"graph \"%s\" {" % largest["id"].encode()), "or a graph for Graphviz", dot)
    data = daemon.ask("farm", "graph", largest["id"])
    report.equal(sum(tie["accounts"] for tie in data["ties"]), largest["accounts"], "with every account in it")
    for words in (["show", largest["id"]], ["why", account], ["timeline", largest["id"]], ["diff", largest["id"]], ["list"], ["feedback"]):
        ran = daemon.ctl("farm", *words)
        report.check(ran.code == 0 and ran.out and b"\x1b" not in ran.out, "farm %s reads on a terminal" % words[0], ran)
    for words in (["timeline", "F-9999"], ["diff", "F-9999"], ["graph", "F-9999"], ["split", "F-9999", account, "--reason", "x"]):
        report.equal(daemon.ctl("farm", *words).code, 1, "farm %s of a farm that is not there fails" % words[0])


def check_decisions(daemon, farms, last):
    largest, *others = sorted(farms.values(), key=lambda f: -f["accounts"])
    members = [m["account"] for m in daemon.ask("farm", "show", largest["id"])["members"]]
    leave = members[:6]
    report.equal(daemon.ctl("farm", "split", largest["id"], *leave).code, 2, "a farm is not split without a reason")
    report.equal(daemon.ctl("farm", "split", largest["id"], *members, "--reason", "all of them").code, 2, "nor into itself and nothing")
    fresh = daemon.ask("farm", "split", largest["id"], *leave, "--reason", "another operator's")
    report.equal((fresh["split_from"], fresh["accounts"]), (largest["id"], 6), "some accounts are split off")
    confirmed = daemon.ask("farm", "confirm", largest["id"], "--reason", "seen on site")
    report.equal(confirmed["state"], "confirmed", "a farm is confirmed")
    other = others[0]
    merged = daemon.ask("farm", "merge", largest["id"], other["id"])
    report.equal((merged["farm"], merged["merged"]), (largest["id"], other["id"]), "two farms are merged")
    report.check(b"--reason" in daemon.ctl("farm", "dismiss", fresh["farm"]).err, "a farm is not dismissed without a reason")
    last = wait_for_sweep(daemon, last)
    report.equal(daemon.stop(), 0, "control ends")
    report.check(daemon.start(), "and starts again", daemon.log())
    wait_for_sweep(daemon, last)
    after = campaigns(daemon)
    report.check(fresh["farm"] in after and after[fresh["farm"]]["accounts"] == 6, "what was split off is its own farm after sweeps and a restart", after)
    report.check(after[largest["id"]]["provisional"] is False, "what was confirmed stays so", after)
    report.check(other["id"] not in after and after[largest["id"]]["accounts"] >= largest["accounts"] - 6 + other["accounts"],
                 "what was merged stays one", after)
    daemon.ask("farm", "dismiss", fresh["farm"], "--reason", "a partner")
    report.equal(daemon.ask("farm", "why", leave[0])["alerted"], False, "a dismissed farm's accounts are no longer alerted")
    until = time.monotonic() + 20
    while True:
        alerts = daemon.ask("alert", "list", "--kind", "farm", "--limit", "100")["alerts"]
        if any("dismissed" in a["title"] for a in alerts) or time.monotonic() > until:
            break
        time.sleep(0.2)
    report.check(any("split" in a["title"] for a in alerts) and any("dismissed" in a["title"] for a in alerts), "decisions are among the alerts", alerts)


def check_feedback(daemon, folder):
    def load(text):
        path = os.path.join(folder, "tuned.toml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return daemon.ctl("config", "load", path)

    rule = '[[feedback]]\nname = "campus"\nsubject = "%s"\nvalue = "%s"\nowner = "ops"\nreason = "dormitories"\nuntil = "%s"\n'
    until = time.strftime("%Y-%m-%d", time.gmtime(time.time() + 30 * 86400))
    for subject, value, day, word in (("prefix", "192.0.2.0/23", until, b"/24"), ("asn", "AS0", until, b"AS number"), ("address", "192.0.2.7", "soon", b"until")):
        ran = load(rule % (subject, value, day))
        report.check(ran.code != 0 and word in ran.out + ran.err and b"tuned.toml:" in ran.out + ran.err, "a faulty rule is told with file and line (%s)" % subject, ran)
    for said, word in (('effect = "cap"', b"nats = 1.0"), ('effect = "prior"\nnats = 3.0', b"2 nats at most"), ('effect = "class"', b"education"),
                       ('nats = 1.0', b"cap or a prior"), ('effect = "banish"', b"intermediary")):
        ran = load(rule % ("asn", "AS64500", until) + said + "\n")
        report.check(ran.code != 0 and word in ran.out + ran.err and b"tuned.toml:" in ran.out + ran.err, "so is an effect that lacks something (%s)" % said.replace("\n", ", "), ran)
    capped = (rule % ("asn", "AS64501", until)).replace("campus", "satellite") + 'effect = "cap"\ngroup = "PRX"\nnats = 0.5\n'
    ran = load("[detection]\nbudget = 1.5\n\n" + rule % ("asn", "AS64500", until) + capped)
    report.check(ran.code == 0, "policy and feedback are loaded", ran)
    ran = daemon.ctl("config", "commit")
    report.check(ran.code == 0, "and committed", ran)
    wait_for_sweep(daemon, daemon.ask("status")["farms"]["last_sweep_ns"])
    report.equal(daemon.ask("status")["farms"]["budget"], 1.5, "the budget of the revision is in force")
    rules = daemon.ask("farm", "feedback")["rules"]
    report.check(len(rules) == 2 and rules[0]["owner"] == "ops" and rules[0]["subject"] == "asn" and rules[0]["effect"] == "exclude",
                 "farm feedback shows the rules in force", rules)
    report.check((rules[1]["effect"], rules[1]["group"], rules[1]["nats"]) == ("cap", "PRX", 0.5), "and what they do", rules)
    shown = daemon.ctl("farm", "feedback").out.decode("utf-8", "replace")
    report.check("cap PRX 0.5" in shown, "also as a table", shown)


def main():
    args = programs.arguments(__doc__)
    with tempfile.TemporaryDirectory(prefix="seine-farm-") as folder:
        state = os.path.join(folder, "state")
        os.mkdir(state)
        ran = programs.run([programs.program(args, "seine-evaluate"), *WORLD, "--no-baselines", "--quiet", "--json", "--end-now", "--state",
                            os.path.join(state, "detect.state")], timeout_s=300)
        if not report.check(ran.code == 0 and json.loads(ran.out)[0]["recall"] > 0.5, "a world becomes a detection state", ran):
            return
        daemon = control.Control(args, folder, "[detect]\nsweep-seconds = 3\n")
        if not report.check(daemon.start(), "control starts with it", daemon.log()):
            return
        try:
            last = wait_for_sweep(daemon, 0)
            status = daemon.ask("status")["farms"]
            report.check(status["budget"] == 3 and status["expected_false_positives"] <= 3, "status tells the budget asked for and what is expected", status)
            farms = campaigns(daemon)
            if report.check(len(farms) >= 2, "and lists its farms", farms):
                check_views(daemon, farms)
                check_decisions(daemon, farms, last)
                check_feedback(daemon, folder)
        finally:
            daemon.end()


report.run(main)
