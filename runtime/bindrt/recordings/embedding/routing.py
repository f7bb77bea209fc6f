"""Which feed a sample goes to."""

from __future__ import annotations

from collections.abc import Iterator

from bindrt.errors import Error
from bindrt.recordings.embedding.partners import ImuPartners
from bindrt.recordings.embedding.topic_feeds import FEEDS, TopicFeed, WindowOptions
from bindrt.recordings.embedding.topic_windows import ReadyItem
from bindrt.recordings.report import Report
from bindrt.recordings.sample import Sample


class Router:
    """Feeds of all topics. An accelerometer and a gyroscope in two topics have one."""

    def __init__(self, options: WindowOptions, report: Report) -> None:
        self._options = options
        self._report = report
        self._feeds: dict[tuple[str, str], TopicFeed] = {}
        self._partners = ImuPartners()

    def push(self, sample: Sample) -> Iterator[ReadyItem]:
        """The items that are complete with a sample; what cannot be used is told in the report."""
        key = (self._partners.name_of(sample), sample.modality)
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
        for topic, sensor in self._partners.alone():
            self._report.note(f"{topic}: it has only {sensor}, so it has no windows of imu")

    def _fail(self, topic: str, error: Error) -> None:
        self._report.fail(topic, f"{error.problem}; {error.remedy}" if error.remedy else error.problem)
