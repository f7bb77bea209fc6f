"""Building the benches that are C++ programs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from bench.paths import ROOT

TREE = ROOT / "build" / "bench-cpp"
#: Where the programs lie.
BUILT = TREE / "tests" / "cpp"


def build(*targets: str) -> None:
    """Compile targets of tests/cpp/CMakeLists.txt, optimised."""
    tool = Path(sys.executable).parent / "cmake"
    cmake = str(tool) if tool.exists() else "cmake"
    options = ["-DBINDRT_PYTHON=OFF", "-DBINDRT_TESTS=ON", "-DCMAKE_BUILD_TYPE=Release"]
    for command in (
        [cmake, "-S", str(ROOT), "-B", str(TREE), *options],
        [cmake, "--build", str(TREE), "--target", *targets],
    ):
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
