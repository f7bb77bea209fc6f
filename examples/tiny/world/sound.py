"""An event heard: pitch falls with size, rhythm follows speed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tiny.world.kinds import KINDS
from tiny.world.parts import Array
from tiny.world.scene import Event, Scene

SOUND_RATE = 22_050  # Hz
Voice = Callable[["Stage"], Array]


class Stage:
    """What a voice needs: time, pitch, rhythm, chance.

    Attributes:
        t: seconds, float64 ``[N]``.
        pitch: factor on a kind's usual frequencies.
        rate: turns a second of its rhythm.
        beats: times of its whole turns, in seconds.
    """

    def __init__(self, event: Event, seconds: float) -> None:
        self.rng = np.random.default_rng([event.seed, 5])
        self.t = np.arange(int(seconds * SOUND_RATE)) / SOUND_RATE
        self.pitch = event.size**-1.3
        self.rate = KINDS[event.kind].rate * event.speed
        first = -(event.phase % 1.0) / self.rate
        self.beats = np.arange(first, seconds, 1 / self.rate)

    def tone(self, hertz: float, phase: float = 0.0) -> Array:
        return np.sin(2 * np.pi * (hertz * self.pitch * self.t + phase))

    def saw(self, hertz: float, harmonics: int) -> Array:
        return sum((self.tone(hertz * k) / k for k in range(1, harmonics + 1)), np.zeros_like(self.t))

    def noise(self, low: float, high: float) -> Array:
        """White noise between two frequencies in Hz, of unit variance."""
        spectrum = np.fft.rfft(self.rng.normal(size=len(self.t)))
        hertz = np.fft.rfftfreq(len(self.t), 1 / SOUND_RATE)
        spectrum *= 1 / (1 + (low / np.maximum(hertz, 1e-9)) ** 6) / (1 + (hertz / high) ** 6)
        wave = np.fft.irfft(spectrum, len(self.t))
        return wave / max(float(wave.std()), 1e-9)

    def strokes(self, times: Array, decay: float, attack: float = 0.002) -> Array:
        """An envelope that rises at each time and falls with a time constant, in seconds."""
        out = np.zeros_like(self.t)
        for time in times:
            begin = max(int(time * SOUND_RATE), 0)
            if begin >= len(out) or time < -8 * decay:
                continue
            since = self.t[begin : begin + int(8 * decay * SOUND_RATE)] - time
            out[begin : begin + len(since)] += np.exp(-since / decay) * (1 - np.exp(-since / attack))
        return out

    def strike(self, times: Array, decay: float, hertz: float, bend: float = 0.0) -> Array:
        """A decaying sine from each time on; ``bend`` is how much higher it starts, as a share."""
        out = np.zeros_like(self.t)
        for time in times:
            begin = max(int(time * SOUND_RATE), 0)
            since = self.t[begin : begin + int(8 * decay * SOUND_RATE)] - time
            if begin < len(out) and len(since):
                turns = hertz * self.pitch * (since + bend * decay * (1 - np.exp(-since / decay)))
                out[begin : begin + len(since)] += np.exp(-since / decay) * np.sin(2 * np.pi * turns)
        return out


def ball(s: Stage) -> Array:
    return s.strike(s.beats, 0.07, 190, 0.8) + 0.25 * s.strokes(s.beats, 0.012) * s.noise(400, 3000)


def car(s: Stage) -> Array:
    beat = 1 + 0.35 * np.sin(2 * np.pi * s.rate * 5 * s.t)
    return s.saw(62, 14) * beat + 0.25 * s.noise(60, 700)


def bird(s: Stage) -> Array:
    out = np.zeros_like(s.t)
    for beat in s.beats:
        for lag, low, high in ((0.0, 2500, 4200), (0.13, 3600, 2400)):
            since = s.t - beat - lag / max(s.rate / 2.4, 0.5)
            inside = (since >= 0) & (since < 0.10)
            x = since[inside] / 0.10
            turns = s.pitch**0.6 * 0.10 * (low * x + (high - low) * x * x / 2)
            out[inside] += np.sin(np.pi * x) * np.sin(2 * np.pi * turns)
    return out


def drum(s: Stage) -> Array:
    both = np.sort(np.concatenate([s.beats, s.beats + 0.5 / s.rate]))
    return s.strike(both, 0.12, 88, 0.5) + 0.5 * s.strokes(both, 0.03) * s.noise(150, 1800)


def bell(s: Stage) -> Array:
    both = np.sort(np.concatenate([s.beats, s.beats + 0.5 / s.rate]))
    partials = ((1.0, 1.0, 0.9), (2.0, 0.7, 0.7), (2.4, 0.5, 0.55), (3.0, 0.35, 0.4), (4.5, 0.2, 0.25))
    return sum((a * s.strike(both, d, 420 * f) for f, a, d in partials), np.zeros_like(s.t))


def train(s: Stage) -> Array:
    pairs = np.sort(np.concatenate([s.beats, s.beats + 0.17 / s.rate]))
    clack = s.strokes(pairs, 0.02) * s.noise(700, 2600) * 1.6
    steam = (0.5 + 0.5 * np.sin(2 * np.pi * s.rate * 2 * s.t)) ** 2 * s.noise(200, 1200) * 0.5
    whistle = (s.tone(610) + s.tone(770) + s.tone(925)) * (0.22 * (np.sin(2 * np.pi * 0.4 * s.t) > 0.1))
    return clack + steam + whistle


def fan(s: Stage) -> Array:
    blades = 1 + 0.5 * np.sin(2 * np.pi * 3 * s.rate * s.t)
    return s.noise(150, 1400) * blades * 0.7 + 0.7 * s.tone(118) + 0.25 * s.tone(236)


def fire(s: Stage) -> Array:
    times = np.sort(s.rng.uniform(0, s.t[-1], s.rng.poisson(14 * s.rate / 2.2 * s.t[-1])))
    cracks = sum(
        (s.rng.uniform(0.3, 1.6) * s.strokes(part, 0.006, 0.0004) for part in np.array_split(times, 8)),
        np.zeros_like(s.t),
    )
    return cracks * s.noise(1500, 9000) * 1.5 + 0.35 * s.noise(40, 260)


def fountain(s: Stage) -> Array:
    out = 0.7 * s.noise(1800, 9000)
    for time in s.rng.uniform(0, s.t[-1], s.rng.poisson(22 * s.rate * s.t[-1])):
        out += 0.5 * s.strike(np.array([time]), 0.015, float(s.rng.uniform(700, 1900)), -0.4)
    return out


def clock(s: Stage) -> Array:
    tick, tock = s.beats[::2], s.beats[1::2]
    wood = s.strike(tick, 0.012, 2300) + s.strike(tock, 0.014, 1750)
    return wood + 0.4 * s.strokes(s.beats, 0.003, 0.0003) * s.noise(2500, 7000)


def drill(s: Stage) -> Array:
    wobble = 1 + 0.03 * np.sin(2 * np.pi * 3.1 * s.t)
    turns = np.cumsum(wobble) / SOUND_RATE * 31 * s.rate * s.pitch
    buzz = sum((np.sin(2 * np.pi * k * turns) / k**0.5 for k in range(1, 13)), np.zeros_like(s.t))
    return 0.6 * buzz + 0.5 * s.noise(2500, 7000)


def walker(s: Stage) -> Array:
    heel = s.strokes(s.beats, 0.03) * s.noise(80, 500)
    toe = s.strokes(s.beats + 0.10 / max(s.rate / 1.9, 0.5), 0.04, 0.01) * s.noise(500, 2500)
    return 1.3 * heel + 0.5 * toe


def boat(s: Stage) -> Array:
    swell = (0.5 + 0.5 * np.sin(2 * np.pi * (s.rate * s.t + s.rng.uniform()))) ** 2
    creak = s.strike(s.beats, 0.25, 260, 0.3) * (0.6 + 0.4 * np.sin(2 * np.pi * 37 * s.t))
    return (0.15 + swell) * s.noise(250, 2200) + 0.35 * creak


VOICES: dict[str, Voice] = {
    "ball": ball, "car": car, "bird": bird, "drum": drum, "bell": bell, "train": train, "fan": fan,
    "fire": fire, "fountain": fountain, "clock": clock, "drill": drill, "walker": walker, "boat": boat,
}  # fmt: skip


def sound(scene: Scene, seconds: float = 2.6) -> Array:
    """The scene's sound: float32 mono ``[seconds · 22050]``, −1..1."""
    total = np.zeros(int(seconds * SOUND_RATE))
    for event in scene.events:
        voice = VOICES[event.kind](Stage(event, seconds))
        level = max(float(np.sqrt(np.mean(voice**2))), 1e-6)
        total += event.loudness * 0.16 * voice / level
    rng = np.random.default_rng([scene.seed, 6])
    total += rng.normal(0, 0.006 * scene.noise, len(total))
    return np.tanh(total).astype(np.float32)
