"""What every container offers."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol

from bindrt.recordings.raw import PassOver, RawMessage, Topic


class Container(Protocol):
    """A file or folder of messages."""

    def topics(self) -> list[Topic]:
        """Its topics, known before its messages are read. Two of one name have different types."""

    def messages(self, topics: Collection[Topic], pass_over: PassOver) -> Iterator[RawMessage]:
        """The messages of some topics in the order of their times, in constant memory.

        ``pass_over`` is told of the messages of all others.
        """

    def close(self) -> None:
        """Closes its files."""
