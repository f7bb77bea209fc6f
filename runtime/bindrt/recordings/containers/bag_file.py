"""ROS 1 bags, version 2.0: whole, without an index, or cut off."""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from bindrt.errors import SourceError
from bindrt.recordings.containers.bounded import BoundedFile, CutError, DamageError, open_bounded, unpack
from bindrt.recordings.containers.in_order import Piece, in_order
from bindrt.recordings.libraries import library
from bindrt.recordings.raw import PassOver, RawMessage, Topic
from bindrt.recordings.report import Report

MAGIC = b"#ROSBAG V"
_VERSION = b"2.0"
_MESSAGE, _CHUNK, _CHUNK_INFO, _CONNECTION = 2, 5, 6, 7  # kinds of records
_LONGEST_HEADER = 1 << 20
_SIZE = struct.Struct("<I")
_TIME = struct.Struct("<II")  # seconds, nanoseconds


class _Chunk(NamedTuple):
    place: int
    length: int
    compression: str
    size: int


class BagFile:
    """A ``.bag``. Opening it walks over its chunks, so no index is needed."""

    def __init__(self, path: Path, report: Report) -> None:
        """
        Raises:
            SourceError: not a bag of version 2.0, or it cannot be opened.
        """
        self._name = str(path)
        self._report = report
        self._header = library("rosbags.rosbag1.reader", "rosbags").Header
        self._topics: dict[int, Topic] = {}
        self._chunks: dict[int, _Chunk] = {}  # by where the record begins
        self._starts: dict[int, int] = {}
        self._file: BoundedFile = open_bounded(path)
        try:
            self._walk()
            if not self._starts:  # neither times nor topics are told
                self._file_order()
        except BaseException:
            self._file.close()
            raise

    def topics(self) -> list[Topic]:
        return list(dict.fromkeys(self._topics.values()))

    def messages(self, topics: Collection[Topic], pass_over: PassOver) -> Iterator[RawMessage]:
        load = partial(self._load, wanted=frozenset(topics), pass_over=pass_over)
        pieces = [
            Piece(self._starts.get(place, 0), partial(load, chunk)) for place, chunk in self._chunks.items()
        ]
        return in_order(pieces, self._name)

    def close(self) -> None:
        self._file.close()

    def _walk(self) -> None:
        line = self._file.read(min(13, self._file.size))
        if not line.startswith(MAGIC + _VERSION):
            raise SourceError(repr(self._name), "it is not a ROS 1 bag of version 2.0", "give a recording")
        try:
            while (place := self._file.tell()) < self._file.size:
                header = self._read_header(self._file)
                (length,) = _SIZE.unpack(self._file.read(_SIZE.size))
                end = self._file.tell() + length
                if end > self._file.size:
                    raise CutError(f"in a chunk that begins at byte {place}")
                self._note_record(header, place, length)
                self._file.seek(end)
        except CutError as error:
            self._report.cut = f"{self._name!r} ends {error}: it was read up to there"
        except DamageError as error:
            self._report.cut = f"{self._name!r} is damaged at byte {place} ({error}): it was read up to there"

    def _note_record(self, header: Mapping[str, bytes], place: int, length: int) -> None:
        kind = _number(header, "op", 1)
        if kind == _CONNECTION:
            self._learn(header, self._file.read(length))
        elif kind == _CHUNK:
            compression = header.get("compression", b"").decode("latin-1")[:20]
            self._chunks[place] = _Chunk(self._file.tell(), length, compression, _number(header, "size", 4))
        elif kind == _CHUNK_INFO and _number(header, "count", 4):
            self._starts[_number(header, "chunk_pos", 8)] = _time(header, "start_time")

    def _file_order(self) -> None:
        """Without an index: the topics stand in the chunks, and so does when each begins."""
        before = self._report.damaged  # it is counted when it is read
        for place, chunk in self._chunks.items():
            times = [time for _, time, _ in self._messages_of(chunk)]
            self._starts[place] = min(times, default=0)
        self._report.damaged = before

    def _load(self, chunk: _Chunk, wanted: Collection[Topic], pass_over: PassOver) -> Iterator[RawMessage]:
        for connection, time, data in self._messages_of(chunk):
            topic = self._topics.get(connection) or Topic(
                f"connection {connection}", "without description", ""
            )
            if topic in wanted:
                yield RawMessage(topic, time, data)
            else:
                pass_over(topic, 1)

    def _messages_of(self, chunk: _Chunk) -> Iterator[tuple[int, int, bytes]]:
        """Connection, time and bytes of a chunk's messages; damage is counted, and ends the chunk."""
        try:
            self._file.seek(chunk.place)
            data = unpack(chunk.compression, self._file.read(chunk.length), chunk.size)
            records = io.BytesIO(data)
            while records.tell() < len(data):
                header = self._read_header(records)
                body = records.read(_SIZE.unpack(records.read(_SIZE.size))[0])
                kind = _number(header, "op", 1)
                if kind == _CONNECTION:
                    self._learn(header, body)
                elif kind == _MESSAGE:
                    yield _number(header, "conn", 4), _time(header, "time"), body
        except (DamageError, CutError, struct.error):
            self._report.damaged += 1

    def _read_header(self, file: Any) -> Mapping[str, bytes]:
        """A record's header, through rosbags."""
        place = file.tell()
        (length,) = _SIZE.unpack(file.read(_SIZE.size))
        if length > _LONGEST_HEADER:
            raise DamageError(f"a header of {length} bytes")
        file.seek(place)
        try:
            header: Mapping[str, bytes] = self._header.read(file)
        except CutError:
            raise
        except Exception as error:  # rosbags' own kinds
            raise DamageError(str(error)) from error
        return header

    def _learn(self, header: Mapping[str, bytes], body: bytes) -> None:
        """Takes a connection: the topic stands in the header, the type in the data."""
        number = _number(header, "conn", 4)
        if number in self._topics:
            return
        try:
            told = self._header.read(io.BytesIO(_SIZE.pack(len(body)) + body))
            self._topics[number] = Topic(header["topic"].decode(), told["type"].decode(), "ros1")
        except Exception as error:  # rosbags' own kinds, or texts that are none
            raise DamageError(f"a connection: {error}") from error


def _number(header: Mapping[str, bytes], name: str, size: int) -> int:
    value = header.get(name, b"")
    if len(value) != size:
        raise DamageError(f"no {name}")
    return int.from_bytes(value, "little")


def _time(header: Mapping[str, bytes], name: str) -> int:
    try:
        seconds, nanoseconds = _TIME.unpack(header.get(name, b""))
    except struct.error:
        raise DamageError(f"no {name}") from None
    return int(seconds) * 10**9 + int(nanoseconds)
