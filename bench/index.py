"""What an index costs: time and memory of adding, saving, loading and searching, by how vectors are held."""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter

import numpy as np
import numpy.typing as npt

from bindrt.benchmark.machine import describe_machine
from bindrt.benchmark.results import write_json
from bindrt.index import Index
from bindrt.index.vectors import DTYPES, Dtype

SPACE = "bench"
CHUNK = 20_000
PAIRED = 20_000
MODALITIES = ("image", "audio", "text")


def made_vectors(count: int, dim: int, seed: int) -> npt.NDArray[np.float32]:
    """Vectors around 1000 centres: embeddings lie in groups."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).standard_normal((1000, dim), np.float32)
    rows = centres[rng.integers(1000, size=count)] + rng.standard_normal((count, dim), np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def seconds(work: Callable[[], object], times: int = 1) -> float:
    """The median time of some runs."""
    taken = []
    for _ in range(times):
        start = perf_counter()
        work()
        taken.append(perf_counter() - start)
    return statistics.median(taken)


def memory() -> int:
    """Bytes that this process holds by itself, without mapped files."""
    fields = dict(
        line.split(":") for line in Path("/proc/self/status").read_text().splitlines() if ":" in line
    )
    return int(fields["RssAnon"].split()[0]) * 1024


def filled(rows: int, dim: int, dtype: Dtype, approximate: bool) -> tuple[Index, float]:
    """An index, and the seconds that ``add`` took."""
    index, taken = Index(SPACE, dim, approximate, dtype=dtype), 0.0
    for start in range(0, rows, CHUNK):
        count = min(CHUNK, rows - start)
        part = made_vectors(count, dim, start + 1)
        ids = [f"photos/{n // 1000:05d}/IMG_{n:08d}.jpg" for n in range(start, start + count)]
        about = [{"year": 2000 + n % 25} for n in range(start, start + count)]
        modality = MODALITIES[start // CHUNK % len(MODALITIES)]
        taken += seconds(lambda p=part, i=ids, m=modality, a=about: index.add(p, i, m, a))  # type: ignore[misc]
    return index, taken


def measured(rows: int, dim: int, dtype: Dtype, approximate: bool, folder: Path) -> dict[str, float]:
    """Seconds of each step, bytes in memory and on disk, and how much of the ten best is found."""
    before = memory()
    index, adding = filled(rows, dim, dtype, approximate)
    found = {"add": adding, "memory": float(memory() - before)}
    path = folder / "bench.index"
    found["save"] = seconds(lambda: index.save(path))
    found["disk"] = float(sum(file.stat().st_size for file in path.iterdir()))
    del index
    found["load"] = seconds(lambda: Index.load(path))
    found["load, verify=False"] = seconds(lambda: Index.load(path, verify=False))
    before = memory()
    index = Index.load(path, verify=False)
    found["memory, loaded"] = float(memory() - before)
    queries = made_vectors(64, dim, 10**9)
    one = queries[:1]
    index.search(one)  # the file is read
    found["search"] = seconds(lambda: index.search(one), 9)
    found["search 64"] = seconds(lambda: index.search(queries), 3)
    found["modality"] = seconds(lambda: index.search(one, modality="audio"), 9)
    index.search(one, where={"year": 2010})  # metadata is parsed once
    found["where"] = seconds(lambda: index.search(one, where={"year": 2010}), 9)
    found["min_score"] = seconds(lambda: index.search(one, k=None, min_score=0.6), 3)
    names = index.ids[:100]
    index.get(names[0])  # the table of ids is made once
    found["get"] = seconds(lambda: index.get(names[1]), 9)
    found["remove 100"] = seconds(lambda: index.remove(names))
    shutil.rmtree(path)
    return found


def table(results: dict[str, dict[str, float]]) -> str:
    lines = [f"{'':<20}" + "".join(f"{name:>16}" for name in results)]
    for step in next(iter(results.values())):
        shown = [
            f"{values[step] / 2**20:.0f} MiB"
            if step.startswith(("memory", "disk"))
            else f"{values[step] * 1e3:.1f} ms"
            for values in results.values()
        ]
        lines.append(f"{step:<20}" + "".join(f"{text:>16}" for text in shown))
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench index", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dim", type=int, default=1024)
    parser.add_argument("--dtype", choices=tuple(DTYPES), action="append", help="default: all")
    parser.add_argument("--approximate", action="store_true", help="with usearch's graph")
    parser.add_argument("--folder", type=Path, help="where the index is written; default: the system's")
    parser.add_argument("--json", type=Path, metavar="OUT")
    options = parser.parse_args(arguments)
    results = {}
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        for dtype in options.dtype or DTYPES:
            results[dtype] = measured(options.rows, options.dim, dtype, options.approximate, Path(folder))
            print(table({dtype: results[dtype]}), flush=True)
    print(f"\n{options.rows} x {options.dim}, {os.cpu_count()} cores\n{table(results)}")
    print(f"peak: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GiB")
    if options.json:
        write_json(
            options.json,
            {"machine": describe_machine(), "rows": options.rows, "dim": options.dim, "results": results},
        )
    return 0
