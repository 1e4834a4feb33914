#!/usr/bin/env python3
"""Rules that meet a gateway's user agent with the TLS of its flow: they alert in control with the account; and rules tried on its store."""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402

CAPTURE = os.path.join(programs.GOLDEN, "farm-mixed", "capture.pcap")
BROWSER, LIBRARY = "Mozilla/5.0 (X11; Linux x86_64) Chrome/126", "OpenAI/Python 1.30.1"
RULE = """[[rule]]
id = "%s"
title = "%s"
class = "agent-mismatch"
severity = "high"
confidence = 80
state = "%s"
source = "this test"
limit = { per_rule = "off", per_source = "off" }
%s
"""
MISMATCH = """[[rule.all]]
field = "http.user_agent"
prefix = "Mozilla/5.0"
[[rule.all]]
not = { field = "tls.ja4", glob = "t13d59*" }
[[rule.match]]
http.user_agent = "Mozilla/5.0 (X11)"
tls.ja4 = "t13d3112h1_e8f1e7e78f70_d41ae481755e"
[[rule.no_match]]
http.user_agent = "Mozilla/5.0 (X11)"
tls.ja4 = "t13d5911h1_a33745022dd6_1f22a2ca17c4"
"""


def one_field(field, glob, yes, no):
    return 'field = "%s"\nglob = "%s"\n[[rule.match]]\n%s = "%s"\n[[rule.no_match]]\n%s = "%s"\n' % (field, glob, field, yes, field, no)


def write_rules(folder, *rules):
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "rules.toml"), "w", encoding="utf-8") as out:
        out.write('[pack]\nname = "test"\ntitle = "of a test"\nversion = 1\n\n' + "\n".join(rules))


def agent_of(number):
    return BROWSER if number % 3 == 0 else LIBRARY


def log_line(number, flow):
    return json.dumps({"msec": "%.3f" % (flow["t_last_ns"] / 1e9), "request_time": "0.001", "remote_addr": flow["src"],
                       "remote_port": str(flow["sport"]), "x_api_key": "sk-test-%d" % number, "uri": "/v1/messages?key=no",
                       "user_agent": agent_of(number), "method": "POST", "host": "api.llm.test"}) + "\n"



