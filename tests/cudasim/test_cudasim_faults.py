"""Faults planted in real kernels are found, by the build that is made to find them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import cpp, cudasim
from support.cudasim_fault_list import FAULTS
from support.cudasim_faults import Fault


@pytest.fixture(scope="module", autouse=True)
def _can_build(tmp_path_factory: pytest.TempPathFactory) -> None:
    if reason := cpp.missing("address,undefined", tmp_path_factory.mktemp("probe")):
        pytest.skip(reason)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_found(fault: Fault, tmp_path: Path) -> None:
    assert fault.damaged()  # the text to replace is there, once
    assert not cudasim.problems(fault.kind, fault.program, fault.options, tmp_path)
    output = cudasim.problems(fault.kind, f"fault_{fault.name}", fault.options, tmp_path)
    assert re.search(fault.report, output), output or "the damaged kernel passed"


def test_each_kind_of_fault_in_each_build() -> None:
    assert {fault.kind for fault in FAULTS} == set(cudasim.SANITIZERS)
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)
