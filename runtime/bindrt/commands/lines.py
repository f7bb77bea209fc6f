"""Lines of standard input as they arrive."""

from __future__ import annotations

import os
import select
from collections.abc import Iterator

SILENCE = 0.05  # seconds without a line, after which finished rows are written


def read_lines(descriptor: int) -> Iterator[str | None]:
    """Lines as they arrive; None now and then while there is none, so that other work can go on."""
    rest: list[bytes] = []  # of a line whose end has not come: joined once, however many blocks it has
    while True:
        if not select.select([descriptor], [], [], SILENCE)[0]:
            yield None
            continue
        block = os.read(descriptor, 1 << 16)
        head, *others = block.split(b"\n")
        rest.append(head)
        if others or not block:
            yield _text(b"".join(rest))
            for line in others[:-1]:
                yield _text(line)
            rest = others[-1:]
        if not block:
            return


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")  # file names are bytes
