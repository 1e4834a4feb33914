"""What the formats print, against the published schemas: EVE, ECS and OCSF, and what rsyslog makes of CEF."""
import csv
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
import programs  # noqa: E402
import report  # noqa: E402

TYPES = {"boolean_t": bool, "integer_t": int, "long_t": int, "timestamp_t": int, "port_t": int, "float_t": (int, float)}


def messages(emit, fmt, what, count, seed=1):
    ran = programs.run([emit, fmt, what, str(count), str(seed)])
    report.check(ran.code == 0, "%s %s: printed" % (fmt, what), ran)
    lines = ran.out.split(b"\n")
    report.equal((len(lines), lines[-1]), (count + 1, b""), "%s %s: one line an event" % (fmt, what))
    return lines[:-1]


def objects(emit, fmt, what, count, seed=1):
    return [json.loads(line.decode("utf-8")) for line in messages(emit, fmt, what, count, seed)]


def eve(emit, schema_path):
    try:
        import jsonschema
    except ImportError:
        report.skipped("eve schema", "python3-jsonschema is not installed")
        return
    with open(schema_path, encoding="utf-8") as fh:
        schema = json.load(fh)
    validator = jsonschema.validators.validator_for(schema)(schema)
    stray = objects(emit, "eve", "sample", 1)[0]
    stray["seine"] = {}
    report.check(list(validator.iter_errors(stray)), "eve: the schema refuses a stray key")
    for what, count in (("sample", 10), ("hostile", 100), ("load", 5)):
        faults = []
        for event in objects(emit, "eve", what, count):
            faults += ["%s: %s" % ("/".join(map(str, e.path)), e.message[:150]) for e in validator.iter_errors(event)]
        report.equal(faults[:3], [], "eve: %s events are valid" % what)


def flat(value, prefix=""):
    for key, inner in value.items():
        path = prefix + key
        if isinstance(inner, dict):
            yield from flat(inner, path + ".")
        else:
            yield path, inner


ECS_PYTHON = {"keyword": str, "wildcard": str, "match_only_text": str, "constant_keyword": str, "ip": str, "date": str,
              "long": int, "float": (int, float), "boolean": bool}


def ecs(emit, csv_path):
    with open(csv_path, encoding="utf-8", newline="") as fh:
        fields = {row["Field"]: row for row in csv.DictReader(fh)}
    for what, count in (("sample", 10), ("hostile", 100), ("load", 5)):
        faults = set()
        for event in objects(emit, "ecs", what, count):
            for path, value in flat(event):
                if path.startswith("seine."):
                    continue
                field = fields.get(path)
                if field is None:
                    faults.add("%s is no ECS field" % path)
                    continue
                is_list = field["Normalization"] == "array"
                if isinstance(value, list) != is_list:
                    faults.add("%s: list or not" % path)
                for item in value if isinstance(value, list) else [value]:
                    if not isinstance(item, ECS_PYTHON[field["Type"]]):
                        faults.add("%s: %r is no %s" % (path, item, field["Type"]))
        report.equal(sorted(faults)[:5], [], "ecs: %s events use fields of the list" % what)


