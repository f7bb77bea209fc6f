"""Virtual environments for the libraries we compare with, and which library runs in which."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import venv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.paths import BUILD

_AVX2 = {"CC": "cc -mavx2"} if platform.machine() in ("x86_64", "AMD64") else {}


@dataclass(frozen=True)
class Environment:
    """Packages that can be installed together; ``build`` are environment variables for compiling them."""

    name: str
    packages: tuple[str, ...]
    options: tuple[str, ...] = ()
    build: dict[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return BUILD / f"peers-{self.name}"

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def wanted(self) -> str:
        return "\n".join((*self.packages, *self.options, *self.build.values(), ""))

    @property
    def ready(self) -> bool:
        stamp = self.folder / "installed.txt"
        return stamp.is_file() and stamp.read_text(encoding="utf-8") == self.wanted


TORCH = Environment(
    "torch",  # 7 GB on x86-64, where torch's wheels bring CUDA
    (
        "torch==2.9.1",
        "torchvision==0.24.1",
        "torchaudio==2.9.1",
        "decord==0.6.0; platform_machine == 'x86_64'",
        "torchcodec==0.9.1",
        "soundfile==0.14.0",
        "pillow==13.0.0",
        "av==18.1.0",
    ),
)
LIGHT = Environment(
    "light",
    (
        "numpy",
        "hf-processors-rs==0.1.0",
        "opencv-python-headless==5.0.0.93",
        "soxr==1.1.0",
        "kaldi-native-fbank==1.23.0",
    ),
)
# Same import name as Pillow, so alone. Compiled for AVX2, as its authors advise; needs libjpeg's headers.
SIMD = Environment(
    "simd",
    ("numpy", "pillow-simd==12.1.1.post0"),
    ("--no-binary=pillow-simd", "--no-cache-dir"),
    _AVX2,
)
ENVIRONMENTS = (TORCH, LIGHT, SIMD)


@dataclass(frozen=True)
class Library:
    """A worker of the bench: a module of ``libraries`` in an environment (None: this one)."""

    name: str
    environment: Environment | None
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def module(self) -> str:
        return f"bench.kernels.libraries.{self.name}"

    @property
    def python(self) -> Path:
        return Path(sys.executable) if self.environment is None else self.environment.python

    @property
    def variables(self) -> dict[str, str]:
        """Environment variables that its process needs."""
        return {"LD_LIBRARY_PATH": str(_ffmpeg_names(TORCH))} if self.name == "torchcodec_peer" else {}


LIBRARIES = (
    Library("ours", None),
    Library("original", TORCH),
    Library("torchvision_peer", TORCH),
    Library("torchcodec_peer", TORCH),
    Library("hf_peer", LIGHT),
    Library("opencv_peer", LIGHT),
    Library("sound_peers", LIGHT),
    Library("pillow_simd_peer", SIMD),
    Library("limits", None),
)


def levels_of_ours(levels: tuple[str, ...]) -> tuple[Library, ...]:
    """bindrt once more for each of these instruction-set levels."""
    return tuple(Library("ours", None, {"level": level}) for level in levels)


def install(environment: Environment, say: Callable[[str], None]) -> str:
    """Makes the environment unless it is there; returns what went wrong, empty if nothing."""
    if environment.ready:
        return ""
    say(f"installing {', '.join(environment.packages)}")
    venv.create(environment.folder, with_pip=True, clear=True)
    command = [str(environment.python), "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    done = subprocess.run(
        [*command, *environment.options, *environment.packages],
        env={**os.environ, **environment.build},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        errors = [line for line in done.stdout.splitlines() if "error" in line.lower()]
        return (errors or ["pip failed"])[-1].strip()[:200]
    (environment.folder / "installed.txt").write_text(environment.wanted, encoding="utf-8")
    return ""


def _ffmpeg_names(environment: Environment) -> Path:
    """A folder that gives the FFmpeg libraries inside PyAV's wheel their usual names.

    torchcodec brings no FFmpeg and looks for the system's, which a machine need not have.
    """
    folder = environment.folder / "ffmpeg"
    folder.mkdir(exist_ok=True)
    for library in environment.folder.glob("lib/python*/site-packages/av.libs/*"):
        usual = re.match(r"(lib\w+)-[0-9a-f]{8}(\.so\.\d+)", library.name)
        for name in {library.name, usual[1] + usual[2] if usual else library.name}:
            link = folder / name
            if not link.is_symlink():
                link.symlink_to(library)
    return folder
