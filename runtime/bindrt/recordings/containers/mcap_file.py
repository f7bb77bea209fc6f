"""MCAP files: whole, without an index, or cut off."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Union

from bindrt.errors import SourceError
from bindrt.recordings.containers.bounded import BoundedFile, CutError, DamageError, open_bounded, unpack
from bindrt.recordings.containers.in_order import Piece, in_order
from bindrt.recordings.libraries import library
from bindrt.recordings.raw import PassOver, RawMessage, Topic
from bindrt.recordings.report import Report

MAGIC = b"\x89MCAP0\r\n"
_FOOTER, _SCHEMA, _CHANNEL, _MESSAGE, _CHUNK = 2, 3, 4, 5, 6  # kinds of records
_NAMES = {_MESSAGE: "a message", _CHUNK: "a chunk"}
_HEAD = struct.Struct("<BQ")  # a record's kind and length
_CHUNK_HEAD = struct.Struct("<QQQII")  # first time, last time, unpacked size, CRC, length of the next name
_MESSAGE_HEAD = struct.Struct("<HIQQ")  # channel, sequence, log time, publish time
_LONGEST_NAME = 64  # of a compression
_TOGETHER = 1 << 20  # bytes of messages outside chunks that are loaded together


class _Chunk(NamedTuple):
    """Where a chunk's packed records are, and what they unpack to."""

    place: int
    length: int
    compression: str
    size: int
    crc: int


class _Run(NamedTuple):
    """Where records outside chunks are."""

    place: int
    end: int


_Part = Union[_Chunk, _Run]


