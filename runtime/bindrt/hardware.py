"""What this machine is: processor, memory, NVIDIA driver and GPUs. What cannot be found out stays empty."""

from __future__ import annotations

import ctypes
import os
import platform
import resource
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bindrt.cores import usable_cores

#: CUdevice_attribute numbers of the driver API.
_MAJOR, _MINOR = 75, 76
#: What cuInit says in a child of a process that had started the driver.
_NOT_INITIALIZED = 3
_FORKED = (
    "the GPU was started before this process was forked, and no driver works across a fork; start "
    "processes by multiprocessing's 'spawn', or use the GPU only after forking"
)
#: The driver's library that decodes videos.
NVDEC = "libnvcuvid.so.1"
#: What Linux calls a processor's units for products of short numbers, the fastest first; x86, then Arm.
_UNITS = {
    "bf16": ("amx_bf16", "avx512_bf16", "bf16"),
    "int8": ("amx_int8", "avx512_vnni", "avx_vnni", "i8mm", "asimddp"),
}


@dataclass(frozen=True)
class Cpu:
    """The processor.

    Attributes:
        cores: logical cores of the machine.
        usable_cores: what this process may use, see :func:`bindrt.cores.usable_cores`.
        features: instruction sets found at run time that kernels choose by.
        memory, available: bytes of the machine, or of the container if that is less; 0 if unknown.
    """

    model: str
    machine: str
    cores: int
    usable_cores: float
    features: tuple[str, ...]
    memory: int
    available: int


@dataclass(frozen=True)
class Gpu:
    """One NVIDIA device; ``capability`` is for example ``8.9``, ``memory`` in bytes."""

    name: str
    capability: str
    memory: int


@dataclass(frozen=True)
class Driver:
    """The NVIDIA driver.

    Attributes:
        present: its library was found and started.
        cuda: the newest CUDA version that it runs, for example ``13.0``; empty if unknown.
        problem: why there is no driver or no device; empty if there are devices.
        library: the file that was asked: ``libcuda.so.1``, or what ``BINDRT_LIBCUDA`` names.
        simulated: it is the simulated driver of bindrt's tests; there is no GPU.
    """

    present: bool
    cuda: str = ""
    gpus: tuple[Gpu, ...] = field(default=())
    problem: str = ""
    library: str = "libcuda.so.1"
    simulated: bool = False


def cpu(features: tuple[str, ...] = ()) -> Cpu:
    """The processor; ``features`` as the compiled module found them."""
    memory = _memory()
    limit = _number("/sys/fs/cgroup/memory.max")
    used = _number("/sys/fs/cgroup/memory.current") or 0
    total, available = memory.get("MemTotal", 0), memory.get("MemAvailable", 0)
    if limit is not None and 0 < limit < (total or limit + 1):
        total, available = int(limit), min(available, max(0, int(limit - used)))
    return Cpu(
        model=_cpu_model(),
        machine=platform.machine(),
        cores=os.cpu_count() or 1,
        usable_cores=usable_cores(),
        features=features,
        memory=total,
        available=available,
    )


def units(precision: str) -> tuple[str, ...]:
    """The processor's units for products in a precision, the fastest first, as Linux names them.

    ``bf16`` and ``int8`` have such units; for other precisions, and where nothing is known, it is empty.

    >>> units("fp32")
    ()
    """
    there: set[str] = set()
    for line in _read("/proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("flags", "Features"):  # x86; Arm
            there = set(value.split())
            break
    return tuple(unit for unit in _UNITS.get(precision, ()) if unit in there)


def peak_memory() -> int:
    """The most bytes that this process had in memory.

    The kernel's ``VmHWM`` where there is one, since ``ru_maxrss`` of a child begins with its parent's.
    """
    for line in _read("/proc/self/status").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace")
    except OSError:
        return ""


def _number(path: str) -> float | None:
    """The first number of a control file; None where there is none, or it says ``max``."""
    try:
        return float(_read(path).split()[0])
    except (ValueError, IndexError):
        return None


def _cpu_model() -> str:
    for line in _read("/proc/cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):  # x86; Arm boards
            return value.strip()
    return platform.processor() or platform.machine()


def _memory() -> dict[str, int]:
    """/proc/meminfo in bytes."""
    sizes = {}
    for line in _read("/proc/meminfo").splitlines():
        name, _, value = line.partition(":")
        digits = value.split()[:1]
        if digits and digits[0].isdigit():
            sizes[name] = int(digits[0]) * 1024
    return sizes


def nvidia_driver() -> Driver:
    """The driver, asked through its own library; works without any CUDA toolkit or package."""
    name = os.environ.get("BINDRT_LIBCUDA") or "libcuda.so.1"  # as csrc/gpu chooses
    try:
        library = ctypes.CDLL(name)
    except OSError as error:
        why = "is not installed" if name == "libcuda.so.1" else f"(BINDRT_LIBCUDA) does not open: {error}"
        return Driver(False, problem=f"{name} {why}", library=name)
    try:
        found = _ask(library)
    except (AttributeError, ValueError) as error:  # a library of that name which is not the driver
        return Driver(False, problem=f"{name} does not answer as a driver: {error}", library=name)
    return replace(found, library=name, simulated=hasattr(library, "bindrt_cudasim"))


def is_jetson() -> bool:
    """Whether this is a Jetson board: NVIDIA's Linux for them leaves a file, and the board says its name."""
    return bool(_read("/etc/nv_tegra_release")) or "Jetson" in _read("/proc/device-tree/model")


def has_nvdec() -> bool:
    """Whether the driver's library that decodes videos loads here."""
    try:
        ctypes.CDLL(NVDEC)
    except OSError:
        return False
    return True


def _ask(library: Any) -> Driver:
    number = ctypes.c_int(0)
    cuda = ""
    if library.cuDriverGetVersion(ctypes.byref(number)) == 0:
        cuda = f"{number.value // 1000}.{number.value % 1000 // 10}"
    if code := library.cuInit(0):
        hint = f"; {_FORKED}" if code == _NOT_INITIALIZED else ""
        return Driver(False, cuda, problem=f"the driver does not start: {_error(library, code)}{hint}")
    if code := library.cuDeviceGetCount(ctypes.byref(number)):
        return Driver(True, cuda, problem=f"its devices cannot be counted: {_error(library, code)}")
    gpus = tuple(_gpu(library, index) for index in range(number.value))
    return Driver(True, cuda, gpus, "" if gpus else "no device")


def _error(library: Any, code: int) -> str:
    text = ctypes.c_char_p()
    found = library.cuGetErrorName(code, ctypes.byref(text)) == 0 and text.value
    return text.value.decode() if found and text.value else f"error {code}"


def _gpu(library: Any, index: int) -> Gpu:
    device, value = ctypes.c_int(0), ctypes.c_int(0)
    library.cuDeviceGet(ctypes.byref(device), index)
    name = ctypes.create_string_buffer(256)
    library.cuDeviceGetName(name, len(name), device)
    numbers = []
    for attribute in (_MAJOR, _MINOR):
        library.cuDeviceGetAttribute(ctypes.byref(value), attribute, device)
        numbers.append(str(value.value))
    memory = ctypes.c_size_t(0)
    library.cuDeviceTotalMem_v2(ctypes.byref(memory), device)
    return Gpu(name.value.decode(errors="replace"), ".".join(numbers), memory.value)
