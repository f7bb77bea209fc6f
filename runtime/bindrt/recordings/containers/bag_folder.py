"""ROS 2 bags: a folder of ``.db3`` or ``.mcap`` files, or a ``.db3`` alone."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from bindrt.errors import SourceError
from bindrt.recordings.containers.container import Container
from bindrt.recordings.containers.mcap_file import McapFile
from bindrt.recordings.libraries import library
from bindrt.recordings.raw import PassOver, RawMessage, Topic
from bindrt.recordings.report import Report

_METADATA = "metadata.yaml"


class SqliteBag:
    """A ``.db3`` file, or a folder of them with its ``metadata.yaml``, through rosbags."""

    def __init__(self, path: Path, report: Report) -> None:
        """
        Raises:
            SourceError: it cannot be read as such.
        """
        self._name = str(path)
        self._report = report
        reader = library("rosbags.rosbag2", "rosbags").Reader
        try:
            self._reader = reader(path)
            self._reader.open()
        except Exception as error:  # rosbags', sqlite's and yaml's own kinds
            raise SourceError(
                repr(self._name), f"it cannot be read as a ROS 2 bag: {error}", _REMEDY
            ) from error
        self._topics = {id(c): Topic(c.topic, c.msgtype, "cdr") for c in self._reader.connections}

    def topics(self) -> list[Topic]:
        return list(dict.fromkeys(self._topics.values()))

    def messages(self, topics: Collection[Topic], pass_over: PassOver) -> Iterator[RawMessage]:
        connections = []
        for connection in self._reader.connections:
            topic = self._topics[id(connection)]
            if topic in topics:
                connections.append(connection)
            else:
                pass_over(topic, connection.msgcount)
        if not connections:  # rosbags takes none for all
            return
        found: Iterator[tuple[Any, int, bytes]] = self._reader.messages(connections)
        while True:
            try:
                connection, time, data = next(found)
            except StopIteration:
                return
            except Exception as error:  # sqlite's own kinds: a damaged or shortened file
                self._report.cut = f"{self._name!r} is damaged ({error}): it was read up to there"
                return
            yield RawMessage(self._topics[id(connection)], time, data)

    def close(self) -> None:
        self._reader.close()


class Together:
    """Several files as one recording."""

    def __init__(self, parts: list[Container]) -> None:
        self._parts = parts

    def topics(self) -> list[Topic]:
        return list(dict.fromkeys(topic for part in self._parts for topic in part.topics()))

    def messages(self, topics: Collection[Topic], pass_over: PassOver) -> Iterator[RawMessage]:
        found = (part.messages(topics, pass_over) for part in self._parts)
        return heapq.merge(*found, key=lambda message: message.time)

    def close(self) -> None:
        for part in self._parts:
            part.close()


def is_bag_folder(path: Path) -> bool:
    """Whether a folder has a ``metadata.yaml`` beside ``.db3`` or ``.mcap`` files."""
    return path.is_dir() and (path / _METADATA).is_file() and any(_files(path, "db3", "mcap"))


def open_folder(path: Path, report: Report) -> Container:
    """A folder that ``ros2 bag record`` made. Without ``metadata.yaml`` its files are read alone.

    Raises:
        SourceError: it has no files of messages, or they cannot be read.
    """
    files = _files(path, "mcap")
    if files:
        return Together([McapFile(file, report) for file in files])
    if (path / _METADATA).is_file():
        return SqliteBag(path, report)
    files = _files(path, "db3")
    if not files:
        raise SourceError(repr(str(path)), "the folder has no .db3 or .mcap file", _REMEDY)
    return Together([SqliteBag(file, report) for file in files])


def _files(path: Path, *suffixes: str) -> list[Path]:
    return sorted(file for suffix in suffixes for file in path.glob(f"*.{suffix}"))


_REMEDY = "give a .mcap or .bag file, or the folder that ros2 bag record made"
