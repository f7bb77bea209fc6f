"""``bind-serve`` as a process, and the load generator beside it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.paths import ROOT

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Server:
    """A server that is ready.

    Attributes:
        port: of HTTP.
        process: it and its workers.
    """

    port: int
    process: psutil.Process

    def cpu_seconds(self) -> float:
        """Processor time of all its processes so far."""
        times = [each.cpu_times() for each in (self.process, *self.process.children(recursive=True))]
        return sum(t.user + t.system for t in times)


@contextmanager
def serving(bundle: str, options: Sequence[str], patience: float = 120) -> Iterator[Server]:
    """Runs ``bind-serve`` on a free port until the block ends."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "bindrt", "serve", bundle, "--host", HOST, "--port", str(port), *options],
            stdout=log,
            stderr=log,
        )
        try:
            end = time.monotonic() + patience
            while not _is_ready(port):
                if child.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    raise SystemExit(
                        f"bind-serve did not start:\n{log.read().decode(errors='replace')[-2000:]}"
                    )
                time.sleep(0.1)
            yield Server(port, psutil.Process(child.pid))
        finally:
            child.terminate()
            child.wait(30)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}/ready", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def load(server: Server, request: bytes, folder: Path, **job: Any) -> dict[str, Any]:
    """What the load generator finds, with the ``share`` of all processor time that was its own."""
    path = folder / "request"
    path.write_bytes(request)
    before = server.cpu_seconds()
    done = subprocess.run(
        [sys.executable, "-m", "bench.serve.load"],
        input=json.dumps({"host": HOST, "port": server.port, "request": str(path), **job}),
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode:
        raise SystemExit(f"the load generator failed: {done.stderr[-1000:]}")
    found: dict[str, Any] = json.loads(done.stdout)
    spent = server.cpu_seconds() - before
    found["share"] = found["cpu_seconds"] / max(1e-9, found["cpu_seconds"] + spent)
    return found
