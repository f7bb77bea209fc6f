"""What containers give: messages as bytes, each with its topic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Topic:
    """A topic of a recording.

    Attributes:
        name: for example ``/camera/image_raw``.
        type: the type of its messages as the recording names it, for example ``sensor_msgs/msg/Image``.
        encoding: how its messages are written: ``cdr``, ``ros1``, ``protobuf``, ``json``, …
        schema: the description of its type; of ``protobuf`` a FileDescriptorSet.
    """

    name: str
    type: str
    encoding: str
    schema: bytes = b""


class RawMessage(NamedTuple):
    """A message as bytes; ``time`` is when it was recorded, in nanoseconds."""

    topic: Topic
    time: int
    data: bytes


#: Is told of messages that are passed over: their topic and number.
PassOver = Callable[[Topic, int], object]
