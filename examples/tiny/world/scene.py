"""An event's free parameters, and how they are drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

#: ``shifted``: sizes, speeds and distances outside the ranges of training.
Split = Literal["train", "test", "shifted"]

COLOURS: dict[str, tuple[float, float, float]] = {
    "red": (0.85, 0.16, 0.14),
    "green": (0.18, 0.66, 0.24),
    "blue": (0.16, 0.32, 0.86),
    "yellow": (0.92, 0.80, 0.16),
    "purple": (0.55, 0.22, 0.70),
    "orange": (0.94, 0.50, 0.12),
    "white": (0.90, 0.90, 0.90),
    "brown": (0.48, 0.30, 0.17),
}
PLACES = ("left", "middle", "right")
BACKGROUNDS = ("field", "street", "beach", "room", "night", "snow")

#: The ranges of a scene: those of training, and others for the split "shifted".
TRAINED = {"size": ((0.70, 1.20),), "speed": ((0.70, 1.40),), "distance": ((1.5, 5.0),)}
UNSEEN = {
    "size": ((0.58, 0.68), (1.24, 1.40)),
    "speed": ((0.58, 0.68), (1.45, 1.65)),
    "distance": ((1.15, 1.45), (5.2, 6.2)),
}
_SEED_OF_SPLIT = {"train": 0, "test": 1, "shifted": 2}


@dataclass(frozen=True)
class Event:
    """One thing that happens.

    Attributes:
        kind: its name in ``KINDS``.
        size: relative to the kind's usual size; large ones sound lower.
        speed: relative; fast ones move and sound faster.
        colour: a name in ``COLOURS``.
        hue: added to each channel of the colour, for variety.
        place: a name in ``PLACES``.
        x, y: offset of the centre in picture heights; ``place`` says where x lies.
        distance: metres.
        phase: where in its motion it starts, 0..1.
        loudness: of its sound, 0..1.
        tilt: of the sensor that rides on it, radians about x and y.
        seed: for what is left: noise, details.
    """

    kind: str
    size: float
    speed: float
    colour: str
    hue: tuple[float, float, float]
    place: str
    x: float
    y: float
    distance: float
    phase: float
    loudness: float
    tilt: tuple[float, float]
    seed: int

    @property
    def rgb(self) -> tuple[float, float, float]:
        """Its colour."""
        r, g, b = (min(max(c + h, 0.03), 0.97) for c, h in zip(COLOURS[self.colour], self.hue, strict=True))
        return r, g, b


@dataclass(frozen=True)
class Scene:
    """Events in one place; nearly always one event.

    Attributes:
        background: a name in ``BACKGROUNDS``.
        ambient: air temperature, °C.
        noise: of sensors, 0..1.
    """

    events: tuple[Event, ...]
    background: str
    ambient: float
    noise: float
    seed: int

    @property
    def kind(self) -> str:
        """The kind of the first event."""
        return self.events[0].kind


def sample(seed: int, kinds: tuple[str, ...], split: Split = "train") -> Scene:
    """The scene of a seed: one event of each of ``kinds``, side by side if there are several."""
    rng = np.random.default_rng([seed, _SEED_OF_SPLIT[split]])
    places = list(rng.permutation([0, 2])) if len(kinds) == 2 else [int(rng.integers(3))]
    events = tuple(
        _event(kind, place, rng, split, len(kinds)) for kind, place in zip(kinds, places, strict=True)
    )
    return Scene(
        events=events,
        background=str(rng.choice(BACKGROUNDS)),
        ambient=float(rng.uniform(8, 26)),
        noise=float(rng.uniform(0.1, 1.0)),
        seed=int(rng.integers(1 << 31)),
    )


def _event(kind: str, place: int, rng: np.random.Generator, split: Split, crowd: int) -> Event:
    def draw(name: str) -> float:
        ranges = (UNSEEN if split == "shifted" else TRAINED)[name]
        low, high = ranges[int(rng.integers(len(ranges)))]
        return float(rng.uniform(low, high))

    spread = 0.10 if crowd == 1 else 0.05
    return Event(
        kind=kind,
        size=draw("size") * (0.78 if crowd == 2 else 1.0),
        speed=draw("speed"),
        colour=str(rng.choice(list(COLOURS))),
        hue=tuple(float(h) for h in rng.uniform(-0.07, 0.07, 3)),  # type: ignore[arg-type]
        place=PLACES[place],
        x=(place - 1) * 0.26 + float(rng.uniform(-spread, spread)),
        y=float(rng.uniform(-0.08, 0.10)),
        distance=draw("distance"),
        phase=float(rng.uniform()),
        loudness=float(rng.uniform(0.25, 0.9)),
        tilt=(float(rng.uniform(-0.35, 0.35)), float(rng.uniform(-0.35, 0.35))),
        seed=int(rng.integers(1 << 31)),
    )