class Ocsf:
    """Enough of the schema's rules: names, required, types, arrays, enums, at_least_one, by class and object files."""

    def __init__(self, root):
        self.root = root
        self.dictionary = self.load("dictionary.json")
        self.types = self.dictionary["types"]["attributes"]
        self.classes, self.objects = {}, {}
        events = {}
        for folder, _, names in os.walk(os.path.join(root, "events")):
            for name in names:
                item = self.load(os.path.relpath(os.path.join(folder, name), root))
                events[item["name"]] = item
        objects_raw = {}
        for name in os.listdir(os.path.join(root, "objects")):
            item = self.load("objects/" + name)
            objects_raw[item["name"]] = item
        categories = self.load("categories.json")["attributes"]
        for name, item in events.items():
            attributes, constraints, category = self.inherit(events, name)
            if "uid" in item and category in categories:
                self.classes[categories[category]["uid"] * 1000 + item["uid"]] = (name, attributes, constraints)
        for name in objects_raw:
            attributes, constraints, _ = self.inherit(objects_raw, name)
            self.objects[name] = (attributes, constraints)

    def load(self, path):
        with open(os.path.join(self.root, path), encoding="utf-8") as fh:
            return json.load(fh)

    def inherit(self, table, name):
        item = table[name]
        attributes, constraints, category = {}, {}, None
        if item.get("extends") in table:
            attributes, constraints, category = self.inherit(table, item["extends"])
            attributes = {k: dict(v) for k, v in attributes.items()}
        for key, value in item.get("attributes", {}).items():
            if key == "$include":
                for profile in value if isinstance(value, list) else [value]:
                    for inner, about in self.load(profile)["attributes"].items():
                        if isinstance(about, dict):
                            attributes.setdefault(inner, {}).update({k: v for k, v in about.items() if k != "requirement"})
                continue
            attributes.setdefault(key, {}).update(value)
        return attributes, item.get("constraints", constraints), item.get("category", category)

    def check(self, value, attributes, constraints, path, faults):
        for key, about in attributes.items():
            if about.get("requirement") == "required" and key not in value:
                faults.add("%s.%s is required" % (path, key))
        for rule, names in (constraints or {}).items():
            if rule == "at_least_one" and not any(n in value for n in names):
                faults.add("%s has none of %s" % (path, names))
        for key, inner in value.items():
            if key not in attributes:
                faults.add("%s.%s is no attribute" % (path, key))
                continue
            about = dict(self.dictionary["attributes"].get(key, {}))
            about.update(attributes[key])
            if bool(about.get("is_array")) != isinstance(inner, list):
                faults.add("%s.%s: array or not" % (path, key))
                continue
            for item in inner if isinstance(inner, list) else [inner]:
                self.value(item, about, "%s.%s" % (path, key), faults)

    def value(self, item, about, path, faults):
        kind = about.get("type")
        base = self.dictionary["attributes"].get(path.rsplit(".", 1)[1], {}).get("enum", {})
        enum = dict(base)
        enum.update(about.get("enum", {}))
        # The lists of these two are made from the files' own numbers, which ocsf() compares.
        if enum and str(item) not in enum and not path.endswith(("class_uid", "category_uid")):
            faults.add("%s: %r is not in its list" % (path, item))
        if kind in self.types:
            about_type = self.types[kind]
            want = TYPES.get(kind, object if kind == "json_t" else str)
            if not isinstance(item, want) or (isinstance(item, bool) and kind != "boolean_t" and want is not object):
                faults.add("%s: %r is no %s" % (path, item, kind))
            low, high = about_type.get("range", (None, None))
            if low is not None and isinstance(item, int) and not low <= item <= high:
                faults.add("%s: %r is out of range" % (path, item))
        elif kind == "object":
            if not isinstance(item, dict):
                faults.add("%s is no object" % path)
        elif kind in self.objects:
            attributes, constraints = self.objects[kind]
            self.check(item, attributes, constraints, path, faults)
        else:
            faults.add("%s: the checker does not know the type %s" % (path, kind))


def ocsf(emit, root):
    schema = Ocsf(root)
    report.check({2004, 4001, 4002, 6008} <= set(schema.classes), "ocsf: the schema has our classes")
    seen = set()
    for what, count in (("sample", 10), ("hostile", 100), ("load", 5)):
        faults = set()
        for event in objects(emit, "ocsf", what, count):
            uid = event["class_uid"]
            seen.add(uid)
            name, attributes, constraints = schema.classes[uid]
            schema.check(event, attributes, constraints, name, faults)
            if event["type_uid"] != uid * 100 + event["activity_id"] or event["category_uid"] != uid // 1000:
                faults.add("%s: type_uid or category_uid" % name)
        report.equal(sorted(faults)[:5], [], "ocsf: %s events keep to class and object files" % what)
    report.equal(seen, {2004, 4001, 4002, 6008}, "ocsf: every class of ours was checked")
    broken = objects(emit, "ocsf", "sample", 1)[0]
    del broken["finding_info"]["uid"]
    broken["severity_id"] = 7
    faults = set()
    name, attributes, constraints = schema.classes[2004]
    schema.check(broken, attributes, constraints, name, faults)
    report.equal(len(faults), 2, "ocsf: the checker finds planted faults")


def main():
    args = programs.arguments(__doc__)
    emit = programs.program(args, "seine-test-events")
    for name, part, check in (("eve", ("schemas", "suricata-eve", "schema.json"), eve),
                              ("ecs", ("schemas", "ecs", "fields.csv"), ecs), ("ocsf", ("schemas", "ocsf"), ocsf)):
        path = programs.shared(*part)
        if path is None:
            report.skipped("%s schema" % name, "%s is not beside the checkout" % "/".join(part))
            continue
        check(emit, path)


report.run(main)
