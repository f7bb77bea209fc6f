"""How the doctor looks. Whatever is absent or broken is a finding, never a failure."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
from typing import Any

from bindrt.diagnosis.report import Part
from bindrt.diagnosis.wanted import CONFLICTS, Wanted
from bindrt.extras import absent, install, reinstall
from bindrt.hardware import NVDEC, has_nvdec
from bindrt.installed import installed_version
from bindrt.sources.handover import hand_over_ffmpeg
from bindrt.sources.opening import library


def installed(distributions: tuple[str, ...]) -> list[tuple[str, str]]:
    """Name and version of those that are installed."""
    versions = ((name, installed_version(name)) for name in distributions)
    return [(name, version) for name, version in versions if version]


def look(wanted: Wanted) -> Part:
    """Import a library and ask it."""
    found = installed(wanted.distributions)
    version = found[0][1] if found else ""
    if not wanted.imported:
        return Part(
            wanted.name, bool(found), version, gives=wanted.gives, remedy="" if found else wanted.remedy
        )
    try:
        module = importlib.import_module(wanted.module)
    except Exception as error:
        if not found:
            return Part(wanted.name, False, gives=wanted.gives, remedy=wanted.remedy)
        broken = f"{version} is installed but does not load: {type(error).__name__}: {error}"
        return Part(wanted.name, False, version, broken, wanted.gives, wanted.remedy)
    try:
        detail = wanted.detail(module)
    except Exception as error:
        detail = f"loads, but does not answer: {error}"
    return Part(wanted.name, True, version or str(getattr(module, "__version__", "")), detail, wanted.gives)


def look_for_export() -> Part:
    """Whether ``bind-export`` can run; torch is not imported for it."""
    gives = "bind-export: bundles from checkpoints"
    if missing := absent("export"):
        detail = f"{', '.join(missing)} not installed"
        return Part("export", False, detail=detail, gives=gives, remedy=install("export"))
    return Part("export", True, installed(("torch",))[0][1], "the version of torch", gives)


def look_for_nvcc() -> Part:
    gives = "a second compiler for the GPU kernels, for developers of bindrt"
    home = os.environ.get("CUDA_HOME") or os.environ.get("CUDA_PATH") or "/usr/local/cuda"
    path = shutil.which("nvcc") or shutil.which("nvcc", path=os.path.join(home, "bin"))
    if path is None:
        return Part("nvcc", False, gives=gives, remedy="install NVIDIA's CUDA toolkit")
    try:
        said = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError) as error:
        return Part("nvcc", False, detail=f"{path} does not run: {error}", gives=gives)
    version = said.partition("release ")[2].partition(",")[0]
    return Part("nvcc", True, version, path, gives)


def look_for_nvrtc() -> Part:
    found = installed(("nvidia-cuda-nvrtc-cu12", "nvidia-cuda-nvrtc", "nvidia-cuda-nvrtc-cu13"))
    gives = "the compiler of the GPU kernels, for building bindrt; not needed to run"
    if not found:
        return Part("NVRTC", False, gives=gives)
    return Part("NVRTC", True, found[0][1], found[0][0], gives)


def look_for_nvdec() -> Part:
    """What decodes videos on an NVIDIA GPU: a library of the driver, and an FFmpeg that calls it."""
    gives = "large videos decoded on the GPU"
    try:
        library("av")
        devices = importlib.import_module("av.codec.hwaccel").hwdevices_available()
    except Exception as error:  # as for each library: whatever it is stands in the report
        return Part("NVDEC", False, detail=f"PyAV does not say: {error}", gives=gives)
    if "cuda" not in devices:
        detail = "PyAV's FFmpeg was built without it"
        return Part("NVDEC", False, detail=detail, gives=gives, remedy="use PyAV's own wheel")
    if not hand_over_ffmpeg():
        detail = "PyAV's FFmpeg is of a version that bindrt does not know"
        return Part("NVDEC", False, detail=detail, gives=gives, remedy="use PyAV 16 to 19")
    if not has_nvdec():
        remedy = "install NVIDIA's driver; in a container, with the capability 'video'"
        return Part("NVDEC", False, detail=f"no {NVDEC} here", gives=gives, remedy=remedy)
    return Part("NVDEC", True, detail=NVDEC, gives=gives)


def look_at_core() -> tuple[dict[str, Any], str]:
    """How the compiled module was built, or why it does not load."""
    try:
        return dict(importlib.import_module("bindrt._core").build_info()), ""
    except Exception as error:
        return {}, f"bindrt._core does not load: {error}; {reinstall()}"


def conflicts() -> list[str]:
    """Installed distributions that exclude each other."""
    found = []
    for names, why in CONFLICTS:
        both = [name for name, _ in installed(names)]
        if len(both) > 1:
            found.append(f"{' and '.join(both)} are both installed; {why}")
    return found
