#!/usr/bin/env python3
"""Live over af_xdp on a mirror port: what is steered is received or counted, and a killed run leaves nothing in the way."""
import os
import signal
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import af_packet_smoke as live  # noqa: E402
import netns  # noqa: E402
import programs  # noqa: E402
import report  # noqa: E402


def make_mirror(pair):
    """m1 receives a copy of all that passes s0, in both directions."""
    commands = [["ip", "link", "add", "m0", "type", "veth", "peer", "name", "m1"],
                ["sysctl", "-qw", "net.ipv6.conf.m0.disable_ipv6=1", "net.ipv6.conf.m1.disable_ipv6=1"],
                ["ip", "link", "set", "m0", "up"], ["ip", "link", "set", "m1", "up"], ["tc", "qdisc", "add", "dev", "s0", "clsact"]]
    for way in ("ingress", "egress"):
        commands.append(["tc", "filter", "add", "dev", "s0", way, "protocol", "all", "prio", "1", "u32", "match", "u32", "0", "0", "action",
                         "mirred", "egress", "mirror", "dev", "m0"])
    for command in commands:
        done = pair.run(pair.server, command, capture_output=True, check=False)
        if done.returncode:
            return "%s: %s" % (" ".join(command), done.stderr.decode(errors="replace").strip())
    return None


def has_program(pair):
    shown = pair.run(pair.server, ["ip", "link", "show", "dev", "m1"], capture_output=True, check=False).stdout
    return b"xdp" in shown


def check_flows(run, name, workers, count):
    code, lines, stats = run.live(workers, count)
    report.equal(code, 0, "%s: SIGTERM drains and ends with 0" % name)
    port, totals, xdp = stats["ports"][0], stats["totals"], stats.get("xdp", {})
    # What arrives between the last poll and the last look at the program's counter is nobody's any more.
    late = xdp.get("xdp_steered", -1) - port["ipackets"] - port["kernel_drops"]
    report.check(0 <= late <= 5, "%s: every steered frame is received or counted as lost" % name, "%d more steered than that" % late)
    report.equal(port["ipackets"], totals["packets"] + totals["handover_dropped"], "%s: every received frame is inspected or counted" % name)
    lost = port["kernel_drops"] + totals["handover_dropped"]
    seen = live.flows(lines)
    wanted = live.flows(programs.run([run.replay, run.capture]).out.splitlines())
    if lost:
        print("%s: %d frames lost and counted; flows are compared by their fingerprints" % (name, lost))
        seen = {k: {f: v[f] for f in ("ja4", "ja4h") if f in v} for k, v in seen.items()}
        wanted = {k: {f: v[f] for f in ("ja4", "ja4h") if f in v} for k, v in wanted.items() if seen.get(k)}
        seen = {k: v for k, v in seen.items() if v}
    report.check(seen and seen == wanted, "%s: the same as a capture of the same run" % name, live.difference(seen, wanted))
    report.check(not has_program(pair=run.pair), "%s: the interface is left without a program" % name)


def check_killed(run):
    """kill -9 leaves the program; the next start takes it off and works."""
    process = run.pair.start(run.pair.server, [run.tool, *run.source, "--records", "jsonl:" + run.out, "--socket", run.socket],
                             stderr=open(run.errors, "wb"))
    netns.wait_for(lambda: netns.answers(run.socket) or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait()
    report.check(has_program(run.pair), "kill -9 leaves the program behind")
    check_flows(run, "after kill -9", 1, 2)
    with open(run.errors, "rb") as said:
        report.check(b"left behind" in said.read(), "and the next start says that it took it off")


def main():
    args = programs.arguments(__doc__)
    reason = live.reason_not_to(args, "curl", "openssl", "tc", "ethtool", "sysctl")
    if reason:
        report.skipped("af_xdp in network namespaces", reason)
        return
    with tempfile.TemporaryDirectory(prefix="seine-xdp-") as folder, netns.Pair() as pair:
        pair.offloads_off()
        reason = make_mirror(pair)
        if reason or not live.make_certificate(folder):
            report.skipped("af_xdp in network namespaces", reason or "openssl makes no certificate")
            return
        run = live.Run(args, pair, folder, ("--af-xdp", "m1"))
        refused = pair.run(pair.server, [run.tool, "--af-xdp", "s0"], capture_output=True, check=False)
        said = refused.stderr.decode(errors="replace")
        if "no eBPF" in said:
            report.skipped("af_xdp in network namespaces", "built without clang or libbpf-dev")
            return
        report.check(refused.returncode == 1 and said.count("\n") == 1 and "--consume" in said,
                     "an interface with an address is refused, and --consume named", said)
        if not live.start_server(pair, folder):
            return
        check_flows(run, "1 worker", 1, 4)
        check_flows(run, "2 workers", 2, 4)
        check_killed(run)


if __name__ == "__main__":
    report.run(main)
