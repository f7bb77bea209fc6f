"""Building and running the programs of tests/cudasim: CUDA kernels on the CPU (tests/cudasim/README.md)."""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

from . import cpp, cudasim_faults
from .cudasim_fault_list import FAULTS

FOLDER = cpp.ROOT / "tests" / "cudasim"
PROGRAMS = sorted(
    path.stem
    for folder, pattern in ((FOLDER, "test_*.cpp"), (cpp.ROOT / "tests" / "kernels", "*/test_*_cuda.cpp"))
    for path in folder.glob(pattern)
)
SANITIZERS = {"address": "address,undefined", "plain": "", "race": ""}

# What every program must pass. One order proves nothing: a reduction without its barrier can be right in it.
RUNS = (
    ("address", "order=forward"),
    ("race", "order=forward"),
    ("race", "order=random,seed=1,switch=5"),
    ("plain", "order=forward,poison=0xff"),
    ("plain", "order=reverse,poison=0x5a"),
    ("plain", "order=random,seed=1"),
)


@functools.cache
def build(kind: str) -> Path:
    """Build all programs of a kind, once a process; the folder they are in."""
    kinds = tuple(name for name, sanitizers in SANITIZERS.items() if sanitizers == SANITIZERS[kind])
    cudasim_faults.plant(cpp.tree(SANITIZERS[kind]), kinds, FAULTS)
    return cpp.build(SANITIZERS[kind], "cudasim") / "tests" / "cudasim" / kind


@functools.cache
def driver(kind: str) -> Path:
    """Build the simulated driver of a kind, once a process; the folder of it and its test program."""
    return cpp.build(SANITIZERS[kind], "cudasim_driver") / "tests" / "cudasim" / "driver" / kind


def problems(kind: str, program: str, options: str, cwd: Path) -> str:
    """Run a program of a kind. Empty if its checks passed and nothing was reported, else its output."""
    done = cpp.run([str(build(kind) / program)], cwd=cwd, env={"BINDRT_CUDASIM": options})
    good = done.returncode == 0 and " checks, 0 failed" in done.stdout and not done.stdout.startswith("0 ")
    noise = any(word in done.stdout for word in ("Sanitizer", "runtime error", "cudasim:"))
    return "" if good and not noise else done.stdout or f"exit status {done.returncode}"


@functools.cache
def library() -> ctypes.CDLL:
    """The C functions of tests/cudasim/run_*.cpp. Call them through `call`."""
    loaded = ctypes.CDLL(str(build("plain").parent / "libcudasim.so"))
    loaded.cudasim_error.restype = ctypes.c_char_p
    return loaded


def call(function: str, *arguments: object) -> None:
    """Call a C function of `library` that returns 0, or else has left a message: RuntimeError."""
    if getattr(library(), function)(*arguments):
        raise RuntimeError(library().cudasim_error().decode())
