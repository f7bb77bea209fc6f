"""Who includes whom in C++.

``csrc/python → csrc/gpu → csrc/pipeline → kernels``; ``csrc/audio``, ``csrc/jpeg``, ``csrc/live``,
``csrc/png``, ``csrc/text`` and ``csrc/native`` include only ``kernels``; ``csrc/video`` reads files as
``csrc/audio`` does, and counts cores by ``csrc/native``; ``csrc/prepare`` includes the decoders. In
``kernels`` each operator's room includes only ``base`` and ``resize``; ``BORROWED`` lists the exceptions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from tree_rules.files import Problem, Tree
from tree_rules.graph import circles
from tree_rules.imports import Arrow

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*[<"]([^">]+)[">]', re.MULTILINE)
#: Rooms that every room of kernels may include, in order: each may include those before it.
SHARED = ("kernels/base", "kernels/resize")
#: A thermal map is resized by the kernels of an image once its temperatures are grey values.
BORROWED = {"kernels/map": {"kernels/image"}}
#: The rooms of csrc, and what each may include beside itself and all of kernels.
CSRC: Mapping[str, set[str]] = {
    "csrc/pipeline": set(),
    "csrc/gpu": {"csrc/pipeline"},
    "csrc/audio": set(),
    "csrc/jpeg": set(),
    "csrc/live": set(),
    "csrc/native": set(),
    "csrc/png": set(),
    "csrc/text": set(),
    "csrc/video": {"csrc/audio", "csrc/native"},
    "csrc/prepare": {"csrc/audio", "csrc/jpeg", "csrc/png", "csrc/video"},
    "csrc/python": {
        *("csrc/pipeline", "csrc/gpu", "csrc/live", "csrc/native", "csrc/text"),
        *("csrc/prepare", "csrc/audio", "csrc/jpeg", "csrc/png", "csrc/video"),
    },
}
PYTHON = ("pybind11/", "Python.h")


def arrows(tree: Tree) -> list[Arrow]:
    """All includes in kernels and csrc, those of headers that are not ours too."""
    return [
        Arrow(str(file.path), found.group(1), "#include", file.path, line_of(file.text or "", found.start()))
        for folder in ("kernels", "csrc")
        for file in tree.below(folder, ".cpp", ".h", ".cu")
        for found in INCLUDE.finditer(file.text or "")
    ]


def line_of(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1


def room(path: str) -> str:
    """The room of a file: its first two folders, or its only one."""
    return "/".join(PurePosixPath(path).parts[:-1][:2])


def may_include(source: str, target: str) -> bool:
    """Whether one room may include another."""
    if source == target:
        return True
    if source in SHARED:
        return target in SHARED[: SHARED.index(source)]
    if source.startswith("kernels"):
        return target in SHARED or target in BORROWED.get(source, ())
    return target.startswith("kernels") or target in CSRC.get(source, ())


def problems(tree: Tree) -> Iterator[Problem]:
    """Includes that point the wrong way, and circles of headers."""
    found = arrows(tree)
    for arrow in found:
        source, target = room(arrow.source), room(arrow.target)
        if arrow.target.startswith(PYTHON):
            if source != "csrc/python":
                yield Problem(arrow.path, arrow.line, f"only csrc/python may include {arrow.target}")
        elif target.partition("/")[0] in ("kernels", "csrc", "tests") and not may_include(source, target):
            yield Problem(arrow.path, arrow.line, f"{source} must not include {arrow.target}")
    files = {str(file.path) for file in tree.files}
    graph: dict[str, set[str]] = {}
    for arrow in found:
        graph.setdefault(arrow.source, set()).update({arrow.target} & files)
    for circle in circles(graph):
        yield Problem(PurePosixPath(circle[0]), 0, f"includes go in a circle: {' > '.join(circle)}")
