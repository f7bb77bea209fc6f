"""Rules about the text of single files."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_rules.files import CODE, Problem, Tree

MAX_LINES = 400
MACHINE_PATH = re.compile(r"(?<![\w.:/-])/(?:root|home|Users|work|opt/pypi|opt/wheels)/[\w.-]+")


def problems(tree: Tree) -> Iterator[Problem]:
    """Long code files, paths of one machine, and a lock that names a server."""
    for file in tree.below("."):
        lines = (file.text or "").splitlines()
        if file.path.suffix in CODE and len(lines) > MAX_LINES:
            yield Problem(file.path, 0, f"{len(lines)} lines; split it, {MAX_LINES} is the most")
        for number, line in enumerate(lines, 1):
            if found := MACHINE_PATH.search(line):
                yield Problem(file.path, number, f"{found.group()} is a path of one machine")
        if str(file.path) == "constraints.txt" and "://" in (file.text or ""):
            yield Problem(file.path, 0, "the lock names a server")
