"""NVIDIA's run-time compiler NVRTC, through its C interface. It needs neither a GPU nor CUDA's toolkit."""

from __future__ import annotations

import ctypes
import importlib.util
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

#: Code of CUDA 12 runs on drivers of CUDA 12 and 13; that of 13 needs a newer driver.
LIBRARY = "libnvrtc.so.12"


class CompileError(Exception):
    """A source does not compile; the text is the compiler's own."""


@dataclass(frozen=True)
class Compiled:
    """The compiler's results; ``cubin`` is empty if only PTX was asked for."""

    cubin: bytes
    ptx: bytes
    log: str


@dataclass(frozen=True)
class Resources:
    """The resources of one kernel, as the assembler (or nvcc) reports them with ``-v``."""

    registers: int
    spill_stores: int
    spill_loads: int
    stack: int
    shared: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)

    @staticmethod
    def parse(log: str) -> dict[str, Resources]:
        """The resources of each kernel, by its name."""
        found = {}
        for part in log.split("Compiling entry function")[1:]:
            name = re.search(r"'(\w+)'", part)
            if name is None:
                continue
            registers, spills, shared = (
                re.search(r"Used (\d+) registers", part),
                re.search(
                    r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part
                ),
                re.search(r"(\d+) bytes smem", part),
            )
            if registers is None or spills is None:
                raise ValueError(f"unknown format of the assembler's report: {part}")
            stack, stores, loads = map(int, spills.groups())
            found[name[1]] = Resources(
                int(registers[1]), stores, loads, stack, int(shared[1]) if shared else 0
            )
        return found


class Nvrtc:
    """The library, opened."""

    def __init__(self, path: str) -> None:
        self._library: Any = ctypes.CDLL(path)
        major, minor = ctypes.c_int(), ctypes.c_int()
        self._check(self._library.nvrtcVersion(ctypes.byref(major), ctypes.byref(minor)))
        self.version = (major.value, minor.value)
        self.name = f"NVRTC {major.value}.{minor.value}"

    @classmethod
    def find(cls) -> Nvrtc | None:
        """The library of the package nvidia-cuda-nvrtc-cu12; None where that is not installed."""
        try:
            spec = importlib.util.find_spec("nvidia.cuda_nvrtc")
        except ImportError:
            return None
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            library = Path(folder) / "lib" / LIBRARY
            if library.is_file():
                return cls(str(library))
        return None

    def compile(self, text: str, name: str, options: Sequence[str]) -> Compiled:
        """Compile one source; CompileError carries the compiler's log."""
        program = ctypes.c_void_p()
        self._check(
            self._library.nvrtcCreateProgram(
                ctypes.byref(program), text.encode(), name.encode(), 0, None, None
            )
        )
        try:
            array = (ctypes.c_char_p * len(options))(*(option.encode() for option in options))
            code = self._library.nvrtcCompileProgram(program, len(options), array)
            log = self._get(program, "ProgramLog").rstrip(b"\0").decode(errors="replace")
            if code:
                raise CompileError(
                    f"{name}: {self.name} with {' '.join(options)}\n{log or self._error(code)}"
                )
            only_ptx = any(option.startswith("--gpu-architecture=compute_") for option in options)
            cubin = b"" if only_ptx else self._get(program, "CUBIN")
            return Compiled(cubin, self._get(program, "PTX"), log)
        finally:
            self._library.nvrtcDestroyProgram(ctypes.byref(program))

    def _get(self, program: ctypes.c_void_p, what: str) -> bytes:
        size = ctypes.c_size_t()
        self._check(getattr(self._library, f"nvrtcGet{what}Size")(program, ctypes.byref(size)))
        buffer = ctypes.create_string_buffer(size.value)
        self._check(getattr(self._library, f"nvrtcGet{what}")(program, buffer))
        return buffer.raw

    def _error(self, code: int) -> str:
        self._library.nvrtcGetErrorString.restype = ctypes.c_char_p
        return str(self._library.nvrtcGetErrorString(code).decode())

    def _check(self, code: int) -> None:
        if code:
            raise RuntimeError(f"NVRTC: {self._error(code)}")
