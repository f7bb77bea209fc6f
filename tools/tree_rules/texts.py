"""Rules about the text of single files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_rules.files import CODE, Problem, Tree

MAX_LINES = 400
CPP = {".cpp", ".h", ".cu"}
#: A docstring or comment whose first word is "Of": half a sentence.
OPENS_WITH_OF = re.compile(r'(?:"""|//[/!<]*|#:?)\s*Of\s')
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:root|home|Users|work|opt/pypi|opt/wheels)/[\w.-]+")


def problems(tree: Tree) -> Iterator[Problem]:
    """Long code files, half sentences, paths of one machine, and a lock that names a server."""
    for file in tree.below("."):
        lines = (file.text or "").splitlines()
        if file.path.suffix in CODE and len(lines) > MAX_LINES:
            yield Problem(file.path, 0, f"{len(lines)} lines; split it, {MAX_LINES} is the most")
        if file.path.suffix in CPP and not (file.text or "").startswith("//"):
            yield Problem(file.path, 1, "opens without a comment that says what the file does")
        for number, line in enumerate(lines, 1):
            if file.path.suffix in CODE and OPENS_WITH_OF.search(line):
                yield Problem(file.path, number, 'a sentence opens with "Of"')
            if found := MACHINE_PATH.search(line):
                yield Problem(file.path, number, f"{found.group()} is a path of one machine")
        if str(file.path) == "constraints.txt" and "://" in (file.text or ""):
            yield Problem(file.path, 0, "the lock names a server")
