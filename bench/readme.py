"""The numbers and the chart of docs/measured.md.

Runs ``bind-bench`` on bind-tiny, and at imagebind_huge's size where ``python -m bench export`` has made that;
keeps the JSON in bench/results, draws docs/bind-bench.svg, and writes that page's table from the JSON.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.paths import HUGE, RESULTS, ROOT
from bindrt.benchmark.timing import duration

TINY, AT_FULL_SIZE = RESULTS / "bind-bench-tiny.json", RESULTS / "bind-bench-huge.json"
PICTURE = ROOT / "docs" / "bind-bench.svg"
PAGE = ROOT / "docs" / "measured.md"
BEGIN, END = "<!-- bind-bench -->\n", "<!-- end of bind-bench -->\n"
#: Without videos, since each takes a quarter of a minute at this size.
HUGE_OPTIONS = (
    *("--modality", "image", "text", "audio", "depth", "thermal", "imu", "--mixed", "no"),
    *("--in-flight", "16", "--runs", "2", "--duration", "2"),
)


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    argparse.ArgumentParser(prog="python -m bench readme", description=__doc__).parse_args(arguments)
    run("tiny", "--against", "eager", "loop", "--json", TINY, "--plot", PICTURE)
    if HUGE.is_dir():
        run(HUGE, *HUGE_OPTIONS, "--against", "eager", "loop", "--json", AT_FULL_SIZE)
    PAGE.write_text(with_table(PAGE.read_text("utf-8")), "utf-8")
    print(f"wrote {PICTURE.relative_to(ROOT)} and the table of {PAGE.relative_to(ROOT)}")
    return 0


def run(*arguments: object) -> None:
    command = [str(Path(sys.executable).parent / "bind-bench"), *map(str, arguments)]
    print("$ bind-bench", *arguments, flush=True)
    subprocess.run(command, check=True)


def with_table(page: str) -> str:
    """The page with the table of the kept results between its marks."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + table(json.loads(TINY.read_text("utf-8"))) + END + after


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


def row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
