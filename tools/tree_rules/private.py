"""Names that start with an underscore are used only where they are defined."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tree_rules.files import File, Problem, Tree
from tree_rules.imports import COMPILED, imports_of, modules
from tree_rules.python_arrows import OURS

#: Public in spite of their names: methods of every named tuple, and functions of `os` and `sys`.
NOT_PRIVATE = {"_fields", "_replace", "_asdict", "_make", "_exit", "_getframe"}


def problems(tree: Tree) -> Iterator[Problem]:
    """Imports of private modules and names, and outside of tests also uses of private attributes."""
    ours = modules(tree)
    tests = {".".join(file.path.with_suffix("").parts): file for file in tree.below("tests", ".py")}
    for name, file in (ours | tests).items():
        for wanted in imports_of(file, name):
            if owner := _private_to(name, wanted.name):
                yield Problem(file.path, wanted.line, f"{wanted.name} is private to {owner}")
    for file in ours.values():
        yield from _attributes(file)


def _private_to(importer: str, name: str) -> str | None:
    """The package or module that a private part of ``name`` belongs to, if the importer is outside of it."""
    parts = name.split(".")
    if parts[0] not in OURS or f"{name}.".startswith(f"{COMPILED}."):
        return None
    for index, part in enumerate(parts):
        owner = ".".join(parts[:index])
        if re.match(r"_[^_]", part) and not f"{importer}.".startswith(f"{owner}."):
            return owner
    return None


def _attributes(file: File) -> Iterator[Problem]:
    """Attributes like ``other._name`` whose name the file itself does not define."""
    nodes = list(ast.walk(file.syntax))
    own = {name for node in nodes for name in _defined(node)} | NOT_PRIVATE | {"_core"}
    for node in nodes:
        if not isinstance(node, ast.Attribute) or _is_self(node.value):
            continue
        if re.match(r"_[^_]", node.attr) and node.attr not in own:
            yield Problem(file.path, node.lineno, f"{ast.unparse(node)} is private to another file")


def _defined(node: ast.AST) -> Iterator[str]:
    """The names that one node defines: on a module, a class, or ``self``."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
        yield node.attr


def _is_self(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")
