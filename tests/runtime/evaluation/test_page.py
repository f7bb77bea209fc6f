"""The page of a report: what it shows, and that names of classes and files are never taken for HTML."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np

from bindrt.evaluation.measures import mean_of
from bindrt.evaluation.page import page
from bindrt.evaluation.results import Case, Difference, Found, Report, Score

VILE = '<script>alert("x")</script>&'


def report(classes: int = 3, against: Report | None = None) -> Report:
    names = tuple(f"{VILE}{n}" if n == 0 else f"class {n}" for n in range(classes))
    confusion = np.eye(classes, dtype=np.int64) * 4
    confusion[1, 0] = 2
    score = Score("top-1", 85.25, 60, 95.5, 14, "Wilson", mean_of(np.ones(14)), published=66.9)
    case = Case(VILE, names[0], names[1], -0.25, "")
    about = {"title": "ESC-50", "bundle": VILE, "precision": "fp32", "space": "s", "missing": 2, "failed": 1}
    found = Found("zero-shot", (score,), names, confusion, (case,))
    differences = (Difference("zero-shot", "top-1", -0.2, -0.4, 0.1),) if against else ()
    return Report(about, (found,), ("a note",), against, differences)


class Reader(HTMLParser):
    """The tags and the text of a page; void elements have no end."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, _: object) -> None:
        self.tags.append(tag)
        if tag not in ("meta", "img", "p"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag != "p":
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_everything_is_shown_and_closed() -> None:
    reader = Reader(page(report(against=report())))
    text = " ".join(reader.words)
    assert not reader.open
    assert "script" not in reader.tags
    for shown in (
        "85.2",
        "60.0 to 95.5",
        "66.9",
        "a note",
        "-0.20",
        "within half a point",
        "2 items were missing",
    ):
        assert shown in text
    assert text.count(VILE) >= 4  # as a title, a class, an item, an answer


def test_confusions_in_their_places() -> None:
    _, _, table = page(report()).partition('<table class="confusion">')
    rows = re.findall(r"<tr><th>[^<]*</th>(<td.*?)</tr>", table.partition("</table>")[0])
    counts = [[cell or "0" for cell in re.findall(r"<td[^>]*>(\d*)</td>", row)] for row in rows]
    assert counts == [["4", "0", "0"], ["2", "4", "0"], ["0", "0", "4"]]


def test_of_many_classes_those_confused_most() -> None:
    text = page(report(classes=80))
    assert "The 20 classes that are confused least are not shown." in text
    assert "class 1<" in text


def test_a_file_is_linked(tmp_path: Path) -> None:
    picture = tmp_path / "a b.jpg"
    picture.write_bytes(b"x")
    case = Case("a b", "said", "right", -1, str(picture))
    shown = Report(report().about, (Found("zero-shot", (), worst=(case,)),))
    assert f'<a href="{picture.as_uri()}"><img src="{picture.as_uri()}" alt="">a b</a>' in page(shown)
