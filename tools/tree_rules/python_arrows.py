"""Which Python module may import which, and that no imports go in a circle."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from tree_rules.files import File, Problem, Tree
from tree_rules.graph import Graph, circles
from tree_rules.imports import COMPILED, PACKAGES, Arrow, Import, arrows, imports_of, modules

#: Which of our packages each package may import; `bench`, the examples and the tests may import all.
#: `bindrt_cli` names the commands in strings, to import them when a user can stop that.
MAY_IMPORT = {
    "bindrt": {"bindrt"},
    "bindrt_cli": {"bindrt_cli"},
    "bindrt_export": {"bindrt", "bindrt_cli", "bindrt_export"},
}
OURS = {package for _, package in PACKAGES} | {"tests", "support", "tiny"}
#: The export alone knows torch.
TORCH = {"torch", "torchvision", "torchaudio"}
#: The runtime must not name the export in a string either, for a process or an import at run time.
EXPORT_NAME = re.compile(r"bindrt_export(\.\w+)*")
#: The rooms of the runtime that the export may use.
FOR_EXPORT = {
    "bindrt",
    "bindrt.arrays",
    "bindrt.benchmark",
    "bindrt.bundle",
    "bindrt.cache",
    "bindrt.commands",
    "bindrt.engines",
    "bindrt.errors",
    "bindrt.extras",
    "bindrt.hardware",
    "bindrt.locks",
    "bindrt.modalities",
    "bindrt.bundle_checks",
    "bindrt.precisions",
    "bindrt.preprocess",
    "bindrt.selection",
    "bindrt.triton",
}


def problems(tree: Tree) -> Iterator[Problem]:
    """Imports that point the wrong way, and circles."""
    ours, found = modules(tree), arrows(tree)
    for name, file in ours.items():
        for wanted in imports_of(file, name):
            if what := _forbidden(name.split(".")[0], wanted):
                yield Problem(file.path, wanted.line, what)
        if name.split(".")[0] == "bindrt":
            yield from _names_of_the_export(file)
    for arrow in found:
        packages = arrow.source.split(".")[0], arrow.target.split(".")[0]
        if packages == ("bindrt_export", "bindrt") and room(arrow.target) not in FOR_EXPORT:
            yield Problem(arrow.path, arrow.line, f"the export must not use {arrow.target}")
    yield from _circles(found, ours)


def _forbidden(package: str, wanted: Import) -> str | None:
    """What is wrong with one import; None if nothing is."""
    target = wanted.name.split(".")[0]
    if package == "bindrt" and target in TORCH:
        return f"the runtime imports {wanted.name}"
    if target in OURS and target not in MAY_IMPORT.get(package, OURS):
        return f"{package} must not import {wanted.name}"
    if package == "bindrt_export" and f"{wanted.name}.".startswith(f"{COMPILED}."):
        return f"the export must not use {wanted.name}"
    return None


def _names_of_the_export(file: File) -> Iterator[Problem]:
    for node in ast.walk(file.syntax):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if EXPORT_NAME.fullmatch(node.value):
            yield Problem(file.path, node.lineno, f"the runtime names {node.value} in a string")


def room(module: str) -> str:
    """The room of a module: the package, or the single module, directly below one of our packages."""
    return ".".join(module.split(".")[:2])


def graph_of(found: Iterable[Arrow], node: Callable[[str], str] = str) -> Graph:
    """The arrows as a graph, of modules or, with ``node=room``, of rooms."""
    graph: dict[str, set[str]] = {}
    for arrow in found:
        source, target = node(arrow.source), node(arrow.target)
        if source != target:
            graph.setdefault(source, set()).add(target)
    return graph


def _circles(found: list[Arrow], ours: dict[str, File]) -> Iterator[Problem]:
    for circle in circles(graph_of(found)):
        what = f"imports go in a circle: {' > '.join(circle)} ({_kinds(circle, found)})"
        yield Problem(ours[circle[0]].path, 0, what)
    for circle in circles(graph_of(found, room)):
        first = next(a for a in found if room(a.source) == circle[0] and room(a.target) == circle[1])
        yield Problem(first.path, first.line, f"rooms import each other in a circle: {' > '.join(circle)}")


def _kinds(circle: list[str], found: list[Arrow]) -> str:
    """How the imports of a circle are written."""
    steps = set(pairwise(circle))
    return ", ".join(sorted({arrow.kind for arrow in found if (arrow.source, arrow.target) in steps}))
