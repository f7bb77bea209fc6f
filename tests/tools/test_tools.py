"""The checks of tools/ find what they are for."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from support import cpp


@pytest.fixture(scope="module")
def tools() -> dict[str, ModuleType]:
    """The scripts as modules; they import each other as scripts beside them."""
    sys.path.insert(0, str(cpp.ROOT / "tools"))
    try:
        import check_tree
        import lock
        import uv_tool
    finally:
        sys.path.pop(0)
    return {"check_tree": check_tree, "lock": lock, "uv_tool": uv_tool}


@pytest.mark.parametrize(
    ("path", "text", "problem"),
    [
        ("runtime/bindrt/x.py", "import torch.nn as nn", "1: the runtime imports torch.nn"),
        ("runtime/bindrt/x.py", "def f():\n    from torch import nn", "2: the runtime imports torch"),
        (
            "runtime/bindrt/x.py",
            "from bindrt_export.cli import main",
            "1: the runtime imports bindrt_export.cli",
        ),
        ("runtime/bindrt/x.py", "importlib.import_module('torch')", "1: the runtime imports torch"),
        ("kernels/x.h", "#include <pybind11/pybind11.h>", "1: kernels know neither Python nor csrc"),
        ("docs/x.md", "see /ho" + "me/someone/notes", "1: /ho" + "me/someone is a path of one machine"),
        ("csrc/x.cpp", "//\n" * 401, "1: 401 lines; split it, 400 is the most"),
        ("constraints.txt", "# https://mirror.example/simple", "1: the lock names a server"),
    ],
)
def test_tree_finds(tools: dict[str, ModuleType], path: str, text: str, problem: str) -> None:
    check_tree = tools["check_tree"]
    assert list(check_tree.problems_of(check_tree.ROOT / path, text)) == [problem]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("export/bindrt_export/x.py", "import torch"),
        ("runtime/bindrt/x.py", "from . import torch_like\nimport bindrt\nname = 'torch'"),
        ("csrc/x.cpp", "#include <pybind11/pybind11.h>\n#include <vector>"),
        ("docs/x.md", "https://example.org/home/page and ./work/x and /usr/bin"),
        ("docs/x.md", "long\n" * 1000),
    ],
)
def test_tree_passes(tools: dict[str, ModuleType], path: str, text: str) -> None:
    check_tree = tools["check_tree"]
    assert list(check_tree.problems_of(check_tree.ROOT / path, text)) == []


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
def test_lock_lines_are_short(tools: dict[str, ModuleType], line: str, short: str) -> None:
    assert tools["lock"].simplify(line) == short


def test_lock_serves_ten_machines(tools: dict[str, ModuleType]) -> None:
    names = {str(environment) for environment in tools["uv_tool"].GRID}
    assert len(names) == 10
    assert "Python 3.14 on aarch64" in names


def test_the_lock_pins_torch_but_no_cuda_package() -> None:
    lines = (cpp.ROOT / "constraints.txt").read_text().splitlines()
    assert "torch==2.13.0" in lines
    assert not [line for line in lines if line.startswith(("nvidia", "cuda", "triton", "tensorrt"))]
