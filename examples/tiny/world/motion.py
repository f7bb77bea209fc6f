"""An event felt: what an inertial sensor on it measures."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from tiny.world.kinds import KINDS
from tiny.world.parts import Array
from tiny.world.scene import Event, Scene

IMU_RATE = 200  # Hz
IMU_SECONDS = 5.0
GRAVITY = 9.81
#: Acceleration without gravity and rotation, ``[3, N]`` each: right, forward, up; m/s² and rad/s.
Feel = tuple[Array, Array]


class Ride:
    """Time and rhythm of a ride on an event."""

    def __init__(self, event: Event, seconds: float = IMU_SECONDS) -> None:
        self.rng = np.random.default_rng([event.seed, 7])
        self.t = np.arange(int(IMU_RATE * seconds)) / IMU_RATE
        self.turns = event.phase + KINDS[event.kind].rate * event.speed * self.t
        self.size = event.size
        self.speed = event.speed

    def sine(self, per_turn: float = 1.0, phase: float = 0.0) -> Array:
        return np.sin(2 * np.pi * (per_turn * self.turns + phase))

    def jolt(self, per_turn: float = 1.0, phase: float = 0.0, sharp: float = 14.0) -> Array:
        """A short push once a beat."""
        beat = (per_turn * self.turns + phase) % 1.0
        return np.exp(-sharp * beat) * (1 - np.exp(-120 * beat)) * np.cos(2 * np.pi * 3 * beat)

    def tremble(self, hertz: float) -> Array:
        """Smooth random movement of unit variance, up to about ``hertz``."""
        spectrum = np.fft.rfft(self.rng.normal(size=len(self.t)))
        spectrum /= 1 + (np.fft.rfftfreq(len(self.t), 1 / IMU_RATE) / hertz) ** 4
        wave = np.fft.irfft(spectrum, len(self.t))
        return wave / max(float(wave.std()), 1e-9)

    def nothing(self) -> Array:
        return np.zeros_like(self.t)


def ball(r: Ride) -> Feel:
    hit = r.jolt(1, sharp=26)
    return np.stack([0.5 * r.tremble(2), 0.5 * r.tremble(2), -8.5 + 42 * hit]), np.stack(
        [2.0 + 0 * r.t, 0.6 * r.sine(0.5), 1.2 * r.sine(1)]
    )


def car(r: Ride) -> Feel:
    engine = np.sin(2 * np.pi * 34 * r.speed * r.t)
    return np.stack([1.2 * r.sine(0.11), 0.8 * r.tremble(0.6), 0.9 * engine + 0.4 * r.tremble(8)]), np.stack(
        [0.03 * r.tremble(6), 0.03 * engine, 0.25 * r.sine(0.11, 0.2)]
    )


def bird(r: Ride) -> Feel:
    return np.stack([0.7 * r.sine(0.17), 1.5 * r.sine(1, 0.3), 7 * r.sine(1)]), np.stack(
        [1.6 * r.sine(1, 0.25), 0.4 * r.sine(0.17), 0.3 * r.tremble(1)]
    )


def drum(r: Ride) -> Feel:
    both = r.jolt(2, sharp=9)
    return np.stack([0.4 * both, 0.4 * both, -14 * both]), np.stack([0.25 * both, -0.25 * both, r.nothing()])


def bell(r: Ride) -> Feel:
    swing = 0.9 * r.sine(1)
    rate = 0.9 * 2 * math.pi * 0.8 * r.speed * r.sine(1, 0.25)
    clapper = r.jolt(2, 0.0, 18)
    return np.stack([GRAVITY * np.sin(swing), 0.2 * r.tremble(3), rate**2 * 0.4 + 2.5 * clapper]), np.stack(
        [r.nothing(), rate, r.nothing()]
    )


def train(r: Ride) -> Feel:
    joint = r.jolt(1, sharp=30) + r.jolt(1, -0.17, sharp=30)
    return np.stack([0.5 * r.sine(0.4), 0.7 + 0.3 * r.sine(2), 6 * joint]), np.stack(
        [0.12 * joint, 0.10 * r.sine(0.4), 0.02 * r.tremble(1)]
    )


def fan(r: Ride) -> Feel:
    pull = 5.0 * r.size
    return np.stack([pull * r.sine(1), 0.3 * r.tremble(20), pull * r.sine(1, 0.25)]), np.stack(
        [0.1 * r.tremble(10), 2 * math.pi * 3.0 * r.speed + 0.2 * r.tremble(2), 0.1 * r.tremble(10)]
    )


def fire(r: Ride) -> Feel:
    return np.stack([0.35 * r.tremble(4), 0.35 * r.tremble(4), 0.8 * r.tremble(5)]), np.stack(
        [0.9 * r.tremble(3.5 * r.speed), 0.9 * r.tremble(3.5 * r.speed), 0.4 * r.tremble(3)]
    )


def fountain(r: Ride) -> Feel:
    taps = (r.rng.random(len(r.t)) < 0.10 * r.speed) * r.rng.exponential(5.0, len(r.t))
    return np.stack([0.4 * r.tremble(60), 0.4 * r.tremble(60), taps]), np.stack(
        [0.05 * r.tremble(60), 0.05 * r.tremble(60), 0.05 * r.tremble(60)]
    )


def clock(r: Ride) -> Feel:
    tick = r.jolt(1, sharp=60)
    return np.stack([1.3 * r.sine(0.5), r.nothing(), 1.6 * tick]), np.stack(
        [r.nothing(), 0.55 * r.sine(0.5, 0.25), r.nothing()]
    )


def drill(r: Ride) -> Feel:
    fast = 2 * np.pi * 68 * r.speed**0.5 * r.t
    return np.stack([9 * np.sin(fast), 4 * np.sin(fast + 1), 6 * np.sin(2 * fast * 0.61)]), np.stack(
        [0.8 * np.sin(fast), 0.5 * np.cos(fast), 0.3 * r.tremble(40)]
    )


def walker(r: Ride) -> Feel:
    return np.stack(
        [1.3 * r.sine(0.5), 1.6 * r.sine(1, 0.2), 3.2 * r.sine(1) + 1.3 * r.sine(2, 0.1) + 4 * r.jolt(1)]
    ), np.stack([0.35 * r.sine(1), 0.5 * r.sine(0.5, 0.3), 0.4 * r.sine(0.5)])


def boat(r: Ride) -> Feel:
    roll, pitch = 0.24 * r.sine(1), 0.14 * r.sine(0.6, 0.3)
    return np.stack([GRAVITY * np.sin(roll), GRAVITY * np.sin(pitch), 0.9 * r.sine(1, 0.2)]), np.stack(
        [0.40 * r.sine(0.6, 0.55), 0.68 * r.sine(1, 0.25), 0.08 * r.tremble(0.4)]
    )


FEELS: dict[str, Callable[[Ride], Feel]] = {
    "ball": ball, "car": car, "bird": bird, "drum": drum, "bell": bell, "train": train, "fan": fan,
    "fire": fire, "fountain": fountain, "clock": clock, "drill": drill, "walker": walker, "boat": boat,
}  # fmt: skip


def motion(scene: Scene, seconds: float = IMU_SECONDS) -> Array:
    """So many seconds on the first event: float32 ``[6, seconds · 200]`` at 200 Hz, m/s² then rad/s."""
    event = scene.events[0]
    accel, gyro = FEELS[event.kind](Ride(event, seconds))
    accel = accel + np.array([0, 0, GRAVITY])[:, None]
    turn = _tilted(*event.tilt)
    rng = np.random.default_rng([scene.seed, 8])
    samples = np.concatenate([turn @ accel, turn @ gyro])
    samples += rng.normal(0, [[0.12]] * 3 + [[0.015]] * 3, samples.shape) * scene.noise
    return samples.astype(np.float32)


def _tilted(about_x: float, about_y: float) -> Array:
    """The rotation of a sensor that is not mounted level."""
    cx, sx, cy, sy = math.cos(about_x), math.sin(about_x), math.cos(about_y), math.sin(about_y)
    return np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
