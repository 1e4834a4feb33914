#!/usr/bin/env python3
"""Style that a script can see: sizes, banned calls, first lines, stray bytes, machine paths, folder notes.

usage: tidy.py [--root DIR] [--write-ratchet]

Sizes ratchet: a file or function that tidy_ratchet.txt lists may shrink but not grow; anything else keeps to
600 lines a file and 70 a function. `--write-ratchet` lowers the listed sizes to what they are now.
"""
import argparse
import os
import re
import sys

import sources

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
TEST_LINES_MAX = 100  # a table of cases with its check
WIDTH_MAX = 132  # style asks for 100 and clang-format sees to it; past this nobody can read a diff
BLOB_BYTES_MAX = 512 * 1024
RATCHET = "tools/check/tidy_ratchet.txt"

BINARY = (".pcap", ".pcapng", ".cap", ".bin")
SEEDS = ("tests/fuzz/seeds/", "tests/fuzz/corpus/")
TEXT_CHECKED = (".h", ".cpp", ".c", ".py", ".md", ".txt", ".cmake", ".json", ".toml", ".sh", ".jsonl")
SCRIPT_FIRST = re.compile(r'^(#|""")')
MARK = re.compile(r"\b(TO[D]O|FIX[M]E|X{3})\b(?!.{0,12}#\d)")
# Written so that this file does not match itself.
MACHINE_PATH = re.compile(r"(?<![\w.$}*])/(w[o]rk|r[o]ot|f[a]rm|h[o]me/\w+|U[s]ers)/")
HIDDEN_LETTERS = re.compile("[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
CONTROL_BYTES = re.compile("[\x00-\x08\x0b-\x1f\x7f]")

BELOW_APP = ("dataplane/base/ dataplane/wire/ dataplane/stream/ dataplane/contract/ dataplane/tls/ dataplane/flow/ "
             "dataplane/crypto/ dataplane/preface/ dataplane/ssh/ dataplane/dhcp/ dataplane/capture/ dataplane/http/ "
             "dataplane/signature/ dataplane/quic/ dataplane/fingerprint/ dataplane/export/ dataplane/pipeline/ "
             "dataplane/runtime/").split()
PRODUCT = ("dataplane/", "control/", "tools/", "ebpf/")

# (what a reader is told, pattern over text without comments and strings, where, files that may)
BANNED = [
    ("no rand(): name a generator and its seed", r"(?<![\w.>])(std::)?(s?rand|srandom|[dl]rand48)\s*\(|\b(std|::)\s*random\s*\(", PRODUCT + ("tests/",), ()),
    ("no unbounded C string calls", r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(", PRODUCT + ("tests/",), ()),
    ("no shell", r"\b(system|popen)\s*\(", PRODUCT, ()),
    ("no printing below app", r"\b(v?f?printf|puts|fputs|perror)\s*\(|std::(cout|cerr|clog)\b", tuple(BELOW_APP),
     ("dataplane/base/assert.h",)),
    ("no clock below runtime: time is an argument",
     r"\b(clock_gettime|gettimeofday|timespec_get)\s*\(|(?<![\w.>:])(std::)?time\s*\(\s*(nullptr|NULL|0|&)|"
     r"\b(system|steady|high_resolution)_clock\b|\b_*rdtscp?\s*\(",
     tuple(f for f in BELOW_APP if f != "dataplane/runtime/"), ()),
    # DPDK's log lines arrive from any thread, off the packet path.
    ("no locks in the dataplane", r"\bstd::(recursive_|shared_|timed_)?mutex\b|\bpthread_mutex|\bstd::(lock_guard|unique_lock|"
     r"scoped_lock)\b", tuple(BELOW_APP), ("dataplane/runtime/dpdk_log.cpp",)),
    ("no exceptions below app", r"\b(throw|catch)\b\s*[(\w]|\btry\s*\{", tuple(BELOW_APP), ()),
    ("no memcpy of packet bytes: load_be16() and its like, or ByteReader", r"\bmem(cpy|move)\s*\(",
     tuple("dataplane/%s/" % f for f in "wire tls quic ssh dhcp preface".split()),
     ("dataplane/wire/fragments.cpp",)),  # puts datagrams together: copying is its work
]
REINTERPRET = re.compile(r"\breinterpret_cast\b")
NO_README = re.compile(r"^tests/(unit|fuzz/seeds|golden/[^/]+)(/|$)")


def fault_lines(pattern, text):
    for match in re.finditer(pattern, text):
        yield text.count("\n", 0, match.start()) + 1, match


def head_of(code, at):
    """The text that opens the brace at `at`: back to the last ; { or } outside parentheses."""
    depth, start = 0, at - 1
    while start >= 0:
        c = code[start]
        if c in ")]":
            depth += 1
        elif c in "([":
            depth -= 1
        elif depth <= 0 and c in ";{}":
            break
        start -= 1
    return code[start + 1:at]


_CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum)\b|\bextern\s*\"")
_NAME = re.compile(r"([~\w:]+|operator\s*[^\s(]+)\s*\(")


def functions(code):
    """(name, first line, lines) of every function body, approximately: bodies inside a body count with it."""
    line_at = [0]
    for c in code:
        line_at.append(line_at[-1] + (c == "\n"))
    at, found = 0, []
    while True:
        at = code.find("{", at)
        if at < 0:
            return found
        head = re.sub(r"^\s*#.*$", "", head_of(code, at), flags=re.M)
        flat = " ".join(head.split())
        bare_head = re.sub(r"<[^<>]*>", "", flat)
        named = _NAME.search(re.sub(r"\b(alignas|decltype|noexcept|requires|__attribute__|explicit)\s*\([^()]*\)", "", bare_head))
        if flat == "" or (_CONTAINER.search(bare_head) and not named):
            at += 1  # step into a namespace, a type or a bare block
            continue
        depth, end = 0, at
        while end < len(code):
            if code[end] == "{":
                depth += 1
            elif code[end] == "}":
                depth -= 1
                if depth == 0:
                    break
            end += 1
        body_follows = re.search(r"\)\s*(const|noexcept|override|final|&|->[\w:<>&*\s,]+|:.*|mutable|try|\s)*$", bare_head)
        if named and body_follows and not re.search(r"=\s*$", bare_head):
            if re.search(r"\)\s*(const|noexcept)*\s*:\s.*[\w>]$", bare_head) and code[at - 1] not in " \n":
                at = end + 1  # a member initialised with braces: the body comes later
                continue
            first = line_at[at - len(head.lstrip())]
            found.append((named.group(1), first + 1, line_at[end] - first + 1))
        at = end + 1


def limit_of(name):
    """Most lines of a file, or of a function written as file#function."""
    if "#" not in name:
        return FILE_LINES_MAX
    return TEST_LINES_MAX if re.search(r"#TEST(_[FP])?$", name) else FUNCTION_LINES_MAX


def load_ratchet(root):
    path = os.path.join(root, RATCHET)
    sizes = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as fh:
            for line in fh:
                if line.strip() and not line.startswith("#"):
                    name, size = line.split()
                    sizes[name] = int(size)
    return sizes


def check_code(root, path, text, faults, sizes):
    lines = text.split("\n")
    code = sources.bare(text)
    beside = path.endswith(".cpp") and os.path.exists(os.path.join(root, path[:-4] + ".h"))
    if not lines[0].startswith("//") and not beside:
        faults.append("%s:1: the first line says in a comment what the room is for" % path)
    if path.endswith(".h") and "#pragma once" not in text:
        faults.append("%s:1: a header has #pragma once" % path)
    if path.startswith(("dataplane/", "control/")) and path.count("/") >= 2 and "namespace" in code:
        if not re.search(r"namespace\s+seine\b", code) and not re.search(r"\bint main\(", code):
            faults.append("%s:1: the namespace is seine or below it" % path)
    for number, line in enumerate(lines, 1):
        if len(line) > WIDTH_MAX:
            faults.append("%s:%d: %d columns, %d at most" % (path, number, len(line), WIDTH_MAX))
        if "\t" in line:
            faults.append("%s:%d: a tab" % (path, number))
    for told, pattern, folders, excepted in BANNED:
        if path.startswith(folders) and path not in excepted:
            for number, _ in fault_lines(pattern, code):
                if "NOLINT" not in lines[number - 1]:
                    faults.append("%s:%d: %s" % (path, number, told))
    for number, _ in fault_lines(REINTERPRET, code):
        if path.startswith(PRODUCT) and "NOLINT" not in lines[number - 1] and "NOLINTNEXTLINE" not in lines[number - 2]:
            faults.append("%s:%d: reinterpret_cast needs a NOLINT with its reason" % (path, number))
    for name, first, count in functions(code):
        sizes["%s#%s" % (path, name)] = max(count, sizes.get("%s#%s" % (path, name), 0))
        if count > FUNCTION_LINES_MAX:
            sizes.setdefault("at", {})["%s#%s" % (path, name)] = first


def check_text(path, text, faults):
    if text and not text.endswith("\n"):
        faults.append("%s: no newline at its end" % path)
    for pattern, told in ((CONTROL_BYTES, "a control character"), (HIDDEN_LETTERS, "an invisible letter"),
                          (MACHINE_PATH, "a path of one machine"), (MARK, "a mark without its issue number")):
        for number, match in fault_lines(pattern, text):
            faults.append("%s:%d: %s %r" % (path, number, told, match.group(0)))
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip() and not path.endswith(".md"):
            faults.append("%s:%d: blanks at the end of the line" % (path, number))


def check_script(path, text, faults):
    lines = text.split("\n")
    if path.endswith(("CMakeLists.txt", ".cmake")) and len(lines) <= 8:
        return  # seine_library(NAME ...) says it all
    first = lines[1] if lines[0].startswith("#!") and len(lines) > 1 else lines[0]
    if not SCRIPT_FIRST.match(first):
        faults.append("%s:1: the first line says in a comment what the file is for" % path)


def check_tests(path, text, faults):
    for number, _ in fault_lines(r"\bDISABLED_\w+", text):
        faults.append("%s:%d: a disabled test; skip it with a reason or mend it" % (path, number))
    for number, _ in fault_lines(r"GTEST_SKIP\(\)\s*;", text):
        faults.append("%s:%d: a skip says why" % (path, number))


def check_folders(paths, faults):
    folders = {os.path.dirname(p) for p in paths if p.endswith(sources.CODE)}
    folders |= {os.path.dirname(p) for p in paths if re.match(r"tests/golden/[^/]+/capture\.", p)}
    have = {os.path.dirname(p) for p in paths if os.path.basename(p) == "README.md"}
    for folder in sorted(folders - have):
        if not NO_README.match(folder) or re.match(r"tests/golden/", folder):
            faults.append("%s: no README.md" % folder)


def check(root, ratchet):
    faults, sizes = [], {}
    paths = sources.files(root)
    for path in paths:
        full = os.path.join(root, path)
        size = os.path.getsize(full)
        if size > BLOB_BYTES_MAX:
            faults.append("%s: %d bytes, %d at most in the tree" % (path, size, BLOB_BYTES_MAX))
        is_script = path.endswith((".py", ".sh", ".cmake")) or os.path.basename(path) == "CMakeLists.txt" or (
            path.startswith(("tools/", ".ci/")) and "." not in os.path.basename(path))
        if path.startswith(SEEDS) or path.endswith(BINARY) or not (path.endswith(TEXT_CHECKED) or is_script):
            continue
        text = sources.read(root, path)
        check_text(path, text, faults)
        if is_script:
            check_script(path, text, faults)
        if path.startswith("tests/") and path.endswith(sources.CODE):
            check_tests(path, text, faults)
        if path.endswith(sources.CODE):
            check_code(root, path, text, faults, sizes)
            sizes[path] = text.count("\n")
    check_folders(paths, faults)
    at = sizes.pop("at", {})
    for name, size in sorted(sizes.items()):
        limit = limit_of(name)
        if size > max(limit, ratchet.get(name, 0)):
            path, _, function = name.partition("#")
            what = "%s:%d: %s()" % (path, at.get(name, 1), function) if function else path + ":"
            faults.append("%s has %d lines, %d at most" % (what, size, max(limit, ratchet.get(name, 0))))
    return faults, sizes, len(paths)


def write_ratchet(root, ratchet, sizes):
    kept = {n: sizes[n] for n in ratchet
            if sizes.get(n, 0) > limit_of(n)}
    with open(os.path.join(root, RATCHET), "w", encoding="utf-8") as fh:
        fh.write("# Files and functions over the mark, with the size they may not pass: one table or one state machine each.\n")
        for name, size in sorted(kept.items()):
            fh.write("%s %d\n" % (name, min(size, ratchet[name])))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    ap.add_argument("--write-ratchet", action="store_true")
    args = ap.parse_args()
    ratchet = load_ratchet(args.root)
    faults, sizes, count = check(args.root, ratchet)
    if args.write_ratchet:
        write_ratchet(args.root, ratchet, sizes)
    for fault in faults:
        print(fault)
    functions_seen = [n for n in sizes if "#" in n]
    print("tidy: %d files, %d functions, %d faults" % (count, len(functions_seen), len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
