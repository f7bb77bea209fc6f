"""A scene of ten minutes, and the events that a monitor finds in it: ``--part events``.

Forty events of bind-tiny's thirteen kinds happen one after the other, with pauses between them. The scene is
heard by a microphone, and felt by an inertial sensor. A monitor knows each kind by one text. An event is
found if one of its kind is told that overlaps it in time; each counts once.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

import bindrt
from bench.paths import ROOT
from bindrt.monitoring import Event
from bindrt.streams.feeds import AudioFeed, Feed, ImuFeed, ReadyWindow

sys.path.insert(0, str(ROOT / "examples"))  # for `tiny`
from tiny.world import IMU_RATE, KINDS, SOUND_RATE, motion, sample, sound

Array = npt.NDArray[np.float32]

SUMMARY = "events of bind-tiny's world in ten minutes, found by text in sound and in motion"

SECONDS, COUNT = 600.0, 40
_LENGTHS = (7.0, 11.0)  # seconds of an event
_SHORTEST_PAUSE = 2.5
_FADE = 0.1  # seconds in which a sound comes and goes
#: Seeds of scenes that training has not seen.
SEED = 9_100_000
_BLOCK = 0.1  # seconds that a sensor gives at once
_GRAVITY = 9.81
#: Window and hop in seconds, and the monitor's options.
SETTINGS: dict[str, tuple[float, float, dict[str, Any]]] = {
    "audio": (2.0, 0.5, {"on": 0.3, "off": 0.15, "hold": 2.5, "cooldown": 1.0}),
    "imu": (5.0, 0.5, {"on": 0.6, "off": 0.2, "hold": 3.5, "cooldown": 1.0}),
}


@dataclass(frozen=True)
class Happening:
    """An event of the scene."""

    kind: str
    start: float
    end: float
    number: int


def happenings(seed: int) -> list[Happening]:
    """What happens when: every kind at least three times, in any order."""
    rng = np.random.default_rng(seed)
    kinds = [*KINDS] * (COUNT // len(KINDS))
    kinds += [str(kind) for kind in rng.choice([*KINDS], COUNT - len(kinds), replace=False)]
    rng.shuffle(kinds)
    lengths = rng.uniform(*_LENGTHS, COUNT)
    pauses = rng.dirichlet(np.full(COUNT + 1, 3.0)) * (
        SECONDS - lengths.sum() - _SHORTEST_PAUSE * (COUNT + 1)
    )
    ends = np.cumsum(lengths + pauses[:-1] + _SHORTEST_PAUSE)
    return [Happening(k, e - n, e, i) for i, (k, n, e) in enumerate(zip(kinds, lengths, ends, strict=True))]


def heard(happens: Sequence[Happening], seed: int) -> Array:
    """The scene's sound, float32 ``[N]`` at 22 050 Hz: between events the noise of the microphone."""
    wave = np.random.default_rng([seed, 1]).normal(0, 0.004, round(SECONDS * SOUND_RATE)).astype(np.float32)
    for one in happens:
        piece = sound(sample(seed + one.number, (one.kind,), "test"), one.end - one.start)
        fade = np.minimum(np.arange(len(piece)) / (_FADE * SOUND_RATE), 1)
        at = round(one.start * SOUND_RATE)
        wave[at : at + len(piece)] += (piece * fade * fade[::-1])[: len(wave) - at].astype(np.float32)
    return wave


def felt(happens: Sequence[Happening], seed: int) -> Array:
    """The scene's motion, float32 ``[6, N]`` at 200 Hz: between events the sensor lies still."""
    rng = np.random.default_rng([seed, 2])
    samples = rng.normal(0, [[0.04]] * 3 + [[0.005]] * 3, (6, round(SECONDS * IMU_RATE))).astype(np.float32)
    samples[2] += _GRAVITY
    for one in happens:
        piece = motion(sample(seed + one.number, (one.kind,), "test"), one.end - one.start)
        at = round(one.start * IMU_RATE)
        samples[:, at : at + piece.shape[1]] = piece[:, : samples.shape[1] - at]
    return samples


