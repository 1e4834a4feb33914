#!/usr/bin/env python3
"""Who may include whom: the floor table of docs/architecture.md, checked over every .h and .cpp.

usage: floors.py [--root DIR] [--table]

Fails on an include that the table does not allow, on an outside library away from its folder, on <rte_*>
outside dataplane/runtime, on an include that is not written from the repository root, and on a circle
among rooms (a header with its source is one room) or among folders. `--table` prints the table.
"""
import argparse
import os
import re
import sys

import sources

PARSERS = "wire tls quic http ssh dhcp preface"


def under(prefix, names):
    return [prefix + name for name in names.split()]


DATAPLANE_BELOW_RUNTIME = under("dataplane/", "base stream contract flow crypto capture signature fingerprint "
                                "fingerprint/ja4plus export pipeline " + PARSERS)

# folder -> (floor, folders it may include beside itself). Rows past architecture.md's table have an ADR (0001).
FLOORS = {
    "dataplane/base": (1, []),
    "ebpf": (1, []),
    "dataplane/wire": (2, ["dataplane/base"]),
    "dataplane/stream": (2, ["dataplane/base"]),
    "dataplane/contract": (2, ["dataplane/base"]),
    "dataplane/tls": (2, ["dataplane/base"]),
    "dataplane/flow": (2, ["dataplane/base"]),
    "dataplane/crypto": (2, ["dataplane/base"]),
    "dataplane/preface": (2, ["dataplane/base"]),
    "dataplane/ssh": (2, ["dataplane/base"]),
    "dataplane/dhcp": (2, ["dataplane/base"]),
    "dataplane/http": (2, ["dataplane/base"]),
    "dataplane/signature": (2, ["dataplane/base"]),
    "dataplane/capture": (3, under("dataplane/", "base wire")),
    "dataplane/quic": (3, under("dataplane/", "base crypto")),
    "dataplane/fingerprint": (3, under("dataplane/", "base crypto wire tls http ssh dhcp")),
    "dataplane/fingerprint/ja4plus": (3, under("dataplane/", "base crypto wire tls http ssh dhcp fingerprint")),
    "dataplane/export": (3, under("dataplane/", "base contract")),
    "dataplane/pipeline": (4, under("dataplane/", "base wire stream tls quic http flow signature fingerprint "
                                    "fingerprint/ja4plus contract preface ssh crypto dhcp")),
    "dataplane/runtime": (5, under("dataplane/", "base signature pipeline wire contract capture")),
    "dataplane/app": (6, under("dataplane/", "base contract signature export runtime") + ["ebpf"]),
    "control/command": (3, under("dataplane/", "base contract")),
    "control/model": (3, under("dataplane/", "base contract")),
    "control/dataplane_link": (4, under("dataplane/", "base contract export") + ["control/model"]),
    "control/account": (5, under("dataplane/", "base contract crypto") + under("control/", "model dataplane_link")),
    "control/store": (4, under("dataplane/", "base contract crypto") + under("control/", "model")),
    "control/signature": (4, under("dataplane/", "base signature contract") + under("control/", "model")),
    "control/config": (3, ["dataplane/base"]),
    "control/export": (4, under("dataplane/", "base contract") + under("control/", "model config")),
    "control/detect": (5, ["dataplane/base", "control/model"]),
    "control/service": (6, under("dataplane/", "base contract export signature")
                        + under("control/", "command model config dataplane_link account store signature export detect")),
    "control/cli": (6, under("dataplane/", "base signature contract") + under("control/", "command model account signature")),
    "tools/replay": (5, DATAPLANE_BELOW_RUNTIME),
    "tools/synth": (5, DATAPLANE_BELOW_RUNTIME),
    "tools/records": (5, DATAPLANE_BELOW_RUNTIME),
    "tools/generate": (5, DATAPLANE_BELOW_RUNTIME + ["tools/synth", "tools/world"]),
    "tools/world": (5, DATAPLANE_BELOW_RUNTIME + ["tools/synth", "control/model"]),
    "tools/bench": (7, ["*"]),
    "tools/evaluate": (7, ["*"]),
    "tools/gateway": (7, ["*"]),
    "tests": (7, ["*"]),
}

