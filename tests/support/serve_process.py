"""``bind-serve`` as a user runs it: a process on a free port."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


@contextmanager
def serving(
    *arguments: object, engine: str = "onnxruntime", out: int | IO[str] = subprocess.PIPE
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command with a free port, which it prints.

    Args:
        out: where its log goes; a pipe that nobody reads holds some hundred lines, and then the server.
    """
    words = [sys.executable, "-m", "bindrt", "serve", *map(str, arguments), "--port", "0"]
    process = subprocess.Popen([*words, "--engine", engine], stdout=out, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.fullmatch(r"https?://127\.0\.0\.1:(\d+) serves (.+)\n", line)
        assert found, line + process.stderr.read()
        yield process, int(found[1])
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()