@dataclass(frozen=True)
class _Vector:
    vector: Array
    start: float
    end: float


def windows(model: bindrt.Model, modality: str, signal: Array) -> Iterator[_Vector]:
    """The scene's windows with their vectors, as a live stream gives them."""
    ready: deque[ReadyWindow] = deque()

    def items() -> Iterator[Any]:
        for window in _fed(modality, signal):
            ready.append(window)
            yield window.item

    for found in model.stream(modality, items()):  # type: ignore[call-overload]
        window = ready.popleft()
        yield _Vector(found.vector, window.start, window.end)


def _fed(modality: str, signal: Array) -> Iterator[ReadyWindow]:
    window, hop, _ = SETTINGS[modality]
    rate = SOUND_RATE if modality == "audio" else IMU_RATE
    feed: Feed = AudioFeed(rate, window, hop) if modality == "audio" else ImuFeed(window, hop)
    block = round(_BLOCK * rate)
    for at in range(0, signal.shape[-1], block):
        piece = signal[..., at : at + block]
        yield from feed.push(
            piece, at / rate if modality == "audio" else (at + np.arange(piece.shape[-1])) / rate
        )
    yield from feed.end()


def monitor_of(model: bindrt.Model, modality: str) -> bindrt.Monitor:
    """Each kind by one text; against what the sensor gives when nothing happens."""
    prompts = {name: f"a {kind.names[0]} {kind.doings[0]}" for name, kind in KINDS.items()}
    rng = np.random.default_rng(0)
    if modality == "audio":
        quiet: Any = bindrt.Audio(rng.normal(0, 0.004, 2 * SOUND_RATE).astype(np.float32), rate=SOUND_RATE)
    else:
        still = rng.normal(0, [[0.04]] * 3 + [[0.005]] * 3, (6, 5 * IMU_RATE))
        quiet = bindrt.Imu(still + np.array([0, 0, _GRAVITY, 0, 0, 0])[:, None], rate=IMU_RATE)
    options = SETTINGS[modality][2]
    return bindrt.Monitor(model, prompts, against=[quiet], score="probability", **options)


def compared(happens: Sequence[Happening], events: Sequence[Event]) -> dict[str, Any]:
    """How many events were found, and how many of those told happened."""
    left = list(happens)
    offsets = []
    for event in events:
        fitting = [h for h in left if h.kind == event.name and h.start < event.end and event.start < h.end]
        if fitting:
            left.remove(fitting[0])
            offsets.append((event.start - fitting[0].start, event.end - fitting[0].end))
    found = len(offsets)
    return {
        "happened": len(happens),
        "told": len(events),
        "found": found,
        "precision": found / max(len(events), 1),
        "recall": found / len(happens),
        "start_off_seconds": float(np.median([abs(start) for start, _ in offsets] or [np.nan])),
        "end_off_seconds": float(np.median([abs(end) for _, end in offsets] or [np.nan])),
        "missed": sorted({h.kind for h in left}),
    }


def measure(seed: int = SEED, model: bindrt.Model | None = None) -> dict[str, Any]:
    """The scores of a scene, by modality."""
    happens = happenings(seed)
    signals = {"audio": heard(happens, seed), "imu": felt(happens, seed)}
    opened = bindrt.load("tiny") if model is None else model
    found = {}
    for modality, signal in signals.items():
        events = list(monitor_of(opened, modality).watch(windows(opened, modality, signal)))
        found[modality] = compared(happens, events)
    if model is None:
        opened.close()
    return {"seconds": SECONDS, "kinds": len(KINDS), "seed": seed, **found}


def add_options(parser: Any) -> None:
    parser.add_argument("--seed", type=int, default=SEED, help=f"of the scene ({SEED})")


def run(options: Any) -> dict[str, Any]:
    """Measures and prints a line a modality."""
    result = measure(options.seed)
    for modality in SETTINGS:
        found = result[modality]
        print(
            f"events, {modality}: {found['found']} of {found['happened']} found, {found['told']} told; "
            f"precision {found['precision']:.2f}, recall {found['recall']:.2f}"
        )
    return result
