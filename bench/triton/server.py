"""NVIDIA's ``tritonserver`` without a container: the one in the wheel of ``nvidia-pytriton``.

It is that of this environment, or of the one whose Python ``BINDRT_TRITON_PYTHON`` names, in which bindrt
must be installed too. Where there is none, :mod:`bench.triton.packages` brings it into the build folder.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from bench.triton.packages import PYTHON, install

HOST = "127.0.0.1"
#: Run by that Python: where things are, as JSON.
_LOOK = """
import importlib.util, json, os, sys, sysconfig
from importlib.metadata import version
spec = importlib.util.find_spec("pytriton")
print(json.dumps({
    "folder": os.path.join(spec.submodule_search_locations[0], "tritonserver") if spec else "",
    "python": "%d.%d" % sys.version_info[:2],
    "libpython": sysconfig.get_config_var("LIBDIR") or "",
    "numpy": version("numpy"),
}))
"""


@dataclass(frozen=True)
class Home:
    """A server that is installed.

    Attributes:
        folder: where the wheel has it.
        stub: the program that runs Python models.
        libpython: the folder of Python's library.
        bin: the folder of the environment's programs.
    """

    folder: Path
    stub: Path
    libpython: str
    bin: Path


@dataclass(frozen=True)
class Triton:
    """A server that is ready."""

    port: int
    grpc_port: int
    pid: int


@lru_cache(maxsize=1)
def home() -> Home | str:
    """The server, which is downloaded once where it is not installed; or why there is none."""
    named = os.environ.get("BINDRT_TRITON_PYTHON")
    found = _home(named or sys.executable)
    if named or isinstance(found, Home):
        return found
    return install() or _home(str(PYTHON))


def _home(python: str) -> Home | str:
    """The server that this Python finds, or why it finds none."""
    done = subprocess.run([python, "-c", _LOOK], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if not found["folder"]:
        return f"nvidia-pytriton is not installed for {python}"
    if int(found["numpy"].split(".")[0]) > 1:
        return (
            f"the wheel's Python backend cannot read arrays of NumPy {found['numpy']}: pip install 'numpy<2'"
        )
    folder = Path(found["folder"])
    stub = folder / "python_backend_stubs" / found["python"] / "triton_python_backend_stub"
    if not stub.is_file():
        return f"nvidia-pytriton has no Python backend for Python {found['python']}"
    return Home(folder, stub, found["libpython"], Path(python).absolute().parent)


@contextmanager
def serving(repository: Path, patience: float = 60) -> Iterator[Triton]:
    """Runs the server on free ports until the block ends.

    Raises:
        RuntimeError: it is not installed, or it ends before it is ready; with the end of its log.
    """
    found = home()
    if isinstance(found, str):
        raise RuntimeError(found)
    with ExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        backends = _backends(found, work / "backends")
        http, grpc, metrics = _free_ports(3)
        log = stack.enter_context(open(work / "log", "w+b"))
        child = subprocess.Popen(
            [
                str(found.folder / "bin" / "tritonserver"),
                f"--model-repository={repository}",
                f"--backend-directory={backends}",
                f"--backend-config=python,shm-region-prefix-name=bindrt{http}",
                "--exit-timeout-secs=10",
                *(f"--{kind}-address={HOST}" for kind in ("http", "grpc", "metrics")),
                f"--http-port={http}",
                f"--grpc-port={grpc}",
                f"--metrics-port={metrics}",
            ],
            env=_environment(found),
            stdout=log,
            stderr=log,
        )
        try:
            end = time.monotonic() + patience
            while not _is_ready(http):
                if child.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    text = log.read().decode(errors="replace")
                    raise RuntimeError(f"tritonserver did not start:\n{text[-4000:]}")
                time.sleep(0.1)
            yield Triton(http, grpc, child.pid)
        finally:
            child.terminate()
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def _backends(found: Home, target: Path) -> Path:
    """The Python backend with the program for this Python beside it, where it looks for it."""
    shutil.copytree(found.folder / "backends", target, symlinks=True)
    shutil.copy(found.stub, target / "python" / "triton_python_backend_stub")
    return target


def _environment(found: Home) -> dict[str, str]:
    """The environment's Python runs the models, and finds the libraries that came with the wheel."""
    with_the_wheel = found.folder.parent.parent / "nvidia_pytriton.libs"
    libraries = [str(with_the_wheel), found.libpython, os.environ.get("LD_LIBRARY_PATH", "")]
    return {
        **os.environ,
        "LD_LIBRARY_PATH": os.pathsep.join(filter(None, libraries)),
        "PATH": os.pathsep.join([str(found.bin), os.environ.get("PATH", "")]),
    }


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/v2/health/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets: list[Any] = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((HOST, 0))
        return [each.getsockname()[1] for each in sockets]
