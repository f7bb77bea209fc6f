"""Finds the frames of an MP3: their number is its length, whatever its header promises."""

from __future__ import annotations

import array
from dataclasses import dataclass, field
from typing import BinaryIO

from bindrt.limits import Limits
from bindrt.sources.beginning import tag_length
from bindrt.sources.mpeg import FrameHeader, frame_header, resync
from bindrt.sources.recording import check_seconds

_WINDOW = 1 << 16
_ENOUGH = 4400  # bytes that hold three frames of any kind, or the head of any tag
_LATE = 529  # samples by which every decoder of layer 3 is late
_ENCODERS = (b"LAME", b"Lavf", b"Lavc")  # that say how many samples they put at either end


@dataclass
class Part:
    """One of the recordings that a file has, one after the other.

    Attributes:
        header: of its first frame.
        begins: the number of its first frame, of all frames of the file.
        frames: how many frames it has.
        promised: how many its Xing header promises; 0 if it has none.
        skip: samples that the encoder put before the sound.
        drop: samples that it put behind it.
    """

    header: FrameHeader
    begins: int
    frames: int = 0
    promised: int = 0
    skip: int = 0
    drop: int = 0

    @property
    def samples(self) -> int:
        """How many samples of each channel are the sound's."""
        whole = self.frames >= self.promised
        return max(self.frames * self.header.samples - self.skip - (self.drop if whole else 0), 0)

    @property
    def missing(self) -> int:
        """How many samples are promised and not there."""
        return max(self.promised - self.frames, 0) * self.header.samples


@dataclass
class Frames:
    """The frames of a file.

    Attributes:
        at: where each begins.
        length: how many bytes it has.
        parts: the recordings that they make.
        gaps: how often something that is not a frame stood between two frames.
        cut: whether the last frame is not whole.
    """

    at: array.array[int] = field(default_factory=lambda: array.array("q"))
    length: array.array[int] = field(default_factory=lambda: array.array("H"))
    parts: list[Part] = field(default_factory=list)
    gaps: int = 0
    cut: bool = False


class _Window:
    """A stream's bytes at any position, read in large pieces."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._at, self._data = stream, 0, b""

    def from_(self, at: int) -> tuple[bytes, int]:
        """Bytes and where position ``at`` is in them; ``_ENOUGH`` follow, or all that there are."""
        if not self._at <= at <= self._at + len(self._data) - _ENOUGH:
            self._stream.seek(at)
            self._at, self._data = at, self._stream.read(_WINDOW)
        return self._data, at - self._at


def find_frames(stream: BinaryIO, start: int, size: int, name: str, limits: Limits) -> Frames:
    """All frames from position ``start`` on; no frame is decoded.

    Raises:
        LimitError: they last longer than ``limits.max_seconds``.
    """
    window, found, at, samples = _Window(stream), Frames(), start, 0
    kind: FrameHeader | None = None
    while at < size:
        data, here = window.from_(at)
        header = frame_header(data, here)
        if header is None or not ((kind and header.follows(kind)) or resync(data, here) == here):
            at, junk = _next_frame(window, at, size)
            found.gaps += junk and kind is not None and at < size
            continue
        if kind is None or not header.follows(kind):
            found.parts.append(Part(header, len(found.at)))
            kind = header
        frame = data[here : here + header.length]
        if (part := _xing(header, frame, len(found.at))) is not None:
            found.parts.append(part)
        else:
            samples += header.samples
            check_seconds(samples, header.rate, name, limits)
            _add(found, header, at, min(header.length, size - at))
        at += header.length
    found.parts = [part for part in found.parts if part.frames]
    return found


def _add(found: Frames, header: FrameHeader, at: int, length: int) -> None:
    part = found.parts[-1]
    if part.promised and part.frames == part.promised:  # a recording without such a header follows
        part = Part(header, len(found.at))
        found.parts.append(part)
    if length < header.length:
        found.cut = True
    if length > 4:
        found.at.append(at)
        found.length.append(length)
        part.frames += 1


def _next_frame(window: _Window, at: int, size: int) -> tuple[int, bool]:
    """Where the next frame begins, and whether something other than tags and zeros stands before it."""
    junk = False
    while at < size:
        data, here = window.from_(at)
        if length := _tag(data[here : here + 200]):
            at += length
        elif (zeros := len(data) - here - len(data[here:].lstrip(b"\0"))) > 0:
            at += zeros
        elif (found := resync(data, here)) is not None:
            return at + found - here, junk or found > here
        else:
            junk, at = True, at + max(len(data) - here - _ENOUGH, 1)
    return size, junk


def _tag(data: bytes) -> int:
    """The length of a tag that begins here; 0 if none does."""
    if data.startswith(b"TAG"):
        return 128
    if data.startswith(b"APETAGEX") and len(data) >= 32:
        begins = data[23] & 0x20  # as it is set in a tag's header; its footer says the same length
        return 32 + (int.from_bytes(data[12:16], "little") if begins else 0)
    return tag_length(data)


def _xing(header: FrameHeader, frame: bytes, number: int) -> Part | None:
    """The recording that a Xing or VBRI header begins, which stands in place of a frame."""
    if header.layer != 3:
        return None
    at = 4 + header.side_info
    if frame[at : at + 4] in (b"Xing", b"Info") and len(frame) >= at + 12:
        flags, at = frame[at + 7], at + 8
        promised = int.from_bytes(frame[at : at + 4], "big") if flags & 1 else 0
        at += 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
        part = Part(header, number, promised=promised)
        if frame[at : at + 4] in _ENCODERS and len(frame) >= at + 24:
            ends = int.from_bytes(frame[at + 21 : at + 24], "big")
            part.skip, part.drop = (ends >> 12) + _LATE, max((ends & 4095) - _LATE, 0)
        return part
    if frame[36:40] == b"VBRI" and len(frame) >= 54:
        return Part(header, number, promised=int.from_bytes(frame[50:54], "big"))
    return None
