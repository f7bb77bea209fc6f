"""The access log where nobody reads it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import suppress

import pytest

from bindrt.serving.access_log import ACCESS, LineWriter, dropped_lines, written
from support.serving import wait_for


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    for end in (reading, writing):
        with suppress(OSError):
            os.close(end)


def read(end: int, size: int) -> bytes:
    """So many bytes or more."""
    found = b""

    def more() -> bool:
        nonlocal found
        with suppress(BlockingIOError):
            found += os.read(end, 1 << 20)
        return len(found) >= size

    wait_for(more)
    return found


def test_lines_are_written_in_their_order(pipe: tuple[int, int]) -> None:
    with written(pipe[1]):
        for number in range(1000):
            ACCESS.info("line %03d", number)
        assert read(pipe[0], 9000) == b"".join(b"line %03d\n" % number for number in range(1000))


def test_where_nobody_reads_lines_are_dropped_and_counted(pipe: tuple[int, int]) -> None:
    with written(pipe[1]):
        for _ in range(30_000):  # a pipe holds 64 KiB
            ACCESS.info("x" * 99)
        assert 0 < dropped_lines() <= 20_000
        read(pipe[0], 10_000 * 100)  # whoever reads later gets what waited
    assert dropped_lines() == 0  # nobody writes any more


def test_who_reads_has_gone(pipe: tuple[int, int]) -> None:
    os.close(pipe[0])
    writer = LineWriter(pipe[1])
    writer.emit(logging.makeLogRecord({"msg": "lost"}))
    wait_for(lambda: writer.dropped == 1)
    writer.emit(logging.makeLogRecord({"msg": "lost too"}))
    assert writer.dropped == 2
    writer.close()
