"""The C++ tests, each under the address and undefined-behaviour and under the thread sanitizer."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import cpp

SANITIZERS = ("address,undefined", "thread")
CASES = 300


@pytest.fixture(scope="module", params=SANITIZERS)
def programs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs built under one sanitizer."""
    if reason := cpp.missing(request.param, tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)
    return cpp.build(request.param) / "tests" / "cpp"


@pytest.mark.parametrize("name", cpp.PROGRAMS)
def test_program(programs: Path, name: str, tmp_path: Path) -> None:
    cpp.require_clean(cpp.run([str(programs / name)], cwd=tmp_path))


@pytest.mark.parametrize("name", cpp.STRESS)
def test_random_cases(programs: Path, name: str, tmp_path: Path) -> None:
    """Few of those of tests/deep/test_stress.py."""
    cpp.require_clean(cpp.run([str(programs / name), str(CASES)], cwd=tmp_path), f"{CASES} cases")
