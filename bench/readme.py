"""The numbers of README.md and of some pages of docs/, and the chart.

Runs ``bind-bench`` on bind-tiny, and at imagebind_huge's size where ``python -m bench export`` has made that;
keeps the JSON in bench/results, draws docs/bind-bench.svg, and writes the pages' tables from the JSON. Those
of other pages come from what ``python -m bench engines``, ``scale``, ``serve`` and ``triton`` have kept;
``--tables`` measures nothing.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.engines import tables
from bench.engines.tables import row
from bench.paths import HUGE, RESULTS, ROOT
from bench.scale import tables as scale
from bench.serve import tables as serve
from bench.triton import tables as triton
from bindrt.benchmark.timing import duration

TINY, AT_FULL_SIZE = RESULTS / "bind-bench-tiny.json", RESULTS / "bind-bench-huge.json"
SERVING = ROOT / "docs" / "serving.md"
PICTURE = ROOT / "docs" / "bind-bench.svg"
#: What ``python -m bench engines`` kept of the processor that the pages show.
ENCODERS = RESULTS / "engines-amd-epyc.json"
#: Without videos, since each takes a quarter of a minute at this size.
HUGE_OPTIONS = (
    *("--modality", "image", "text", "audio", "depth", "thermal", "imu", "--mixed", "no"),
    *("--in-flight", "16", "--runs", "2", "--duration", "2"),
)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench readme", description=__doc__)
    parser.add_argument("--tables", action="store_true", help="write the tables of the kept results only")
    if not parser.parse_args(arguments).tables:
        run("tiny", "--against", "eager", "loop", "--json", TINY, "--plot", PICTURE)
        if HUGE.is_dir():
            run(HUGE, *HUGE_OPTIONS, "--against", "eager", "loop", "--json", AT_FULL_SIZE)
        print(f"wrote {PICTURE.relative_to(ROOT)}")
    for page in dict.fromkeys(table.page for table in TABLES):
        page.write_text(renewed(page), "utf-8")
        print(f"wrote the tables of {page.relative_to(ROOT)}")
    return 0


def run(*arguments: object) -> None:
    command = [str(Path(sys.executable).parent / "bind-bench"), *map(str, arguments)]
    print("$ bind-bench", *arguments, flush=True)
    subprocess.run(command, check=True)


def renewed(page: Path) -> str:
    """The page with the tables of the kept results between its marks."""
    text = page.read_text("utf-8")
    for table in TABLES:
        if table.page == page:
            text = between_marks(text, table.name, table.write(table.kept()))
    return text


def between_marks(text: str, name: str, content: str) -> str:
    """The text with other content between ``<!-- name -->`` and ``<!-- end of name -->``."""
    before, rest = text.split(f"<!-- {name} -->\n")
    _, after = rest.split(f"<!-- end of {name} -->\n")
    return f"{before}<!-- {name} -->\n{content}<!-- end of {name} -->\n{after}"


def table(result: Mapping[str, Any]) -> str:
    """Markdown: latency, throughput, and how many times faster than the other sides."""
    others = [side["name"] for side in result["sides"] if side["name"] != "bindrt"]
    head = [
        "bind-tiny, from files",
        "one request: p50",
        "p99",
        "many: items/s",
        *(f"{n}, items/s" for n in others),
    ]
    lines = [row(head), row(["---"] * len(head))]
    for modality in result["inputs"]:
        alone = entry(result["single"], modality, "bindrt")
        many = entry(result["offline"], modality, "bindrt")
        cells = [f"{modality}, {result['inputs'][modality]}", duration(alone["all"]["p50"])]
        cells += ["–" if alone["all"]["p99"] is None else duration(alone["all"]["p99"])]
        cells += [rate(many)]
        for name in others:
            e = entry(result["offline"], modality, name)
            cells.append(f"{rate(e)} ({e['bindrt_faster']['median']:.1f}×)")
        lines.append(row(cells))
    machine, settings = result["machine"], result["settings"]
    lines += [
        "",
        f"Medians of {settings['runs']} runs of {settings['seconds']:g} s, taking turns, on "
        f"{machine['cpu']}, {machine['cores']:g} cores; load before {machine['load_before']:.1f}.",
        "In brackets: how many times faster bindrt is.",
    ]
    return "\n".join(lines) + "\n"


def entry(entries: Sequence[Mapping[str, Any]], modality: str, side: str) -> Mapping[str, Any]:
    """The entry of a modality alone."""
    return next(e for e in entries if (e["case"], e["modality"], e["side"]) == (modality, modality, side))


def rate(found: Mapping[str, Any]) -> str:
    median = found["items_per_second"]["median"]
    return f"{median:.0f}" if median >= 1000 else f"{median:.4g}"


@dataclass(frozen=True)
class Table:
    """A table of a page: the result that it comes from, and what writes it."""

    page: Path
    name: str
    result: Path
    write: Callable[[Mapping[str, Any]], str]

    def kept(self) -> dict[str, Any]:
        """The result; empty where nobody has measured yet."""
        found: dict[str, Any] = json.loads(self.result.read_text("utf-8")) if self.result.exists() else {}
        return found


TABLES = (
    Table(ROOT / "README.md", "engines", ENCODERS, tables.first_table),
    Table(ROOT / "docs" / "measured.md", "engines", ENCODERS, partial(tables.first_table, batches=(1, 8))),
    Table(ROOT / "docs" / "measured.md", "bind-bench", TINY, table),
    Table(ROOT / "docs" / "engines.md", "engines", ENCODERS, tables.all_ways),
    Table(SERVING, "serve", RESULTS / "serve-amd-epyc.json", serve.throughput_and_latency),
    Table(SERVING, "infinity", RESULTS / "serve-infinity-amd-epyc.json", serve.beside_infinity),
    Table(ROOT / "docs" / "triton.md", "triton", RESULTS / "triton-amd-epyc.json", triton.section),
    Table(ROOT / "docs" / "scale.md", "scale", RESULTS / "scale-amd-epyc.json", scale.section),
)