# Outside library -> the folders that may include it. First match counts.
LIBRARIES = [
    ("DPDK", r"rte_", ["dataplane/runtime"]),
    ("libpcap", r"pcap", ["dataplane/capture"]),
    ("libnghttp2", r"nghttp2/", ["dataplane/http"]),
    ("libcurl", r"curl/", ["control/export"]),
    ("librdkafka", r"librdkafka/", ["control/export"]),
    ("libcrypto", r"openssl/", ["dataplane/crypto", "control/account", "control/config", "control/export"]),
    ("libsodium", r"sodium", ["dataplane/crypto"]),
    ("libipsec-mb", r"(intel-)?ipsec-mb", ["dataplane/crypto"]),
    ("Hyperscan", r"hs(/|\.h|_)", ["dataplane/signature"]),
    ("PCRE2", r"pcre2", ["dataplane/signature"]),
    ("toml++", r"toml\+\+|tomlplusplus", ["dataplane/signature", "dataplane/app", "control/config", "control/service", "control/cli", "tools/world"]),
    ("Boost.Program_options", r"boost/program_options",
     ["dataplane/app", "control/service", "control/cli", "tools/replay", "tools/records", "tools/generate", "tools/world",
      "tools/evaluate", "tools/bench"]),
    ("libbpf", r"(bpf|xdp)/", ["ebpf"]),
    ("sanitizer marks", r"sanitizer/", ["dataplane/base", "dataplane/flow", "dataplane/stream", "dataplane/pipeline"]),
    ("kernel headers", r"linux/", ["ebpf", "dataplane/runtime", "control/cli"]),
    ("SQLite", r"sqlite3", ["control/store"]),
    ("spdlog", r"spdlog/", ["control/service"]),
    ("prometheus-cpp", r"prometheus/", ["control/service"]),
    ("TBB", r"(tbb|oneapi)/", ["control/detect"]),
    ("libmaxminddb", r"maxminddb", ["control/detect"]),
    ("Google Benchmark", r"benchmark/", ["tools/bench"]),
    ("simdjson", r"simdjson\.h", ["tools/evaluate", "control/export"]),
    ("GoogleTest", r"g(test|mock)/", []),
    ("sockets", r"(sys/(socket|un|uio|ioctl)|netinet/.*|arpa/inet|net/if|net/if_arp|ifaddrs|netdb|poll|sys/epoll)\.h$",
     ["dataplane/export", "dataplane/app", "dataplane/runtime", "control/command", "control/account",
      "control/dataplane_link", "control/export", "control/service", "control/cli", "control/model", "tools/synth", "ebpf"]),
]

# Headers of the system that programs and base (memory maps) may use, but no parser and no stage.
SYSTEM = re.compile(r"(sys/(mman|stat|statvfs|timex|types|file|prctl|resource|syscall|time|random|sysinfo|wait)|unistd|fcntl|signal|"
                    r"sched|spawn|pthread|grp|pwd|syslog|dirent|dlfcn|malloc|execinfo|getopt|errno|time)\.h$")
SYSTEM_FOLDERS = ("dataplane/base", "dataplane/export", "dataplane/runtime", "dataplane/app", "dataplane/capture", "control/", "tools/", "ebpf")
INTRINSICS = re.compile(r"(immintrin|x86intrin|emmintrin|cpuid)\.h$")
STANDARD = re.compile(r"(c?[a-z_]+|std(def|int|io|lib|bool)\.h|(string|limits|assert|math|ctype|inttypes)\.h)$")
ANYTHING = ("tests", "tools/bench", "tools/evaluate", "tools/gateway")

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"\n]+)[>"]', re.M)
OUR_TOPS = ("dataplane/", "control/", "tools/", "tests/", "ebpf/")


