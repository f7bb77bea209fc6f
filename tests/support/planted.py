"""Faults planted in a file of C++, which a program of tests/cpp must find."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from . import cpp


@dataclass(frozen=True)
class Fault:
    """``old``, which stands exactly once in a file of the folder, becomes ``new``."""

    folder: Path
    name: str
    file: str
    old: str
    new: str

    def damaged(self) -> str:
        text = (self.folder / self.file).read_text()
        assert text.count(self.old) == 1, f"{self.name}: its text stands {text.count(self.old)} times"
        return text.replace(self.old, self.new)


def link(tree: Path, name: str, damaged: Path, libraries: list[str], program: Path, images: str = "") -> Path:
    """A build tree's program with one file of its libraries replaced: a linker takes what comes first.

    Args:
        images: a library of tests/cpp that it has besides.
    """
    objects = sorted((tree / "tests" / "cpp" / "CMakeFiles" / f"{name}.dir").rglob("*.o"))
    flags = ["-std=c++20", "-O1", "-g1", "-pthread", f"-I{cpp.ROOT}"]
    own = [tree / "tests" / "cpp" / f"lib{images}.a"] if images else []
    inputs = [damaged, *objects, *own, *(tree / f"libbindrt_{library}.a" for library in libraries)]
    built = cpp.run(["c++", *flags, *map(str, inputs), "-ldl", "-o", str(program)])
    assert built.returncode == 0, built.stdout[-4000:]
    return program
