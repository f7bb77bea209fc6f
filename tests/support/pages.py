"""The pages of the documentation and their code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FENCE = re.compile(r"^```(\w*)$")
MARK = re.compile(r"^<!-- (run|not run: .+) -->$")
LANGUAGES = ("python", "sh", "text")


def pages() -> list[Path]:
    """Everything a reader of the repository or of the site may read."""
    roots = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]
    return [*roots, ROOT / "examples" / "tiny" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; ``mark`` is ``run``, ``not run: REASON`` or empty."""

    page: Path
    line: int
    language: str
    mark: str
    code: str

    @property
    def place(self) -> str:
        return f"{name(self.page)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, in order. An HTML comment on the line before a block is its mark."""
    lines = page.read_text("utf-8").splitlines()
    start = None
    for number, line in enumerate(lines, 1):
        fence = FENCE.match(line)
        if fence and start is None:
            start, language = number, fence[1]
        elif fence and start is not None:
            above = MARK.match(lines[start - 2]) if start > 1 else None
            code = "\n".join(lines[start : number - 1])
            yield Block(page, start + 1, language, above[1] if above else "", code)
            start = None
