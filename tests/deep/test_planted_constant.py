"""A kernel's number is changed in its header: the module built from that refuses bundles made before."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pybind11
import pytest

import bindrt
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
    build = tmp_path / "build"
    options = ["-DBINDRT_CUDA=off", "-DCMAKE_BUILD_TYPE=Release", f"-DPython_EXECUTABLE={sys.executable}"]
    options += [f"-Dpybind11_DIR={pybind11.get_cmake_dir()}", f"-DCMAKE_MAKE_PROGRAM={cpp.tool('ninja')}"]
    for command in (
        [str(cpp.tool("cmake")), "-S", str(tree), "-B", str(build), "-G", "Ninja", *options],
        [str(cpp.tool("cmake")), "--build", str(build), "--parallel", "2"],
    ):
        done = cpp.run(command)
        assert done.returncode == 0, done.stdout[-4000:]
    package = tmp_path / "path" / "bindrt"
    shutil.copytree(Path(bindrt.__file__).parent, package, ignore=shutil.ignore_patterns("_core*.so"))
    (module,) = build.glob("_core*.so")
    shutil.copy(module, package)
    path = f"import sys; sys.path[:0] = {[str(package.parent), *sys.path]!r}"
    ask = subprocess.run(
        [sys.executable, "-S", "-c", path + ASK],
        capture_output=True, text=True, timeout=120, check=True,
    )  # fmt: skip
    assert ask.stdout.splitlines()[0] == "401.0", ask.stderr
    assert "refused: tiny.bind: its space" in ask.stdout
