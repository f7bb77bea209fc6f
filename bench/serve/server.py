"""``bind-serve`` as a process, and the load generator beside it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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

    def workers(self) -> list[psutil.Process]:
        """Its workers, those that run longest first."""
        found = []
        for each in self.process.children():
            with suppress(psutil.Error):
                if any("spawn_main" in word for word in each.cmdline()):
                    found.append(each)
        return sorted(found, key=psutil.Process.create_time)

    def cpu_seconds(self) -> float:
        """Processor time of all its processes so far."""
        times = [each.cpu_times() for each in (self.process, *self.process.children(recursive=True))]
        return sum(t.user + t.system for t in times)


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as free:
        free.bind((HOST, 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(bundle: str, options: Sequence[str]) -> Iterator[Server]:
    """Runs ``bind-serve`` on a free port until the block ends."""
    port = free_port()
    words = [sys.executable, "-m", "bindrt", "serve", bundle, "--host", HOST, "--port", str(port), *options]
    with running(words, port, "/ready") as server:
        yield server


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    ready: str,
    env: Mapping[str, str] | None = None,
    patience: float = 120,
) -> Iterator[Server]:
    """Runs a server until the block ends.

    Args:
        ready: the path that answers 200 once it is.
        env: environment variables beside those of this process.
    """
    with tempfile.TemporaryFile() as log:
        child = subprocess.Popen(command, stdout=log, stderr=log, env={**os.environ, **(env or {})})
        try:
            end = time.monotonic() + patience
            while not is_ready(port, ready):
                if child.poll() is not None or time.monotonic() > end:
                    log.seek(0)
                    said = log.read().decode(errors="replace")[-2000:]
                    raise SystemExit(f"{command[0]} did not start:\n{said}")
                time.sleep(0.1)
            yield Server(port, psutil.Process(child.pid))
        finally:
            child.terminate()
            child.wait(60)


def is_ready(port: int, path: str = "/ready") -> bool:
    """Whether a server says that it can answer."""
    try:
        with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=5) as answer:
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
