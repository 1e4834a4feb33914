#!/usr/bin/env python3
"""The demo that stays: seine-control over the records of a capture and the log of the gateway behind it, until Ctrl-C. Its farms are
those of the same capture on a generated benign day that ends today, which control finds in its state as after a restart.

usage: demo_serve.py BIN FOLDER [--once]

BIN holds the built programs, FOLDER takes the configuration, the keys, the ring and the state. --once ends it as soon as the accounts
of the capture are known, for tests.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import time

import demo_farms

HERE = os.path.dirname(os.path.abspath(__file__))
CASE = os.path.join(HERE, "..", "tests", "golden", "farm-mixed")
WAIT_S = 60


def checked(words):
    ran = subprocess.run(words, capture_output=True, check=False)
    if ran.returncode != 0:
        sys.exit("demo_serve.py: %s ended with %d\n%s" % (" ".join(words[:3]), ran.returncode, ran.stderr.decode(errors="replace")))
    return ran.stdout


def write_config(folder, names):
    with open(names["config"], "w", encoding="utf-8") as out:
        out.write("rings = [%s]\nsocket = %s\ntag-keys = %s\naccount-sources = [%s]\n[store]\nfolder = %s\nflow-hours = 8784\n[detect]\nsweep-seconds = 5\n" % tuple(
            json.dumps(text) for text in (names["ring"], names["socket"], names["keys"],
                                          "gateway file %s format=nginx gateway=1 from=start" % names["log"], os.path.join(folder, "state"))))


def wait_for_accounts(control, ask):
    """Accounts that control knows once the log is read."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        if control.poll() is not None:
            sys.exit("demo_serve.py: seine-control ended with %d; its log is above" % control.returncode)
        ran = subprocess.run(ask, capture_output=True, check=False)
        known = json.loads(ran.stdout)["accounts"] if ran.returncode == 0 else []
        if len(known) >= 30:
            return len(known)
        time.sleep(0.2)
    sys.exit("demo_serve.py: no accounts after %d s" % WAIT_S)


def wait_for_farms(ask):
    """Campaigns after a sweep; the state that control started with holds two."""
    until = time.monotonic() + WAIT_S
    while time.monotonic() < until:
        ran = subprocess.run(ask, capture_output=True, check=False)
        farms = [f for f in json.loads(ran.stdout) if f["level"] == "campaign"] if ran.returncode == 0 else []
        if farms:
            return farms
        time.sleep(0.2)
    sys.exit("demo_serve.py: no farm after %d s" % WAIT_S)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("programs")
    parser.add_argument("folder")
    parser.add_argument("--once", action="store_true")
    args = parser.parse_args()
    program = {name: os.path.join(args.programs, "seine" + name) for name in ("-control", "ctl", "-dataplane")}
    names = {name: os.path.join(args.folder, file) for name, file in (("config", "control.toml"), ("ring", "flows.ring"), ("socket", "control.sock"),
                                                                     ("keys", "tag.keys"), ("log", "gateway.jsonl"))}
    checked([program["ctl"], "account", "key", "new", "--keys", names["keys"]])
    with open(os.path.join(CASE, "gateway.jsonl"), "rb") as source, open(names["log"], "wb") as log:
        log.write(source.read())
    write_config(args.folder, names)
    print("Making a benign day of %s accounts with the capture on it, so that there is a population to stand out from .." % format(demo_farms.DAY_ACCOUNTS, ","))
    sys.stdout.flush()
    os.makedirs(os.path.join(args.folder, "state"), mode=0o700, exist_ok=True)
    demo_farms.merged_day(args.programs, args.folder, 1, ["--end-now", "--state", os.path.join(args.folder, "state", "detect.state")])
    checked([program["-dataplane"], "--pcap", os.path.join(CASE, "capture.pcap"), "--records", "ring:" + names["ring"]])
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    control = subprocess.Popen([program["-control"], "--config", names["config"]], stdin=subprocess.DEVNULL)
    try:
        known = wait_for_accounts(control, [program["ctl"], "account", "list", "--limit", "1000", "--json", "--socket", names["socket"]])
        print("seine-control runs over the records of a capture and its gateway's log; %d accounts are known. Ask it, from another terminal:" % known)
        print()
        farms = wait_for_farms([program["ctl"], "farm", "list", "--json", "--socket", names["socket"]])
        largest = max(farms, key=lambda farm: farm["accounts"])["id"]
        for words in ("status", "account list", "fingerprint list", "farm list", "farm show " + largest, "farm timeline " + largest,
                      "farm graph %s > farm.svg" % largest, "flow list"):
            print("  %s --socket %s %s" % (os.path.relpath(program["ctl"]), names["socket"], words))
        print()
        print("The farms are those of the capture on the generated day; their accounts carry that day's tags, not those of account list.")
        print("A capture has an end, so its dataplane is done; for live traffic start one beside it:")
        print("  %s --af-packet IFACE --records ring:%s" % (os.path.relpath(program["-dataplane"]), names["ring"]))
        print("Ctrl-C ends it and removes %s." % args.folder)
        sys.stdout.flush()
        if not args.once:
            control.wait()
    except KeyboardInterrupt:
        pass
    finally:
        if control.poll() is None:
            control.send_signal(signal.SIGTERM)
            control.wait(60)
    return 0 if control.returncode == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
