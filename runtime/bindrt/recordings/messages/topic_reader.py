"""What reads the messages of one topic."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bindrt.limits import Limits
from bindrt.recordings.messages.choices import Choice
from bindrt.recordings.messages.context import Context
from bindrt.recordings.messages.fields import stamp
from bindrt.recordings.raw import Topic
from bindrt.recordings.sample import Sample


class NotYet(Exception):  # noqa: N818 - a state, not a fault
    """A message cannot be read before another one tells about its topic."""


class TopicReader:
    """Reads the messages of one topic.

    Attributes:
        waits: whether a message may wait for one that tells about its topic.
        notes: what a user should know, each once.
    """

    def __init__(self, topic: Topic, choice: Choice, context: Context, limits: Limits) -> None:
        self.topic = topic
        self.choice = choice
        self.context = context
        self.limits = limits
        self.waits = True
        self.notes: list[str] = []

    def read(self, message: Any, recorded: int) -> Iterator[Sample]:
        """The samples of a decoded message that was recorded at a time in nanoseconds.

        Raises:
            InputError: the message is not as its type says.
            NotYet: it must wait, and may.
        """
        raise NotImplementedError

    def end(self) -> Iterator[Sample]:
        """The samples that are still held."""
        return iter(())

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def time_of(self, message: Any, recorded: int) -> float:
        """The sensor's time of a message; when it was recorded, if it has none."""
        told = stamp(message)
        return recorded * 1e-9 if told is None else told
