"""Windows of a sound: blocks of a file or a waveform, kept until no window needs them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from bindrt.arrays import Array
from bindrt.errors import Error, InputError, SourceError
from bindrt.limits import Limits
from bindrt.modalities.audio import Audio, check_block, check_rate, damaged, open_recording, prepare
from bindrt.modalities.steps import constants as c
from bindrt.notes import SHORT_WINDOW
from bindrt.sources.recording import BLOCK, Blocks, Recording, as_float, in_order
from bindrt.streams.feeds import AudioFeed
from bindrt.streams.windows.ahead import Ahead
from bindrt.streams.windows.cuts import DECODED, Cut, Losses, cut_of
from bindrt.streams.windows.schedule import Schedule

_SOMEWHERE = 1e-9  # seconds: damage that is known before its place is told with the first window
_LEAST = c.MEL_WINDOW / c.AUDIO_RATE  # seconds of which a vector can be made


class SoundTail:
    """The last samples of a sound, ``[channels, n]``, by their place in it."""

    def __init__(self, rate: Fraction) -> None:
        self.rate = rate
        self._blocks: deque[tuple[int, Array]] = deque()
        self.end = 0

    @property
    def seconds(self) -> float:
        """How much has come."""
        return self.end / float(self.rate)

    def add(self, block: Array) -> None:
        self._blocks.append((self.end, block))
        self.end += block.shape[1]

    def forget_before(self, place: int) -> None:
        while self._blocks and self._blocks[0][0] + self._blocks[0][1].shape[1] <= place:
            self._blocks.popleft()

    def cut(self, start: int, stop: int) -> Array:
        """Samples ``[channels, stop - start]``."""
        parts = [block[:, max(start - at, 0) : stop - at] for at, block in self._blocks if at < stop]
        return np.concatenate([part for part in parts if part.shape[1]], axis=1)


def sound_cuts(item: Audio, schedule: Schedule, limits: Limits) -> Iterator[Cut]:
    """Each window of a recording, then perhaps a shorter one, then the error that ended it.

    A vector's input is that of ``Audio(src, start=…, end=…)`` for the same seconds.
    """
    cuts: list[SourceError] = []
    with open_recording(item, limits, cuts) as recording:
        check_rate(recording.rate, recording.name)
        made = _SoundCuts(recording, schedule, limits)
        failure: Error | None = None
        blocks = Ahead(_blocks(recording, item, limits), DECODED, "bindrt-decode")
        try:
            for block, lost in blocks:
                good, error = _finite(block, recording.name)
                yield from made.add(good, lost)
                if error is not None:
                    raise error
        except Error as error:
            failure = error
        finally:
            blocks.close()
        yield from made.finish(failure is not None)
        if failure is not None or cuts:
            raise failure or cuts[0]
        if item.strict and recording.damage.lost:
            raise damaged(recording)


class _SoundCuts:
    """The windows of a recording: whole ones by the feed, the last one from the samples at the end."""

    def __init__(self, recording: Recording, schedule: Schedule, limits: Limits) -> None:
        self._schedule, self._limits = schedule, limits
        self._tail = SoundTail(recording.rate)
        self._losses = Losses("lost_packets")
        self._losses.met(recording.damage.lost, 0.0, _SOMEWHERE)
        self._feed: AudioFeed | None = None
        self._number = 0

    def add(self, block: Array, lost: int) -> Iterator[Cut]:
        """The windows that are complete with a block ``[channels, n]`` of finite samples."""
        tail, schedule = self._tail, self._schedule
        if self._feed is None:
            window, hop = float(schedule.window), float(schedule.hop)
            self._feed = AudioFeed(float(tail.rate), window, hop, len(block))
        begin = tail.seconds
        tail.add(block)
        self._losses.met(lost, begin, tail.seconds)
        ready_ones = self._feed.push_finite(block)
        for ready in ready_ones:
            number = self._number
            cut = Cut(number, schedule.start(number), schedule.end(number), ready.item, ready.notes)
            yield self._noted(cut)
            self._number += 1
        if ready_ones:
            tail.forget_before(self._first())

    def finish(self, failed: bool) -> Iterator[Cut]:
        """What no whole window holds, if a vector can be made of it."""
        tail, schedule, number, first = self._tail, self._schedule, self._number, self._first()
        is_heard = float((tail.end - first) / tail.rate) >= _LEAST
        if schedule.rest(number, tail.seconds) is None or not (is_heard or not (number or failed)):
            return
        views = prepare(Audio(tail.cut(first, tail.end), rate=float(tail.rate)), self._limits)
        start, end = schedule.start(number), float(schedule.origin) + tail.seconds
        yield self._noted(cut_of(number, start, end, views)).noted({SHORT_WINDOW: round(end - start, 3)})

    def _first(self) -> int:
        """The first sample of the next window."""
        return round(self._number * self._schedule.hop * self._tail.rate)

    def _noted(self, cut: Cut) -> Cut:
        origin = float(self._schedule.origin)
        return cut.noted(self._losses.within(cut.start - origin, cut.end - origin))


def _blocks(recording: Recording, item: Audio, limits: Limits) -> Iterator[tuple[Array, int]]:
    """Blocks ``[channels, n]`` of one dtype, of at most 65 536 samples; and the packets lost so far.

    Small blocks are put together, since to hand one to another thread takes as long as to prepare it. One
    with damage is alone, so that its place is known.
    """
    kept: list[Array] = []
    lost, failure = 0, None
    try:
        for block in _of_one_dtype(recording, item, limits):
            is_damaged = recording.damage.so_far != lost
            if kept and (is_damaged or sum(each.shape[1] for each in kept) + block.shape[1] > BLOCK):
                yield _joined(kept), lost
                kept = []
            lost = recording.damage.so_far
            if is_damaged:
                yield block, lost
            else:
                kept.append(block)
    except Error as error:  # it comes after the samples before it
        failure = error
    if kept:
        yield _joined(kept), lost
    if failure is not None:
        raise failure


def _finite(block: Array, name: str) -> tuple[Array, Error | None]:
    """The samples ``[channels, n]`` before the first that is none, and the error for that one."""
    try:
        check_block(block.T, name)
    except InputError as error:
        good = (np.abs(block) <= c.AUDIO_MOST).all(axis=0)
        return block[:, : int(good.argmin())], error
    return block, None


def _joined(blocks: list[Array]) -> Array:
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)


def _of_one_dtype(recording: Recording, item: Audio, limits: Limits) -> Iterator[Array]:
    dtype: np.dtype[Any] | None = None
    for block in _pieces(in_order(recording, limits, item.start, item.end)):
        dtype = block.dtype if dtype is None else dtype
        if block.dtype == dtype:
            yield block
        else:
            check_block(block.T, recording.name)
            yield _as_integers(as_float(block), dtype)


def _pieces(blocks: Blocks) -> Iterator[Array]:
    """The samples of blocks as ``[channels, n]``, in pieces of at most 65 536."""
    for _, block in blocks:
        if len(block) <= BLOCK:
            yield block.T
            continue
        for at in range(0, len(block), BLOCK):
            yield block[at : at + BLOCK].T


def _as_integers(samples: Array, dtype: np.dtype[Any]) -> Array:
    """What FFmpeg reads behind damage, in the integers that libsndfile read before."""
    if dtype.kind == "f":
        return samples
    full = float(np.iinfo(dtype).max) + 1
    return np.clip(np.rint(samples.astype(np.float64) * full), -full, full - 1).astype(dtype)
