"""As a new user: the commands of docs/siem.md, with this test's paths, bring an event into a real rsyslog over TLS."""
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


def commands():
    with open(os.path.join(programs.SOURCE, "docs", "siem.md"), encoding="utf-8") as fh:
        text = fh.read()
    block = re.search(r"<!-- quickstart: .*?-->\n```\n(.*?)```\n<!-- end of quickstart -->", text, re.S).group(1)
    # A here-document is one command.
    return re.findall(r"^cat >.*?^END$|^.+$", block, re.S | re.M) if "<<END" in block else block.splitlines()


def split_commands():
    found, lines = [], iter("\n".join(commands()).split("\n"))
    for line in lines:
        if line.endswith("<<END"):
            body = [line]
            for inner in lines:
                body.append(inner)
                if inner == "END":
                    break
            found.append("\n".join(body))
        elif line.strip():
            found.append(line)
    return found


def main():
    args = programs.arguments(__doc__)
    if shutil.which("rsyslogd") is None:
        report.skipped("quickstart", "rsyslog is not installed")
        return
    folder = tempfile.mkdtemp(prefix="seine-quick-")
    daemon = server = None
    try:
        certs = receivers.Certificates(os.path.join(folder, "certs"))
        server = receivers.Rsyslog(folder, "tls", certs).start()
        steps = split_commands()
        report.check(0 < len(steps) < 10, "fewer than ten commands", "%d" % len(steps))
        os.makedirs(os.path.join(folder, "etc", "secrets"))
        for name in ("key", "pem"):
            shutil.copy(certs.path("client." + name), os.path.join(folder, "sensor." + name))
        shutil.copy(certs.path("ca.pem"), folder)
        socket_path = os.path.join(folder, "control.sock")
        with open(os.path.join(folder, "control.toml"), "w", encoding="ascii") as fh:
            fh.write('rings = []\nsocket = "%s"\nmetrics = "127.0.0.1:%d"\n[store]\nfolder = "%s/state"\n' % (socket_path, receivers.free_port(), folder))
        for step in steps:
            step = step.replace("-o seine ", "").replace("/etc/seine/", folder + "/etc/").replace('host = "siem.example.net"',
                                                                                               'host = "127.0.0.1"\nport = %d' % server.port)
            if step.startswith("systemctl"):
                daemon = subprocess.Popen([programs.program(args, "seine-control"), "--config", os.path.join(folder, "control.toml")],
                                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(os.path.join(folder, "log"), "wb"))
                for _ in range(100):
                    if os.path.exists(socket_path):
                        break
                    time.sleep(0.1)
                continue
            step = step.replace("seinectl ", "%s --socket %s " % (programs.program(args, "seinectl"), socket_path))
            ran = programs.run(["bash", "-c", step], cwd=folder)
            report.check(ran.code == 0, "runs: %s" % step.split("\n")[0][-60:], "%s %s" % (ran, ran.out[-300:]))
        for _ in range(50):
            with open(server.out, "rb") if os.path.exists(server.out) else open(os.devnull, "rb") as fh:
                text = fh.read()
            if b"CEF:0|Seine|" in text:
                break
            time.sleep(0.1)
        report.check(b"CEF:0|Seine|Seine|" in text and b"test event" in text, "the event is in rsyslog's file", text[-300:])
        more(args, folder, socket_path, server)
    finally:
        if daemon is not None:
            daemon.send_signal(signal.SIGTERM)
            report.equal(daemon.wait(20), 0, "SIGTERM ends it with 0")
        if server is not None:
            server.stop()
        if daemon is not None and os.path.exists(os.path.join(folder, "log")):
            print(open(os.path.join(folder, "log"), encoding="utf-8", errors="replace").read()[-500:])
        shutil.rmtree(folder, ignore_errors=True)


def more(args, folder, socket_path, server):
    def ctl(*words):
        return programs.run([programs.program(args, "seinectl"), "--socket", socket_path, *words], cwd=folder)

    # The receiver goes away: named with since when and how much waits, and doctor says so.
    server.stop()
    ran = ctl("export", "test", "soc")
    report.check(ran.code == 1 and b"refused" in ran.err, "test of a dead receiver fails and says why", ran)
    server.start()
    # A bad commit changes nothing.
    with open(os.path.join(folder, "bad.toml"), "w", encoding="ascii") as fh:
        fh.write('[[export]]\nname = "soc"\ncarrier = "syslog-tls"\nhost = "x"\nca_file = "/nowhere/ca.pem"\n')
    ran = ctl("config", "load", "bad.toml")
    report.check(ran.code == 1 and b"bad.toml:" in ran.out and b"/nowhere/ca.pem" in ran.out, "a wrong file is named with line and column", ran.out)
    ran = ctl("config", "commit")
    report.check(ran.code == 1, "it is not committed", ran)
    listed = json.loads(ctl("export", "list", "--json").out)
    report.equal([at["name"] for at in listed], ["soc"], "what ran goes on")
    ran = ctl("config", "rollback", "1")
    report.equal((ran.code, json.loads(ctl("export", "list", "--json").out)), (0, []), "rollback 1 takes the destination away")
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


def metrics(folder):
    with open(os.path.join(folder, "control.toml"), encoding="ascii") as fh:
        port = re.search(r'metrics = "127.0.0.1:(\d+)"', fh.read()).group(1)
    ran = programs.run(["curl", "-s", "--max-time", "5", "http://127.0.0.1:%s/metrics" % port])
    report.check(b"seine_events_total{kind=\"farm\"} 0" in ran.out and b"seine_config_revision 2" in ran.out, "metrics are served", ran.out[:300])
    if shutil.which("promtool") is None:
        report.skipped("promtool", "prometheus is not installed: the text and the alert rules are not checked by it")
        return
    checked = subprocess.run(["promtool", "check", "metrics"], input=ran.out, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    report.check(checked.returncode == 0 and not checked.stdout, "promtool finds nothing in the metrics", checked.stdout)
    rules = programs.run(["promtool", "check", "rules", os.path.join(programs.SOURCE, "control", "export", "seine.rules.yml")])
    report.check(rules.code == 0, "promtool finds nothing in the alert rules", rules)


report.run(main)
