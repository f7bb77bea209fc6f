"""The ways to embed a table of mixed files, in turns: plain ``bind-embed``, Ray, Daft, and without bindrt."""

from __future__ import annotations

import importlib.util
import statistics
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from bench.scale.files import SHARES, make
from bench.scale.jobs import Run, run

COLUMNS = [word for name in SHARES for word in ("--column", f"{name}={name}")]
#: Inputs of a file: few enough that all actors have work until the end.
BLOCK = 128


@dataclass(frozen=True)
class Way:
    """A way to embed.

    Attributes:
        command: its command line; the output is its last argument.
        models: how many of them compute.
    """

    command: list[str]
    models: int = 1


def plain(bundle: str, table: Path) -> list[str]:
    """``bind-embed`` for the table of :mod:`bench.scale.files`."""
    options = ["--on-error", "skip", "--json", "--block", str(BLOCK)]
    return [sys.executable, "-m", "bindrt", "embed", bundle, str(table), *COLUMNS, *options]


def on_ray(bundle: str, table: Path, actors: int, cpus: int) -> list[str]:
    cluster = ["--cluster", "ray", "--actors", str(actors), "--cpus", str(cpus)]
    return [*plain(bundle, table), *cluster, "-o"]


def ours(bundle: str, table: Path) -> dict[str, Way]:
    """bindrt's ways; those whose tool is installed."""
    found = {"plain": Way([*plain(bundle, table), "-o"])}
    if _has("ray"):
        found["ray, 1 actor"] = Way(on_ray(bundle, table, 1, 2))
        found["ray, 2 actors"] = Way(on_ray(bundle, table, 2, 1), 2)
    if _has("daft"):
        found["daft"] = Way([sys.executable, "-m", "bench.scale.daft_job", bundle, str(table)])
    return found


def beside_others(bundle: str, table: Path) -> dict[str, Way]:
    """Ray and Daft with bindrt, and with torchvision, torchaudio and the eager model.

    Raises:
        SystemExit: those are not installed.
    """
    require_peers("peer")
    own = ours(bundle, table)
    found: dict[str, Way] = {}
    for tool, name in (("ray", "ray, 2 actors"), ("daft", "daft")):
        if name in own:
            found[name] = own[name]
            job = [sys.executable, "-m", "bench.scale.peer_job", tool, bundle, str(table)]
            found[f"{tool}, torchvision and eager"] = Way(job)
    return found


def require_peers(part: str) -> None:
    """Raises SystemExit unless there is what people use without bindrt."""
    if missing := [name for name in ("torch", "torchvision", "torchaudio", "decord") if not _has(name)]:
        raise SystemExit(f"--parts {part}: install {', '.join(missing)}, of releases that fit each other")


def measure(
    ways: Callable[[str, Path], Mapping[str, Way]],
    bundle: str,
    sizes: Sequence[int],
    rounds: int,
    folder: Path,
) -> dict[str, Any]:
    """Each way with two numbers of rows, in turns; rates are of the difference, without a program's start.

    Raises:
        SystemExit: a job failed, or has not a vector for each row.
    """
    runs: dict[str, dict[int, list[Run]]] = {}
    for size in sizes:
        (folder / str(size)).mkdir()
        table = make(folder / str(size), size)
        asked = ways(bundle, table)
        for turn in range(rounds):
            for number, (name, way) in enumerate(asked.items()):
                output = folder / str(size) / f"out-{number}-{turn}"
                done = run(name, way.command, output)
                require_vectors(name, output, size)
                print(f"{name}: {size} rows in {done.seconds:.1f} s", flush=True)
                runs.setdefault(name, {}).setdefault(size, []).append(done)
    return {name: _rates(of, asked[name].models) for name, of in runs.items()}


def require_vectors(name: str, output: Path, count: int) -> None:
    """Every row must have a vector."""
    vectors = 0
    for path in output.rglob("*.parquet"):
        table = pq.read_table(path)
        columns = [column for column in table.column_names if column.endswith("embedding")]
        vectors += sum(len(table) - table[column].null_count for column in columns)
    if vectors != count:
        raise SystemExit(f"{name}: {vectors} vectors of {count} rows")


def _rates(runs: Mapping[int, Sequence[Run]], models: int) -> dict[str, Any]:
    small, large = min(runs), max(runs)

    def more(of: Callable[[Run], float]) -> float:
        few, many = (statistics.median(map(of, runs[size])) for size in (small, large))
        return many - few

    seconds = more(lambda done: done.seconds)
    found: dict[str, Any] = {
        "seconds": {str(size): [round(done.seconds, 2) for done in of] for size, of in runs.items()},
        "items_per_second": (large - small) / seconds,
        "cores_busy": more(lambda done: done.cores * done.seconds) / seconds,
        "store_bytes": max(done.store for of in runs.values() for done in of),
    }
    if all("engine_seconds" in done.said for of in runs.values() for done in of):
        for stage in ("engine", "prepare"):
            key = f"{stage}_seconds"
            found[f"{stage}_share"] = more(lambda done, key=key: done.said[key]) / seconds / models  # type: ignore[misc]
    return found


def _has(module: str) -> bool:
    return importlib.util.find_spec(module) is not None
