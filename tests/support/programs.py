"""Where the programs and captures are, and one way to run a program."""
import argparse
import os
import subprocess
import time

SOURCE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
GOLDEN = os.path.join(SOURCE, "tests", "golden")
SHARED = os.path.normpath(os.path.join(SOURCE, "..", "shared"))


def arguments(doc, *extra):
    """The options every script test takes; `extra` are (name, keywords) for argparse."""
    ap = argparse.ArgumentParser(description=doc)
    ap.add_argument("--bin", required=True, help="folder of the built programs")
    ap.add_argument("--sanitized", action="store_true", help="programs run several times slower")
    for name, keywords in extra:
        ap.add_argument(name, **keywords)
    args = ap.parse_args()
    args.bin = os.path.abspath(args.bin)
    return args


def shared(*parts):
    """A path in the shared folder beside the checkout, or None when it is not there."""
    path = os.path.join(SHARED, *parts)
    return path if os.path.exists(path) else None


def program(args, name):
    """Full path of a built program, or None when this build has none."""
    path = os.path.join(args.bin, name)
    return path if os.access(path, os.X_OK) else None


class Ran:
    """What a program did: code (negative: signal), out, err as bytes, seconds."""

    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def error_lines(self):
        return self.err.decode("utf-8", "replace").splitlines()

    def __str__(self):
        return "exit %s, stderr %r" % (self.code, self.err[-500:].decode("utf-8", "replace"))


def run(command, timeout_s=120, **keywords):
    started = time.monotonic()
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=timeout_s, check=False, **keywords)
        return Ran(done.returncode, done.stdout, done.stderr, time.monotonic() - started)
    except subprocess.TimeoutExpired as late:
        return Ran("none within %d s" % timeout_s, late.stdout or b"", late.stderr or b"", timeout_s)


def captures(folder):
    names = (".pcap", ".pcapng", ".cap")
    return sorted(os.path.join(folder, n) for n in os.listdir(folder) if n.endswith(names))


def golden_captures():
    found = []
    for case in sorted(os.listdir(GOLDEN)):
        folder = os.path.join(GOLDEN, case)
        if os.path.isdir(folder):
            found += captures(folder)
    return found
