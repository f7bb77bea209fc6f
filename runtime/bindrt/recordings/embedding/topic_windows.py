"""A window of a topic, before and after the model has worked on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.notes import Notes


@dataclass(frozen=True, eq=False)
class ReadyItem:
    """An item of a topic, ready to be submitted.

    Attributes:
        start, end: seconds on the sensor's clock.
        recorded: when the last message of it was recorded, in nanoseconds.
        notes: what a user should know.
    """

    topic: str
    modality: str
    start: float
    end: float
    item: Any
    recorded: int
    notes: Notes = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class TopicWindow:
    """The vector of a window of a topic.

    Attributes:
        topic, modality: of what it is.
        start, end: seconds on the sensor's clock; of a picture both are its time.
        vector: float32 ``[D]`` of unit length.
        recorded: when the last message of it was recorded, in nanoseconds.
        dropped: windows of this topic that were left out so far since the model was slower.
        notes: what a user should know.
        arrived: when it was complete, by ``time.monotonic()``.
        done: when its vector was there.
    """

    topic: str
    modality: str
    start: float
    end: float
    vector: npt.NDArray[np.float32]
    recorded: int
    dropped: int = 0
    notes: Notes = field(default_factory=dict)
    arrived: float = 0.0
    done: float = 0.0