class McapFile:
    """An MCAP file. Opening it walks over its records: their heads, not the messages that they hold.

    So no index is needed, and a file that was cut off is read up to the cut, which the report tells.
    """

    def __init__(self, path: Path, report: Report) -> None:
        """
        Raises:
            SourceError: not an MCAP file, or it cannot be opened.
        """
        self._name = str(path)
        self._report = report
        self._schemas: dict[int, Any] = {}
        self._channels: dict[int, Topic] = {}
        self._parts: list[tuple[int, _Part]] = []  # the first time of each
        self._has_summary = False
        self._file: BoundedFile = open_bounded(path)
        try:
            self._walk()
            if not self._has_summary or not self._channels:
                self._look_for_channels()
        except BaseException:
            self._file.close()
            raise

    def topics(self) -> list[Topic]:
        return list(dict.fromkeys(self._channels.values()))

    def messages(self, topics: Collection[Topic], pass_over: PassOver) -> Iterator[RawMessage]:
        wanted = frozenset(topics)
        load = partial(self._load, wanted=wanted, pass_over=pass_over)
        return in_order((Piece(start, partial(load, part)) for start, part in self._parts), self._name)

    def close(self) -> None:
        self._file.close()

    def _walk(self) -> None:
        if self._file.size < len(MAGIC) or self._file.read(len(MAGIC)) != MAGIC:
            raise SourceError(repr(self._name), "it is not an MCAP file", "give a recording")
        try:
            while (place := self._file.tell()) < self._file.size:
                kind, length = _HEAD.unpack(self._file.read(_HEAD.size))
                end = self._file.tell() + length
                if end > self._file.size:
                    raise CutError(f"in {_NAMES.get(kind, 'a record')} at byte {place}")
                if kind == _FOOTER:
                    self._has_summary = any(self._file.read(8))
                    return
                self._note_record(kind, place, end)
                self._file.seek(end)
            raise CutError(f"at byte {self._file.size}, where more should follow")
        except CutError as error:
            self._report.cut = f"{self._name!r} ends {error}: it was read up to there"

    def _look_for_channels(self) -> None:
        """Without a summary the channels stand in the chunks; what is damaged is counted when it is read."""
        before = self._report.damaged
        for _, part in self._parts:
            self._records_of(part, lambda channel, time, data: None)
        self._report.damaged = before

    def _note_record(self, kind: int, place: int, end: int) -> None:
        """Keeps what a record outside chunks tells, and where messages are."""
        length = end - self._file.tell()
        if kind in (_SCHEMA, _CHANNEL):
            self._learn(kind, self._file.read(length))
        elif kind == _CHUNK and length >= _CHUNK_HEAD.size:
            start, _, size, crc, name_length = _CHUNK_HEAD.unpack(self._file.read(_CHUNK_HEAD.size))
            name = self._file.read(min(name_length, _LONGEST_NAME, end - self._file.tell()))
            packed = self._file.read(min(8, end - self._file.tell()))
            if len(packed) < 8 or int.from_bytes(packed, "little") > end - self._file.tell():
                self._report.damaged += 1
                return
            chunk = _Chunk(
                self._file.tell(), int.from_bytes(packed, "little"), name.decode("latin-1"), size, crc
            )
            self._parts.append((start, chunk))
        elif kind == _MESSAGE and length >= _MESSAGE_HEAD.size:
            _, _, time, _ = _MESSAGE_HEAD.unpack(self._file.read(_MESSAGE_HEAD.size))
            self._add_loose(time, place, end)

    def _add_loose(self, time: int, place: int, end: int) -> None:
        """A message outside chunks: neighbours are loaded together."""
        if self._parts:
            first, last = self._parts[-1]
            if isinstance(last, _Run) and last.end == place and place - last.place < _TOGETHER:
                self._parts[-1] = min(first, time), _Run(last.place, end)
                return
        self._parts.append((time, _Run(place, end)))

    def _learn(self, kind: int, data: bytes) -> None:
        """Takes a schema or a channel."""
        records = library("mcap.records", "mcap")
        stream = library("mcap.data_stream", "mcap").ReadDataStream(io.BytesIO(data))
        try:
            if kind == _SCHEMA:
                schema = records.Schema.read(stream)
                self._schemas.setdefault(schema.id, schema)
                return
            channel = records.Channel.read(stream)
        except Exception:  # lengths or texts that cannot be
            self._report.damaged += 1
            return
        schema = self._schemas.get(channel.schema_id)
        if channel.id not in self._channels:
            self._channels[channel.id] = Topic(
                channel.topic,
                schema.name if schema is not None else "",
                channel.message_encoding,
                schema.data if schema is not None else b"",
            )

    def _load(self, part: _Part, wanted: Collection[Topic], pass_over: PassOver) -> list[RawMessage]:
        found: list[RawMessage] = []

        def take(channel: int, time: int, data: memoryview) -> None:
            topic = self._channels.get(channel) or Topic(f"channel {channel}", "without description", "")
            if topic in wanted:
                found.append(RawMessage(topic, time, bytes(data)))
            else:
                pass_over(topic, 1)

        self._records_of(part, take)
        return found

    def _records_of(self, part: _Part, take: Callable[[int, int, memoryview], None]) -> None:
        """Calls ``take`` with each message's channel, time and bytes; damage is counted, and ends it."""
        try:
            records = memoryview(self._unpacked(part))
            at = 0
            while at < len(records):
                kind, length = _HEAD.unpack_from(records, at)
                begin, at = at + _HEAD.size, at + _HEAD.size + length
                if at > len(records):
                    raise DamageError("a record is longer than its chunk")
                if kind in (_SCHEMA, _CHANNEL):
                    self._learn(kind, bytes(records[begin:at]))
                elif kind == _MESSAGE and length >= _MESSAGE_HEAD.size:
                    channel, _, time, _ = _MESSAGE_HEAD.unpack_from(records, begin)
                    take(channel, time, records[begin + _MESSAGE_HEAD.size : at])
        except (DamageError, CutError, struct.error):
            self._report.damaged += 1

    def _unpacked(self, part: _Part) -> bytes:
        self._file.seek(part.place)
        if isinstance(part, _Run):
            return self._file.read(part.end - part.place)
        data = unpack(part.compression, self._file.read(part.length), part.size)
        if part.crc and zlib.crc32(data) != part.crc:
            raise DamageError("a chunk's checksum is another one")
        return data
