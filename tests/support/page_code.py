"""Running the Python blocks of a page, and comparing what they print with what the page says."""

from __future__ import annotations

import ast
import asyncio
import contextlib
import inspect
import io
import re
from typing import Any

from support.pages import Block


def run_statement(
    statement: ast.stmt, block: Block, names: dict[str, Any], loop: asyncio.AbstractEventLoop
) -> str:
    """Runs one statement, which may ``await``; what it printed."""
    module = ast.Module([statement], [])
    ast.increment_lineno(module, block.line - 1)
    code = compile(module, block.place, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        result = eval(code, names)
        if inspect.iscoroutine(result):
            loop.run_until_complete(result)
    return printed.getvalue()


def check_output(statement: ast.stmt, block: Block, printed: str) -> None:
    line = (statement.end_lineno or 1) - block.line
    _, arrow, expected = block.code.splitlines()[line].partition("# → ")
    if arrow:
        pattern = ".*".join(re.escape(part) for part in " ".join(expected.split()).split("…"))
        assert re.fullmatch(pattern, " ".join(printed.split())), f"{block.place}: printed {printed!r}"
