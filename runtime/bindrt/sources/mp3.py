"""MP3: FFmpeg decodes its frames, which are found here.

Several recordings one after the other are one. What an encoder put before and behind each is taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, BinaryIO

import numpy as np

from bindrt.arrays import Array
from bindrt.limits import Limits
from bindrt.sources.beginning import sound_start
from bindrt.sources.convert import Pieces, at_rate, with_channels
from bindrt.sources.handover import hand_over_libavcodec
from bindrt.sources.mp3frames import Frames, Part, find_frames
from bindrt.sources.opening import IF_CUT, Opened, decoding, library
from bindrt.sources.recording import Blocks, Damage, Recording, as_float

_AT_ONCE = 64  # frames that are read and handed out together
_RESERVOIR = 511  # bytes that a frame of layer 3 may borrow from those before it
_OVERLAP = 2  # frames whose samples overlap the next one's
_DECODERS = {1: "mp1float", 2: "mp2", 3: "mp3float"}  # those that FFmpeg takes by itself
_GAP_SECONDS = 0.5  # what may be missing where frames are damaged


def open_mp3(opened: Opened, limits: Limits) -> Recording | None:
    """The recording of an MP3 file, also of one without a header or with a wrong one.

    Returns:
        None if no frame says its length: all have a free bit rate, or there is none.

    Raises:
        LimitError: it is longer than ``limits.max_seconds``.
    """
    with opened.binary() as stream, decoding(opened.name, "MP3 file", IF_CUT):
        found = find_frames(stream, sound_start(opened), opened.size, opened.name, limits)
    if not found.parts:
        return None
    rate = found.parts[0].header.rate
    same = all(part.header.rate == rate for part in found.parts)
    length = sum(part.samples for part in found.parts)
    damage = Damage()
    damage.met(found.gaps + found.cut, int(found.gaps * _GAP_SECONDS * rate))
    return Recording(
        opened.name,
        Fraction(rate),
        length if same else None,
        _Reader(opened, found, damage).blocks,
        promised=length + sum(part.missing for part in found.parts) if same else None,
        damage=damage,
    )


@dataclass(frozen=True)
class _Reader:
    opened: Opened
    found: Frames
    damage: Damage

    def blocks(self, wanted: Sequence[range] | None) -> Blocks:
        """Decodes what is wanted; frames far from it are left out."""
        first = self.found.parts[0].header
        lost, at = self.found.gaps + self.found.cut, 0
        with (
            self.opened.binary() as stream,
            decoding(self.opened.name, "MP3 file", IF_CUT),
        ):
            for part in self.found.parts:
                in_part = _within(wanted, at, part.samples) if part.header.rate == first.rate else None
                pieces = self._part(stream, part, in_part)
                if part.header.rate != first.rate:
                    pieces = at_rate(pieces, part.header.rate, first.rate)
                end = at + part.samples
                for start, block, failed in pieces:
                    lost += failed
                    self.damage.meets(lost)
                    yield at + start, with_channels(block, first.channels)
                    end = at + start + len(block) if part.header.rate != first.rate else end
                at = end
        self.damage.met(lost, self.damage.samples)

    def _part(self, stream: BinaryIO, part: Part, wanted: Sequence[range] | None) -> Pieces:
        """Position, samples ``[n, channels]`` and number of failed frames of the wanted pieces of a part."""
        each = part.header.samples
        av = library("av")
        hand_over_libavcodec()
        for run in _runs(part, wanted):
            decoder = av.CodecContext.create(_DECODERS[part.header.layer], "r")
            for low in range(self._before(part, run.start), run.stop, _AT_ONCE):
                high = min(low + _AT_ONCE, run.stop)
                block, failed = self._decoded(stream, decoder, part, range(low, high))
                start, stop = low * each - part.skip, high * each - part.skip
                begin = max(run.start * each - part.skip, start, 0)
                end = min(stop, part.samples)
                if begin < end:
                    yield begin, block[begin - start : end - start], failed

    def _decoded(self, stream: BinaryIO, decoder: Any, part: Part, frames: range) -> tuple[Array, int]:
        """The samples of some frames; silence for each that cannot be decoded."""
        av = library("av")
        at, length = self.found.at, self.found.length
        first, last = part.begins + frames.start, part.begins + frames.stop - 1
        stream.seek(at[first])
        data = stream.read(at[last] + length[last] - at[first])
        blocks, failed = [], 0
        for n in range(first, last + 1):
            begin = at[n] - at[first]
            try:
                frame = decoder.decode(av.Packet(data[begin : begin + length[n]]))[0]
                blocks.append(with_channels(as_float(frame.to_ndarray().T), part.header.channels))
            except (av.FFmpegError, IndexError):
                blocks.append(np.zeros((part.header.samples, part.header.channels), np.float32))
                failed += 1
        return np.concatenate(blocks), failed

    def _before(self, part: Part, first: int) -> int:
        """The frame from which decoding must begin so that frame ``first`` is exact."""
        at = max(first - _OVERLAP, 0)
        borrowed = 0
        while at > 0 and borrowed < _RESERVOIR:
            at -= 1
            borrowed += max(self.found.length[part.begins + at] - 4 - part.header.side_info, 0)
        return at


def _within(wanted: Sequence[range] | None, at: int, samples: int) -> Sequence[range] | None:
    """The wanted ranges as positions in a part of so many samples that begins at ``at``."""
    if wanted is None:
        return None
    moved = [range(max(r.start - at, 0), min(r.stop - at, samples)) for r in wanted]
    return [r for r in moved if r]


def _runs(part: Part, wanted: Sequence[range] | None) -> list[range]:
    """The frames that hold the wanted samples, in order; those near each other in one run."""
    if wanted is None:
        return [range(part.frames)]
    each, runs = part.header.samples, list[range]()
    for r in sorted(wanted, key=lambda r: r.start):
        run = range((r.start + part.skip) // each, min((r.stop - 1 + part.skip) // each + 1, part.frames))
        if runs and run.start <= runs[-1].stop + _AT_ONCE:
            run = range(runs.pop().start, run.stop)
        runs.append(run)
    return runs
