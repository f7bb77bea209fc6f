"""From messages to samples."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

from bindrt.errors import Error
from bindrt.limits import Limits
from bindrt.recordings.messages.audio_topics import AudioTopic
from bindrt.recordings.messages.choices import Choice
from bindrt.recordings.messages.context import Context
from bindrt.recordings.messages.decoding import Decode, decoder_of
from bindrt.recordings.messages.imu_topics import ImuTopic
from bindrt.recordings.messages.kinds import INFOS, MODALITIES_OF, kind_of
from bindrt.recordings.messages.picture_topics import PictureTopic
from bindrt.recordings.messages.topic_reader import NotYet, TopicReader
from bindrt.recordings.messages.video_topics import VideoTopic
from bindrt.recordings.raw import RawMessage, Topic
from bindrt.recordings.report import Report
from bindrt.recordings.sample import Sample

_READERS: Mapping[str, Callable[[Topic, Choice, Context, Limits], TopicReader]] = {
    "foxglove/CompressedVideo": VideoTopic,
    "sensor_msgs/Imu": ImuTopic,
    **{kind: AudioTopic for kind, modalities in MODALITIES_OF.items() if modalities == ("audio",)},
    **{kind: PictureTopic for kind, modalities in MODALITIES_OF.items() if "depth" in modalities},
}
#: What may wait for a message that tells about its topic.
_MOST_MESSAGES, _MOST_BYTES = 256, 64 << 20
_LONGEST = 200  # characters of an error


class _Held(NamedTuple):
    """A decoded message, when it came in nanoseconds, and how many bytes it was."""

    message: Any
    time: int
    size: int


class Readers:
    """Reads the messages of all chosen topics."""

    def __init__(
        self, topics: list[Topic], chosen: Mapping[Topic, Choice], limits: Limits, report: Report
    ) -> None:
        self._context = Context(topics)
        self._limits = limits
        self._report = report
        self._decoders: dict[Topic, Decode | None] = {}
        self._readers: dict[Topic, TopicReader] = {}
        self._waiting: dict[Topic, deque[_Held]] = {}
        for topic, choice in chosen.items():
            self.add(topic, choice)

    def add(self, topic: Topic, choice: Choice) -> None:
        """One more topic, of a type that is read or that tells about others."""
        self._context.add(topic)
        if kind_of(topic.type) not in INFOS:
            make = _READERS[kind_of(topic.type)]
            self._readers[topic] = make(topic, choice, self._context, self._limits)

    def read(self, raw: RawMessage) -> Iterator[Sample]:
        """The samples of a message. What cannot be read is counted and named in the report.

        Raises:
            Error: a library of the extra ``recordings`` is missing.
        """
        topic = raw.topic
        decode = self._decoder(topic)
        if decode is None:
            self._report.pass_over(topic.name, f"{topic.type} in {topic.encoding or 'no'} encoding")
            return
        try:
            message = decode(raw.data)
        except Exception as error:  # each library raises its own kinds for bytes that are no such message
            self._fail(topic, f"it is no message of {topic.type}: {error}"[:_LONGEST])
            return
        yield from self.take(topic, message, raw.time, len(raw.data))

    def take(self, topic: Topic, message: Any, time: int, size: int) -> Iterator[Sample]:
        """The samples of a message that is decoded: an object with its fields; see :meth:`read`.

        Args:
            time: when it came, in nanoseconds.
            size: bytes that it holds.
        """
        if kind_of(topic.type) in INFOS:
            yield from self._guarded(topic, partial(self._learn, topic, message))
        else:
            yield from self._from_message(topic, _Held(message, time, size))

    def end(self) -> Iterator[Sample]:
        """What waited for messages that did not come, and what decoders still hold."""
        for topic in self._readers:
            yield from self._release(topic, last=True)
        for topic, reader in self._readers.items():
            yield from self._guarded(topic, reader.end)

    def _from_message(self, topic: Topic, held: _Held) -> Iterator[Sample]:
        if topic in self._waiting:
            self._waiting[topic].append(held)
            full = len(self._waiting[topic]) > _MOST_MESSAGES or (
                sum(each.size for each in self._waiting[topic]) > _MOST_BYTES
            )
            yield from self._release(topic, last=full)
            return
        try:
            yield from self._counted(topic, held, last=False)
        except NotYet:
            self._waiting[topic] = deque([held])

    def _release(self, topic: Topic, last: bool) -> Iterator[Sample]:
        """Reads what waits, if it may be read by now; ``last``: in any case."""
        waiting = self._waiting.get(topic)
        while waiting:
            try:
                yield from self._counted(topic, waiting[0], last)
            except NotYet:
                return
            waiting.popleft()
        self._waiting.pop(topic, None)

    def _counted(self, topic: Topic, held: _Held, last: bool) -> Iterator[Sample]:
        reader = self._readers[topic]
        reader.waits = not last
        before = reader.notes.copy()
        yield from self._guarded(topic, partial(reader.read, held.message, held.time), count=True)
        for note in reader.notes:
            if note not in before:
                self._report.note(f"{topic.name}: {note}")

    def _guarded(
        self, topic: Topic, make: Callable[[], Iterator[Sample] | None], count: bool = False
    ) -> Iterator[Sample]:
        try:
            yield from make() or ()
        except NotYet:
            raise
        except Error as error:
            self._fail(topic, f"{error.problem}; {error.remedy}" if error.remedy else error.problem)
        except Exception as error:  # fields of other kinds than the type has: JSON may hold anything
            self._fail(topic, f"it is not as its type says: {error}"[:_LONGEST])
        else:
            if count:
                self._report.add(topic.name)

    def _learn(self, topic: Topic, message: Any) -> None:
        self._context.take(topic, message)

    def _decoder(self, topic: Topic) -> Decode | None:
        if topic not in self._decoders:
            try:
                self._decoders[topic] = decoder_of(topic)
            except Error:
                raise
            except Exception as error:  # a damaged description of a protobuf type
                self._decoders[topic] = partial(_undescribed, str(error))
        return self._decoders[topic]

    def _fail(self, topic: Topic, error: str) -> None:
        self._report.fail(topic.name, error)


def _undescribed(problem: str, data: bytes) -> Any:
    raise ValueError(f"its description is damaged: {problem}")
