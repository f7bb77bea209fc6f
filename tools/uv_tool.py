"""Shared by the two lock tools: the environments of the lock, and how to run uv."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Environment:
    """One of the machines that the lock serves."""

    python: str
    machine: str

    def __str__(self) -> str:
        return f"Python {self.python} on {self.machine}"

    @property
    def platform(self) -> str:
        """uv's name; glibc 2.28 is the oldest for which onnxruntime and pyarrow build wheels."""
        return f"{self.machine}-manylinux_2_28"

    @property
    def markers(self) -> dict[str, str]:
        """The marker environment of PEP 508."""
        return {
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "platform_machine": self.machine,
            "platform_system": "Linux",
            "sys_platform": "linux",
            "os_name": "posix",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }


GRID = tuple(
    Environment(python, machine)
    for python in ("3.10", "3.11", "3.12", "3.13", "3.14")
    for machine in ("x86_64", "aarch64")
)


def run_uv(arguments: list[str], stdin: str | None = None) -> str:
    """Run uv in the repository root and return its output; CalledProcessError carries its message."""
    uv = Path(sys.executable).parent / "uv"
    command = [str(uv) if uv.exists() else "uv", *arguments]
    # A company's proxy signs with its own certificate, which is in the system's store.
    # Resolving for another Python needs its tags, not the interpreter.
    own = {"UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never", "NO_COLOR": "1"}
    environment = {**own, **os.environ}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, input=stdin or "", capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
    return done.stdout
