"""Each code block of the README and of docs/ does what it shows.

Python blocks run, a page's one after the other, in a folder with real files and with bind-tiny as ``model``.
``# → text`` behind a statement is what it prints, ``…`` any text. Shell blocks are checked: the commands and
their options exist; those marked ``<!-- run -->`` run. A Python block that cannot run here is marked
``<!-- not run: REASON -->``, and counted.
"""

from __future__ import annotations

import ast
import asyncio
import contextlib
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import bindrt
from support import pages, shell_lines
from support.commands import run_command
from support.page_code import check_output, run_statement

ALL = [block for page in pages.pages() for block in pages.blocks(page)]
#: Each recipe runs alone, in test_recipes.py.
RUN_HERE = [block for block in ALL if block.page.name != "recipes.md"]
#: Python blocks that need a GPU or a library that is not here. Adding one is a decision. Three are of Ray,
#: Daft and Spark, which have tests of their own.
NOT_RUN = 6
#: In its place a page's Python blocks have the address of a server that runs.
SERVER = "http://127.0.0.1:8080"
#: First words of commands that a block marked ``run`` may use.
RUNNABLE = ("bind-embed", "bind-search", "bind-export", "bind-bench")


def test_blocks_say_what_they_are() -> None:
    unknown = [b.place for b in ALL if b.language not in pages.LANGUAGES]
    assert not unknown, f"give them one of {pages.LANGUAGES}"
    not_run = [b.place for b in ALL if b.language == "python" and b.mark.startswith("not run")]
    assert len(not_run) == NOT_RUN, not_run


@pytest.mark.parametrize("page", sorted({b.page for b in RUN_HERE if b.language == "python"}), ids=pages.name)
def test_python(
    page: Path,
    files: Path,
    model: bindrt.Model,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    monkeypatch.chdir(files)
    names: dict[str, Any] = {"bindrt": bindrt, "np": np, "model": model}
    blocks = list(pages.blocks(page))
    if any(SERVER in block.code for block in blocks if block.language == "python"):
        url: str = request.getfixturevalue("server_url")
        blocks = [replace(block, code=block.code.replace(SERVER, url)) for block in blocks]
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        for block in blocks:
            if block.language != "python":
                continue
            tree = ast.parse(block.code, block.place)
            if block.mark.startswith("not run"):
                continue
            for statement in tree.body:
                printed = run_statement(statement, block, names, loop)
                check_output(statement, block, printed)


@pytest.mark.parametrize("block", [b for b in ALL if b.language == "sh"], ids=lambda b: b.place)
def test_shell_names_what_exists(block: pages.Block) -> None:
    for words in shell_lines.commands(block.code):
        assert not (found := shell_lines.problem(words)), f"{block.place}: {found}"


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("bind-embed x.bind --bogus 1", "bind-embed --help does not know ['--bogus']"),
        ("bindrt embed x.bind --bogus 1", "bindrt embed --help does not know ['--bogus']"),
        ("bindrt cook", "bindrt has no command cook"),
        ("make coffee", "make has no target ['coffee']"),
        ("pip install '.[tea]'", "there is no extra ['tea']"),
        ("python -m bench juggling", "there is no module bench"),
        ("python examples/none.py", "there is no file examples/none.py"),
        ("bind-search x.index --text 'a bell' && rm -r x.index", "rm is not a command of this project"),
    ],
)
def test_shell_lines_that_are_wrong(line: str, problem: str) -> None:
    assert problem in [shell_lines.problem(words) for words in shell_lines.commands(line)]


@pytest.mark.parametrize("block", [b for b in RUN_HERE if b.mark == "run"], ids=lambda b: b.place)
def test_shell_runs(block: pages.Block, files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(files, tmp_path, dirs_exist_ok=True, symlinks=True)  # several pages write one output
    monkeypatch.chdir(tmp_path)
    for words in shell_lines.commands(block.code):
        assert words[0] in RUNNABLE, f"{block.place}: {words[0]} is not run by tests"
        done = run_command(*words)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stderr}"


def test_the_lines_of_the_seven_inputs(
    files: Path, model: bindrt.Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    lines = re.findall(r"^\| (\w+) \|.*`(model\.embed\(.+\))` \|$", pages.pages()[0].read_text("utf-8"), re.M)
    assert [modality for modality, _ in lines] == list(model.modalities)
    for modality, line in lines:
        assert eval(line, {"model": model})[modality].shape == (1, model.embed_dim)
