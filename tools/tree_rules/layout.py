"""Tests lie in the same rooms as what they test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from tree_rules.files import Problem, Tree

#: Folders of tests, and the folder whose rooms each mirrors.
MIRRORS = {
    "tests/kernels": "kernels",
    "tests/csrc": "csrc",
    "tests/runtime": "runtime/bindrt",
    "tests/export": "export/bindrt_export",
    "tests/bench": "bench",
    "tests/tools": "tools",
    "tests/examples": "examples",
    "tests/deploy": "deploy",
    "tests/docs": "docs",
}
#: Folders of what several tests share, and of tests that belong to no single room.
SHARED = {
    f"tests/{name}"
    for name in (
        "cpp",
        "cudasim",
        "deep",
        "ffmpegsim",
        "fuzz",
        "golden",
        "nvimgsim",
        "ortsim",
        "support",
        "trtsim",
    )
}


def problems(tree: Tree) -> Iterator[Problem]:
    """Tests that lie in no room, folders of tests without a room to test, and kernels without tests."""
    folders = {folder for file in tree.files for folder in file.path.parents}
    for file in tree.below("tests"):
        place = file.path.parent
        if str(place) == "tests" and file.path.name != "conftest.py":
            yield Problem(file.path, 0, "only conftest.py lies directly in tests/")
        elif (home := _mirrored(place)) is not None and home not in folders:
            yield Problem(file.path, 0, f"there is no {home} that it could test")
        elif home is None and str(place) != "tests" and not _shared(place):
            yield Problem(file.path, 0, f"name {place} in tools/tree_rules/layout.py")
    for room in sorted(folder for folder in folders if str(folder.parent) == "kernels"):
        if "tests" / room not in folders and any(
            file.path.name.endswith("_cpu.cpp") for file in tree.below(str(room))
        ):
            yield Problem(room, 0, f"has no tests in tests/{room}")


def _mirrored(place: PurePosixPath) -> PurePosixPath | None:
    """The folder that a folder of tests mirrors."""
    for tests, home in MIRRORS.items():
        if place.is_relative_to(tests):
            return PurePosixPath(home) / place.relative_to(tests)
    return None


def _shared(place: PurePosixPath) -> bool:
    return any(place.is_relative_to(shared) for shared in SHARED)
