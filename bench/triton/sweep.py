"""Single items over more and more connections, as NVIDIA's ``perf_analyzer`` asks: rates and latencies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.serve.percentiles import percentiles
from bench.serve.server import Server, load

#: Connections, each with one request at a time.
CONNECTIONS = (1, 2, 4, 8, 16, 32, 64)


def sweep(
    server: Server, request: bytes, folder: Path, connections: Sequence[int], seconds: float
) -> list[dict[str, float]]:
    """For each number of connections: requests a second, p50 and p99 of their latencies in milliseconds."""
    found = []
    for count in connections:
        one = load(server, request, folder, mode="closed", connections=count, seconds=seconds)
        rate = one["requests"] / one["seconds"]
        found.append({"connections": count, "rate": rate, **percentiles(one["latencies"])})
    return found


def report(swept: Mapping[str, Any]) -> None:
    """A line for each form, modality and number of connections."""
    for name, modalities in swept.items():
        for modality, steps in modalities.items():
            for one in steps:
                print(
                    f"{name}, {modality} over {one['connections']} connections: {one['rate']:,.0f}/s, "
                    f"p50 {one['p50']:.1f} ms, p99 {one['p99']:.1f} ms"
                )
