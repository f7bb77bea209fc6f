"""What topics tell about others: the camera of a depth map, the coding of a sound."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Union

from bindrt.recordings.messages.fields import field, number, text
from bindrt.recordings.messages.kinds import AUDIO_INFO, INFOS, kind_of
from bindrt.recordings.raw import Topic


@dataclass(frozen=True)
class Camera:
    """A camera.

    Attributes:
        width: of its pictures, in pixels.
        raw, rectified: the focal length in pixels of raw and of rectified pictures; 0: not known.
    """

    width: int
    raw: float
    rectified: float


@dataclass(frozen=True)
class Coding:
    """How the bytes of an audio topic are to be read."""

    rate: int
    channels: int
    sample_format: str
    coding: str


Info = Union[Camera, Coding]


class Context:
    """The latest message of each topic that tells about others."""

    def __init__(self, topics: Collection[Topic]) -> None:
        self._kinds: dict[str, str] = {}
        self._latest: dict[str, Info] = {}
        for topic in topics:
            self.add(topic)

    def add(self, topic: Topic) -> None:
        """One more topic; it counts if it tells about others."""
        if (kind := kind_of(topic.type)) in INFOS:
            self._kinds = {**self._kinds, topic.name: kind}  # others may look through the old one

    def take(self, topic: Topic, message: Any) -> None:
        """Keeps what a message tells.

        Raises:
            InputError: a field is missing.
        """
        if kind_of(topic.type) == AUDIO_INFO:
            self._latest[topic.name] = Coding(
                number(message, "sample_rate"),
                number(message, "channels"),
                text(message, "sample_format"),
                text(message, "coding_format"),
            )
        else:
            raw, rectified = (_focal(field(message, *names)) for names in (("k", "K"), ("p", "P")))
            self._latest[topic.name] = Camera(number(message, "width"), raw, rectified)

    def camera(self, topic: str) -> tuple[Camera | None, bool]:
        """The camera of a topic, if it is known, and whether it may come."""
        found, comes = self._nearest(topic, lambda kind: kind != AUDIO_INFO)
        return (found if isinstance(found, Camera) else None), comes

    def coding(self, topic: str) -> tuple[Coding | None, bool]:
        """The coding of a topic, if it is known, and whether it may come."""
        found, comes = self._nearest(topic, lambda kind: kind == AUDIO_INFO)
        return (found if isinstance(found, Coding) else None), comes

    def _nearest(self, topic: str, fits: Any) -> tuple[Info | None, bool]:
        """What the topic tells whose name begins as this one does, for the most of its parts."""
        names = [name for name, kind in self._kinds.items() if fits(kind)]
        best = max(names, key=lambda name: _common(name, topic), default=None)
        if best is None or (len(names) > 1 and not _common(best, topic)):
            return None, False
        return self._latest.get(best), True


def _common(first: str, second: str) -> int:
    """How many parts two names of topics have in common from the left.

    >>> _common("/front/depth/camera_info", "/front/depth/image_raw")
    2
    """
    count = 0
    for one, other in zip(first.strip("/").split("/"), second.strip("/").split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count


def _focal(matrix: Any) -> float:
    """The first number of a camera's matrix; 0 if it is not given."""
    values = list(matrix)
    return float(values[0]) if values and float(values[0]) > 0 else 0.0
