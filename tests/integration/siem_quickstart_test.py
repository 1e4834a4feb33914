"""As a new user: the commands of docs/siem.md, with this test's paths and a recorded capture in place of the interface, bring a signature alert into
a real rsyslog over TLS. Installation by the packages themselves is packages_test.py."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import receivers  # noqa: E402
import report  # noqa: E402


CAPTURE = os.path.join(programs.GOLDEN, "plain-http1", "capture.pcap")
RULE = b"browser-headless-chrome"  # of the shipped packs; the capture has such a browser


def split_commands():
    with open(os.path.join(programs.SOURCE, "docs", "siem.md"), encoding="utf-8") as fh:
        text = fh.read()
    block = re.search(r"<!-- quickstart: .*?-->\n```\n(.*?)```\n<!-- end of quickstart -->", text, re.S).group(1)
    # A here-document is one command.
    return re.findall(r"^[^\n]*<<END\n.*?^END$|^[^\n]+$", block, re.S | re.M)


class Machine:
    """A folder in place of the machine: /etc, /run and the daemons that systemctl starts."""

    def __init__(self, args, folder, server):
        self.args, self.folder, self.server = args, folder, server
        self.socket, self.ring = os.path.join(folder, "control.sock"), os.path.join(folder, "flows.ring")
        self.control = None

    def install(self):
        """What the packages put there."""
        os.makedirs(os.path.join(self.folder, "etc", "secrets"))
        with open(os.path.join(programs.SOURCE, "packaging", "seine-dataplane.toml"), encoding="utf-8") as fh:
            text = fh.read()
        with open(os.path.join(self.folder, "etc", "seine-dataplane.toml"), "w", encoding="utf-8") as fh:
            fh.write(text.replace("/run/seine/flows.ring", self.ring).replace("/usr/share/seine/signatures", os.path.join(programs.SOURCE, "signatures")))
        with open(os.path.join(self.folder, "control.toml"), "w", encoding="ascii") as fh:
            fh.write('rings = ["%s"]\nsocket = "%s"\ndataplane-socket = ""\nmetrics = "127.0.0.1:%d"\n[store]\nfolder = "%s/state"\n' % (
                self.ring, self.socket, receivers.free_port(), self.folder))

    def started(self, unit):
        if unit == "seine-dataplane":
            ran = programs.run([programs.program(self.args, "seine-dataplane"), "--config", os.path.join(self.folder, "etc", "seine-dataplane.toml"),
                                "--socket", ""], cwd=self.folder)
            report.check(ran.code == 0, "the dataplane reads the capture", "%s" % ran)
            return
        self.control = subprocess.Popen([programs.program(self.args, unit), "--config", os.path.join(self.folder, "control.toml")],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(os.path.join(self.folder, "log"), "ab"))
        for _ in range(100):
            if os.path.exists(self.socket):
                break
            time.sleep(0.1)

    def stop(self):
        self.control.send_signal(signal.SIGTERM)
        return self.control.wait(20)

    def do(self, step):
        if step.startswith("apt-get install"):
            return self.install()
        if step.startswith("systemctl enable --now "):
            return self.started(step.split()[-1])
        for this, here in (("-o seine ", ""), ("/etc/seine/", self.folder + "/etc/"), ('af-packet = ["eth0"]', 'pcap = ["%s"]' % CAPTURE.replace("/", "\\/")),
                           ('host = "siem.example.net"', 'host = "127.0.0.1"\nport = %d' % self.server.port),
                           ("seinectl ", "%s --socket %s " % (programs.program(self.args, "seinectl"), self.socket))):
            step = step.replace(this, here)
        ran = programs.run(["bash", "-c", step], cwd=self.folder)
        report.check(ran.code == 0, "runs: %s" % step.split("\n")[0][-60:], "%s %s" % (ran, ran.out[-300:]))
        return None


def main():
    args = programs.arguments(__doc__)
    if shutil.which("rsyslogd") is None:
        report.skipped("quickstart", "rsyslog is not installed")
        return
    folder = tempfile.mkdtemp(prefix="seine-quick-")
    server = machine = None
    try:
        certs = receivers.Certificates(os.path.join(folder, "certs"))
        server = receivers.Rsyslog(folder, "tls", certs).start()
        machine = Machine(args, folder, server)
        steps = split_commands()
        report.check(0 < len(steps) < 10, "fewer than ten commands", "%d" % len(steps))
        for name in ("key", "pem"):
            shutil.copy(certs.path("client." + name), os.path.join(folder, "sensor." + name))
        shutil.copy(certs.path("ca.pem"), folder)
        for step in steps:
            machine.do(step)
        text = b""
        for _ in range(100):
            with open(server.out, "rb") if os.path.exists(server.out) else open(os.devnull, "rb") as fh:
                text = fh.read()
            if RULE in text:
                break
            time.sleep(0.1)
        report.check(b"CEF:0|Seine|Seine|" in text and b"test event" in text, "the test event is in rsyslog's file", text[-300:])
        alerts = [line for line in text.splitlines() if b"|" + RULE + b"|" in line]
        report.check(alerts and b"cat=signature_alert" in alerts[0] and b"HeadlessChrome" in alerts[0], "a signature alert of the capture is, too",
                     alerts[:1] or text[-300:])
        more(args, folder, machine, server)
    finally:
        if machine is not None and machine.control is not None:
            report.equal(machine.stop(), 0, "SIGTERM ends it with 0")
            print(open(os.path.join(folder, "log"), encoding="utf-8", errors="replace").read()[-500:])
        if server is not None:
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def more(args, folder, machine, server):
    def ctl(*words):
        return programs.run([programs.program(args, "seinectl"), "--socket", machine.socket, *words], cwd=folder)

    faults(ctl, server, machine)
    without_certificate(ctl, server, machine)
    # A bad commit changes nothing.
    with open(os.path.join(folder, "bad.toml"), "w", encoding="ascii") as fh:
        fh.write('[[export]]\nname = "soc"\ncarrier = "syslog-tls"\nhost = "x"\nca_file = "/nowhere/ca.pem"\n')
    ran = ctl("config", "load", "bad.toml")
    report.check(ran.code == 1 and b"bad.toml:" in ran.out and b"/nowhere/ca.pem" in ran.out, "a wrong file is named with line and column", ran.out)
    ran = ctl("config", "commit")
    report.check(ran.code == 1, "it is not committed", ran)
    listed = json.loads(ctl("export", "list", "--json").out)
    report.equal([at["name"] for at in listed], ["soc"], "what ran goes on")
    ran = ctl("config", "rollback", "3")
    report.equal((ran.code, json.loads(ctl("export", "list", "--json").out)), (0, []), "rollback 3 takes the destination away")
    # Rules are shipped to the dataplane, here to one that is not there; what an operator tried is written down all the same.
    ran = ctl("signature", "disable", "some-rule", "--reason", "too loud", "--dataplane-socket", os.path.join(folder, "nowhere.sock"))
    tail = json.loads(ctl("audit", "list", "--json").out)
    told = [line["detail"] for line in tail if line["action"] == "signature disable"]
    report.check(ran.code != 0 and len(told) == 2 and "too loud" in told[0] and any("failed" in detail for detail in told),
                 "what is done to rules is in the audit log", "%s %s" % (ran, tail[-3:]))
    ran = ctl("audit", "verify")
    report.check(ran.code == 0 and b"sound" in ran.out, "the audit log is sound", ran)
    path = os.path.join(folder, "state", "audit.jsonl")
    with open(path, "rb") as fh:
        whole = fh.read()
    with open(path, "wb") as fh:
        fh.write(whole.replace(b"first destination", b"first excuse     ", 1))
    ran = ctl("audit", "verify")
    report.check(ran.code == 1 and b"was changed" in ran.err, "a changed line is told", ran)
    with open(path, "wb") as fh:
        fh.write(whole)
    metrics(folder)


def problem(ctl, words):
    """The line of `status` that has all of `words`, waited for."""
    told = ""
    for _ in range(100):
        told = " ".join(json.loads(ctl("status", "--json").out)["problems"])
        if all(word in told for word in words):
            break
        time.sleep(0.1)
    report.check(all(word in told for word in words), "status names it: %s" % ", ".join(words), told)


def faults(ctl, server, machine):
    """A receiver that is away, and one with another name: named with since when and how much waits, and nothing is lost."""
    server.stop()
    ran = ctl("export", "test", "soc")
    report.check(ran.code == 1 and b"refused" in ran.err, "test of a dead receiver fails and says why", ran)
    machine.started("seine-dataplane")
    problem(ctl, ("destination soc takes nothing since 20", "refused", "events wait"))
    ran = ctl("doctor")
    report.check(ran.code == 1 and b"destination soc takes nothing" in ran.out and b"events wait" in ran.out, "doctor says so and what to do", ran.out[-400:])
    waiting = json.loads(ctl("export", "list", "--json").out)[0]["waiting_findings"]
    with open(os.path.join(machine.folder, "export.toml"), encoding="ascii") as fh:
        text = fh.read()
    before = receivers.lines_of(server.out)
    for name, step in (("other.example", 'server_name = "other.example"'), ("soc", "")):
        with open(os.path.join(machine.folder, "other.toml"), "w", encoding="ascii") as fh:
            fh.write(text + step + "\n")
        ctl("config", "load", "other.toml")
        report.check(ctl("config", "commit").code == 0, "another name is committed" if step else "and the right one again")
        if step:
            server.start()
            problem(ctl, ("destination soc takes nothing since 20", "certificate", "mismatch", "events wait"))
            report.equal(receivers.lines_of(server.out), before, "nothing went to a receiver of %s" % name)
    for _ in range(100):
        if receivers.lines_of(server.out) >= before + waiting:
            break
        time.sleep(0.1)
    report.check(waiting > 0 and receivers.lines_of(server.out) >= before + waiting, "what waited has arrived", "%d waited, %d then %d" % (
        waiting, before, receivers.lines_of(server.out)))


def without_certificate(ctl, server, machine):
    """A file of the running revision that is gone at a restart: control starts, says what is missing, keeps what waits, and mends itself."""
    report.equal(machine.stop(), 0, "SIGTERM ends it with 0, before a start without a certificate")
    path = os.path.join(machine.folder, "etc", "secrets", "sensor.pem")
    os.rename(path, path + ".away")
    machine.started("seine-control")
    problem(ctl, ("destination soc takes nothing since 20", path, "events wait"))
    ran = ctl("doctor")
    report.check(ran.code == 1 and path.encode() in ran.out and b"seinectl export test soc" in ran.out, "doctor names the file", ran.out[-400:])
    ran = ctl("export", "test", "soc")
    report.check(ran.code == 1 and path.encode() in ran.err, "so does export test", ran)
    before = receivers.lines_of(server.out)
    machine.started("seine-dataplane")
    waiting = 0
    for _ in range(100):
        waiting = json.loads(ctl("export", "list", "--json").out)[0]["waiting_findings"]
        if waiting > 0:
            break
        time.sleep(0.1)
    report.check(waiting > 0, "events wait for it", "%d" % waiting)
    os.rename(path + ".away", path)
    for _ in range(150):
        if receivers.lines_of(server.out) >= before + waiting:
            break
        time.sleep(0.1)
    report.check(receivers.lines_of(server.out) >= before + waiting, "once the file is back they arrive, without a restart or a commit",
                 "%d waited, %d then %d" % (waiting, before, receivers.lines_of(server.out)))


def metrics(folder):
    with open(os.path.join(folder, "control.toml"), encoding="ascii") as fh:
        port = re.search(r'metrics = "127.0.0.1:(\d+)"', fh.read()).group(1)
    ran = programs.run(["curl", "-s", "--max-time", "5", "http://127.0.0.1:%s/metrics" % port])
    report.check(b"seine_events_total{kind=\"farm\"} 0" in ran.out and b"seine_config_revision 4" in ran.out, "metrics are served", ran.out[:300])
    if shutil.which("promtool") is None:
        report.skipped("promtool", "prometheus is not installed: the text and the alert rules are not checked by it")
        return
    checked = subprocess.run(["promtool", "check", "metrics"], input=ran.out, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    report.check(checked.returncode == 0 and not checked.stdout, "promtool finds nothing in the metrics", checked.stdout)
    rules = programs.run(["promtool", "check", "rules", os.path.join(programs.SOURCE, "control", "export", "seine.rules.yml")])
    report.check(rules.code == 0, "promtool finds nothing in the alert rules", rules)
    if shutil.which("prometheus") is None:
        report.skipped("prometheus", "it is not installed: no scrape")
        return
    scraped(folder, port)


def scraped(folder, port):
    """A real Prometheus scrapes control and answers a question about it."""
    own = receivers.free_port()
    with open(os.path.join(folder, "prometheus.yml"), "w", encoding="ascii") as fh:
        fh.write('global: {scrape_interval: 1s}\nrule_files: ["%s"]\nscrape_configs: [{job_name: seine, static_configs: [{targets: ["127.0.0.1:%s"]}]}]\n' % (
            os.path.join(programs.SOURCE, "control", "export", "seine.rules.yml"), port))
    prometheus = subprocess.Popen(["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb", "--web.listen-address=127.0.0.1:%d" % own],
                                  cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        value = ""
        for _ in range(100):
            ran = programs.run(["curl", "-s", "--max-time", "2", "http://127.0.0.1:%d/api/v1/query?query=seine_events_total" % own])
            found = re.search(rb'"kind":"signature_alert"[^\]]*\},"value":\[[0-9.]+,"(\d+)"', ran.out)
            if found:
                value = found.group(1).decode()
                break
            time.sleep(0.1)
        report.check(value not in ("", "0"), "Prometheus scrapes the alerts' counter", "%r %s" % (value, ran.out[-200:]))
    finally:
        prometheus.kill()
        prometheus.wait()


report.run(main)