def folder_of(path):
    """The row that a file belongs to: the longest folder of the table that holds it; None without a row."""
    best = None
    for folder in FLOORS:
        if path.startswith(folder + "/") and (best is None or len(folder) > len(best)):
            best = folder
    return best


def room_of(path):
    return path.rsplit(".", 1)[0]


def library_fault(folder, name):
    """Why `name` in angle brackets may not be included by `folder`, or None."""
    if folder in ANYTHING:
        return "<%s> belongs to dataplane/runtime alone" % name if name.startswith("rte_") else None
    for library, pattern, folders in LIBRARIES:
        if re.match(pattern, name):
            if folder in folders:
                return None
            return "<%s>: %s is for %s" % (name, library, ", ".join(folders) if folders else "tests")
    if STANDARD.match(name) or INTRINSICS.match(name):
        return None
    if SYSTEM.match(name):
        return None if folder.startswith(SYSTEM_FOLDERS) else "<%s>: system headers are not for this floor" % name
    return "<%s> is no library of the table" % name


def include_fault(folder, name):
    """Why `name` in quotes may not be included by `folder`, or None."""
    if not name.startswith(OUR_TOPS):
        return '"%s" is not written from the repository root' % name
    target = folder_of(name)
    if target is None:
        return '"%s" lies in a folder without a row' % name
    allowed = FLOORS[folder][1]
    if target == folder or target in allowed:
        return None
    if "*" in allowed and not name.endswith(".cpp"):
        return None
    return '"%s": %s may not include %s' % (name, folder, target)


def circles(arrows):
    """Every strongly connected set of more than one node (Tarjan, without recursion)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for start in sorted(arrows):
        if start in index:
            continue
        work = [(start, iter(sorted(arrows.get(start, ()))))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, nexts = work[-1]
            target = next(nexts, None)
            if target is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while not part or part[-1] != node:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    if len(part) > 1:
                        found.append(sorted(part))
            elif target not in index:
                index[target] = low[target] = len(index)
                stack.append(target)
                on_stack.add(target)
                work.append((target, iter(sorted(arrows.get(target, ())))))
            elif target in on_stack:
                low[node] = min(low[node], index[target])
    return found


def check(root):
    """(faults, rooms, arrows between rooms)"""
    faults, rooms, folders = [], {}, {}
    for path in sources.code_files(root):
        folder = folder_of(path)
        if folder is None:
            faults.append("%s: its folder has no row in the floor table" % path)
            continue
        text = sources.read(root, path)
        room = rooms.setdefault(room_of(path), set())
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            quote, name = match.groups()
            if quote == "<" and name.startswith(OUR_TOPS):
                fault = "<%s>: our own headers stand in quotes" % name
            else:
                fault = library_fault(folder, name) if quote == "<" else include_fault(folder, name)
            if fault:
                faults.append("%s:%d: %s" % (path, line, fault))
            if quote == '"' and room_of(name) != room_of(path):
                room.add(room_of(name))
                target = folder_of(name)
                if target not in (None, folder) and "*" not in FLOORS[folder][1]:
                    folders.setdefault(folder, set()).add(target)
    for part in circles(rooms):
        faults.append("circle of rooms: " + " <-> ".join(part))
    for part in circles(folders):
        faults.append("circle of folders: " + " <-> ".join(part))
    return faults, rooms


def print_table():
    print("| floor | folder | may include |\n| --- | --- | --- |")
    for folder, (floor, allowed) in sorted(FLOORS.items(), key=lambda row: (row[1][0], row[0])):
        names = "anything" if "*" in allowed else ", ".join(allowed) or "nothing"
        print("| %d | `%s` | %s |" % (floor, folder, names))


def main():
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--root", default=os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
    ap.add_argument("--table", action="store_true", help="print the floor table as markdown")
    args = ap.parse_args()
    if args.table:
        print_table()
        return 0
    faults, rooms = check(args.root)
    for fault in faults:
        print(fault)
    print("floors: %d rooms, %d arrows, %d faults" % (len(rooms), sum(map(len, rooms.values())), len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
