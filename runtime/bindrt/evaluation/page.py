"""A report as a page of HTML in one file: scores, confusions, the worst cases."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from bindrt.evaluation.results import Case, Found, Report
from bindrt.evaluation.tables import cells, title, verdict

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;margin:2em auto;max-width:75em;padding:0 1em}
table{border-collapse:collapse;margin:1em 0}
td,th{padding:.2em .7em;text-align:left;border-bottom:1px solid #8884}
.n{text-align:right}
.confusion{font-size:12px;display:block;overflow-x:auto}
.confusion td{min-width:1.6em;text-align:right;border:1px solid #8882;padding:.1em .3em}
.side{writing-mode:vertical-rl;transform:rotate(180deg)}
img{max-height:5em}
"""
_PICTURES = (".jpg", ".jpeg", ".png", ".webp")
#: More classes make no table that anybody can read: those that are confused most are shown.
_CLASSES = 60


def page(report: Report) -> str:
    """The whole page."""
    body = [f"<h1>{_text(title(report))}</h1>", *_about(report), _scores(report)]
    if report.against is not None:
        body.append(_differences(report))
    body += [part for found in report.found for part in _found(found)]
    body += [f"<p>{_text(note)}</p>" for note in report.notes]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{_text(title(report))}</title>'
        f"<style>{_STYLE}</style>{''.join(body)}</html>\n"
    )


def _text(what: object) -> str:
    return html.escape(str(what))


def _about(report: Report) -> Iterator[str]:
    about = report.about
    yield f"<p>Space {_text(about['space'])}"
    if about["missing"] or about["failed"]:
        yield f"; {about['missing']} items were missing, {about['failed']} could not be read"
    yield ".</p>"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int]) -> str:
    """A table of texts that are HTML already; the columns ``numbers`` stand to the right."""

    def cell(tag: str, at: int, text: str) -> str:
        return f'<{tag} class="n">{text}</{tag}>' if at in numbers else f"<{tag}>{text}</{tag}>"

    lines = ["".join(cell("th", at, _text(head)) for at, head in enumerate(heads))]
    lines += ["".join(cell("td", at, text) for at, text in enumerate(row)) for row in rows]
    return f"<table>{''.join(f'<tr>{line}</tr>' for line in lines)}</table>"


def _scores(report: Report) -> str:
    rows = [
        (_text(found.protocol), _text(score.measure), *map(_text, cells(score)))
        for found in report.found
        for score in found.scores
    ]
    return _table(("protocol", "measure", "score", "95 % interval", "of", "paper"), rows, (2, 3, 4, 5))


def _differences(report: Report) -> str:
    assert report.against is not None
    rows = [
        (
            _text(d.protocol),
            _text(d.measure),
            f"{d.value:+.2f}",
            f"{d.low:+.2f} to {d.high:+.2f}",
            verdict(d.within),
        )
        for d in report.differences
    ]
    heading = f"<h2>{_text(title(report.against))}: points more</h2>"
    return heading + _table(("protocol", "measure", "points", "95 % interval", ""), rows, (2, 3))


def _found(found: Found) -> Iterator[str]:
    if found.confusion is not None:
        yield f"<h2>{_text(found.protocol)}: rows are what is right, columns what was said</h2>"
        yield _confusion(found)
    if found.worst:
        yield f"<h2>{_text(found.protocol)}: the worst cases</h2>"
        rows = [
            (_item(case), _text(case.said), _text(case.right), f"{case.margin:.3f}") for case in found.worst
        ]
        yield _table(("item", "said", "right", "margin"), rows, (3,))


def _item(case: Case) -> str:
    path = Path(case.file)
    if not case.file or not path.is_file():
        return _text(case.name)
    link = _text(path.resolve().as_uri())
    shown = f'<img src="{link}" alt="">' if path.suffix.lower() in _PICTURES else ""
    return f'<a href="{link}">{shown}{_text(case.name)}</a>'


def _confusion(found: Found) -> str:
    shown = _most_confused(found)
    heads = "".join(f'<th class="side">{_text(found.classes[at])}</th>' for at in shown)
    lines = [f"<tr><th></th>{heads}</tr>"]
    for row in shown:
        total = int(found.confusion[row].sum()) or 1
        made = "".join(_count(int(found.confusion[row, at]), total, row == at) for at in shown)
        lines.append(f"<tr><th>{_text(found.classes[row])}</th>{made}</tr>")
    left = len(found.classes) - len(shown)
    more = f"<p>The {left} classes that are confused least are not shown.</p>" if left else ""
    return f'<table class="confusion">{"".join(lines)}</table>{more}'


def _most_confused(found: Found) -> list[int]:
    wrong = [
        int(found.confusion[at].sum() + found.confusion[:, at].sum() - 2 * found.confusion[at, at])
        for at in range(len(found.classes))
    ]
    return sorted(sorted(range(len(wrong)), key=lambda at: -wrong[at])[:_CLASSES])


def _count(count: int, total: int, right: bool) -> str:
    colour = "0,130,60" if right else "200,40,40"
    return f'<td style="background:rgba({colour},{count / total:.2f})">{count or ""}</td>'
