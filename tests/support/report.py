"""One line per check, and an exit code that ctest understands: 0 passed, 1 failed, 77 all skipped."""
import sys
import traceback

_counts = {"ok": 0, "FAILED": 0, "skipped": 0}


def _line(kind, name, why=""):
    _counts[kind] += 1
    print("%s - %s%s" % (kind, name, ": " + " ".join(str(why).split())[:600] if why else ""), flush=True)


def ok(name):
    _line("ok", name)


def failed(name, why):
    _line("FAILED", name, why)


def skipped(name, reason):
    _line("skipped", name, reason)


def check(condition, name, why=""):
    """Records whether `condition` holds; returns it."""
    if condition:
        ok(name)
    else:
        failed(name, why or "does not hold")
    return bool(condition)


def equal(got, want, name):
    return check(got == want, name, "want %r, got %r" % (want, got))


def run(main):
    """Runs `main` and ends the process with the code of all checks; an exception is a failed check."""
    try:
        main()
    except Exception:  # a broken script is a failed check, not a passed one
        traceback.print_exc()
        failed(main.__module__, "the script stopped: %s" % (sys.exc_info()[1],))
    if not sum(_counts.values()):
        failed(main.__module__, "no check was made")
    if _counts["FAILED"]:
        sys.exit(1)
    sys.exit(77 if not _counts["ok"] else 0)
