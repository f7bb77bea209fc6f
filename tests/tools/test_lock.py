"""The lock: its lines, its machines, and what it must not pin."""

from __future__ import annotations

import lock
import pytest
import uv_tool

from support import cpp


@pytest.mark.parametrize(
    ("line", "short"),
    [
        ("rich==15.0.0 ; python_full_version < '3.15' and sys_platform == 'linux'", "rich==15.0.0"),
        (
            "av==19.0.2 ; python_full_version >= '3.12' and python_full_version < '3.15' "
            "and sys_platform == 'linux'",
            "av==19.0.2 ; python_full_version >= '3.12'",
        ),
        (
            "tomli==2.5.0 ; python_full_version < '3.11' and sys_platform == 'linux'",
            "tomli==2.5.0 ; python_full_version < '3.11'",
        ),
    ],
)
def test_lock_lines_are_short(line: str, short: str) -> None:
    assert lock.simplify(line) == short


def test_lock_serves_ten_machines() -> None:
    names = {str(environment) for environment in uv_tool.GRID}
    assert len(names) == 10
    assert "Python 3.14 on aarch64" in names


def test_the_lock_pins_torch_but_no_cuda_package() -> None:
    lines = (cpp.ROOT / "constraints.txt").read_text().splitlines()
    assert "torch==2.13.0" in lines
    assert not [line for line in lines if line.startswith(("nvidia", "cuda", "triton==", "tensorrt"))]
