#!/usr/bin/env python3
"""Account sources by committed configuration: begun and ended without a restart, nothing half-applied, no line lost or read twice."""
import json
import os
import socket
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import control  # noqa: E402
import netns  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402


class Rig:
    def __init__(self, args, folder):
        self.folder = folder
        self.lines = 0
        self.daemon = control.Control(args, folder, 'tag-keys = "%s"\n[store]\ncommit-ms = 100\n' % self.path("tag.keys"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def log(self, count, name="access.log"):
        with open(self.path(name), "a", encoding="utf-8") as out:
            for _ in range(count):
                self.lines += 1
                out.write(json.dumps({"msec": "1700000000.%03d" % self.lines, "remote_addr": "10.0.0.1", "remote_port": str(1024 + self.lines),
                                      "x_api_key": "sk-%d" % self.lines}) + "\n")

    def sources(self):
        return {source["name"]: source for source in self.daemon.ask("account", "source", "list")["sources"]}

    def load(self, *tables):
        with open(self.path("tunables.toml"), "w", encoding="utf-8") as out:
            for table in tables:
                out.write("[[account_source]]\n%s\n" % "\n".join("%s = %s" % (key, json.dumps(value)) for key, value in table.items()))
        return self.daemon.ctl("config", "load", self.path("tunables.toml"))

    def commit(self, *tables):
        loaded = self.load(*tables)
        report.check(loaded.code == 0, "config load of %s" % [table.get("name") for table in tables], loaded)
        ran = self.daemon.ctl("config", "commit")
        return ran

    def becomes(self, name, count, what):
        self.daemon.wait_for(lambda _: self.sources().get(name, {}).get("records") == count, 20)
        report.equal(self.sources().get(name, {}).get("records"), count, what)


def check(rig):
    edge = {"name": "edge", "kind": "file", "place": rig.path("access.log"), "format": "nginx", "from": "start"}
    records = {"name": "gw", "kind": "unix", "place": rig.path("gw.sock")}
    report.check(rig.daemon.start(60), "control starts without a source and without keys", rig.daemon.log()[-300:])
    report.equal(rig.sources(), {}, "and has none")
    rig.log(10)
    ran = rig.commit(edge)
    report.check(ran.code != 0 and "account key new" in ran.err.decode(), "a source needs tag keys, and is told how they are made", ran)
    control.make_tag_keys(rig.daemon.args, rig.path("tag.keys"))
    ran = rig.commit(edge)
    report.check(ran.code == 0, "the commit takes effect", ran)
    rig.becomes("edge", 10, "the log is read without a restart")

    for table, words in (({"name": "x", "kind": "fil", "place": "/x"}, "did you mean `file`"),
                         ({"name": "x", "kind": "file", "place": "x.log"}, "path from the root"),
                         ({"name": "x", "kind": "file", "place": "/x", "fields": ["kee=y"]}, "kee"),
                         ({"name": "x", "kind": "inline", "place": "/x"}, "inline source has none")):
        ran = rig.load(edge, table)
        report.check(ran.code != 0 and words in (ran.out + ran.err).decode() and "tunables.toml:" in (ran.out + ran.err).decode(),
                     "%s is a fault with its line" % table, ran)
    rig.daemon.ctl("config", "discard")

    # One that cannot be opened leaves the others as they are.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        busy = {"name": "busy", "kind": "udp", "place": "127.0.0.1:%d" % taken.getsockname()[1]}
        ran = rig.commit(records, busy)
        report.check(ran.code != 0 and busy["place"] in ran.err.decode(), "a port that is taken fails the commit", ran)
    report.equal(sorted(rig.sources()), ["edge"], "and nothing of it is in effect")
    report.check(not os.path.exists(records["place"]), "not even a socket")
    rig.log(5)
    rig.becomes("edge", 15, "the log is read on")

    rig.commit(edge, records)
    report.check(netns.wait_for(lambda: os.path.exists(records["place"])), "a second source is begun beside it")
    before = os.stat(records["place"]).st_ino
    rig.commit(edge, dict(records, name="gw2", mode="0666"))
    report.check(netns.wait_for(lambda: sorted(rig.sources()) == ["edge", "gw2"]), "it is renamed", rig.sources())
    report.equal((os.stat(records["place"]).st_ino, oct(os.stat(records["place"]).st_mode & 0o777)), (before, "0o666"),
                 "and keeps its socket, with the mode that is wanted")

    rig.commit()
    report.check(netns.wait_for(lambda: rig.sources() == {}), "all are ended", rig.sources())
    report.check(not os.path.exists(records["place"]), "the socket goes with its source")
    rig.log(7)
    rig.commit(edge)
    rig.becomes("edge", 7, "begun again, the log goes on where it was left")
    report.equal(rig.daemon.stop(), 0, "SIGTERM ends it with 0")
    rig.log(3)
    report.check(rig.daemon.start(60), "control starts again", rig.daemon.log()[-300:])
    rig.becomes("edge", 3, "the committed source is there, and its log goes on")
    ran = rig.daemon.ctl("config", "rollback", "3")
    report.check(ran.code == 0, "a rollback", ran)
    report.check(netns.wait_for(lambda: sorted(rig.sources()) == ["edge", "gw"]), "brings back what was in effect then", rig.sources())
    rig.daemon.stop()


def main():
    args = programs.arguments(__doc__)
    with tempfile.TemporaryDirectory(prefix="seine-sources-") as folder:
        rig = Rig(args, folder)
        try:
            check(rig)
        finally:
            rig.daemon.end()


report.run(main)
