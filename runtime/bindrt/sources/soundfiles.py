"""What libsndfile reads: WAV, FLAC, OGG, AIFF, AU, CAF, W64 and more. FFmpeg reads what it cannot."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any, BinaryIO

from bindrt.errors import SourceError
from bindrt.limits import Limits
from bindrt.sources.convert import Pieces, at_rate, with_channels
from bindrt.sources.formats import Format
from bindrt.sources.handover import hand_over_libsndfile
from bindrt.sources.links import links
from bindrt.sources.opening import IF_CUT, Opened, decoding, library
from bindrt.sources.parts import part_of
from bindrt.sources.recording import AT_ONCE, BLOCK, Blocks, Damage, Recording, as_float, check_seconds
from bindrt.sources.sizes import W64_TAIL, mended_header
from bindrt.sources.tracks import DEMUXERS, open_track
from bindrt.wanted import require_wanted

_INTEGERS = {"PCM_S8": "int16", "PCM_U8": "int16", "PCM_16": "int16", "PCM_24": "int32", "PCM_32": "int32"}
_NO_LENGTH = 1 << 62  # libsndfile knows none
_EXACT = ("WAV", "AIFF", "AU", "CAF", "W64")  # seeking in integers is exact
_DAMAGED_SECONDS = 0.5  # what one damage may cost


@contextlib.contextmanager
def open_sound(opened: Opened, file_format: Format, start: int, limits: Limits) -> Iterator[Recording]:
    """Opens a sound file that begins at byte ``start``, or several that stand one after the other.

    Raises:
        SourceError: it is damaged or truncated.
        LimitError: it is longer than ``limits.max_seconds``.
    """
    with part_of(opened, start) as whole:
        found = links(whole, file_format)
        ranges = found.ranges(whole.size)
        damage = Damage()
        damage.met(found.gaps)
        if len(ranges) == 1:
            with _open_one(whole, file_format, damage, limits) as recording:
                yield recording
        else:
            yield _joined(whole, file_format, ranges, damage, limits)


@contextlib.contextmanager
def _open_one(opened: Opened, file_format: Format, damage: Damage, limits: Limits) -> Iterator[Recording]:
    mended = mended_header(opened, file_format)
    with part_of(opened, replaced=mended) as right, contextlib.ExitStack() as stack:
        file = None if damage.lost else _libsndfile(right, file_format)
        if file is None:  # also for a damaged OGG, of which libsndfile repeats pages
            yield open_track(right, file_format, limits, damage)
            return
        stack.enter_context(file)
        check_seconds(file.frames, file.samplerate, opened.name, limits)
        yield Recording(
            opened.name,
            Fraction(file.samplerate),
            file.frames,
            lambda wanted: _blocks(file, right, file_format, wanted, damage, limits),
            damage=damage,
        )


def _libsndfile(opened: Opened, file_format: Format) -> Any | None:
    """The file, opened by libsndfile; None if it does not know the codec or the length, and FFmpeg may."""
    if _is_misread(opened, file_format):
        return None
    soundfile = library("soundfile")
    hand_over_libsndfile()
    target = opened.target
    try:
        file = soundfile.SoundFile(os.fsencode(target) if isinstance(target, str) else _Silent(target))
    except Exception as error:
        if file_format.name in DEMUXERS:
            return None
        with decoding(opened.name, f"{file_format.title} file", _remedy(error)):
            raise
    unfit = file.frames >= _NO_LENGTH or file.subtype.startswith("MPEG")  # libmpg123 writes to stderr
    if unfit and file_format.name in DEMUXERS:
        file.close()
        return None
    return file


def _is_misread(opened: Opened, file_format: Format) -> bool:
    """Whether libsndfile gives other samples than are in the file.

    It takes the heads of a VOC's later blocks for samples, and the floats of an extensible W64 for integers.
    """
    if file_format.name == "W64":
        at = opened.head.find(b"fmt " + W64_TAIL)
        return at < 0 or opened.head[at + 24 : at + 26] not in (b"\1\0", b"\3\0")
    return file_format.name == "VOC"


class _Silent:
    """A stream for libsndfile. What it raises, for a position before its beginning, would go to stderr."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.read, self.tell = stream.read, stream.tell

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        try:
            return self._stream.seek(offset, whence)
        except (ValueError, OSError):
            return self._stream.tell()

    def readinto(self, buffer: Any) -> int:
        try:
            return self._stream.readinto(buffer)  # type: ignore[attr-defined, no-any-return]
        except (ValueError, OSError):
            return 0


