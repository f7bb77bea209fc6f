"""A recording of sensors: its topics, and samples of them in the order in which they were recorded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from types import TracebackType

from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.recordings.containers import open_container
from bindrt.recordings.messages import INFOS, MODALITIES_OF, Choice, Readers, chosen_topics, kind_of
from bindrt.recordings.raw import Topic
from bindrt.recordings.report import Report
from bindrt.recordings.sample import Sample


class Recording:
    """A recording: MCAP, a ROS 1 bag, or a ROS 2 bag. No installation of ROS is needed.

    Attributes:
        report: what was read, and what was not; it grows while samples are read.

    docs/recordings.md has examples.
    """

    def __init__(self, path: str | os.PathLike[str], limits: Limits = DEFAULT_LIMITS) -> None:
        """
        Args:
            path: a ``.mcap``, ``.bag`` or ``.db3`` file, or the folder that ``ros2 bag record`` made.

        Raises:
            SourceError: it is missing, or no recording.
            Error: the extra ``recordings`` is not installed.
        """
        self.report = Report()
        self._name = os.fspath(path)
        self._limits = limits
        self._container = open_container(path, self.report)

    @property
    def topics(self) -> list[Topic]:
        """All topics, by name."""
        return sorted(self._container.topics(), key=lambda topic: topic.name)

    def readable(self) -> dict[str, tuple[str, ...]]:
        """The topics that can be read, with the modalities that each may be."""
        known = ((topic.name, MODALITIES_OF.get(kind_of(topic.type), ())) for topic in self.topics)
        return {name: modalities for name, modalities in known if modalities}

    def samples(self, choices: Mapping[str, Choice] | None = None) -> Iterator[Sample]:
        """Samples of all topics whose type is known, or of the chosen ones, by when they were recorded.

        It takes constant memory. What cannot be read is counted and named in ``report``, and ends nothing.

        Raises:
            OptionError: a chosen topic is not there, or its type is not of that modality.
            LimitError: the file's chunks overlap in time by more than fits into memory.
        """
        topics = self.topics
        chosen = chosen_topics(topics, choices or {}, repr(self._name))
        readers = Readers(topics, chosen, self._limits, self.report)
        infos = {topic for topic in topics if kind_of(topic.type) in INFOS}
        return self._samples(readers, {*chosen, *infos})

    def _samples(self, readers: Readers, wanted: set[Topic]) -> Iterator[Sample]:
        for raw in self._container.messages(wanted, self._pass_over):
            yield from readers.read(raw)
        yield from readers.end()

    def _pass_over(self, topic: Topic, count: int) -> None:
        if kind_of(topic.type) not in MODALITIES_OF:  # the others were not chosen
            self.report.pass_over(topic.name, topic.type, count)

    def close(self) -> None:
        """Closes its files."""
        self._container.close()

    def __enter__(self) -> Recording:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
