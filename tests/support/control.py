"""A seine-control of one test: its configuration, its start and end, and questions to it by seinectl."""
import json
import os
import signal
import sqlite3
import subprocess
import time

import programs
import report


def make_tag_keys(args, path):
    """A file of keys for tags, as an operator makes it."""
    made = programs.run([programs.program(args, "seinectl"), "account", "key", "new", "--keys", path])
    report.check(made.code == 0, "seinectl account key new", made)


class Control:
    def __init__(self, args, folder, extra="", more_rings=(), ring=None):
        self.args, self.folder = args, folder
        self.socket = os.path.join(folder, "control.sock")
        self.ring = ring or os.path.join(folder, "flows.ring")
        self.config = os.path.join(folder, "control.toml")
        self.state = os.path.join(folder, "state")
        self.process = None
        with open(self.config, "w", encoding="utf-8") as out:
            out.write('rings = %s\nsocket = "%s"\n%s\n' % (json.dumps([self.ring, *more_rings]), self.socket, extra))
            if "[store]" not in extra:
                out.write("[store]\n")
            out.write('folder = "%s"\n' % self.state)

    def start(self, wait_s=20):
        """True when it answers."""
        log = open(os.path.join(self.folder, "control.log"), "ab")
        self.process = subprocess.Popen([programs.program(self.args, "seine-control"), "--config", self.config],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            if self.process.poll() is not None:
                return False
            if os.path.exists(self.socket) and self.ctl("status", "--json").code == 0:
                return True
            time.sleep(0.05)
        return False

    def log(self):
        with open(os.path.join(self.folder, "control.log"), encoding="utf-8", errors="replace") as text:
            return text.read()

    def stop(self, number=signal.SIGTERM):
        """Its exit code; negative: the signal."""
        self.process.send_signal(number)
        return self.process.wait(60)

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ctl(self, *words):
        return programs.run([programs.program(self.args, "seinectl"), *words, "--socket", self.socket], timeout_s=60)

    def ask(self, *words):
        ran = self.ctl(*words, "--json")
        if ran.code != 0:
            raise RuntimeError("seinectl %s: %s" % (" ".join(words), ran))
        return json.loads(ran.out)

    def stored(self, query):
        """Rows of its store."""
        store = sqlite3.connect("file:%s?mode=ro" % os.path.join(self.state, "seine.db"), uri=True)
        try:
            return store.execute(query).fetchall()
        finally:
            store.close()

    def wait_for(self, condition, wait_s=30, pause_s=0.2):
        """The first status for which `condition` holds, or the last one seen."""
        until = time.monotonic() + wait_s
        while True:
            status = self.ask("status")
            if condition(status) or time.monotonic() > until:
                return status
            time.sleep(pause_s)