def _remedy(error: Exception) -> str:
    return IF_CUT if "Format not recognised" not in str(error) else ""


def _blocks(
    file: Any,
    opened: Opened,
    file_format: Format,
    wanted: Sequence[range] | None,
    damage: Damage,
    limits: Limits,
) -> Blocks:
    """Reads in order. Skips what is not wanted if seeking is exact and the samples cannot be NaN."""
    dtype = _INTEGERS.get(file.subtype, "float32")  # integers are read as they are, which is much faster
    can_skip = wanted is not None and file_format.name in _EXACT and file.subtype in _INTEGERS
    whole = file.frames * file.channels <= AT_ONCE
    at = 0
    with decoding(opened.name, f"{file_format.title} file", IF_CUT):
        try:
            if file.seekable():  # GSM in WAV is not
                file.seek(0)
            while True:
                require_wanted()
                count = max(file.frames + 1, BLOCK) if whole else BLOCK  # what is read short is the last
                if can_skip and wanted is not None and not whole:
                    at, count = _next_read(file, at, wanted)
                block = file.read(count, dtype=dtype, always_2d=True)
                if len(block) == 0:
                    return
                yield at, block
                at += len(block)
                if len(block) < count:
                    return
        except library("soundfile").LibsndfileError:
            if file_format.name not in DEMUXERS:
                raise
    # libsndfile gives up at the first damage, FFmpeg goes on behind it.
    damage.met(1, int(_DAMAGED_SECONDS * file.samplerate))
    damage.meets(1)
    for start, block in open_track(opened, file_format, limits, damage).blocks(None):
        if start + len(block) > at:
            yield max(start, at), block[max(at - start, 0) :]


def _next_read(file: Any, at: int, wanted: Sequence[range]) -> tuple[int, int]:
    """Seeks to the next sample that is wanted; returns its position and how many samples to read."""
    ahead = [r for r in wanted if r.stop > at]
    start = max(min((r.start for r in ahead), default=at), at)
    if start > at:
        file.seek(start)
    stop = min((r.stop for r in ahead if r.start <= start), default=start + BLOCK)
    return start, stop - start if (stop - start) * file.channels <= AT_ONCE else BLOCK


def _joined(
    opened: Opened, file_format: Format, ranges: Sequence[range], damage: Damage, limits: Limits
) -> Recording:
    """Several recordings as one, of the rate and the channels of the first."""
    gaps = damage.lost
    rate, channels = 0, 0
    for inside in ranges:
        with contextlib.suppress(SourceError), _link(opened, file_format, inside, limits) as first:
            rate, channels = int(first.rate), next(first.blocks(None))[1].shape[1]
            break
    if not rate:
        raise SourceError(opened.name, f"no recording of the {file_format.title} file can be read")

    def blocks(wanted: Sequence[range] | None) -> Blocks:
        at, lost = 0, gaps
        for inside in ranges:
            end = at
            try:
                with _link(opened, file_format, inside, limits) as link:
                    pieces: Pieces = ((start, as_float(block), 0) for start, block in link.blocks(None))
                    if link.rate != rate:
                        pieces = at_rate(pieces, int(link.rate), rate)
                    for start, block, _ in pieces:
                        yield at + start, with_channels(block, channels)
                        end = at + start + len(block)
                    lost += link.damage.lost
            except SourceError:
                lost += 1
            at = end
        damage.met(lost)

    return Recording(opened.name, Fraction(rate), None, blocks, damage=damage)


@contextlib.contextmanager
def _link(opened: Opened, file_format: Format, inside: range, limits: Limits) -> Iterator[Recording]:
    with (
        part_of(opened, inside.start, inside.stop) as part,
        _open_one(part, file_format, Damage(), limits) as recording,
    ):
        yield recording
