"""Rows into vector stores by ``bind-embed --index URL``'s way, beside a call of the store's library a row."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

#: What runs in a folder or on this machine; each by the fixture that the tests have of it.
KINDS = ("qdrant", "milvus", "lancedb", "postgresql")


def measure(rows: int, plain_rows: int, dim: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Rows a second and memory of both ways, in turns, each in a process and a store of its own.

    Args:
        plain_rows: of the plain way, which is slow: its rate is compared.
    """
    sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
    from support.stores import STORES

    found: dict[str, Any] = {}
    for kind in KINDS:
        runs: dict[str, list[dict[str, float]]] = {"bulk": [], "plain": []}
        for turn in range(rounds):
            for way, count in (("bulk", rows), ("plain", plain_rows)):
                here = folder / f"{kind}-{way}-{turn}"
                here.mkdir()
                try:
                    with STORES[kind](here) as store:
                        runs[way].append(_run(way, store.url, count, dim))
                except pytest.skip.Exception as why:
                    print(f"{kind}: left out: {why}", flush=True)
        if all(runs.values()):
            found[kind] = {way: _median(of) for way, of in runs.items()}
            found[kind]["ratio"] = _rate(found[kind]["bulk"]) / _rate(found[kind]["plain"])
    return {"dim": dim, "rounds": rounds, "stores": found}


def _run(way: str, url: str, rows: int, dim: int) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.scale.store_job", way, url, str(rows), str(dim)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-3000:]}")
    said: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    print(f"{url.split(':')[0]} {way}: {said['rows']} rows in {said['seconds']:.1f} s", flush=True)
    return said


def _median(runs: list[dict[str, float]]) -> dict[str, float]:
    found = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    return {**found, "rows_per_second": found["rows"] / found["seconds"]}


def _rate(way: dict[str, float]) -> float:
    return way["rows_per_second"]
