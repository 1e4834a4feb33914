"""The Debian packages: made by cpack, installed, upgraded with data, removed and purged, on an overlay of this system that is thrown away; and on another
one the commands of docs/siem.md word for word, from the packages to the first alert in rsyslog over TLS. There systemctl is a script that runs a unit's
command as its user, eth0 an end of a veth pair, and siem.example.net this machine."""
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import receivers  # noqa: E402
import report  # noqa: E402

STEPS = r"""
set -eu
mount -t tmpfs none "$1"; mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o lowerdir=/,upperdir="$1/upper",workdir="$1/work" "$1/root"
mount -t proc proc "$1/root/proc"; mount --rbind /dev "$1/root/dev"; mount --rbind /sys "$1/root/sys"
mkdir -p "$1/root/debs"; mount --bind "$2" "$1/root/debs"
mount --bind "$2" "$1/root$2"
exec chroot "$1/root" /bin/sh -eu -c "$3"
"""
INSIDE = r"""
say() { echo "step: $1"; }
export DEBIAN_FRONTEND=noninteractive
rm -rf /var/lib/seine /etc/seine
dpkg -i /debs/one/*.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
say installed
seinectl --version >/dev/null && seine-control --version >/dev/null && say runs
test "$(stat -c %a:%U /var/lib/seine)" = 700:seine && test "$(stat -c %a:%U /etc/seine/secrets)" = 700:seine && say user
test -f /lib/systemd/system/seine-control.service -o -f /usr/lib/systemd/system/seine-control.service && say units
faults=$(systemd-analyze verify /lib/systemd/system/seine-control.service /lib/systemd/system/seine-dataplane.service 2>&1 | grep seine- | grep -v "'man " || true)
test -z "$faults" && say verified || echo "$faults"
# Exposure of 10 at most; what the dataplane needs to take packets past the kernel is a third of its figure.
systemd-analyze security --offline=true --threshold=20 /lib/systemd/system/seine-control.service >/dev/null &&
    systemd-analyze security --offline=true --threshold=60 /lib/systemd/system/seine-dataplane.service >/dev/null && say hardened
# As the units start them: the dataplane is root in group seine, control is user seine.
install -d -o root -g seine -m 0770 /run/seine
sed -i 's|^#af-packet = .*|pcap = ["/debs/capture.pcap"]|' /etc/seine/seine-dataplane.toml
(umask 0007; setpriv --regid seine --clear-groups seine-dataplane --config /etc/seine/seine-dataplane.toml) >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
test "$(stat -c %a:%U:%G /run/seine/flows.ring)" = 660:root:seine && say ring
setpriv --reuid seine --regid seine --clear-groups --no-new-privs seine-control --config /etc/seine/seine-control.toml >/tmp/log 2>&1 &
daemon=$!
for i in $(seq 100); do seinectl alert list 2>/dev/null | grep -q browser-headless-chrome && break; sleep 0.2; done
seinectl alert list | grep -q browser-headless-chrome && say alert || { cat /tmp/log; seinectl status || true; }
kill $daemon; wait $daemon || true
echo data >/var/lib/seine/kept; echo '# mine' >>/etc/seine/seine-control.toml
dpkg -i /debs/two/*.deb >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
test "$(cat /var/lib/seine/kept)" = data && tail -n 1 /etc/seine/seine-control.toml | grep -q mine && say upgraded
dpkg -r seine-control >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
test ! -e /usr/bin/seine-control && test -e /var/lib/seine/kept && test -e /etc/seine/seine-control.toml && say removed
dpkg -P seine-control >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
test ! -e /var/lib/seine && test ! -e /etc/seine/seine-control.toml && say purged
"""


SYSTEMCTL = r"""#!/bin/sh
# What systemd does for `enable --now UNIT`: the unit's command as its user, and back when it answers.
[ "$1 $2" = "enable --now" ] || exit 0
value() { sed -n "s/^$1=//p" "/lib/systemd/system/$unit.service" | tail -n 1; }
unit=$3
user=$(value User)
install -d -o "${user:-root}" -g "$(value Group)" -m "$(value RuntimeDirectoryMode)" "/run/$(value RuntimeDirectory)"
umask "$(value UMask)"
setpriv --reuid "${user:-root}" --regid "$(value Group)" --clear-groups $(value ExecStart) >"/tmp/$unit.log" 2>&1 &
for i in $(seq 150); do test -S "/run/seine/${unit#seine-}.sock" && exit 0; sleep 0.2; done
cat "/tmp/$unit.log"
exit 1
"""
SEND = r"""
import socket, struct, sys
with open(sys.argv[1], "rb") as fh:
    data = fh.read()
order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
wire, at = socket.socket(socket.AF_PACKET, socket.SOCK_RAW), 24
wire.bind(("wire", 0))
while at < len(data):
    length = struct.unpack(order + "I", data[at + 8:at + 12])[0]
    wire.send(data[at + 16:at + 16 + length])
    at += 16 + length
"""
QUICKSTART = r"""
cd /debs/one
export DEBIAN_FRONTEND=noninteractive
rm -rf /var/lib/seine /etc/seine
echo "127.0.0.1 siem.example.net" >>/etc/hosts
ip link set lo up
ip link add eth0 type veth peer name wire
ip link set eth0 up
ip link set wire up
install -m 0755 /debs/systemctl /usr/local/bin/systemctl
rsyslogd -n -f "$CONF" -i /tmp/rsyslog.pid &
for name in key pem; do cp "/debs/certs/client.$name" "sensor.$name"; done
cp /debs/certs/ca.pem .
echo "step: ready"
set -x
%s
set +x
echo "step: commands"
for i in $(seq 100); do
    python3 /debs/send.py /debs/capture.pcap
    grep -q "|browser-headless-chrome|.*cat=signature_alert" "$OUT" && break
    sleep 0.3
done
grep -q "test event" "$OUT" && echo "step: test event"
grep -q "|browser-headless-chrome|.*cat=signature_alert" "$OUT" && echo "step: first alert" || { cat /tmp/seine-*.log; seinectl status || true; }
seinectl export list
"""


