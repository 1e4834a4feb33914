#!/usr/bin/env python3
"""Compiles one file of this folder as it should build and as it should not, and reads the compiler's words."""
import argparse
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Wswitch-enum", "-Werror"]


def compiles(compiler, path, *options):
    done = subprocess.run([compiler, *FLAGS, *options, "-I", ROOT, path], capture_output=True, check=False,
                          env={**os.environ, "LC_ALL": "C"})
    return done.returncode == 0, done.stderr.decode("utf-8", "replace")


def edited_headers(text, folder):
    """Writes the headers of `edits` lines into `folder`; a pattern that no longer matches is a broken test."""
    count = 0
    for path, pattern, becomes in re.findall(r"^// edits: (\S+): (.*?) => (.*)$", text, re.M):
        with open(os.path.join(ROOT, path), encoding="utf-8") as fh:
            changed, hits = re.subn(pattern, lambda _: becomes, fh.read(), count=1)
        if hits != 1:
            sys.exit("FAILED - %s has nothing that matches %r" % (path, pattern))
        os.makedirs(os.path.dirname(os.path.join(folder, path)), exist_ok=True)
        with open(os.path.join(folder, path), "w", encoding="utf-8") as fh:
            fh.write(changed)
        count += 1
    return count


def main():
    ap = argparse.ArgumentParser(description=__doc__)
    ap.add_argument("--compiler", default="g++")
    ap.add_argument("file")
    args = ap.parse_args()
    with open(args.file, encoding="utf-8") as fh:
        text = fh.read()
    wanted = re.search(r"^// must say: (.*)$", text, re.M)
    if wanted is None:
        sys.exit("FAILED - no `must say` line")
    sound, said = compiles(args.compiler, args.file)
    if not sound:
        sys.exit("FAILED - it does not build as it stands:\n" + said)
    with tempfile.TemporaryDirectory(prefix="seine-compile-") as folder:
        edited_headers(text, folder)
        built, said = compiles(args.compiler, args.file, "-DSEINE_MUST_NOT_COMPILE", "-I", folder)
    if built:
        sys.exit("FAILED - the mistake builds")
    if not re.search(wanted.group(1), said):
        sys.exit("FAILED - it does not build, but for another reason than %r:\n%s" % (wanted.group(1), said))
    print("ok - %s does not build" % os.path.basename(args.file))
    return 0


if __name__ == "__main__":
    sys.exit(main())
