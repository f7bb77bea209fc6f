"""A job as a process of its own, watched: rows, memory and Ray's object store while it runs."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

#: Seconds between two looks at a job, and between two lines about it.
LOOK, SAY = 0.5, 10.0
SHARED = Path("/dev/shm")


@dataclass(frozen=True)
class Look:
    """What one look at a job found.

    Attributes:
        at: seconds since its start.
        rows: written so far, in whole files.
        memory: resident bytes of all its processes; what they share counts in each.
        store: bytes of the machine's shared memory, more than before; Ray's object store is there.
    """

    at: float
    rows: int
    memory: int
    store: int


@dataclass(frozen=True)
class Run:
    """A job that has ended.

    Attributes:
        seconds: wall time of the whole command, with its start.
        cores: how many of the machine's cores were busy on average, with whatever else it did.
        said: the JSON object that it printed last; empty if it printed none.
    """

    seconds: float
    cores: float
    said: dict[str, Any]
    looks: list[Look] = field(repr=False)

    @property
    def store(self) -> int:
        """The most bytes that Ray's object store held."""
        return max((look.store for look in self.looks), default=0)

    def memory_by_quarter(self) -> list[int]:
        """The most resident bytes in each quarter of the time."""
        most = [0] * 4
        for look in self.looks:
            quarter = min(int(4 * look.at / self.seconds), 3)
            most[quarter] = max(most[quarter], look.memory)
        return most


def run(
    name: str,
    command: Sequence[str],
    output: Path,
    look: Callable[[psutil.Process], None] = lambda process: None,
) -> Run:
    """Runs a job to its end, and tells how far it is.

    Args:
        name: what lines about it begin with.
        command: its command line, without the output, which is added.
        output: the folder whose Parquet files it writes.
        look: is called twice a second with the job's process.

    Raises:
        SystemExit: it failed.
    """
    rows = _Rows(output)
    looks: list[Look] = []
    busy, shared, start = _busy_seconds(), _shared(), time.perf_counter()
    said = start
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = psutil.Popen([*command, str(output)], stdout=out, stderr=err)
        while not _has_ended(process):
            now = time.perf_counter()
            looks.append(Look(now - start, rows.count(), _memory(process), _shared() - shared))
            look(process)
            if now - said >= SAY:
                said = now
                _tell(name, looks[-1])
        seconds, cores = time.perf_counter() - start, _busy_seconds() - busy
        if process.returncode:
            err.seek(0)
            raise SystemExit(
                f"{name}: {' '.join(command)} failed:\n{err.read().decode(errors='replace')[-3000:]}"
            )
        out.seek(0)
        lines = out.read().decode(errors="replace").split("\n")
    return Run(seconds, cores / seconds, _last_object(lines), looks)


class _Rows:
    """Rows in the Parquet files of a folder; a file that is whole is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, int] = {}

    def count(self) -> int:
        for path in self._folder.rglob("*.parquet"):
            if path not in self._known and not path.name.startswith("."):
                try:
                    self._known[path] = pq.read_metadata(path).num_rows
                except (OSError, ValueError):  # it is being written
                    continue
        return sum(self._known.values())


def _has_ended(process: psutil.Popen) -> bool:
    try:
        process.wait(timeout=LOOK)
    except psutil.TimeoutExpired:
        return False
    return True


def _memory(process: psutil.Process) -> int:
    """Resident bytes of a process and those below it."""
    memory = 0
    for one in family(process):
        try:
            memory += one.memory_info().rss
        except psutil.Error:
            continue
    return memory


def _shared() -> int:
    """Bytes in the machine's shared memory, where Ray has its object store; it keeps what it had once."""
    return psutil.disk_usage(str(SHARED)).used if SHARED.is_dir() else 0


def family(process: psutil.Process) -> list[psutil.Process]:
    """A process and all below it."""
    try:
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _busy_seconds() -> float:
    """Seconds that all cores of the machine have computed."""
    times = psutil.cpu_times()
    return float(times.user + times.nice + times.system)


def _last_object(lines: list[str]) -> dict[str, Any]:
    for line in reversed(lines):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    return {}


def _tell(name: str, look: Look) -> None:
    print(f"  {name}: {look.at:.0f} s, {look.rows} rows, {look.memory / 2**20:.0f} MiB", flush=True)