def of_documentation():
    """The commands of docs/siem.md, word for word."""
    with open(os.path.join(programs.SOURCE, "docs", "siem.md"), encoding="utf-8") as fh:
        return re.search(r"<!-- quickstart: .*?-->\n```\n(.*?)```\n<!-- end of quickstart -->", fh.read(), re.S).group(1)


def quickstart(folder, root):
    if shutil.which("rsyslogd") is None:
        report.skipped("quickstart", "rsyslog is not installed")
        return
    receivers.Certificates(os.path.join(folder, "certs"))
    server = receivers.Rsyslog(folder, "tls", receivers.Certificates.made(os.path.join(folder, "certs")), port=6514)
    for name, text in (("systemctl", SYSTEMCTL), ("send.py", SEND)):
        with open(os.path.join(folder, name), "w", encoding="ascii") as fh:
            fh.write(text)
    script = "CONF=%s OUT=%s\n" % (server.conf, server.out) + QUICKSTART % of_documentation()
    text = on_overlay(["--net", "--pid", "--fork", "--kill-child"], root, folder, script)
    for step in ("ready", "commands", "test event", "first alert"):
        report.check("step: %s\n" % step in text, "quickstart, word for word: %s" % step, text[-1200:])


def on_overlay(how, root, folder, script):
    os.makedirs(root, exist_ok=True)
    ran = subprocess.run(["unshare", "--mount", "--propagation", "private", *how, "sh", "-c", STEPS, "sh", root, folder, script], stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, timeout=600, check=False)
    return ran.stdout.decode("utf-8", "replace")


def pack(build, version, out):
    os.makedirs(out)
    ran = programs.run(["cpack", "-G", "DEB", "-B", out, "-D", "CPACK_PACKAGE_VERSION=%s" % version, "-D", "CPACK_DEBIAN_COMPRESSION_TYPE=gzip"], timeout_s=600, cwd=build)
    report.check(ran.code == 0, "cpack makes version %s" % version, "%s %s" % (ran, ran.out[-400:]))
    shutil.rmtree(os.path.join(out, "_CPack_Packages"), ignore_errors=True)
    return sorted(os.path.basename(path).split("_")[0] for path in glob.glob(os.path.join(out, "*.deb")))


def next_version(one, two, version):
    """The same packages under another version, not compressed again."""
    os.makedirs(two)
    for path in glob.glob(os.path.join(one, "*.deb")):
        tree = os.path.join(two, "tree")
        programs.run(["dpkg-deb", "-R", path, tree], timeout_s=300)
        control = os.path.join(tree, "DEBIAN", "control")
        with open(control, encoding="utf-8") as fh:
            text = re.sub(r"(?m)^Version: .*$", "Version: " + version, fh.read())
        with open(control, "w", encoding="utf-8") as fh:
            fh.write(text)
        ran = programs.run(["dpkg-deb", "-Znone", "-b", tree, os.path.join(two, os.path.basename(path))], timeout_s=300)
        report.check(ran.code == 0, "%s as version %s" % (os.path.basename(path).split("_")[0], version), ran)
        shutil.rmtree(tree)


def main():
    args = programs.arguments(__doc__)
    build = os.path.dirname(args.bin)
    if shutil.which("dpkg-shlibdeps") is None:
        report.skipped("packages", "dpkg-dev is not installed")
        return
    if programs.program(args, "seine-dataplane") is None:
        report.skipped("packages", "this build has no dataplane")
        return
    folder = tempfile.mkdtemp(prefix="seine-debs-")
    try:
        wanted = ["seine-control", "seine-dataplane", "seine-signatures", "seinectl"]
        shutil.copy(os.path.join(programs.GOLDEN, "plain-http1", "capture.pcap"), folder)
        report.equal(pack(build, "0.1.0", os.path.join(folder, "one")), wanted, "four packages")
        next_version(os.path.join(folder, "one"), os.path.join(folder, "two"), "0.2.0")
        depends = programs.run(["dpkg-deb", "-f", glob.glob(os.path.join(folder, "one", "seine-control_*"))[0], "Depends"]).out.decode()
        report.check("libsqlite3-0" in depends and "librdkafka1" in depends and "adduser" in depends, "libraries are dependencies", depends)
        if os.geteuid() != 0:
            report.skipped("installation", "needs root for an overlay")
            return
        root = os.path.join(folder, "root")
        text = on_overlay([], root, folder, INSIDE)
        if "step: installed" not in text and ("overlay" in text or "unshare" in text):
            report.skipped("installation", "no overlay here: " + text[-200:])
            return
        for step in ("installed", "runs", "user", "units", "verified", "hardened", "ring", "alert", "upgraded", "removed", "purged"):
            report.check("step: %s\n" % step in text, "packages: %s" % step, text[-500:])
        quickstart(folder, os.path.join(folder, "root-of-quickstart"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


report.run(main)
