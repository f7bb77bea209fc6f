"""Which feed a sample goes to."""

from __future__ import annotations

from collections.abc import Iterator

from bindrt.errors import Error
from bindrt.recordings.embedding.topic_feeds import FEEDS, TopicFeed, WindowOptions
from bindrt.recordings.embedding.topic_windows import ReadyItem
from bindrt.recordings.report import Report
from bindrt.recordings.sample import Inertial, Sample


class Router:
    """Feeds of all topics. An accelerometer and a gyroscope in two topics have one."""

    def __init__(self, options: WindowOptions, report: Report) -> None:
        self._options = options
        self._report = report
        self._feeds: dict[tuple[str, str], TopicFeed] = {}
        self._sensors: dict[str, str] = {}  # topic → acc, gyro
        self._partners: dict[str, str] = {}  # topic → the topic under whose name both stand

    def push(self, sample: Sample) -> Iterator[ReadyItem]:
        """The items that are complete with a sample; what cannot be used is told in the report."""
        key = (self._name_of(sample), sample.modality)
        if key not in self._feeds:
            self._feeds[key] = FEEDS[sample.modality](key[0], self._options)
        try:
            yield from self._feeds[key].push(sample)
        except Error as error:
            self._fail(sample.topic, error)

    def end(self) -> Iterator[ReadyItem]:
        for (topic, _), feed in self._feeds.items():
            try:
                yield from feed.end()
            except Error as error:
                self._fail(topic, error)
        for topic, sensor in self._sensors.items():
            if topic not in self._partners:
                self._report.note(f"{topic}: it has only {sensor}, so it has no windows of imu")

    def _fail(self, topic: str, error: Error) -> None:
        self._report.fail(topic, f"{error.problem}; {error.remedy}" if error.remedy else error.problem)

    def _name_of(self, sample: Sample) -> str:
        data = sample.data if sample.modality == "imu" else None
        if not isinstance(data, Inertial) or (data.acc is not None and data.gyro is not None):
            return sample.topic
        if sample.topic not in self._sensors:
            self._sensors[sample.topic] = "acc" if data.acc is not None else "gyro"
            self._find_partner(sample.topic)
        return self._partners.get(sample.topic, sample.topic)

    def _find_partner(self, topic: str) -> None:
        """The nearest topic of the other sensor that has no partner yet."""
        others = [
            name
            for name, sensor in self._sensors.items()
            if sensor != self._sensors[topic] and name not in self._partners
        ]
        if others:
            partner = max(others, key=lambda name: _alike(name, topic))
            self._partners[partner] = self._partners[topic] = partner


def _alike(first: str, second: str) -> int:
    """How many of their parts two names of topics share."""
    return len(set(first.split("/")) & set(second.split("/")))
