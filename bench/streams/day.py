"""A day of three sensors whose clocks give trouble, replayed as fast as it goes: ``--part day``.

A microphone, an inertial sensor and a camera are fed to three live streams of bind-tiny. Their clocks drift
and jitter; pieces are missing, come twice, late or in another order; clocks go back and begin anew. Each
window must be delivered or counted, and memory must not grow.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

import bindrt
from bench.streams.memory import drift, resident
from bench.streams.troubles import REORDER, STEP, Piece, SensorClock
from bindrt.errors import Overloaded

SUMMARY = "24 hours of simulated time with clock trouble: windows and memory"
HOUR = 3600
#: Counts of the streams that say what became of the trouble.
COUNTS = ("gaps", "gap_seconds", "duplicates", "reordered", "late", "jumps_back", "restarts", "jitter")
RATE, IMU_RATE, FPS = 16000, 100, 2
#: Window and hop in seconds.
SETTINGS = {"audio": (2.0, 10.0), "imu": (5.0, 10.0), "video": (2.0, 60.0)}
_QUEUE = 8
POINTS = 96  # of the memory's curve
_WARM = 1 / 12  # of the time, after which what threads and decoders hold is there
_SAMPLES = 64  # different pieces; they are used again and again


@dataclass
class Fed:
    """A sensor and the stream that it feeds."""

    modality: str
    clock: SensorClock
    stream: Any
    push: Callable[[Any, Piece], None]

    def take(self, piece: Piece) -> None:
        """Push a piece, when there is room for it."""
        while True:
            try:
                self.push(self.stream, piece)
                return
            except Overloaded:
                threading.Event().wait(0.0005)

    def account(self) -> dict[str, Any]:
        """What became of each window, and of the trouble."""
        stats = self.stream.stats()
        expected, told = self.clock.expected(), int(stats["windows"] + stats["windows_lost"])
        return {
            "expected": expected,
            "complete": int(stats["windows"]),
            "lost": int(stats["windows_lost"]),
            "unaccounted": expected - told,
            "delivered": stats["delivered"] - stats["failed"],
            "undelivered": int(stats["windows"]) - stats["delivered"],
            "failed": stats["failed"],
            "troubles": self.clock.troubles,
            "counted": {key: round(stats[key], 3) for key in COUNTS},
        }


def add_options(parser: Any) -> None:
    parser.add_argument("--hours", type=float, default=24.0, help="of simulated time (default 24)")
    parser.add_argument("--day-seed", type=int, default=0, help="of what goes wrong (0)")


def run(options: Any) -> dict[str, Any]:
    """Measures and prints a line a sensor."""
    found = measure(options.hours * HOUR, options.day_seed)
    for modality, each in found["sensors"].items():
        print(
            f"day, {modality:<5}: {each['expected']} windows, {each['delivered']} delivered, {each['lost']} "
            f"lost and counted, {each['unaccounted']} unaccounted; {sum(each['troubles'].values())} troubles"
        )
    memory = found["memory"]
    print(
        f"day: {found['simulated_hours']:g} h in {found['seconds']:.0f} s; memory {memory['early_mib']:.0f} "
        f"MiB after a twelfth of them, at most {memory['growth_mib']:+.1f} MiB later, "
        f"{memory['drift_mib']:+.1f} in the last quarter beside the second"
    )
    return found


def measure(seconds: float, seed: int = 0) -> dict[str, Any]:
    """Plays so many seconds of the sensors' time; what became of the windows, and the memory over time."""
    steps = round(seconds / STEP)
    start, series = perf_counter(), []
    with bindrt.load("tiny", modalities=("audio", "imu", "video")) as model:
        model.warm_up()
        sensors = _sensors(model, seed)
        pieces = {fed.modality: fed.clock.pieces(2 * steps) for fed in sensors}
        for step in range(steps):
            for fed in sensors:
                fed.take(next(pieces[fed.modality]))
            if step % max(steps // POINTS, 1) == 0:
                series.append((step * STEP / HOUR, round(resident(), 2)))
        for fed in sensors:
            _finish(fed, pieces[fed.modality])
        accounts = {fed.modality: fed.account() for fed in sensors}
    early = max(mib for hour, mib in series if hour <= _WARM * seconds / HOUR)
    return {
        "simulated_hours": seconds / HOUR,
        "seconds": perf_counter() - start,
        "sensors": accounts,
        "memory": {
            "series": [list(point) for point in series],
            "early_mib": early,
            "growth_mib": max(mib for _, mib in series) - early,
            "drift_mib": drift([mib for _, mib in series]),
        },
    }


def _finish(fed: Fed, pieces: Any) -> None:
    """Goes on until it is plain which windows are complete, and ends the stream."""
    for piece in pieces:
        fed.take(piece)
        if fed.clock.is_plain:
            break
    fed.stream.close(drain=True)


def _sensors(model: bindrt.Model, seed: int) -> list[Fed]:
    pushes = {"audio": _sound(), "imu": _motion(), "video": _pictures()}
    options: dict[str, dict[str, Any]] = {
        "audio": {"rate": RATE, "reorder": REORDER}, "imu": {"reorder": REORDER},
        "video": {"reorder": REORDER, "max_gap": 3 * STEP},
    }  # fmt: skip
    found = []
    for number, (modality, (window, hop)) in enumerate(SETTINGS.items()):
        stream = model.live(  # type: ignore[call-overload]
            modality,
            window=window,
            hop=hop,
            policy="all",
            queue=_QUEUE,
            on_result=_forget,
            **options[modality],
        )
        clock = SensorClock(3 * seed + number, window, hop)
        found.append(Fed(modality, clock, stream, pushes[modality]))
    return found


def _forget(window: object) -> None:
    """Results are only counted."""


def _sound() -> Callable[[Any, Piece], None]:
    wave = np.random.default_rng(0).normal(0, 3000, (_SAMPLES, round(STEP * RATE))).astype(np.int16)

    def push(stream: Any, piece: Piece) -> None:
        stream.push(wave[piece.number % _SAMPLES, round(piece.cut * RATE) :], time=piece.time)

    return push


def _motion() -> Callable[[Any, Piece], None]:
    count = round(STEP * IMU_RATE)
    samples = np.random.default_rng(1).normal(0, 1, (_SAMPLES, 6, count))
    steps = np.arange(count) / IMU_RATE

    def push(stream: Any, piece: Piece) -> None:
        first = round(piece.cut * IMU_RATE)
        times = piece.time - piece.cut + steps[first:]
        stream.push(samples[piece.number % _SAMPLES][:, first:], times)

    return push


def _pictures() -> Callable[[Any, Piece], None]:
    frames = np.random.default_rng(2).integers(0, 256, (_SAMPLES, 48, 64, 3), np.uint8)

    def push(stream: Any, piece: Piece) -> None:
        stream.push(frames[piece.number % _SAMPLES], time=piece.time)

    return push
