"""A benchmark's result as tables for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bindrt.benchmark.comparison import BINDRT
from bindrt.benchmark.plots import label
from bindrt.benchmark.timing import duration


def tables(result: Mapping[str, Any]) -> Iterator[Table]:
    """A table for each scenario that was run."""
    compared = len(result["sides"]) > 1
    if result["single"]:
        yield single_table(result["single"], compared)
    if result["offline"]:
        yield offline_table(result["offline"], compared)
    if result["server"]:
        yield server_table(result["server"], compared)


def single_table(entries: Sequence[Mapping[str, Any]], compared: bool) -> Table:
    table = new_table("Latency, one request after the other", compared)
    # Beside others there is less room; the JSON has them all.
    tail = ("p99", "max") if compared else ("p90", "p99", "p99.9", "max")
    for name in ("n", "p50", "spread", *tail):
        table.add_column(name, justify="right", no_wrap=True)
    for e in entries:
        found, spread = e["all"], e["p50"]
        cells = [
            str(found["count"]), seconds(found["p50"]), spread_of(spread),
            *(seconds(found[name]) for name in tail),
        ]  # fmt: skip
        table.add_row(*first_cells(e, e["modality"], compared), *cells)
    return table


def offline_table(entries: Sequence[Mapping[str, Any]], compared: bool) -> Table:
    table = new_table("Throughput, many requests in work", compared)
    swept = any(e.get("swept") for e in entries)
    for name in ("batch", "wait") if swept else ():
        table.add_column(name, justify="right", no_wrap=True)
    for name in ("items/s", "spread"):
        table.add_column(name, justify="right", no_wrap=True)
    for e in entries:
        found = e["items_per_second"]
        options = (
            [cell(e.get("batch")), f"{e['wait']} µs" if e.get("wait") is not None else "–"] if swept else []
        )
        table.add_row(
            *first_cells(e, e["modality"], compared), *options, f"{found['median']:.4g}",
            spread_of(found),
        )  # fmt: skip
    return table


def server_table(entries: Sequence[Mapping[str, Any]], compared: bool) -> Table:
    table = new_table("Server: the highest rate of Poisson arrivals that holds the bound", compared)
    for name in ("bound on p99", "rate", "not held", "p50", "p99"):
        table.add_column(name, justify="right", no_wrap=True)
    for e in entries:
        common = [seconds(e["bound"]), per_second(e["rate"]) or "none held", per_second(e["not_held"]) or "–"]
        for i, (modality, found) in enumerate(e["latencies"].items()):
            first = (
                first_cells(e, modality, compared)
                if i == 0
                else [f"mixed: {modality}", *([""] * 2 * compared)]
            )
            cells = common if i == 0 else [""] * 3
            table.add_row(*first, *cells, seconds(found["p50"]), seconds(found["p99"]))
    return table


def new_table(title: str, compared: bool) -> Table:
    table = titled_table(title, box=SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    if compared:
        table.add_column("side", no_wrap=True)
        table.add_column("bindrt", justify="right", no_wrap=True)  # how many times as fast it is
    return table


def titled_table(title: str, **options: Any) -> Table:
    """A table whose title is bold and on the left; ``options`` are those of rich's ``Table``."""
    return Table(title=title, title_justify="left", title_style="bold", **options)


def first_cells(entry: Mapping[str, Any], modality: str, compared: bool) -> list[str]:
    name = label(entry["case"], modality, BINDRT)
    if not compared:
        return [name]
    faster = entry.get("bindrt_faster")
    times = faster["median"] if isinstance(faster, Mapping) else faster
    text = "" if times is None else f"{times:.2f}×"
    return [name, entry["side"], text]


def spread_of(found: Mapping[str, Any]) -> str:
    """Half the distance from the lowest run to the highest, as a share of the median."""
    return f"±{(found['high'] - found['low']) / 2 / found['median']:.0%}"


def seconds(value: float | None) -> str:
    return "–" if value is None else duration(value)


def per_second(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}/s"


def cell(value: int | None) -> str:
    return "–" if value is None else str(value)
