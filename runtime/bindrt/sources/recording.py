"""A recording as its reader gives it: blocks of samples, and what was lost on the way."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import InputError, LimitError, SourceError
from bindrt.limits import Limits
from bindrt.sources.opening import IF_CUT

BLOCK = 1 << 16  # samples of each channel that are read at once
AT_ONCE = 1 << 20  # a recording of at most so many samples, of all channels, is held in one piece

Blocks = Iterator[tuple[int, Array]]


@dataclass
class Damage:
    """What decoding could not read.

    Attributes:
        lost: how many packets, frames or pages; the most that one pass over the recording met.
        samples: how many samples of each channel that may be, at most.
        so_far: the same as ``lost``, of the pass that is under way, up to where it is.
    """

    lost: int = 0
    samples: int = 0
    so_far: int = 0

    def met(self, lost: int, samples: int = sys.maxsize) -> None:
        """One pass has met so much."""
        if lost:
            self.lost, self.samples = max(self.lost, lost), max(self.samples, samples)

    def meets(self, lost: int) -> None:
        """The pass that is under way has met so much by now."""
        self.so_far = max(self.so_far, lost)


@dataclass(frozen=True)
class Recording:
    """A recording that can be read from its beginning any number of times.

    Attributes:
        name: its name in errors.
        rate: samples per second.
        frames: its length in samples of one channel; None if only decoding tells.
        blocks: takes the ranges of samples that are wanted (None: all) and yields ``(start, samples
            [n, channels])`` in order: float32, int16 or int32. Samples that are not wanted may be left out.
        promised: the length that the header promises, for a recording whose length only decoding tells.
        slack: by how many seconds a promised length may be too long before the file counts as truncated.
        damage: what was lost; it grows while blocks are read.
    """

    name: str
    rate: Fraction
    frames: int | None
    blocks: Callable[[Sequence[range] | None], Blocks]
    promised: int | None = None
    slack: float = 0.1
    damage: Damage = field(default_factory=Damage)

    def check_whole(self, decoded: int, promised: int | None) -> None:
        """Raises SourceError if much less was decoded than promised, and no damage explains it."""
        if promised is None:
            return
        missing = promised - decoded - self.damage.samples
        if missing > max(self.slack * self.rate, 1):
            seconds = [float(n / self.rate) for n in (decoded, promised)]
            raise SourceError(
                self.name, f"truncated: {seconds[0]:.2f} of {seconds[1]:.2f} s are there", IF_CUT
            )


def check_seconds(frames: int, rate: Fraction | float, name: str, limits: Limits) -> None:
    """Raises LimitError if ``frames`` at a ``rate`` per second last longer than ``limits.max_seconds``."""
    if frames > limits.max_seconds * float(rate):
        raise LimitError(
            name, f"longer than the limit of {limits.max_seconds:g} s", "raise Limits.max_seconds, or cut it"
        )


def counted(recording: Recording, limits: Limits, end: float | None = None) -> Recording:
    """The recording with its length, found by decoding once; a short one is kept, so that this was all.

    Args:
        end: the second up to which it is wanted; what follows need not be read.

    Raises:
        SourceError: it is truncated.
        LimitError: it is longer than ``limits.max_seconds``.
    """
    kept: list[tuple[int, Array]] | None = []
    frames, held, enough = 0, 0, None if end is None else int(end * recording.rate) + 1
    for start, block in recording.blocks(None):
        frames = start + len(block)
        check_seconds(frames, recording.rate, recording.name, limits)
        held += block.size
        if kept is not None:
            kept = None if held > AT_ONCE else [*kept, (start, block)]
        if enough is not None and frames >= enough:
            break
    else:
        recording.check_whole(frames, recording.promised)
    if kept is None:
        return dataclasses.replace(recording, frames=frames)
    whole = [(0, np.concatenate([block for _, block in kept]))] if kept else []
    return dataclasses.replace(recording, frames=frames, blocks=lambda wanted: iter(whole))


def segment(recording: Recording, start: float | None, end: float | None) -> Recording:
    """From ``start`` to ``end``, in seconds, of a recording whose length is known.

    Raises:
        InputError: nothing of the recording lies there.
    """
    if start is None and end is None:
        return recording
    frames = recording.frames or 0
    first = 0 if start is None else round(start * recording.rate)
    last = frames if end is None else min(round(end * recording.rate), frames)
    _require_start(recording, start or 0.0, frames)

    def blocks(wanted: Sequence[range] | None) -> Blocks:
        moved = [range(first, last)]
        if wanted is not None:
            moved = [range(max(r.start, 0) + first, min(r.stop + first, last)) for r in wanted]
        for at, block in recording.blocks(moved):
            low, high = max(at, first), min(at + len(block), last)
            if low < high:
                yield low - first, block[low - at : high - at]
            if at + len(block) >= last:
                return

    return dataclasses.replace(recording, frames=last - first, blocks=blocks, promised=None)


def in_order(recording: Recording, limits: Limits, start: float | None, end: float | None) -> Blocks:
    """The blocks from ``start`` to ``end``, in seconds, one after the other and each once.

    Memory does not grow with the recording. The length need not be known; limits are checked on the way.

    Raises:
        SourceError: there is no sample; or, after the last one, the recording ends before its promised end.
        InputError: it ends before ``start``.
        LimitError: it is longer than ``limits.max_seconds``.
    """
    first = round((start or 0.0) * recording.rate)
    last = sys.maxsize if end is None else round(end * recording.rate)
    at, recording.damage.so_far = 0, 0
    for begin, block in recording.blocks([range(first, last)]):
        at = begin + len(block)
        check_seconds(at, recording.rate, recording.name, limits)
        low, high = max(begin, first), min(at, last)
        if low < high:
            yield low, block[low - begin : high - begin]
        if at >= last:
            return
    if at == 0 and first == 0:
        raise SourceError(recording.name, "the recording has no samples", "")
    if at <= first:
        _require_start(recording, start or 0.0, recording.frames or at)
    recording.check_whole(at, recording.frames)
    recording.check_whole(at, recording.promised)


def _require_start(recording: Recording, start: float, frames: int) -> None:
    """Raises InputError for a start behind the end."""
    if round(start * recording.rate) >= frames:
        seconds = float(frames / recording.rate)
        raise InputError(
            recording.name, f"start is {start:g} s, the recording has {seconds:.2f} s", "start earlier"
        )


def as_float(samples: Array) -> Array:
    """Samples as float32; integers are scaled so that their full range is -1 to 1.

    >>> as_float(np.int16([-32768, 0, 16384])).tolist()
    [-1.0, 0.0, 0.5]
    """
    if samples.dtype.kind == "f":
        return samples.astype(np.float32)
    if samples.dtype.kind == "u":
        return (samples.astype(np.float32) - 128) / 128
    return (samples.astype(np.float64) / -float(np.iinfo(samples.dtype).min)).astype(np.float32)


def is_plain(samples: Array) -> bool:
    """Whether the kernels can read these samples without a conversion."""
    return samples.dtype.isnative and samples.dtype in (np.float32, np.int16, np.int32)
