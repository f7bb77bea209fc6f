"""Which seconds and which frames of a recording the original takes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from functools import lru_cache

from bindrt.errors import OptionError


def clip_times(duration: float, clips: int, seconds: float) -> list[tuple[Fraction, Fraction]]:
    """Start and end in seconds of ``clips`` clips spread evenly over ``duration``.

    The first starts at 0, the last ends at the end. A recording shorter than a clip gives the
    same clip ``0..seconds`` each time. Exact fractions of the float ``duration``, as the original's:
    rounding them to floats would move some clips by a sample.
    """
    if clips < 1 or not seconds > 0 or not duration >= 0:
        raise OptionError(
            "clip_times", f"{clips} clips of {seconds} s over {duration} s", "use positive numbers"
        )
    step = Fraction(max(duration - seconds, 0.0)) / max(clips - 1, 1)
    return [(i * step, i * step + Fraction(seconds)) for i in range(clips)]


def frame_pairs(frames: int, fps: float, clips: int, seconds: float) -> list[tuple[int, int]]:
    """Indices of the first and the last frame of each clip.

    A clip's frames are ``ceil(fps·start)`` to ``min(ceil(fps·end), frames) - 1``; where a low frame
    rate leaves none, the nearest one stands for both.
    """
    return list(_frame_pairs(frames, fps, clips, seconds))


@lru_cache(maxsize=64)  # the windows of a long video are alike
def _frame_pairs(frames: int, fps: float, clips: int, seconds: float) -> tuple[tuple[int, int], ...]:
    pairs = []
    for start, end in clip_times(frames / fps, clips, seconds):
        first = min(math.ceil(fps * float(start)), frames - 1)
        last = min(math.ceil(fps * float(end)), frames) - 1
        pairs.append((first, max(first, last)))
    return tuple(pairs)


def clip_samples(total: int, rate: int, clips: int, seconds: float) -> list[range]:
    """The samples of each clip of a recording: ``int(start·rate)`` to ``int(end·rate)``, cut at ``total``.

    The times are those of :func:`clip_times`. Whole numbers take a fifth of the time of fractions.

    >>> clip_samples(80000, 16000, 3, 2.0)
    [range(0, 32000), range(24000, 56000), range(48000, 80000)]
    """
    length, parts = seconds.as_integer_ratio()
    step, of = max(total / rate - seconds, 0.0).as_integer_ratio()
    of *= max(clips - 1, 1)
    starts = [i * step * rate // of for i in range(clips)]
    ends = [(i * step * parts + length * of) * rate // (of * parts) for i in range(clips)]
    return [range(min(a, total), min(b, total)) for a, b in zip(starts, ends, strict=True)]


def outside(ranges: Iterable[range], total: int) -> int:
    """How many of the samples ``0..total`` lie in none of the ranges.

    >>> outside([range(0, 4), range(3, 6), range(8, 10)], 10)
    2
    """
    left, end = 0, 0
    for each in sorted(ranges, key=lambda r: r.start):
        left += max(each.start - end, 0)
        end = max(end, each.stop)
    return left + total - end