def check_alerts(daemon, flows):
    wrong = [n for n, f in enumerate(flows) if agent_of(n) == BROWSER and not f["ja4"].startswith("t13d59")]
    report.check(5 < len(wrong) < len(flows) // 2, "some clients lie about themselves, most do not", len(wrong))
    status = daemon.wait_for(lambda s: s["join"]["records_joined"] >= len(flows) and not s["join"]["pending"], 40)
    report.equal(status["join"]["records_joined"], len(flows), "every line has its flow")
    # Alerts and sums reach the store with the next commit.
    told = lambda: daemon.ask("alert", "list", "--kind", "signature", "--limit", "1000")["alerts"]  # noqa: E731
    daemon.wait_for(lambda s: len(told()) >= len(wrong), 20)
    alerts = told()
    report.equal(sorted({a["rule"] for a in alerts}), ["browser-no-browser"], "the rule alerts, the shadow rule does not")
    got = sorted(daemon.ask("alert", "show", str(a["id"]))["details"]["flow"]["sport"] for a in alerts)
    report.equal(got, sorted(flows[n]["sport"] for n in wrong), "on the flows of those who lie, and on no other")
    report.check(all(len(a.get("account", "")) == 32 for a in alerts), "each names its account", alerts[:1])
    report.equal(len({a["account"] for a in alerts}), len(wrong), "the one whose key it was")
    first = daemon.ask("alert", "show", str(alerts[0]["id"]))["details"]
    report.check("Mozilla/5.0" in first["message"] and first["rule"]["class"] == "agent-mismatch", "and says what contradicts what", first)
    stats_now = lambda: daemon.ask("signature", "stats")["control"]  # noqa: E731
    daemon.wait_for(lambda s: stats_now()["accounts_in_all"] > 0, 20)
    stats = stats_now()
    counts = {r["id"]: r for r in stats["joined"]["by_rule"]}
    report.equal((counts["browser-no-browser"]["hits"], counts["shadowed"]["hits"], counts["shadowed"]["findings"]),
                 (len(wrong), len(wrong), 0), "stats count hits, those of the shadow rule too")
    rule = {r["id"]: r for r in stats["rules"]}["browser-no-browser"]
    report.equal((rule["alerts"], rule["accounts"], round(rule["noise"], 3)),
                 (len(wrong), len(wrong), round(len(wrong) / stats["accounts_in_all"], 3)), "accounts touched and noise")
    text = daemon.ctl("signature", "stats").out.decode()
    report.check("browser-no-browser" in text and "noise" in text, "the table reads", text)


def check_try(daemon, folder, flows):
    new, old = os.path.join(folder, "new"), os.path.join(folder, "old")
    ja4 = lambda begin: one_field("tls.ja4", begin + "*", begin + "11h1_a_b", "t12d000000_a_b")  # noqa: E731
    both = MISMATCH.replace('field = "http.user_agent"\nprefix = "Mozilla/5.0"', 'field = "tls.alpn"\nequals = "http/1.1"').replace(
        'http.user_agent = "Mozilla/5.0 (X11)"', 'tls.alpn = "http/1.1"')
    write_rules(new, RULE % ("by-ja4", "t", "enabled", ja4("t13d59")), RULE % ("two-fields", "t", "enabled", both),
                RULE % ("never", "t", "enabled", ja4("t13d99")), RULE % ("off", "t", "disabled", ja4("t13d59")))
    write_rules(old, RULE % ("by-ja4", "t", "enabled", ja4("t13d5911h1")), RULE % ("gone", "t", "enabled", ja4("t13d4312")))
    ran = daemon.ctl("signature", "test", new)
    report.check(ran.code == 0, "the sets are sound", ran)
    trial = lambda: daemon.ask("signature", "try", new, "--days", "3660", "--against", old)  # noqa: E731
    flows_of = lambda tried, rule: next((r["flows"] for r in tried["rules"] if r["id"] == rule), 0)  # noqa: E731
    hits = sum(f["ja4"].startswith("t13d59") for f in flows)
    daemon.wait_for(lambda s: flows_of(trial(), "by-ja4") >= hits, 20)
    tried = trial()
    rules = {r["id"]: r for r in tried["rules"]}
    mine = [f for f in flows if f["ja4"].startswith("t13d59")]
    report.equal((rules["by-ja4"]["by"], rules["by-ja4"]["flows"], rules["by-ja4"]["values"], rules["by-ja4"]["accounts"]),
                 ("values", len(mine), len({f["ja4"] for f in mine}), len(mine)), "a rule over one field is exact over the days")
    report.equal((rules["never"]["flows"], "off" in rules), (0, False), "one that never hits says so; one that is off is left out")
    two = [f for f in flows if "http/1.1" in f.get("alpn", ()) and not f["ja4"].startswith("t13d59")]
    report.equal((rules["two-fields"]["by"], rules["two-fields"]["kept_flows_hit"]), ("bound", len(two)),
                 "one over two fields is tried on single flows")
    report.check(rules["two-fields"]["flows"] >= len(two), "and bounded by its rarest value", rules["two-fields"])
    changed = {(c["rule"], c["example"].split("`")[1]) for c in tried["new"] if c["rule"] == "by-ja4"}
    report.equal(changed, {("by-ja4", f["ja4"]) for f in mine if not f["ja4"].startswith("t13d5911h1")}, "what newly hits, with its value")
    report.check({c["rule"] for c in tried["gone"]} == {"gone"}, "what no longer hits", tried["gone"])
    text = daemon.ctl("signature", "try", new, "--days", "3660", "--against", old).out.decode()
    report.check("newly hit" in text and "<= " in text, "the table reads", text)
    for words, code in ((("try", new), 2), (("try", new, "--days", "0"), 2), (("try", new, "--days", "7", "--pcap", CAPTURE), 2)):
        report.equal(daemon.ctl("signature", *words).code, code, " ".join(map(str, words[2:])) + ": wrong usage")


def main():
    args = programs.arguments(__doc__)
    ran = programs.run([programs.program(args, "seine-replay"), CAPTURE])
    flows = [f for f in map(json.loads, ran.out.splitlines()) if f.get("ja4")]
    with tempfile.TemporaryDirectory(prefix="seine-joined-") as folder:
        keys, log, rules = (os.path.join(folder, name) for name in ("tag.keys", "access.log", "rules"))
        control.make_tag_keys(args, keys)
        write_rules(rules, RULE % ("browser-no-browser", "A browser's agent without its TLS", "enabled", MISMATCH),
                    RULE % ("shadowed", "the same", "shadow", MISMATCH))
        daemon = control.Control(args, folder, 'signatures = "%s"\ntag-keys = "%s"\naccount-sources = ["edge file %s format=nginx from=start"]\n'
                                 % (rules, keys, log))
        try:
            if not report.check(daemon.start(), "control starts", daemon.log() + str(daemon.process.poll())):
                return
            daemon.wait_for(lambda s: "rules over requests" in daemon.log(), 10)
            ran = programs.run([programs.program(args, "seine-dataplane"), "--pcap", CAPTURE, "--records", "ring:" + daemon.ring])
            report.check(ran.code == 0, "the dataplane fills the ring", ran)
            with open(log, "w", encoding="utf-8") as out:
                out.writelines(log_line(n, f) for n, f in enumerate(flows))
            check_alerts(daemon, flows)
            check_try(daemon, folder, flows)
            # A set with a mistake changes nothing and is told.
            with open(os.path.join(rules, "rules.toml"), "a", encoding="utf-8") as out:
                out.write("[[rule]]\nid = 7\n")
            daemon.wait_for(lambda s: "joined rules:" in daemon.log(), 10)
            stats = daemon.ask("signature", "stats")["control"]["joined"]
            report.check(stats["rules"] == 2, "a mistake in the rules leaves the set before in use", stats)
            report.equal(daemon.stop(), 0, "SIGTERM ends it with 0")
        finally:
            daemon.end()


if __name__ == "__main__":
    report.run(main)
