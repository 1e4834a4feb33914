#!/usr/bin/env python3
"""seine-control killed ten times while flows and log lines come at full rate: every record the ring held is counted once, every line once."""
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

KILLS = 10


def stored(daemon):
    opened, closed, lost = daemon.stored("select sum(opened), sum(closed), sum(lost) from minute")[0]
    flows, requests = daemon.stored("select sum(flows), sum(requests) from account")[0]
    return {"opened": opened, "closed": closed, "lost": lost or 0, "account_flows": flows, "account_requests": requests}


def main():
    args = programs.arguments(__doc__, ("--rate", {"type": int, "default": 2000, "help": "flow openings a second"}),
                              ("--lines", {"type": int, "default": 3, "help": "log lines a flow"}),
                              ("--seconds", {"type": int, "default": 12}), ("--ring-mb", {"type": int, "default": 64}))
    with tempfile.TemporaryDirectory(prefix="seine-kills-") as folder:
        keys, log = os.path.join(folder, "tag.keys"), os.path.join(folder, "access.log")
        control.make_tag_keys(args, keys)
        daemon = control.Control(args, folder, 'tag-keys = "%s"\naccount-sources = ["edge file %s format=nginx from=start"]\n' % (keys, log))
        try:
            if not report.check(daemon.start(60), "control starts", daemon.log()):
                return
            load = subprocess.Popen([programs.program(args, "seine-test-load"), daemon.ring, str(args.ring_mb), log, str(args.rate),
                                     str(args.lines), str(args.seconds)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
            begun = time.monotonic()
            for kill in range(KILLS):
                time.sleep(max(0, begun + (kill + 1) * args.seconds / (KILLS + 1) - time.monotonic()))
                daemon.stop(signal.SIGKILL)
                if not report.check(daemon.start(60), "it starts after kill %d" % (kill + 1), daemon.log()[-300:]):
                    return
            written = json.loads(load.communicate()[0])
            print("  written: %s" % written)
            status = daemon.wait_for(lambda s: s["rings"] and s["rings"][0]["fill"] == 0 and s["join"]["records"] >= written["lines"]
                                     and not s["join"]["pending"], 900, 1)
            join = status["join"]
            report.equal(daemon.stop(), 0, "SIGTERM ends it with 0")
            got = stored(daemon)
            print("  stored: %s" % got)
            print("  join: %s" % {k: v for k, v in join.items() if v and ("record" in k or "ambig" in k)})
            report.check(written["opened"] > args.rate * args.seconds // 2, "the load came", written)
            report.equal((got["opened"], got["closed"]), (written["opened"], written["closed"]),
                         "every record that the ring held is counted once over %d kills" % KILLS)
            report.equal(got["lost"], written["dropped"], "what the ring had no room for is counted as lost")
            report.equal(join["records"], written["lines"], "every line is taken once")
            ended = sum(join[k] for k in ("records_joined", "records_unmatched", "records_off_time", "records_ambiguous", "records_evicted"))
            report.equal(ended, written["lines"], "and has one outcome")
            report.equal(got["account_requests"], join["records_joined"], "accounts have each joined line once")
            report.check(join["records_joined"] >= 0.9 * written["lines"], "most find their flow", join)
            print("  joined %.2f %%" % (100.0 * join["records_joined"] / written["lines"]))
        finally:
            daemon.end()


if __name__ == "__main__":
    report.run(main)
