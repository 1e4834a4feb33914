"""Flows matched against expected values by the rules of the shared compare.py, with counts per fingerprint."""
import collections
import importlib.util
import json

import programs

RAW_FORMS = ("ja4_r", "ja4_ro", "ja4s_r", "ja4h_r")


def shared_rules():
    """The module ../shared/vectors/compare.py, or None where it is not there."""
    path = programs.shared("vectors", "compare.py")
    if path is None:
        return None
    spec = importlib.util.spec_from_file_location("shared_compare", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read_wrong(path):
    """{(capture, flow, field): reason} of expected values that are proven wrong; a line: capture flow field reason."""
    wrong = {}
    with open(path, encoding="utf-8") as fh:
        for line in fh:
            if line.strip() and not line.startswith("#"):
                capture, flow, field, reason = line.split(None, 3)
                wrong[(capture, flow, field)] = reason.strip()
    return wrong


def name_of(flow):
    return "%s/%s:%s>%s:%s" % (flow["proto"], flow["src"], flow["sport"], flow["dst"], flow["dport"])


class Counts:
    def __init__(self):
        self.matched, self.total, self.wrong = collections.Counter(), collections.Counter(), collections.Counter()

    def add(self, other):
        self.matched.update(other.matched)
        self.total.update(other.total)
        self.wrong.update(other.wrong)

    def table(self, title):
        lines = ["%s" % title, "  %-14s %8s %8s" % ("fingerprint", "matched", "total")]
        for field in sorted(self.total):
            note = "  (%d expected values proven wrong)" % self.wrong[field] if self.wrong[field] else ""
            mark = "" if self.matched[field] == self.total[field] else "  <-- %d do not match" % (self.total[field] - self.matched[field])
            lines.append("  %-14s %8d %8d%s%s" % (field, self.matched[field], self.total[field], mark, note))
        lines.append("  %-14s %8d %8d" % ("all", sum(self.matched.values()), sum(self.total.values())))
        return "\n".join(lines)


def match(rules, expected_path, actual_path, capture, wrong, left_out=()):
    """(counts, differences as text) of one capture; disputed values count neither way."""
    counts, differences = Counts(), []
    pool = collections.defaultdict(list)
    for flow in rules.load(actual_path):
        pool[rules.key(flow)].append(flow)
    for flow in rules.load(expected_path):
        candidates = pool.get(rules.key(flow))
        got = candidates.pop(0) if candidates else None
        for field in flow:
            if field in rules.TUPLE or field in rules.INFO or field in flow.get("disputed", {}) or field in left_out:
                continue
            if (capture, name_of(flow), field) in wrong:
                counts.wrong[field] += 1
                continue
            counts.total[field] += 1
            if got is not None and field in got and rules.same(flow[field], got[field]):
                counts.matched[field] += 1
            else:
                have = "no such flow" if got is None else json.dumps(got[field]) if field in got else "nothing"
                differences.append("%s %s wants %s, got %s" % (name_of(flow), field, json.dumps(flow[field]), have))
    return counts, differences
