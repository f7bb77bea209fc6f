"""A part of a bench in a process of its own, with a time limit."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any

from bench.paths import ROOT

#: How much of what a process said is kept: its end.
MOST_SAID = 2000


def run(
    command: Sequence[str], limit: float, environment: Mapping[str, str] | None = None,
    is_good: Callable[[str], bool] = lambda said: True,
) -> dict[str, Any]:  # fmt: skip
    """How a process ended and what it said, for a result.

    Args:
        limit: seconds, after which it is ended.
        environment: what is added to this process's.
        is_good: whether the output of a process that ended with 0 is what it must be.

    Returns:
        ``good``, ``exit_code`` (None: it was ended), ``process_seconds`` and ``said``, the end of its output.
    """
    begin = perf_counter()
    code: int | None = None
    try:
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **(environment or {})}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=limit, check=False,
        )  # fmt: skip
        code, said = done.returncode, _text(done.stdout)
    except subprocess.TimeoutExpired as ended:
        said = f"{_text(ended.stdout).rstrip()}\nit did not end within {limit:g} s"
    except OSError as error:  # for example a program of another kind of machine
        said = str(error)
    return {
        "good": code == 0 and is_good(said),
        "exit_code": code,
        "process_seconds": round(perf_counter() - begin, 1),
        "said": said.strip()[-MOST_SAID:],
    }


def last_line(found: Mapping[str, Any]) -> str:
    """What a process said last."""
    lines: list[str] = found["said"].splitlines()
    return lines[-1] if lines else ""


def _text(output: bytes | None) -> str:
    return (output or b"").decode(errors="replace")
