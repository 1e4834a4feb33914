#!/usr/bin/env python3
"""The include check, the style check and the tally catch what they are for: violations planted in a copy of a tree."""
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import report  # noqa: E402

CHECKS = os.path.join(programs.SOURCE, "tools", "check")
HEADER = "// A room.\n#pragma once\n%s\nnamespace seine {}\n"
SOURCE = "// A room.\n%s\nnamespace seine {\n%s\n}\n"


def plant(root, path, text):
    full = os.path.join(root, path)
    os.makedirs(os.path.dirname(full), exist_ok=True)
    with open(full, "w", encoding="utf-8") as fh:
        fh.write(text)


def sound_tree(root):
    plant(root, "dataplane/base/bytes.h", HEADER % "#include <span>")
    plant(root, "dataplane/base/README.md", "# base\n")
    plant(root, "dataplane/wire/decode.h", HEADER % '#include "dataplane/base/bytes.h"')
    plant(root, "dataplane/wire/decode.cpp", SOURCE % ('#include "dataplane/wire/decode.h"', "void decode() {}"))
    plant(root, "dataplane/wire/README.md", "# wire\n")


def verdict(script, root):
    done = subprocess.run([sys.executable, os.path.join(CHECKS, script), "--root", root], capture_output=True, check=False)
    return done.returncode, done.stdout.decode()


def check_planted(script, name, path, text, *words):
    with tempfile.TemporaryDirectory(prefix="seine-checks-") as root:
        sound_tree(root)
        plant(root, path, text)
        code, out = verdict(script, root)
        report.check(code == 1 and all(w in out for w in words), "%s catches %s" % (script, name), "%s %s" % (code, out))


def check_sound(script):
    with tempfile.TemporaryDirectory(prefix="seine-checks-") as root:
        sound_tree(root)
        code, out = verdict(script, root)
        report.check(code == 0, "%s passes a sound tree" % script, out)


FLOORS = [
    ("an upward include in a header", "dataplane/base/up.h", HEADER % '#include "dataplane/wire/decode.h"', ["may not include"]),
    ("an upward include in a source", "dataplane/wire/up.cpp", SOURCE % ('#include "dataplane/pipeline/limits.h"', ""), []),
    ("a sideways include", "dataplane/tls/side.cpp", SOURCE % ('#include "dataplane/wire/decode.h"', ""), ["tls may not include"]),
    ("DPDK outside runtime", "dataplane/wire/nic.cpp", SOURCE % ("#include <rte_mbuf.h>", ""), ["DPDK"]),
    ("DPDK in a test", "tests/unit/wire/nic_test.cpp", SOURCE % ("#include <rte_mbuf.h>", ""), ["rte_mbuf.h"]),
    ("libpcap outside capture", "dataplane/wire/cap.cpp", SOURCE % ("#include <pcap/pcap.h>", ""), ["libpcap"]),
    ("an unknown library", "dataplane/wire/lib.cpp", SOURCE % ("#include <folly/Range.h>", ""), ["no library of the table"]),
    ("sockets in a parser", "dataplane/wire/sock.cpp", SOURCE % ("#include <sys/socket.h>", ""), ["sockets"]),
    ("a folder without a row", "dataplane/misc/thing.h", HEADER % "", ["no row"]),
    ("an include that is not from the root", "dataplane/wire/rel.cpp", SOURCE % ('#include "decode.h"', ""), ["repository root"]),
]

LONG = "void longest() {\n" + "    int a = 0;\n" * 75 + "}\n"
TIDY = [
    ("a file over 600 lines", "dataplane/wire/big.h", HEADER % ("// x\n" * 600), ["600 at most"]),
    ("a function over 70 lines", "dataplane/wire/long.cpp", SOURCE % ("", LONG), ["longest() has 77 lines"]),
    ("a member function over 70 lines", "dataplane/wire/member.cpp",
     SOURCE % ("", "class A {\n  public:\n    A(int x) : a_{x}, b_(x) {\n" + "        ++a_;\n" * 75 + "    }\n};\n"), ["70 at most"]),
    ("rand()", "dataplane/wire/r.cpp", SOURCE % ("", "int f() { return rand(); }"), ["no rand"]),
    ("a clock below runtime", "dataplane/flow/c.cpp",
     SOURCE % ("", "auto f() { return std::chrono::steady_clock::now(); }"), ["time is an argument"]),
    ("printing below app", "dataplane/wire/p.cpp", SOURCE % ("", 'void f() { std::printf("x"); }'), ["no printing"]),
    ("a lock in the dataplane", "dataplane/export/m.cpp", SOURCE % ("", "std::mutex m;"), ["no locks"]),
    ("memcpy in a parser", "dataplane/tls/m.cpp", SOURCE % ("", "void f() { std::memcpy(a, b, 4); }"), ["no memcpy"]),
    ("a cast of packet bytes", "dataplane/tls/x.cpp", SOURCE % ("", "auto* f() { return reinterpret_cast<int*>(p); }"), ["NOLINT"]),
    ("a room without its first line", "dataplane/wire/n.h", "#pragma once\n", ["first line"]),
    ("a folder without README", "dataplane/tls/t.h", HEADER % "", ["dataplane/tls: no README.md"]),
    ("a control character", "dataplane/wire/z.h", HEADER % "// \x07", ["control character"]),
    ("a path of one machine", "docs/x.md", "see /wo" + "rk/thing\n", ["one machine"]),
    ("a mark without its issue", "dataplane/wire/t.h", HEADER % ("// TO" + "DO mend"), ["issue number"]),
    ("a large blob", "docs/blob.md", "x" * 600000 + "\n", ["in the tree"]),
    ("a disabled test", "tests/unit/wire/d_test.cpp", SOURCE % ("", "TEST(A, DISABLED_B) {}"), ["disabled"]),
    ("a skip without a reason", "tests/unit/wire/s_test.cpp", SOURCE % ("", "void f() { GTEST_SKIP(); }"), ["says why"]),
]


