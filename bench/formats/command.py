"""``python -m bench formats``: makes a file of each container and codec, and compares with a full decode."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bindrt
from bench.formats import depth_maps, pictures, sounds, videos
from bench.formats.case import Case

PAGE = Path(__file__).parents[2] / "docs/formats.md"
BEGIN, END = "<!-- formats: made by `python -m bench formats --write` -->", "<!-- /formats -->"
SOURCES = {"audio": sounds.cases, "video": videos.cases, "image": pictures.cases, "depth": depth_maps.cases}


@dataclass(frozen=True)
class Row:
    """A case and what came of it: the largest difference, or why there is none."""

    case: Case
    said: str
    made: bool


def run(case: Case) -> Row:
    """Makes the file and compares. What bindrt refuses is said with its reason."""
    try:
        data = case.make()
    except (ValueError, OSError, RuntimeError) as error:
        return Row(case, f"cannot be made here: {error}", made=False)
    try:
        return Row(case, f"{case.difference(data):.1e}", made=True)
    except bindrt.Error as error:
        return Row(case, f"refused: {error.problem}", made=True)
    except Exception as error:
        return Row(case, f"the full decode fails: {error}", made=False)


def table(rows: Sequence[Row]) -> str:
    lines = ["| modality | container | codec | made by | largest difference |", "|---|---|---|---|---|"]
    for row in rows:
        case = row.case
        lines.append(f"| {case.modality} | {case.container} | {case.codec} | {case.by} | {row.said} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench formats", description=__doc__)
    parser.add_argument("--modality", action="append", choices=sorted(SOURCES), help="only this one")
    parser.add_argument("--write", action="store_true", help="put the table into docs/formats.md")
    options = parser.parse_args(arguments)
    rows = []
    for modality, cases in SOURCES.items():
        if options.modality is None or modality in options.modality:
            rows += [run(case) for case in cases()]
    made = [row for row in rows if row.made]
    for row in rows:
        if not row.made:
            print(f"{row.case.modality}, {row.case.container}, {row.case.codec}: {row.said}", file=sys.stderr)
    print(table(made))
    if options.write:
        page = PAGE.read_text("utf-8")
        front, back = page.split(BEGIN)[0], page.split(END)[1]
        PAGE.write_text(f"{front}{BEGIN}\n\n{table(made)}\n\n{END}{back}", "utf-8")
    return 0
