"""The files of the project and their text without comments and strings, for the checks beside this file."""
import os
import re

SKIPPED_FOLDERS = {".git", "build", "__pycache__", ".cache"}
CODE = (".h", ".cpp", ".c")


def files(root):
    """Every file of the tree, as paths relative to it with forward slashes, in a fixed order."""
    found = []
    for folder, names, leaves in os.walk(root):
        names[:] = sorted(n for n in names if n not in SKIPPED_FOLDERS)
        for leaf in sorted(leaves):
            found.append(os.path.relpath(os.path.join(folder, leaf), root).replace(os.sep, "/"))
    return found


def code_files(root):
    return [path for path in files(root) if path.endswith(CODE)]


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="surrogateescape", newline="") as fh:
        return fh.read()


_QUIET = re.compile(
    r'R"(?P<tag>[^\s()\\]{0,16})\((?:.|\n)*?\)(?P=tag)"'  # raw string
    r'|//[^\n]*'
    r'|/\*(?:.|\n)*?\*/'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-zA-Z_])'(?:\\.|[^'\\\n])+'"
)


def bare(text):
    """C++ text with comments and the insides of strings blanked; every line and column stays where it was."""
    def blank(match):
        piece = match.group(0)
        if piece[0] in "\"'R" and len(piece) >= 2:
            return piece[0].replace("R", '"') + re.sub(r"[^\n]", " ", piece[1:-1]) + piece[-1]
        return re.sub(r"[^\n]", " ", piece)
    return _QUIET.sub(blank, text)
