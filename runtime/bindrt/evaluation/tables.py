"""A report as a table of the terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.table import Table

from bindrt.evaluation.results import Difference, Report, Score


def tables(report: Report) -> Iterator[Table]:
    """The scores beside the published ones; and the differences from another bundle."""
    table = Table(title=title(report), title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for name in ("protocol", "measure", "score", "95 % interval", "of", "paper"):
        table.add_column(name, justify="left" if name in ("protocol", "measure") else "right")
    for found in report.found:
        for score in found.scores:
            table.add_row(found.protocol, score.measure, *cells(score))
    yield table
    if report.against is not None:
        yield _differences(report)


def title(report: Report) -> str:
    """What was judged, and on what."""
    about = report.about
    return f"{about['title']}: {about['bundle']}, {about['precision']}"


def cells(score: Score) -> tuple[str, str, str, str]:
    """The score, its interval, how many questions it is of, and the published figure."""
    paper = "" if score.published is None else f"{score.published:.1f}"
    return f"{score.value:.1f}", f"{score.low:.1f} to {score.high:.1f}", f"{score.count}", paper


def interval(each: Difference) -> str:
    return f"{each.low:+.2f} to {each.high:+.2f}"


def verdict(within: bool) -> str:
    return "within half a point" if within else "may be more than half a point"


def _differences(report: Report) -> Table:
    other = report.against
    assert other is not None
    name = f"{other.about['bundle']}, {other.about['precision']}, less {report.about['precision']}: points"
    table = Table(title=name, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    for column in ("protocol", "measure", "points", "95 % interval", ""):
        table.add_column(column, justify="right" if column in ("points", "95 % interval") else "left")
    for each in report.differences:
        points = f"{each.value:+.2f}", interval(each)
        table.add_row(each.protocol, each.measure, *points, verdict(each.within))
    return table
