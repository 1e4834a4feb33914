"""Flows matched against expected values by the rules of the shared compare.py, with counts per fingerprint."""
import collections
import importlib.util
import json

import programs

# What a build without JA4+ does not know (dataplane/fingerprint/ja4plus).
JA4PLUS = ("ja4s", "ja4s_r", "ja4h", "ja4h_r", "ja4h_ro", "ja4x", "ja4l_c", "ja4l_s", "ja4t", "ja4ts", "ja4ssh", "ja4ssh_final", "ja4d")
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
    """[(capture, flow, field, right value)] of expected values that are proven wrong; a line: capture flow field right proof."""
    wrong = []
    with open(path, encoding="utf-8") as fh:
        for line in fh:
            if line.strip() and not line.startswith("#"):
                capture, flow, field, right, _proof = line.split(None, 4)
                wrong.append((capture, flow, field, right))
    return wrong


def right_instead(wrong, capture, flow, field):
    """The right value of a proven-wrong expectation as its list writes it, or None."""
    for one in wrong:
        if one[0] == capture and one[1] in ("*", flow) and one[2] == field:
            return one[3]
    return None


def is_right(right, expected, got):
    """`absent`: no value is right; `+_`: the expected text or texts with an underscore behind; else the value itself."""
    if right == "absent":
        return got is None
    if right == "+_":
        return got == ([x + "_" for x in expected] if isinstance(expected, list) else expected + "_")
    return got == (json.loads(right) if right.startswith("[") else right)


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
            note = "  (and %d where the expected value is proven wrong)" % self.wrong[field] if self.wrong[field] else ""
            mark = "" if self.matched[field] == self.total[field] else "  <-- %d do not match" % (self.total[field] - self.matched[field])
            lines.append("  %-14s %8d %8d%s%s" % (field, self.matched[field], self.total[field], mark, note))
        lines.append("  %-14s %8d %8d  (and %d proven wrong)"
                     % ("all", sum(self.matched.values()), sum(self.total.values()), sum(self.wrong.values())))
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
            counts.total[field] += 1
            right = right_instead(wrong, capture, name_of(flow), field)
            if got is not None and field in got and rules.same(flow[field], got[field]):
                counts.matched[field] += 1
            elif right is not None and got is not None and is_right(right, flow[field], got.get(field)):
                counts.total[field] -= 1
                counts.wrong[field] += 1
            else:
                have = "no such flow" if got is None else json.dumps(got[field]) if field in got else "nothing"
                differences.append("%s %s wants %s, got %s" % (name_of(flow), field, json.dumps(flow[field]), have))
    return counts, differences
