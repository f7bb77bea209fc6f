"""The C++ tests under the address and undefined-behaviour sanitizers, and under that of threads.

Those without threads run under the last in `make test-deep`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support import cpp

CASES = 300
ALL = [*cpp.PROGRAMS, *cpp.STRESS]
#: A sanitizer, and what is built under it at once.
ADDRESS = ("address,undefined", *ALL)
THREAD = ("thread", *cpp.THREADED)
THREAD_DEEP = ("thread", *(name for name in ALL if name not in cpp.THREADED))


@pytest.fixture(scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs built under one sanitizer."""
    sanitizer, *programs = request.param
    if reason := cpp.missing(sanitizer, tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)
    return cpp.build(sanitizer, *programs) / "tests" / "cpp"


def under_both(names: list[str]) -> Any:
    """The programs and the folders that they are in."""
    threads = [
        pytest.param(THREAD, name, id=f"thread-{name}")
        if name in cpp.THREADED
        else pytest.param(THREAD_DEEP, name, id=f"thread-{name}", marks=pytest.mark.deep)
        for name in names
    ]
    addresses = [pytest.param(ADDRESS, name, id=f"address-{name}") for name in names]
    return pytest.mark.parametrize(("folder", "name"), [*addresses, *threads], indirect=["folder"])


@under_both(cpp.PROGRAMS)
def test_program(folder: Path, name: str, tmp_path: Path) -> None:
    cpp.require_clean(cpp.run([str(folder / name)], cwd=tmp_path))


@under_both(cpp.STRESS)
def test_random_cases(folder: Path, name: str, tmp_path: Path) -> None:
    """Few of those of tests/deep/test_stress.py."""
    cpp.require_clean(cpp.run([str(folder / name), str(CASES)], cwd=tmp_path), f"{CASES} cases")
