"""Live streams of the topics of a running robot."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from bindrt.errors import ClosedError, Error, OptionError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.recordings.embedding.partners import ImuPartners
from bindrt.recordings.embedding.topic_feeds import WindowOptions
from bindrt.recordings.live.topic_stream import TopicStream
from bindrt.recordings.messages import INFOS, MODALITIES_OF, Choice, Readers, chosen_topics, kind_of
from bindrt.recordings.raw import RawMessage, Topic
from bindrt.recordings.report import Report
from bindrt.recordings.sample import Sample
from bindrt.streams.arrivals import LiveWindow
from bindrt.streams.policies import PolicyName

if TYPE_CHECKING:
    from bindrt.model import Model

#: Is told of each window: its topic, its modality, and the window.
OnWindow = Callable[[str, str, LiveWindow], object]

_MOST = 1024  # topics: each has memory of its own


@dataclass(eq=False)
class _Entry:
    """A topic, and how many messages came. Its lock keeps those in order that several threads hand over."""

    topic: Topic
    messages: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class LiveTopics:
    """Takes the messages of a robot's topics as they come; the vectors of their windows go to a function.

    Messages are read as those of recordings are, and their samples go to live streams of their topics. A
    stream opens with its topic's first message, which tells what it needs: rate, channels, camera. ``push``
    never waits for the model. Several threads may push.

    Attributes:
        report: what could not be read, counted and named.

    >>> from types import SimpleNamespace as Message
    >>> found = []
    >>> take = lambda topic, modality, window: found.append((topic, modality, window.end))
    >>> topics = LiveTopics(model, take, policy="all")
    >>> topics.add("/mic", "foxglove_msgs/msg/RawAudio")
    >>> block = {"format": "pcm-s16", "sample_rate": 16000, "number_of_channels": 1, "data": bytes(32000)}
    >>> for second in (1, 2, 3):
    ...     topics.push("/mic", Message(timestamp=Message(sec=second, nanosec=0), **block))
    >>> topics.close(drain=True)
    >>> found
    [('/mic', 'audio', 3.0), ('/mic', 'audio', 4.0)]
    """

    def __init__(
        self,
        model: Model,
        on_window: OnWindow,
        options: WindowOptions | None = None,
        *,
        policy: PolicyName = "latest",
        queue: int = 8,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        """
        Args:
            on_window: called with a window's topic, modality and the window, on a thread of the streams: for
                each topic one call after the other. A window with an ``error`` has no vector.
            options: how long windows are, and the time from one to the next.
            policy, queue: as in :meth:`bindrt.Model.live`. With ``"all"`` a message that is too much is
                counted as ``refused``.
            limits: of the pictures that messages hold.
        """
        self.report = Report()
        self._model, self._on_window = model, on_window
        self._options = options or WindowOptions()
        self._policy, self._queue, self._limits = policy, queue, limits
        self._entries: dict[str, _Entry] = {}
        self._streams: dict[tuple[str, str], TopicStream] = {}
        self._readers = Readers([], {}, limits, self.report)
        self._partners = ImuPartners()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def names(self) -> tuple[str, ...]:
        """The topics."""
        return tuple(self._entries)

    def add(self, name: str, type: str, choice: Choice | None = None, encoding: str = "cdr") -> None:
        """One more topic: of sensors, or one that tells about others (CameraInfo, AudioInfo).

        The engine of its modality is opened now, so that no message has to wait for it.

        Args:
            name: for example ``/camera/image_raw``.
            type: of its messages, for example ``sensor_msgs/msg/Image``; docs/recordings.md lists them.
            choice: how it is read; None: as its type and its messages say.
            encoding: of messages given as bytes: ``cdr``, ``ros1`` or ``json``.

        Raises:
            OptionError: the type is not read, or holds nothing of the modality; the model does not have it.
        """
        topic = Topic(name, type, encoding)
        choice = choice or Choice()
        if kind_of(type) not in INFOS:
            chosen_topics([topic], {name: choice}, "the robot")
            self._open_engine(name, choice.modality or MODALITIES_OF[kind_of(type)][0])
        with self._lock:
            if name in self._entries or len(self._entries) >= _MOST:
                problem = "it is there already" if name in self._entries else f"there are {_MOST} already"
                raise OptionError(f"topic {name}", problem, "add each once, and only what is needed")
            self._readers.add(topic, choice)
            self._entries[name] = _Entry(topic)

    def push(self, name: str, message: Any, received: int | None = None) -> None:
        """Hands over a message. What cannot be read is counted and named in ``report``.

        Args:
            message: an object with the fields of its type, as ``rclpy`` gives them.
            received: when it came, in nanoseconds since 1970, for messages without a stamp; None: now.

        Raises:
            OptionError: there is no such topic.
            ClosedError: the topics are closed.
        """
        with self._entry(name) as entry:
            self._forward(self._readers.take(entry.topic, message, _time(received), _size(message)))

    def push_bytes(self, name: str, data: bytes, received: int | None = None) -> None:
        """As :meth:`push`, with a message in its topic's encoding. It needs the extra ``recordings``.

        Raises:
            OptionError, ClosedError: as :meth:`push`.
            Error: the extra ``recordings`` is not installed.
        """
        with self._entry(name) as entry:
            self._forward(self._readers.read(RawMessage(entry.topic, _time(received), data)))

    def stats(self) -> dict[str, dict[str, Any]]:
        """What became of the messages of each topic of sensors, and of their windows.

        ``messages`` that came, and those that were ``unreadable``. From the first sample on ``modality``,
        what ``stats()`` of a live stream says, and ``refused``: samples that the stream did not take. An
        accelerometer and a gyroscope that are joined share their stream.
        """
        streams = {topic: (m, stream) for (topic, m), stream in list(self._streams.items())}
        found: dict[str, dict[str, Any]] = {}
        for name, entry in list(self._entries.items()):
            if kind_of(entry.topic.type) in INFOS:
                continue
            failed, _ = self.report.failed.get(name, (0, ""))
            found[name] = {"messages": entry.messages, "unreadable": failed}
            modality, stream = streams.get(self._partners.lead_of(name), ("", None))
            if stream is not None:
                found[name].update(modality=modality, **stream.stats())
        return found

    def close(self, drain: bool = False) -> None:
        """Ends all streams.

        Args:
            drain: first finish what was pushed.
        """
        with ExitStack() as stack:
            for entry in list(self._entries.values()):  # no message is on its way
                stack.enter_context(entry.lock)
            if self._closed:
                return
            self._closed = True
            if drain:
                self._forward(self._readers.end())
        for stream in list(self._streams.values()):
            stream.close(drain)

    def __enter__(self) -> LiveTopics:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(drain=kind is None)

    @contextmanager
    def _entry(self, name: str) -> Iterator[_Entry]:
        """A topic, with its lock."""
        if name not in self._entries:
            known = ", ".join(self._entries) or "none yet"
            raise OptionError(f"topic {name}", "it was not added", f"there are {known}")
        entry = self._entries[name]
        with entry.lock:
            if self._closed:
                raise ClosedError(f"topic {name}", "the topics are closed", "open others")
            entry.messages += 1
            yield entry

    def _open_engine(self, name: str, modality: str) -> None:
        if modality not in self._model.modalities:
            has = ", ".join(self._model.modalities)
            raise OptionError(f"topic {name}", f"the bundle has no {modality}", f"it has {has}")
        engine: Any = self._model.engine
        engine(modality)

    def _forward(self, samples: Iterator[Sample]) -> None:
        for sample in samples:
            if sample.modality not in self._model.modalities:
                self.report.note(f"{sample.topic}: the bundle has no {sample.modality}")
                continue
            try:
                self._stream_of(sample).push(sample)
            except ClosedError:
                raise
            except Error as error:
                told = f"{error.problem}; {error.remedy}" if error.remedy else error.problem
                self.report.fail(sample.topic, told)

    def _stream_of(self, sample: Sample) -> TopicStream:
        with self._lock:
            key = (self._partners.name_of(sample), sample.modality)
            if key not in self._streams:
                hop = self._options.of(sample.modality)[1]
                self._streams[key] = TopicStream(partial(self._open, *key), hop, self._limits)
            return self._streams[key]

    def _open(self, name: str, modality: str, **options: Any) -> Any:
        """A live stream of the model."""
        if modality in ("audio", "video", "imu"):
            options["window"], options["hop"] = self._options.of(modality)
        on_result = partial(self._on_window, name, modality)
        live: Any = self._model.live
        return live(modality, policy=self._policy, queue=self._queue, on_result=on_result, **options)


def _size(message: Any) -> int:
    """Bytes that a message holds: it bounds how many of them may wait for a CameraInfo or AudioInfo."""
    data: Any = getattr(message, "data", b"")
    return len(data) if hasattr(data, "__len__") else 0


def _time(received: int | None) -> int:
    return time.time_ns() if received is None else received
