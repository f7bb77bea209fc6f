"""What a window of sound costs when windows overlap: ``--part mel``.

Windows of 2 s every 100 ms. *Shared* is the feed of a live stream, one block a window: frames of the overlap
are computed once. *Apart* prepares each window from its own samples. Frames are counted, and processor time
is that of the whole feed, with its clock and its buffer. The two take turns.
"""

from __future__ import annotations

import statistics
from fractions import Fraction
from time import process_time
from typing import Any

import numpy as np

import bindrt
from bindrt.limits import DEFAULT_LIMITS
from bindrt.modalities.audio import prepare
from bindrt.streams.feeds import AudioFeed
from bindrt.streams.feeds.grid import WindowGrid
from bindrt.streams.feeds.mel_windows import MelWindows

SUMMARY = "mel of overlapping windows, shared and apart"
ASKED = 1 / 15  # of the work apart
#: Samples per second, seconds of a window, seconds from one to the next.
CASES = ((48000, 2.0, 0.1), (44100, 2.0, 0.1), (16000, 2.0, 0.1), (48000, 3.0, 0.1), (48000, 2.0, 0.125))
_WARM_UP = 20  # windows that are not measured


def add_options(parser: Any) -> None:
    parser.add_argument("--windows", type=int, default=200, help="of each case (default 200)")
    parser.add_argument("--mel-turns", type=int, default=5, help="how often each is measured (default 5)")


def run(options: Any) -> dict[str, Any]:
    """Measures and prints a line a case."""
    cases = []
    for rate, window, hop in CASES:
        found = measured(rate, window, hop, options.windows, options.mel_turns)
        cases.append(found)
        print(line(found), flush=True)
    return {"asked": ASKED, "cases": cases}


def measured(rate: int, window: float, hop: float, windows: int, turns: int) -> dict[str, Any]:
    """Frames and seconds of processor time for each window, both ways."""
    seconds = window + hop * (windows + _WARM_UP)
    wave = np.random.default_rng(0).normal(0, 0.1, (1, round(seconds * rate))).astype(np.float32)
    frames = {"shared": 0.0, "apart": frames_apart(rate, window)}
    times: dict[str, list[float]] = {"shared": [], "apart": []}
    for _ in range(turns):
        used, frames["shared"] = shared(wave, rate, window, hop)
        times["shared"].append(used)
        times["apart"].append(apart(wave, rate, window, hop, min(windows, 100)))
    medians = {way: statistics.median(each) for way, each in times.items()}
    return {
        "rate": rate,
        "window": window,
        "hop": hop,
        "frames": frames,
        "processor_seconds": medians,
        "of_frames": frames["shared"] / frames["apart"],
        "of_processor_time": medians["shared"] / medians["apart"],
    }


def shared(wave: np.ndarray[Any, Any], rate: int, window: float, hop: float) -> tuple[float, float]:
    """Seconds of processor time and frames of a window, without the first ones."""
    feed = AudioFeed(rate, window, hop)
    step, at = round(hop * rate), round((window + hop * _WARM_UP) * rate)
    feed.push(wave[:, :at])
    count, before, start = 0, feed.mel_frames, process_time()
    for begin in range(at, wave.shape[1], step):
        count += len(feed.push(wave[:, begin : begin + step]))
    return (process_time() - start) / count, (feed.mel_frames - before) / count


def apart(wave: np.ndarray[Any, Any], rate: int, window: float, hop: float, windows: int) -> float:
    """Seconds of processor time of a window."""
    length = round(window * rate)
    items = [bindrt.Audio(wave[:, at : at + length], rate=rate) for at in _starts(rate, hop, windows)]
    start = process_time()
    for item in items:
        prepare(item, DEFAULT_LIMITS)
    return (process_time() - start) / windows


def frames_apart(rate: int, window: float) -> int:
    """Frames of a window that shares nothing."""
    grid = WindowGrid(Fraction(rate), window, window)
    return MelWindows(Fraction(rate), grid).apart


def line(found: dict[str, Any]) -> str:
    used = found["processor_seconds"]
    return (
        f"mel, {found['rate']} Hz, {found['window']:g} s every {found['hop']:g} s: "
        f"{found['frames']['shared']:.1f} of {found['frames']['apart']:g} frames "
        f"(1/{1 / found['of_frames']:.1f}); "
        f"{1e6 * used['shared']:.0f} of {1e6 * used['apart']:.0f} µs of processor time "
        f"(1/{1 / found['of_processor_time']:.1f})"
    )


def _starts(rate: int, hop: float, windows: int) -> list[int]:
    return [round(i * hop * rate) for i in range(windows)]
