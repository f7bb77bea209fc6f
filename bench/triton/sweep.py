"""Single items with more and more under way, as NVIDIA's ``perf_analyzer`` asks, by NVIDIA's own client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.serve.percentiles import percentiles
from bench.triton import client

#: Requests that are under way at a time.
CONCURRENCIES = (1, 2, 4, 8, 16, 32, 64)


def sweep(
    address: str, modality: str, item: Path, concurrencies: Sequence[int], seconds: float
) -> list[dict[str, float]]:
    """For each concurrency: requests a second, their latencies in milliseconds, the client's share of a core.

    Args:
        address: of the server's gRPC, ``host:port``.
        item: a file with a picture, a sound or a text.
        seconds: of each measurement.
    """
    found = []
    for count in concurrencies:
        job = {"address": address, "modality": modality, "item": str(item)}
        one = client.run({**job, "concurrency": count, "seconds": seconds})
        rate = one["requests"] / one["seconds"]
        told = {"concurrency": count, "rate": rate, "client_share": one["share"]}
        found.append({**told, **percentiles(one["latencies"])})
    return found


def report(swept: Mapping[str, Any]) -> None:
    """A line for each form, modality and concurrency."""
    for name, modalities in swept.items():
        for modality, steps in modalities.items():
            for one in steps:
                print(
                    f"{name}, {modality}, {one['concurrency']} under way: {one['rate']:,.0f}/s, "
                    f"p50 {one['p50']:.1f} ms, p99 {one['p99']:.1f} ms, "
                    f"the client took {one['client_share']:.2f} of a core"
                )
