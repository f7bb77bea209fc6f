"""The C++ programs that test csrc/gpu and the pipeline on a driver, for ``make gpu-kit``.

They are linked so that the machine that runs them needs no compiler, no libstdc++ and no Python, and a C
library no newer than the wheel does. Their kernels are machine code and PTX in them, made by NVRTC.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Where bench/gpu/programs.py looks for them, in the kit too; that module says how each is run.
FOLDER = ROOT / "build" / "gpu-programs"
TREE = ROOT / "build" / "cpp-gpu-programs"
#: By target of CMake, where it is built.
TARGETS = {
    **{
        f"cudasim_plain_{name}": f"tests/cudasim/driver/plain/{name}"
        for name in ("test_gpu", "test_graphs", "test_picture_decoder", "test_film_decoder")
    },
    "stress_gpu_pipeline": "tests/cpp/stress_gpu_pipeline",
}
#: BINDRT_CUDA: what a real driver could not run is of no use there. Unused sections are left out:
#: libstdc++'s random_device is one, and would ask for glibc 2.36. A static libgcc would ask for 2.35.
OPTIONS = (
    "-DBINDRT_PYTHON=OFF", "-DBINDRT_TESTS=ON", "-DBINDRT_SANITIZE=", "-DCMAKE_BUILD_TYPE=Release",
    "-DCMAKE_EXE_LINKER_FLAGS=-static-libstdc++ -Wl,--gc-sections -s", "-DBINDRT_CUDA=on",
    f"-DPython_EXECUTABLE={sys.executable}",
)  # fmt: skip


def build_programs() -> list[Path]:
    """Build them all into build/gpu-programs; their files.

    Raises:
        SystemExit: CMake failed; it has said why.
    """
    cmake, ninja = _tool("cmake"), _tool("ninja")
    _run([cmake, "-S", str(ROOT), "-B", str(TREE), "-G", "Ninja", f"-DCMAKE_MAKE_PROGRAM={ninja}", *OPTIONS])
    _run([cmake, "--build", str(TREE), "--target", *TARGETS])
    FOLDER.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy(TREE / built, FOLDER)) for built in TARGETS.values()]


def _tool(name: str) -> str:
    """A build tool: the one of this environment, else the system's."""
    mine = Path(sys.executable).parent / name
    found = str(mine) if mine.exists() else shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{done.stdout[-8000:]}{done.stderr[-2000:]}\nfailed: {' '.join(command)}")