def check_circle():
    with tempfile.TemporaryDirectory(prefix="seine-checks-") as root:
        sound_tree(root)
        # Headers alone are free of circles here; the pair of header and source is not.
        plant(root, "dataplane/wire/ip.h", HEADER % '#include "dataplane/wire/decode.h"')
        plant(root, "dataplane/wire/decode.cpp", SOURCE % ('#include "dataplane/wire/ip.h"', ""))
        code, out = verdict("floors.py", root)
        report.check(code == 1 and "circle of rooms" in out, "floors.py catches a circle through a source", out)


def check_ratchet():
    with tempfile.TemporaryDirectory(prefix="seine-checks-") as root:
        sound_tree(root)
        plant(root, "dataplane/wire/long.cpp", SOURCE % ("", LONG))
        plant(root, "tools/check/tidy_ratchet.txt", "# sizes\ndataplane/wire/long.cpp#longest 77\n")
        report.check(verdict("tidy.py", root)[0] == 0, "tidy.py lets a listed giant be", verdict("tidy.py", root)[1])
        plant(root, "dataplane/wire/long.cpp", SOURCE % ("", LONG.replace("{\n", "{\n    int b = 0;\n", 1)))
        report.check(verdict("tidy.py", root)[0] == 1, "tidy.py does not let it grow", verdict("tidy.py", root)[1])


JUNIT = """<testsuite>
<testcase name="unit.a" status="run"><system-out>[ RUN      ] A.B
tests/x.cpp:3: Skipped
no shared folder
[  SKIPPED ] A.B (0 ms)
[  PASSED  ] 7 tests.
[  SKIPPED ] 1 test, listed below:
[  SKIPPED ] A.B
</system-out></testcase>
<testcase name="unit.b" status="fail"><failure message=""/><system-out>[  PASSED  ] 2 tests.
[  FAILED  ] 1 test, listed below:
[  FAILED  ] C.D
</system-out></testcase>
<testcase name="golden.c" status="run"><system-out>ok - one
ok - two
skipped - three: not here
</system-out></testcase>
<testcase name="crash" status="fail"><failure message="SEGFAULT"/><system-out></system-out></testcase>
<testcase name="plain" status="run"><system-out></system-out></testcase>
</testsuite>"""


def check_tally():
    with tempfile.TemporaryDirectory(prefix="seine-checks-") as folder:
        plant(folder, "r.xml", JUNIT)
        done = subprocess.run([sys.executable, os.path.join(programs.SOURCE, "tests", "support", "tally.py"),
                               "dev=" + os.path.join(folder, "r.xml")], capture_output=True, check=False)
        lines = done.stdout.decode().splitlines()
        report.equal(lines[-1], "12 2 2", "tally.py counts cases, checks and plain tests")
        report.equal(done.returncode, 1, "tally.py fails when one failed")
        report.check(any("unit.a A.B" in x and "no shared folder" in x for x in lines), "tally.py gives a skip's reason", lines)
        gone = subprocess.run([sys.executable, os.path.join(programs.SOURCE, "tests", "support", "tally.py"), "dev=absent.xml"],
                              capture_output=True, check=False)
        report.equal(gone.returncode, 1, "tally.py fails when a result file is missing")


def main():
    for script, planted in (("floors.py", FLOORS), ("tidy.py", TIDY)):
        check_sound(script)
        for name, path, text, words in planted:
            check_planted(script, name, path, text, *words)
    check_circle()
    check_ratchet()
    check_tally()


if __name__ == "__main__":
    report.run(main)
