"""Messages of chunks in the order of their times, without holding more than the chunks that overlap."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from bindrt.errors import LimitError
from bindrt.recordings.raw import RawMessage

#: Bytes of messages that may be held to bring them into order.
MOST_HELD = 1 << 30


@dataclass(frozen=True)
class Piece:
    """A part of a file with messages.

    Attributes:
        start: no message of it is earlier, in nanoseconds.
        load: unpacks its messages.
    """

    start: int
    load: Callable[[], Iterable[RawMessage]]


def in_order(pieces: Iterable[Piece], name: str, most: int = MOST_HELD) -> Iterator[RawMessage]:
    """The messages of all pieces by time; those of one time in the file's order.

    A piece is unpacked when the first message that it may hold is next.

    Raises:
        LimitError: so many pieces overlap in time that more than ``most`` bytes would be held.
    """
    waiting = sorted(enumerate(pieces), key=lambda pair: pair[1].start)
    held: list[tuple[int, int, int, RawMessage]] = []
    taken, size = 0, 0
    while taken < len(waiting) or held:
        if taken < len(waiting) and (not held or waiting[taken][1].start <= held[0][0]):
            number, piece = waiting[taken]
            taken += 1
            for index, message in enumerate(piece.load()):
                heapq.heappush(held, (message.time, number, index, message))
                size += len(message.data)
            if size > most:
                raise LimitError(
                    name, f"chunks of more than {most >> 20} MiB overlap in time", "sort it: mcap sort"
                )
            continue
        *_, message = heapq.heappop(held)
        size -= len(message.data)
        yield message
