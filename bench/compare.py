"""Two results of one bench, row by row: medians, and how many times as fast the new one is.

OLD and NEW are JSON files that a bench wrote, or the folders of two trees with a ``.venv`` each. For trees
the bench named after ``--`` runs in both in turns, so that a machine that slows down slows both:

    python -m bench compare ../before . --turns 3 -- kernels --quick --no-install
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: The numbers of a result by row, and whether more is better.
Rows = dict[str, "Row"]


@dataclass
class Row:
    """One measured number, from one or several results."""

    values: list[float]
    more_is_better: bool = False

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        return f"{min(self.values):.4g}–{max(self.values):.4g}"


def rows_of(result: Mapping[str, Any]) -> Rows:
    """bindrt's numbers in a result of ``kernels``, ``engines``, ``pipeline``, ``cores`` or ``bind-bench``.

    Raises:
        ValueError: it is of another kind.
    """
    if result.get("format") == "bindrt-bench":
        return dict(bind_bench_rows(result))
    if "rounds" in result:
        return dict(pipeline_rows(result["rounds"]))
    cases = result.get("cases", [])
    if cases and "alternatives" in cases[0]:
        return dict(kernel_rows(cases))
    if cases and "ways" in cases[0] and "batch" in cases[0]:
        return dict(engine_rows(cases))
    if cases and "of_processes" in cases[0]:
        return dict(core_rows(cases))
    raise ValueError("not a result of kernels, engines, pipeline, cores or bind-bench")


def kernel_rows(cases: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Row]]:
    for case in cases:
        for entry in case["alternatives"]:
            if entry["role"] == "ours":
                yield f"{case['case']}, {entry['name']}: seconds", Row([entry["seconds"]["median"]])


def engine_rows(cases: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Row]]:
    for case in cases:
        for way, found in case["ways"].items():
            yield f"{case['encoder']}, batch {case['batch']}, {way}: seconds", Row([found["seconds"]])


def core_rows(cases: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Row]]:
    for case in cases:
        for way, held in case["lock"].items():
            if held:
                yield f"{case['case']}, lock, {way}: seconds", Row([held["seconds"]])
        for count, rates in case["threads"].items():
            yield f"{case['case']}, {count} threads: items a second", Row(rates, more_is_better=True)
        for way, rates in case["lists"].items():
            yield f"{case['case']}, {way}: items a second", Row(rates, more_is_better=True)


def pipeline_rows(rounds: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, Row]]:
    numbers = {
        "core, overhead p50: us": (("core", "overhead_us", "p50"), False),
        "core without spin, overhead p50: us": (("core_without_spin", "overhead_us", "p50"), False),
        "core, engine busy: share": (("core", "engine_busy_share"), True),
        "submit to result p50: us": (("submit_overhead_us", "p50"), False),
        "submit to result p99: us": (("submit_overhead_us", "p99"), False),
        "ready texts: a second": (("ready", "requests_per_second"), True),
    }
    for name, (path, more_is_better) in numbers.items():
        values = []
        for found in rounds:
            number: Any = found
            for key in path:
                number = number[key]
            values.append(number)
        if values:
            yield name, Row(values, more_is_better)


def bind_bench_rows(result: Mapping[str, Any]) -> Iterator[tuple[str, Row]]:
    for entry in result["single"]:
        if entry["side"] == "bindrt":
            name = f"{entry['case']}, {entry['modality']}, single p50: seconds"
            yield name, Row(entry["p50"]["runs"])
    for entry in result["offline"]:
        if entry["side"] == "bindrt" and not entry.get("swept"):
            name = f"{entry['case']}, {entry['modality']}, offline: items a second"
            yield name, Row(entry["items_per_second"]["runs"], more_is_better=True)


def pooled(results: Sequence[Mapping[str, Any]]) -> Rows:
    """The rows of several results of the same bench, with all their values."""
    found: Rows = {}
    for result in results:
        for name, row in rows_of(result).items():
            if name in found:
                found[name].values += row.values
            else:
                found[name] = Row(list(row.values), row.more_is_better)
    return found


def table(old: Rows, new: Rows) -> str:
    """A line for each row that both have. A ratio above 1: the new one is faster."""
    width = max((len(name) for name in old), default=0)
    lines = [f"{'':{width}}  {'old':>10} {'new':>10}  {'ratio':>6}   old from–to, new from–to"]
    ratios = []
    for name in (n for n in old if n in new):
        a, b = old[name], new[name]
        ratios.append(b.median / a.median if a.more_is_better else a.median / b.median)
        lines.append(
            f"{name:{width}}  {a.median:10.4g} {b.median:10.4g}  {ratios[-1]:5.2f}×   {a.spread}, {b.spread}"
        )
    if ratios:
        lines.append(
            f"{len(ratios)} rows; geometric mean of the ratios {statistics.geometric_mean(ratios):.3f}×"
        )
    return "\n".join(lines)


def run_in_turns(
    trees: Sequence[Path], bench: Sequence[str], turns: int, folder: Path
) -> list[list[dict[str, Any]]]:
    """The results of each tree, one a turn; which tree is first changes with each turn."""
    results: list[list[dict[str, Any]]] = [[] for _ in trees]
    for turn in range(turns):
        for number in range(len(trees)) if turn % 2 == 0 else reversed(range(len(trees))):
            out = folder / f"{number}-{turn}.json"
            command = [".venv/bin/python", "-m", "bench", *bench, "--json", str(out)]
            print(f"turn {turn + 1} of {turns}: {trees[number]}", flush=True)
            subprocess.run(command, cwd=trees[number], check=True, stdout=subprocess.DEVNULL)
            results[number].append(json.loads(out.read_text("utf-8")))
    return results


def main(arguments: Sequence[str]) -> int:
    arguments, bench = split(arguments)
    parser = argparse.ArgumentParser(
        prog="python -m bench compare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="%(prog)s OLD.json NEW.json | OLD_TREE NEW_TREE [--turns N] -- NAME [options]",
    )
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--turns", type=int, default=3, help="runs of each tree (3)")
    args = parser.parse_args(arguments)
    sources = (args.old.resolve(), args.new.resolve())
    if all(source.is_dir() for source in sources):
        if not bench:
            parser.error("name the bench that both trees run, after --")
        with tempfile.TemporaryDirectory() as folder:
            old, new = run_in_turns(sources, bench, args.turns, Path(folder))
    else:
        old, new = ([json.loads(source.read_text("utf-8"))] for source in sources)
    print(table(pooled(old), pooled(new)))
    return 0


def split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """What stands before ``--``, and what stands after it."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return list(arguments[:at]), list(arguments[at + 1 :])
