"""A kernel's number is changed in its header: the module built from that refuses bundles made before."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import cpp

ASK = """
import bindrt
from bindrt import _core
print(_core.constants()["imu"]["rate"])
try:
    bindrt.load("tiny")
except bindrt.BundleError as error:
    print("refused:", error)
"""


@pytest.mark.deep
def test_a_changed_kernel_changes_the_space(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    for name in ("kernels", "csrc", "cmake", "tools"):
        shutil.copytree(cpp.ROOT / name, tree / name)
    shutil.copy(cpp.ROOT / "CMakeLists.txt", tree)
    header = tree / "kernels" / "imu" / "imu_params.h"
    text = header.read_text()
    assert text.count("400.0") == 1
    header.write_text(text.replace("400.0", "401.0"))
    package = cpp.build_core(tree, tmp_path, "-DBINDRT_CUDA=off")
    path = f"import sys; sys.path[:0] = {[str(package.parent), *sys.path]!r}"
    ask = subprocess.run(
        [sys.executable, "-S", "-c", path + ASK],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert ask.stdout.splitlines()[0] == "401.0", ask.stderr
    assert "refused: tiny.bind: its space" in ask.stdout
