"""The C++ tests, each under the address and undefined-behaviour and under the thread sanitizer."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import cpp

SANITIZERS = ("address,undefined", "thread")
PROGRAMS = sorted(path.stem for path in (cpp.ROOT / "tests" / "cpp").glob("test_*.cpp"))


@pytest.fixture(scope="module", params=SANITIZERS)
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs built under one sanitizer."""
    if reason := cpp.missing(request.param, tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)
    return cpp.build(request.param) / "tests" / "cpp"


@pytest.mark.parametrize("name", PROGRAMS)
def test_program(programs: Path, name: str, tmp_path: Path) -> None:
    done = cpp.run([str(programs / name)], cwd=tmp_path)
    assert re.search(r"^[1-9]\d* checks, 0 failed$", done.stdout, re.MULTILINE), done.stdout
    assert "Sanitizer" not in done.stdout, done.stdout
    assert "runtime error" not in done.stdout, done.stdout
    assert done.returncode == 0, done.stdout
