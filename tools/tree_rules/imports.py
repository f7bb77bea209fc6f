"""Who imports whom among the Python modules of the project.

An import counts wherever it stands: at the top of a module, inside a function, under ``TYPE_CHECKING``,
as ``importlib.import_module("name")``, or as the module after ``"-m"`` in a command.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import PurePosixPath
from typing import NamedTuple

from tree_rules.files import File, Tree

#: Where each package lies: the folder to add to ``sys.path``, and the package in it.
PACKAGES = (("runtime", "bindrt"), ("runtime", "bindrt_cli"), ("export", "bindrt_export"), (".", "bench"))
#: Compiled; it imports none of ours.
COMPILED = "bindrt._core"
LOAD, LOCAL, CHECKING, STRING = "when loaded", "in a function", "for types", "by a string"


class Import(NamedTuple):
    """One import as it is written; ``name`` is a module, or a module and a name in it."""

    line: int
    name: str
    kind: str


class Arrow(NamedTuple):
    """That one module imports another."""

    source: str
    target: str
    kind: str
    path: PurePosixPath
    line: int


def imports_of(file: File, module: str) -> Iterator[Import]:
    """All imports of a file, relative ones made absolute; ``module`` is its own name."""
    package = module if file.path.name == "__init__.py" else module.rpartition(".")[0]
    yield from _walk(file.syntax, package, LOAD)


def _walk(node: ast.AST, package: str, kind: str) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        yield from _written(child, package, kind)
        inner = kind
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inner = LOCAL
        elif isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            inner = CHECKING
        yield from _walk(child, package, inner)


def _written(node: ast.AST, package: str, kind: str) -> Iterator[Import]:
    """The imports that one node is."""
    if isinstance(node, ast.Import):
        yield from (Import(node.lineno, alias.name, kind) for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, package)
        yield from (Import(node.lineno, f"{base}.{alias.name}", kind) for alias in node.names)
    elif isinstance(node, ast.Call) and node.args:
        called = getattr(node.func, "attr", getattr(node.func, "id", ""))
        if called in ("import_module", "__import__"):
            yield from (Import(node.lineno, name, STRING) for name in _text(node.args[0]))
    elif isinstance(node, (ast.List, ast.Tuple)):
        for option, value in pairwise(node.elts):
            if list(_text(option)) == ["-m"]:
                yield from (Import(node.lineno, f"{name}.__main__", STRING) for name in _text(value))


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def _text(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def modules(tree: Tree) -> dict[str, File]:
    """Our modules by name; a package's name means its ``__init__``."""
    found = {}
    for folder, package in PACKAGES:
        root = PurePosixPath(folder)
        for file in tree.below(str(root / package), ".py"):
            parts = file.path.relative_to(root).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def arrows(tree: Tree) -> list[Arrow]:
    """All imports between our modules.

    Importing ``a.b.c`` runs the ``__init__`` of ``a`` and of ``a.b``, so it counts as an import of both,
    except where the importing module lies in that package itself.
    """
    ours = modules(tree)
    found = []
    for name, file in ours.items():
        for line, wanted, kind in imports_of(file, name):
            found += [Arrow(name, target, kind, file.path, line) for target in _targets(wanted, name, ours)]
    return found


def _targets(wanted: str, importer: str, ours: dict[str, File]) -> list[str]:
    """The modules of ours that run when ``importer`` imports ``wanted``."""
    if f"{wanted}.".startswith(f"{COMPILED}."):
        return []
    parts = wanted.split(".")
    ran = [prefix for end in range(1, len(parts) + 1) if (prefix := ".".join(parts[:end])) in ours]
    return [
        name for name in ran if name != importer and (name == ran[-1] or not importer.startswith(f"{name}."))
    ]
