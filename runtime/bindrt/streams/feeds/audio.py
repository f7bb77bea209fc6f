"""Audio: blocks of samples to windows, with each frame of the overlap computed once."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import numpy as np

from bindrt import _core, arrays
from bindrt.arrays import Array
from bindrt.errors import InputError, OptionError
from bindrt.items import Prepared
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities.audio import check_rate, from_recording
from bindrt.modalities.modality import Views
from bindrt.modalities.steps import constants as c
from bindrt.numeric import is_number
from bindrt.option_checks import require_whole
from bindrt.sources.recording import Recording, as_float, is_plain
from bindrt.streams.feeds.block_clock import Begin, BlockClock, Samples, Step
from bindrt.streams.feeds.counts import Counts, Incidents
from bindrt.streams.feeds.feed import ReadyWindow
from bindrt.streams.feeds.grid import WindowGrid
from bindrt.streams.feeds.mel_windows import MelWindows
from bindrt.streams.feeds.samples import SampleBuffer

_TYPES = (np.float16, np.float32, np.float64, np.uint8, np.int16, np.int32)
_MOST_CHANNELS = 64
_LARGEST = 2.0**50  # of a sample; beyond, the power spectrum would overflow


class AudioFeed:
    """Blocks of one recording or microphone.

    Args:
        rate: samples per second.
        window, hop: seconds of a window, and from the start of one to the next.
        channels: of every block.
        reorder: seconds within which blocks with times may come out of order.
        max_gap: the longest gap in seconds that is filled with silence. A longer one loses its windows.

    Raises:
        OptionError: an argument is out of range.

    >>> feed = AudioFeed(16000, window=1.0, hop=0.5)
    >>> [(w.start, w.item.array.shape) for w in feed.push(np.zeros(24000, np.float32))]
    [(0.0, (1, 1, 128, 204)), (0.5, (1, 1, 128, 204))]
    """

    def __init__(
        self,
        rate: float,
        window: float = 2.0,
        hop: float = 1.0,
        channels: int = 1,
        reorder: float = 0.2,
        max_gap: float = 0.1,
    ) -> None:
        self._rate = _exact_rate(rate)
        require_whole("channels", channels, "channels", 1, _MOST_CHANNELS)
        self._channels = channels
        self._grid = WindowGrid(self._rate, window, hop)
        if self._grid.length < c.MEL_WINDOW * self._rate / c.AUDIO_RATE:
            raise OptionError(f"window={window:g}", "too short for a sound", "at least 0.025 s are needed")
        self._seconds = float(self._grid.length / self._rate)  # of a window
        self.counts = Counts()
        self._incidents = Incidents(self.counts)
        self._clock = BlockClock(float(self._rate), reorder, max_gap, self._incidents)
        self._mel = MelWindows(self._rate, self._grid)
        self._buffer: SampleBuffer | None = None
        self._dtype: Any = None
        #: Why the last window that was lost could not be made.
        self.last_error = ""

    @property
    def mel_frames(self) -> int:
        """Log-mel frames computed so far."""
        return self._mel.computed

    def push(self, data: Any, time: Any = None) -> list[ReadyWindow]:
        """The windows that are complete with a block.

        Args:
            data: ``[n]`` or ``[channels, n]``: floats with full scale -1 to 1, or int16, int32 or uint8.
            time: seconds of its first sample; None: it follows the last one.

        Raises:
            InputError: the block is of another kind, shape or dtype than the stream, or the time no number.
        """
        block, bad = _without_nan(self.checked(data, time))
        if bad:
            self._incidents.add(self._clock.count, "not_finite", bad)
        return self._take(block, None if time is None else float(time))

    def push_finite(self, data: Any) -> list[ReadyWindow]:
        """As :meth:`push`, for a block without a time whose samples are known to be finite."""
        return self._take(self.checked(data, None), None)

    def end(self) -> list[ReadyWindow]:
        """The windows that waited for blocks out of order."""
        return self._follow(self._clock.end())

    def checked(self, data: Any, time: Any) -> Array:
        """A block ``[channels, n]``; see :meth:`push` for what it raises."""
        if (block := self._usual(data, time)) is not None:
            return block
        name = arrays.item_name(data)
        if time is not None and not is_number(time):
            raise InputError(name, f"its time is {time!r}", "seconds of its first sample, or None")
        block = arrays.to_numpy(data, name)
        arrays.require_dtype(
            block, _TYPES, name, "samples are floats (full scale -1..1), int16, int32 or uint8"
        )
        if block.ndim == 1:
            block = block[None]
        if block.ndim != 2 or block.shape[0] != self._channels:
            turned = ": transpose it" if block.ndim == 2 and block.shape[1] == self._channels else ""
            problem = f"the stream has {self._channels} channels"
            raise InputError(name, problem, f"a block is [{self._channels}, n]{turned}")
        if self._dtype is not None and block.dtype != self._dtype:
            raise InputError(
                name, f"the stream's blocks are {self._dtype}", "give every block the same dtype"
            )
        self._dtype = block.dtype
        return block

    def _usual(self, data: Any, time: Any) -> Array | None:
        """A block as those before it, which needs no further look: a program pushes hundreds a second."""
        if type(data) is not np.ndarray or data.dtype != self._dtype or not (time is None or is_number(time)):
            return None
        if data.ndim == 1:
            data = data[None]
        return data if data.ndim == 2 and data.shape[0] == self._channels else None

    def _take(self, block: Array, time: float | None) -> list[ReadyWindow]:
        return self._follow(self._clock.take(block, time)) if block.shape[1] else []

    def _follow(self, steps: Iterable[Step]) -> list[ReadyWindow]:
        ready = []
        for step in steps:
            if isinstance(step, Begin):
                self._break(step)
            elif isinstance(step, Samples):
                self._append(step.block)
            elif self._buffer is not None:
                self._buffer.append_zeros(step.count)
            ready += self._complete()
        return ready

    def _append(self, block: Array) -> None:
        kept = block if self._mel.needs_channels else block[:1]
        kept = kept if is_plain(kept) else as_float(kept)
        if self._buffer is None:
            self._buffer = SampleBuffer(len(kept), kept.dtype)
        self._buffer.append(kept)

    def _break(self, step: Begin) -> None:
        """A new run of samples: windows that would need both runs are lost."""
        buffer = self._buffer
        if buffer is None:
            return
        behind = buffer.end - self._grid.start
        if step.gap is None:
            lost = self._grid.restart(behind)
        else:
            lost = self._grid.resume(behind + step.gap * float(self._rate))
        self.counts.add("windows_lost", lost)
        buffer.clear()
        self._mel.restart()

    def _complete(self) -> list[ReadyWindow]:
        ready: list[ReadyWindow] = []
        buffer, grid = self._buffer, self._grid
        if buffer is None:
            return ready
        while grid.end <= buffer.end:
            ready.append(self._window(buffer, grid.start, grid.end))
            grid.advance()
            buffer.forget_before(grid.start)
            self._incidents.forget_before(grid.start)
        return ready

    def _window(self, buffer: SampleBuffer, start: int, end: int) -> ReadyWindow:
        self.counts.add("windows")
        views = (
            self._mel.views(buffer, start, end) if self._mel.shares else self._whole(buffer.view(start, end))
        )
        notes = {**self._incidents.within(start, end), **views.notes}
        begin = self._clock.time_of(start)
        item = Prepared(views.array if views.weights is None else views.all(), notes)
        return ReadyWindow(begin, begin + self._seconds, item, notes)

    def _whole(self, samples: Array) -> Views:
        """A window that shares nothing with the ones before."""
        recording = Recording("window", self._rate, samples.shape[1], lambda _: iter([(0, samples.T)]))
        return from_recording(recording, DEFAULT_LIMITS)


def _exact_rate(rate: Any) -> Fraction:
    if not is_number(rate):
        raise OptionError(f"rate={rate!r}", "not a rate", "give the number of samples per second")
    exact = Fraction(float(rate)).limit_denominator(1000)
    try:
        check_rate(exact, "audio")
    except InputError as error:
        raise OptionError(f"rate={rate!r}", error.problem, error.remedy) from None
    return exact


def _without_nan(block: Array) -> tuple[Array, int]:
    """The block with zeros for what is no sample, and how many there are."""
    if block.dtype.kind != "f":
        return block, 0
    wide = block if block.dtype.itemsize > 2 else block.astype(np.float32)
    wide = wide if wide.dtype.isnative and wide.dtype == np.float32 else wide.astype(np.float32)
    if _core.peak(wide) <= _LARGEST:
        return block, 0
    good = np.isfinite(wide) & (np.abs(wide) <= _LARGEST)
    return np.where(good, wide, np.float32(0)), int(good.size - np.count_nonzero(good))
