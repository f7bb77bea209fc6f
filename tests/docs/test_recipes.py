"""Each recipe of docs/recipes.md runs alone, with nothing but the files beside it, and is short."""

from __future__ import annotations

import ast
import asyncio
import re
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from support import pages, shell_lines
from support.commands import run_command
from support.page_code import check_output, run_statement

PAGE = pages.ROOT / "docs" / "recipes.md"
TITLES = re.findall(r"^## (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
#: Lines of code, without empty ones.
LONGEST = 14


def recipe(title: str) -> list[pages.Block]:
    """Its blocks, in order."""
    lines = PAGE.read_text("utf-8").splitlines()
    starts = [number for number, line in enumerate(lines, 1) if line.startswith("## ")] + [len(lines) + 1]
    first = lines.index(f"## {title}") + 1
    end = starts[starts.index(first) + 1]
    return [block for block in pages.blocks(PAGE) if first < block.line < end]


def test_there_are_twelve() -> None:
    assert len(TITLES) == 12


@pytest.mark.parametrize("title", TITLES)
def test_recipe(title: str, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(files, tmp_path, dirs_exist_ok=True, symlinks=True)
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    blocks = recipe(title)
    assert any("# → " in block.code for block in blocks), "it shows what comes out"
    with closing(asyncio.new_event_loop()) as loop:
        for block in blocks:
            assert len([line for line in block.code.splitlines() if line.strip()]) <= LONGEST
            if block.language == "sh":
                for words in shell_lines.commands(block.code):
                    done = run_command(*words)
                    assert done.returncode == 0, done.stderr
                continue
            for statement in ast.parse(block.code, block.place).body:
                check_output(statement, block, run_statement(statement, block, names, loop))
