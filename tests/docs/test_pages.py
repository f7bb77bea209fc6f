"""Pages keep their form: lines of 120 columns, links that lead somewhere, plain openings of sentences."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support import pages

LINK = re.compile(r"\]\(([^)\s]+)\)")
COLUMNS = 120


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_form(page: Path) -> None:
    text = re.sub(r"<!-- scores.*?<!-- /scores -->", as_empty_lines, page.read_text("utf-8"), flags=re.DOTALL)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.startswith("|") and "://" not in line:
            assert len(line) <= COLUMNS, f"{pages.name(page)}:{number}: {len(line)} columns"
        assert not re.search(r"(^|[.:;] )(- )?Of ", line), f"{pages.name(page)}:{number}: opens with “Of”"


def as_empty_lines(generated: re.Match[str]) -> str:
    """What a script wrote keeps its lines, but not their length."""
    return "\n" * generated[0].count("\n")


@pytest.mark.parametrize("page", pages.pages(), ids=pages.name)
def test_links(page: Path) -> None:
    for link in LINK.findall(page.read_text("utf-8")):
        if re.match(r"https?:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{pages.name(page)}: {link} leads nowhere"
        if anchor:
            assert anchor in anchors(target), f"{pages.name(page)}: {link} has no such heading"


def anchors(page: Path) -> set[str]:
    """As GitHub and the site make them from headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\s-]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}
