"""``kill -9`` of an actor every some seconds, beside the same job undisturbed."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from bench.scale.files import make
from bench.scale.jobs import family, run
from bench.scale.ways import on_ray


class Killer:
    """Kills one actor each ``seconds``, in turns.

    Attributes:
        kills: so far.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next: float | None = None
        self.kills = 0

    def __call__(self, process: psutil.Process) -> None:
        now = time.monotonic()
        found = actors(process)
        if not found:
            return
        if self._next is None:  # the actors are there
            self._next = now + self._seconds
        elif now >= self._next:
            try:
                found[self.kills % len(found)].kill()
            except psutil.Error:
                return  # it has just ended by itself
            self.kills += 1
            self._next = now + self._seconds


def actors(process: psutil.Process) -> list[psutil.Process]:
    """The processes below ``process`` that embed for Ray."""
    return [one for one in family(process) if "RayWorker" in _title(one)]


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def measure(bundle: str, rows: int, seconds: float, folder: Path) -> dict[str, Any]:
    """Both jobs, and whether their rows are the same.

    Raises:
        SystemExit: no actor was killed, or a row is lost, doubled or another one.
    """
    table = make(folder, rows)
    command = on_ray(bundle, table, 2, 1)
    calm = run("undisturbed", command, folder / "undisturbed")
    print(f"undisturbed: {rows} rows in {calm.seconds:.1f} s", flush=True)
    killer = Killer(seconds)
    disturbed = run("killed", command, folder / "killed", killer)
    print(f"killed: {rows} rows in {disturbed.seconds:.1f} s, {killer.kills} kills", flush=True)
    if not killer.kills:
        raise SystemExit("kill: the job has ended before any kill; give more --kill-rows")
    one, other = (_rows(folder / name) for name in ("undisturbed", "killed"))
    if len(one) != rows:
        raise SystemExit(f"kill: {len(one)} rows of {rows}")
    return {
        "rows": rows,
        "seconds": {"undisturbed": calm.seconds, "killed": disturbed.seconds},
        "kills": killer.kills,
        "between_kills": seconds,
        "largest_difference": require_equal(one, other),
    }


def require_equal(one: pa.Table, other: pa.Table) -> float:
    """Row for row the same; the largest difference of a number of a vector, whose batches were others.

    Raises:
        SystemExit: a row differs.
    """
    vectors = [name for name in one.column_names if name.endswith("_embedding")]
    if one.drop_columns(vectors) != other.drop_columns(vectors):
        raise SystemExit("kill: the rows are others than without kills")
    differences = [0.0]
    for name in vectors:
        if one[name].is_valid() != other[name].is_valid():
            raise SystemExit(f"kill: other rows have a vector in {name} than without kills")
        differences.append(_difference(one[name], other[name]))
    if max(differences) > 1e-5:
        raise SystemExit(f"kill: vectors differ by {max(differences)}")
    return max(differences)


def _difference(one: pa.ChunkedArray, other: pa.ChunkedArray) -> float:
    first, second = (np.concatenate([*_numbers(column.chunks), np.zeros(0)]) for column in (one, other))
    return float(np.abs(first - second).max(initial=0))


def _numbers(chunks: Iterable[pa.Array]) -> list[np.ndarray]:
    return [chunk.flatten().to_numpy() for chunk in chunks]  # flatten leaves null rows out


def _rows(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("part-*.parquet"))])
