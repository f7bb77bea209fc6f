"""Very many pictures in one job, some of them damaged: it ends, lists them, and its memory stays flat."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.scale.jobs import run
from bindrt.benchmark.made_inputs import image

#: So many pictures differ; the others are links to them, since a file system has a limit of links to a file.
DIFFERENT = 32
#: One of so many is damaged.
DAMAGED = 100


def make(folder: Path, count: int) -> set[str]:
    """Writes the pictures; those that are damaged."""
    folder.mkdir()
    for number in range(DIFFERENT):
        image(folder / f"{number:06d}.jpg", number)
    data = (folder / "000000.jpg").read_bytes()
    damaged: set[str] = set()
    for number in range(DIFFERENT, count):
        path = folder / f"{number:06d}.jpg"
        if number % DAMAGED:
            os.link(folder / f"{number % DIFFERENT:06d}.jpg", path)
        else:  # cut in its headers, elsewhere a letter, or empty
            path.write_bytes((data[:200], b"This is no picture.\n", b"")[number // DAMAGED % 3])
            damaged.add(str(path))
    return damaged


def measure(bundle: str, count: int, folder: Path) -> dict[str, Any]:
    """One job; memory by quarter of its time.

    Raises:
        SystemExit: rows are missing, or the errors are not those of the damaged pictures.
    """
    damaged = make(folder / "pictures", count)
    print(f"pictures: {count} are made, {len(damaged)} of them damaged", flush=True)
    options = ["--on-error", "skip", "--json", "-o"]
    command = [sys.executable, "-m", "bindrt", "embed", bundle, str(folder / "pictures"), *options]
    done = run("pictures", command, folder / "out")
    rows = 0
    told: set[str] = set()
    for path in (folder / "out").glob("*.parquet"):
        table = pq.read_table(path, columns=["source", "error"])
        rows += len(table)
        told.update(
            source
            for source, error in zip(*(column.to_pylist() for column in table.columns), strict=True)
            if error is not None
        )
    if rows != count or told != damaged:
        raise SystemExit(f"pictures: {rows} rows of {count}, {len(told)} errors for {len(damaged)} damaged")
    return {
        "pictures": count,
        "damaged": len(damaged),
        "errors": len(told),
        "seconds": done.seconds,
        "items_per_second": count / done.seconds,
        "cores_busy": done.cores,
        "memory_by_quarter": done.memory_by_quarter(),
    }
