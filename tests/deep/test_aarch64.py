"""The C++ tests on aarch64: cross-compiled, and run under QEMU where this machine is another.

On Debian: ``apt-get install g++-aarch64-linux-gnu qemu-user-static``. Without sanitizers, whose memory layout
the emulator does not have.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from support import cpp

COMPILER = "aarch64-linux-gnu-g++"
EMULATOR = next((path for n in ("qemu-aarch64-static", "qemu-aarch64") if (path := shutil.which(n))), None)
LIBRARIES = "/usr/aarch64-linux-gnu"
#: A libjpeg-turbo of the other machine; a fork among threads, at which the emulator fails by itself.
NOT_EMULATED = ("test_jpeg_abi", "test_team")
PROGRAMS = [name for name in cpp.PROGRAMS if name not in NOT_EMULATED]
CASES = 300
#: Product kernels of the native engine that the emulator's processors have.
KERNELS = {
    "cortex-a53": {"portable", "neon"},
    "cortex-a76": {"portable", "neon", "neon_dot"},
    "max": {"portable", "neon", "neon_dot", "neon_i8mm", "neon_bf16"},
}


@pytest.fixture(scope="module")
def programs() -> Path:
    """The folder of the programs."""
    cmake, ninja = cpp.tool("cmake"), cpp.tool("ninja")
    if None in (shutil.which(COMPILER), EMULATOR, cmake, ninja):
        pytest.skip(f"needs {COMPILER}, qemu-aarch64-static, cmake and ninja")
    folder = cpp.ROOT / "build" / "cpp-aarch64"
    target = ["-DCMAKE_SYSTEM_NAME=Linux", "-DCMAKE_SYSTEM_PROCESSOR=aarch64"]
    options = [f"-DCMAKE_CXX_COMPILER={COMPILER}", "-DBINDRT_PYTHON=OFF", "-DBINDRT_TESTS=ON"]
    for command in (
        [cmake, "-S", str(cpp.ROOT), "-B", str(folder), "-G", "Ninja", *target, *options],
        [cmake, "--build", str(folder), "--parallel", "2", "--target", *PROGRAMS, *cpp.STRESS],
    ):
        done = cpp.run([str(word) for word in command])
        assert done.returncode == 0, done.stdout[-8000:]
    return folder / "tests" / "cpp"


def emulated(program: Path, *arguments: str, processor: str = "max") -> list[str]:
    """The command that runs a program of this architecture."""
    return [str(EMULATOR), "-cpu", processor, "-L", LIBRARIES, str(program), *arguments]


@pytest.mark.deep
@pytest.mark.parametrize("name", PROGRAMS)
def test_program(programs: Path, name: str, tmp_path: Path) -> None:
    cpp.require_clean(cpp.run(emulated(programs / name), cwd=tmp_path))


@pytest.mark.deep
@pytest.mark.parametrize("processor", KERNELS)
def test_products_by_processor(programs: Path, processor: str, tmp_path: Path) -> None:
    """Each processor runs the kernels that it has instructions for, and no other."""
    done = cpp.run(emulated(programs / "test_products", processor=processor), cwd=tmp_path)
    cpp.require_clean(done)
    assert set(re.findall(r"^kernel (\w+),", done.stdout, re.MULTILINE)) == KERNELS[processor]


@pytest.mark.deep
@pytest.mark.parametrize("name", cpp.STRESS)
def test_random_cases(programs: Path, name: str, tmp_path: Path) -> None:
    cpp.require_clean(cpp.run(emulated(programs / name, str(CASES)), cwd=tmp_path), f"{CASES} cases")
