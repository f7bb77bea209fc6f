"""The files of a tree, read once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

CODE = {".py", ".cpp", ".h", ".cu"}


class Problem(NamedTuple):
    """What is wrong, and where; line 0 means the whole file."""

    path: PurePosixPath
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}" if self.line else f"{self.path}: {self.what}"


class File:
    """One file; its path is relative to the root of the tree."""

    def __init__(self, root: Path, path: PurePosixPath) -> None:
        self.path = path
        self._root = root

    @cached_property
    def text(self) -> str | None:
        """None for binary files."""
        try:
            return (self._root / self.path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            return None

    @cached_property
    def syntax(self) -> ast.Module:
        """The syntax tree of a Python file."""
        return ast.parse(self.text or "", str(self.path))


class Tree:
    """The project's files below ``root``: those known to git, and new ones that git does not ignore."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files = [File(root, path) for path in sorted(_listed(root)) if (root / path).is_file()]

    def below(self, folder: str, *suffixes: str) -> Iterator[File]:
        """The text files below a folder: all of them, or those with one of the suffixes."""
        for file in self.files:
            wanted = not suffixes or file.path.suffix in suffixes
            if wanted and file.path.is_relative_to(folder) and file.text is not None:
                yield file

    def code(self) -> Iterator[File]:
        """The Python, C++ and CUDA files."""
        return self.below(".", *CODE)


def _listed(root: Path) -> set[PurePosixPath]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    return {PurePosixPath(name) for name in listed.stdout.split("\0") if name}
