"""Two network namespaces joined by a veth pair, for tests of live input. Needs root and iproute2."""
import os
import shutil
import signal
import socket
import subprocess
import time


def reason_not_to():
    """Why namespaces cannot be had here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("ip", "nsenter"):
        if not shutil.which(tool):
            return "needs %s (apt-get install iproute2 util-linux)" % tool
    probe = "seine-probe-%d" % os.getpid()
    made = subprocess.run(["ip", "netns", "add", probe], capture_output=True, check=False)
    if made.returncode:
        return "network namespaces are not allowed here: " + made.stderr.decode(errors="replace").strip()
    subprocess.run(["ip", "netns", "delete", probe], check=False)
    return None


class Pair:
    """Namespaces `client` (10.9.0.1, interface c0) and `server` (10.9.0.2, interface s0)."""

    def __init__(self):
        self.client, self.server = ("seine-%s-%d" % (end, os.getpid()) for end in ("c", "s"))
        self.started = []

    def __enter__(self):
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "add", name], check=True)
        subprocess.run(["ip", "link", "add", "c0", "netns", self.client, "type", "veth", "peer", "name", "s0", "netns", self.server],
                       check=True)
        for name, interface, address in ((self.client, "c0", "10.9.0.1/24"), (self.server, "s0", "10.9.0.2/24")):
            self.run(name, ["ip", "link", "set", "lo", "up"], check=True)
            self.run(name, ["ip", "address", "add", address, "dev", interface], check=True)
            self.run(name, ["ip", "link", "set", interface, "up"], check=True)
        return self

    def __exit__(self, *_):
        for process in self.started:
            if process.poll() is None:
                process.send_signal(signal.SIGKILL)
                process.wait()
        for name in (self.client, self.server):
            subprocess.run(["ip", "netns", "delete", name], check=False)

    @staticmethod
    def inside(name, command):
        return ["nsenter", "--net=/run/netns/" + name, *command]

    def run(self, name, command, **keywords):
        return subprocess.run(self.inside(name, command), **keywords)

    def start(self, name, command, **keywords):
        process = subprocess.Popen(self.inside(name, command), **keywords)
        self.started.append(process)
        return process

    def offloads_off(self):
        """Packets as on the wire. False when ethtool is not there."""
        if not shutil.which("ethtool"):
            return False
        for name, interface in ((self.client, "c0"), (self.server, "s0")):
            for word in ("tso", "gso", "gro", "tx", "rx", "sg"):
                self.run(name, ["ethtool", "-K", interface, word, "off"], capture_output=True, check=False)
        return True


def wait_for(condition, seconds=20.0):
    """Polls until `condition()` holds; returns whether it did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return bool(condition())


def answers(path):
    """Whether a process accepts on the admin socket `path`."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as probe:
        try:
            probe.connect(path)
            return True
        except OSError:
            return False
