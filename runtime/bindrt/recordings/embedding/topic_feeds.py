"""From the samples of topics to items that are ready for the model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from bindrt.errors import OptionError
from bindrt.numeric import is_positive
from bindrt.recordings.embedding.thinning import OneInHop
from bindrt.recordings.embedding.topic_windows import ReadyItem
from bindrt.recordings.sample import Inertial, Sample
from bindrt.streams.feeds import AudioFeed, Feed, ImuFeed, ReadyWindow, VideoFeed

_WINDOWS = {"audio": 2.0, "video": 2.0, "imu": 5.0}
_HOP = 1.0
_TOGETHER = 32  # inertial samples


@dataclass(frozen=True)
class WindowOptions:
    """How long windows are.

    Attributes:
        window: seconds; None: 2 for audio and video, 5 for imu, as the model was trained.
        hop: seconds from the start of one to the next, and from a picture that is taken to the next.

    Raises:
        OptionError: not a number above 0.

    >>> WindowOptions(hop=0.5).of("imu")
    (5.0, 0.5)
    """

    window: float | None = None
    hop: float | None = None

    def __post_init__(self) -> None:
        for name in ("window", "hop"):
            value = getattr(self, name)
            if value is not None and not is_positive(value):
                raise OptionError(f"{name}={value!r}"[:80], "not a time", "give a number of seconds above 0")

    def of(self, modality: str) -> tuple[float, float]:
        """Window and hop in seconds."""
        return self.window or _WINDOWS.get(modality, 0.0), self.hop or _HOP


class TopicFeed:
    """What makes items of one topic's samples."""

    def push(self, sample: Sample) -> Iterable[ReadyItem]:
        """The items that are complete with this sample.

        Raises:
            InputError: its data cannot be used.
        """
        raise NotImplementedError

    def end(self) -> Iterable[ReadyItem]:
        """The items that waited for more."""
        return ()


class PictureTopicFeed(TopicFeed):
    """Images, depth maps, thermal frames: the first of each hop. The others are not decoded."""

    def __init__(self, modality: str, options: WindowOptions) -> None:
        self._hops = OneInHop(options.of(modality)[1])

    def push(self, sample: Sample) -> Iterator[ReadyItem]:
        if not self._hops.is_due(sample.time):
            return
        item = sample.data
        self._hops.taken(sample.time)
        yield ReadyItem(sample.topic, sample.modality, sample.time, sample.time, item, sample.recorded)


class WindowTopicFeed(TopicFeed):
    """Sounds, videos and inertial samples, by a feed of ``streams``."""

    def __init__(self, topic: str, modality: str) -> None:
        self._topic, self._modality = topic, modality
        self._feed: Feed | None = None
        self._kind: object = None
        self._recorded = 0

    def push(self, sample: Sample) -> Iterator[ReadyItem]:
        data = sample.data
        kind = self.kind_of(data)
        if self._feed is None or kind != self._kind:
            yield from self.end()
            self._feed, self._kind = self.make(data), kind
        self._recorded = sample.recorded
        yield from self._items(self.pushed(self._feed, data, sample.time))

    def end(self) -> Iterator[ReadyItem]:
        if self._feed is not None:
            yield from self._items(self._feed.end())

    def kind_of(self, data: Any) -> object:
        """What must stay the same for the feed to go on."""
        return None

    def make(self, data: Any) -> Feed:
        raise NotImplementedError

    def pushed(self, feed: Feed, data: Any, time: float) -> list[ReadyWindow]:
        raise NotImplementedError

    def _items(self, windows: Iterable[ReadyWindow]) -> Iterator[ReadyItem]:
        for w in windows:
            yield ReadyItem(self._topic, self._modality, w.start, w.end, w.item, self._recorded, w.notes)


class AudioTopicFeed(WindowTopicFeed):
    """Sounds; another rate or number of channels begins anew."""

    def __init__(self, topic: str, options: WindowOptions) -> None:
        super().__init__(topic, "audio")
        self._options = options

    def kind_of(self, data: Any) -> object:
        return data.rate, len(data.src), data.src.dtype

    def make(self, data: Any) -> Feed:
        window, hop = self._options.of("audio")
        return AudioFeed(data.rate, window=window, hop=hop, channels=len(data.src))

    def pushed(self, feed: Feed, data: Any, time: float) -> list[ReadyWindow]:
        return feed.push(data.src, time)


class VideoTopicFeed(WindowTopicFeed):
    """Videos; another size begins anew."""

    def __init__(self, topic: str, options: WindowOptions) -> None:
        super().__init__(topic, "video")
        self._options = options

    def kind_of(self, data: Any) -> object:
        return data.src.shape

    def make(self, data: Any) -> Feed:
        window, hop = self._options.of("video")
        return VideoFeed(window=window, hop=hop, layout="RGB" if data.src.ndim == 3 else "L")

    def pushed(self, feed: Feed, data: Any, time: float) -> list[ReadyWindow]:
        return feed.push(data.src, time)


class ImuTopicFeed(TopicFeed):
    """Inertial samples; of one topic, or the accelerometer's of one and the gyroscope's of another.

    A message has one sample. They go to the feed together, since each push has a cost of its own.
    """

    def __init__(self, topic: str, options: WindowOptions) -> None:
        self._topic = topic
        window, hop = options.of("imu")
        self._feed = ImuFeed(window=window, hop=hop)
        self._held: list[Sample] = []
        self._recorded = 0

    def push(self, sample: Sample) -> Iterator[ReadyItem]:
        self._held.append(sample)
        if len(self._held) >= _TOGETHER:
            yield from self._flush()

    def end(self) -> Iterator[ReadyItem]:
        yield from self._flush()
        yield from self._items(self._feed.end())

    def _flush(self) -> Iterator[ReadyItem]:
        held, self._held = self._held, []
        self._recorded = max((sample.recorded for sample in held), default=self._recorded)
        for sensors, samples in _by_sensors(held).items():
            times = np.array([sample.time for sample in samples])
            rows = [np.stack([getattr(s.data, name) for s in samples], axis=1) for name in sensors]
            data: Any = np.concatenate(rows) if len(rows) == 2 else {sensors[0]: rows[0]}
            yield from self._items(self._feed.push(data, times))

    def _items(self, windows: Iterable[ReadyWindow]) -> Iterator[ReadyItem]:
        for w in windows:
            yield ReadyItem(self._topic, "imu", w.start, w.end, w.item, self._recorded, w.notes)


def _by_sensors(samples: Iterable[Sample]) -> dict[tuple[str, ...], list[Sample]]:
    """Samples by which sensors they are of: ``acc``, ``gyro`` or both."""
    found: dict[tuple[str, ...], list[Sample]] = {}
    for sample in samples:
        data: Inertial = sample.data
        sensors = tuple(name for name in ("acc", "gyro") if getattr(data, name) is not None)
        found.setdefault(sensors, []).append(sample)
    return found


def _pictures(modality: str, topic: str, options: WindowOptions) -> TopicFeed:
    return PictureTopicFeed(modality, options)


FEEDS: dict[str, Callable[[str, WindowOptions], TopicFeed]] = {
    "audio": AudioTopicFeed,
    "video": VideoTopicFeed,
    "imu": ImuTopicFeed,
    **{m: partial(_pictures, m) for m in ("image", "depth", "thermal")},
}
