"""Any place in a gzip file: the state of the decompressor is kept now and then, and read on from there."""

from __future__ import annotations

import io
import zlib
from bisect import bisect_right
from collections import deque
from threading import Lock
from typing import Any, BinaryIO

from bindrt.errors import LimitError
from bindrt.sources.streams import AtPosition

#: Bytes that are read of the file at a time, and at most unpacked of them.
_PIECE, _UNPACKED = 16 << 10, 1 << 20
#: States that are kept, of some 60 kB each; there is one each MiB until there are so many.
_MOST_STATES = 128
#: States where readers have ended: who reads one file after the other goes on there.
_ENDS = 8
#: No media shrinks to so small a part of it; checked from a GiB on.
_MOST_TIMES, _CHECKED_FROM = 200, 1 << 30
_GZIP = 16 + zlib.MAX_WBITS


class _State:
    """A decompressor at a place of the unpacked bytes.

    Attributes:
        at: that place.
        read: how many bytes of the file it has been given.
    """

    def __init__(self) -> None:
        self.at = self.read = 0
        self._rest = b""
        self._inflate: Any = zlib.decompressobj(_GZIP)

    def copy(self) -> _State:
        other = _State()
        other.at, other.read, other._rest = self.at, self.read, self._rest
        other._inflate = self._inflate.copy()
        return other

    def next(self, file: BinaryIO, most: int) -> bytes:
        """The next unpacked bytes, at most so many; empty at the end.

        Raises:
            zlib.error, EOFError: the file is damaged, or ends too early.
        """
        while True:
            data = self._rest
            if not data:
                file.seek(self.read)
                data = file.read(_PIECE)
                self.read += len(data)
            if self._inflate.eof:
                data = data.lstrip(b"\0")  # what may stand behind the end, or between two gzip files
                if not data and not self._rest:
                    return b""
                self._rest = data
                if data:
                    self._inflate = zlib.decompressobj(_GZIP)
                continue
            found: bytes = self._inflate.decompress(data, most)
            self._rest = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            self.at += len(found)
            if found:
                return found
            if not data:
                raise EOFError("the compressed file ends too early")


class GzipStates:
    """What is kept of a gzip file, to read it from any place on. Several threads may use it.

    Attributes:
        name: of the file, in errors.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._kept = [_State()]
        self._spacing = 1 << 20
        self._ends: deque[_State] = deque(maxlen=_ENDS)
        self._lock = Lock()

    def before(self, at: int) -> _State:
        """A state of one's own, the nearest before a place."""
        with self._lock:
            kept = self._kept[bisect_right(self._kept, at, key=lambda state: state.at) - 1]
            ends = [state for state in self._ends if state.at <= at]
            return max([kept, *ends], key=lambda state: state.at).copy()

    def passed(self, state: _State) -> None:
        """A reader is here: its state is kept if there is none nearby."""
        with self._lock:
            if state.at < self._kept[-1].at + self._spacing:
                return
            self._kept.append(state.copy())
            if len(self._kept) > _MOST_STATES:
                self._kept, self._spacing = self._kept[::2], 2 * self._spacing

    def ended(self, state: _State) -> None:
        """A reader has ended here, where another one may begin."""
        with self._lock:
            self._ends.append(state.copy())


class GzipFile(AtPosition):
    """The unpacked bytes of a gzip file, which can seek.

    Raises:
        LimitError: it unpacks to so many times its size that it is no media.
    """

    def __init__(self, file: BinaryIO, states: GzipStates) -> None:
        super().__init__(0)  # its size is not known
        self._file, self._states = file, states
        self._state: _State | None = None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end of a compressed file is not known")
        return super().seek(offset, whence)

    def read(self, size: int | None = -1) -> bytes:
        """All that is asked for and no more, so that the next file's reader can go on where this one ends."""
        if size is None or size < 0:
            return super().readall()
        parts = []
        while size and (data := super().read(size)):
            parts.append(data)
            size -= len(data)
        return b"".join(parts)

    def _read_at(self, at: int, count: int) -> bytes:
        state = self._state
        if state is None or state.at > at:
            state = self._state = self._states.before(at)
        while state.at < at:
            if not self._next(state, at - state.at):
                return b""
        return self._next(state, count)

    def close(self) -> None:
        if not self.closed and self._state is not None:
            self._states.ended(self._state)
        super().close()

    def _next(self, state: _State, most: int) -> bytes:
        data = state.next(self._file, min(most, _UNPACKED))
        if state.at > max(_CHECKED_FROM, _MOST_TIMES * state.read):
            problem = f"it unpacks to more than {_MOST_TIMES} times its size"
            raise LimitError(self._states.name, problem, "unpack it first, if you trust it")
        self._states.passed(state)
        return data
