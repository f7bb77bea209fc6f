"""The kinds of event: what each looks like at a time, where it moves, what it is called."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tiny.world.parts import Part

#: Parts in drawing order, and the object's displacement (right, down) in its half heights.
Look = tuple[list[Part], tuple[float, float]]

DARK = (0.13, 0.13, 0.15)
GREY = (0.52, 0.53, 0.56)
WOOD = (0.55, 0.36, 0.19)


@dataclass(frozen=True)
class Kind:
    """One kind of event.

    Attributes:
        names: nouns for it, the usual one first.
        doings: what it does, as a present participle.
        look: its parts at ``turns`` of its own rhythm, which ``rate`` per second drives.
        rate: turns a second at speed 1.
        extent: usual half height, as a share of the picture's half height.
    """

    names: tuple[str, ...]
    doings: tuple[str, ...]
    look: Callable[[float], Look]
    rate: float
    extent: float


def wave(turns: float) -> float:
    return math.sin(2 * math.pi * turns)


def ball(turns: float) -> Look:
    up = abs(math.sin(math.pi * turns))
    flat = 1 - 0.18 * max(0.0, 1 - 5 * up)
    stripe = Part("bar", 0, 0, 0.95, 0.13, 0.6 + 0.8 * turns, colour=(0.95, 0.95, 0.92), heat=3, thickness=1)
    return [Part("ellipse", 0, 1 - flat, 1, flat, heat=4, thickness=1), stripe], (0.0, 0.55 - 1.3 * up)


def car(turns: float) -> Look:
    spin = 2 * math.pi * turns * 2
    wheels = [
        Part("ellipse", x, 0.62, 0.34, 0.34, colour=DARK, heat=14, thickness=0.4) for x in (-0.85, 0.85)
    ]
    spokes = [
        Part("bar", x, 0.62, 0.26, 0.06, spin, colour=GREY, heat=14, thickness=0.4) for x in (-0.85, 0.85)
    ]
    body = Part("box", 0, 0.25, 1.6, 0.38, heat=6, thickness=0.6)
    bonnet = Part("box", 1.2, 0.22, 0.38, 0.28, heat=38, thickness=0.7)
    cabin = Part("box", -0.15, -0.3, 0.8, 0.32, tint=0.8, heat=4, thickness=0.5)
    window = Part("box", -0.1, -0.3, 0.55, 0.2, colour=(0.62, 0.8, 0.9), heat=1, thickness=0.5)
    return [cabin, window, body, bonnet, *wheels, *spokes], (
        0.35 * wave(0.11 * turns),
        0.02 * wave(turns * 3),
    )


def bird(turns: float) -> Look:
    flap = 0.75 * wave(turns)
    wings = [
        Part("bar", -0.75, -0.25 - 0.3 * flap, 0.78, 0.17, 0.5 * flap + 0.2, tint=0.85, heat=8),
        Part("bar", 0.75, -0.25 - 0.3 * flap, 0.78, 0.17, -0.5 * flap - 0.2, tint=0.85, heat=8),
    ]
    body = Part("ellipse", 0, 0.05, 0.26, 0.5, heat=17, thickness=0.8)
    head = Part("ellipse", 0, -0.5, 0.2, 0.2, heat=18, thickness=0.8)
    beak = Part("bar", 0.0, -0.74, 0.05, 0.13, colour=(0.95, 0.65, 0.1), heat=6)
    return [*wings, body, beak, head], (0.3 * wave(0.17 * turns), -0.55 + 0.22 * wave(turns + 0.25))


def drum(turns: float) -> Look:
    strike = max(0.0, math.cos(2 * math.pi * turns)) ** 4
    barrel = Part("box", 0, 0.3, 0.95, 0.6, heat=2, thickness=0.9)
    bands = [Part("box", 0, y, 0.97, 0.07, colour=WOOD, heat=2, thickness=0.9) for y in (-0.22, 0.82)]
    skin = Part("ellipse", 0, -0.32, 0.95, 0.24, colour=(0.93, 0.90, 0.80), heat=9, thickness=0.5)
    sticks = [
        Part("bar", side * 0.55, -0.85 + 0.32 * lift, 0.07, 0.42, side * 0.5, colour=WOOD, heat=5)
        for side, lift in ((-1, strike), (1, max(0.0, math.cos(2 * math.pi * (turns + 0.5))) ** 4))
    ]
    return [barrel, *bands, skin, *sticks], (0.0, 0.1)


def bell(turns: float) -> Look:
    swing = 0.55 * wave(turns)
    cos, sin = math.cos(swing), math.sin(swing)

    def hung(shape: str, x: float, y: float, rx: float, ry: float, **more: object) -> Part:
        return Part(shape, x * cos - y * sin, x * sin + y * cos - 0.8, rx, ry, swing, **more)  # type: ignore[arg-type]

    frame = Part("box", 0, -0.9, 1.1, 0.1, colour=WOOD, heat=1)
    return [
        frame,
        hung("bar", 0, 1.55, 0.12, 0.22, colour=DARK, heat=5),
        hung("ellipse", 0, 0.62, 0.52, 0.62, heat=7, thickness=1),
        hung("box", 0, 1.0, 0.62, 0.34, heat=7, thickness=1),
        hung("box", 0, 1.32, 0.82, 0.12, tint=0.8, heat=7, thickness=1),
    ], (0.0, 0.0)


def train(turns: float) -> Look:
    parts: list[Part] = []
    for wagon, x in enumerate((1.45, -0.05, -1.55)):
        heat = 30.0 if wagon == 0 else 5.0
        parts.append(
            Part("box", x, 0.15, 0.66, 0.48, tint=1.0 if wagon == 0 else 0.75, heat=heat, thickness=0.6)
        )
        parts += [
            Part("ellipse", x + dx, 0.72, 0.19, 0.19, colour=DARK, heat=10, thickness=0.3)
            for dx in (-0.4, 0.4)
        ]
        parts.append(Part("box", x, 0.0, 0.45, 0.16, colour=(0.70, 0.85, 0.92), heat=2))
    chimney = Part("box", 1.75, -0.55, 0.13, 0.3, colour=DARK, heat=55)
    smoke = [
        Part(
            "ellipse",
            1.6 - 0.5 * i,
            -1.0 - 0.18 * i,
            0.26 + 0.07 * i,
            0.2 + 0.06 * i,
            colour=(0.8, 0.8, 0.82),
            heat=22 - 5 * i,
            alpha=0.65,
        )
        for i in range(3)
    ]
    rails = Part("box", 0, 0.95, 3.0, 0.05, colour=GREY, heat=3)
    return [rails, *smoke, chimney, *parts], (0.3 * wave(0.09 * turns), 0.03 * abs(wave(turns)))


def fan(turns: float) -> Look:
    spin = 2 * math.pi * turns
    blades = [
        Part("bar", 0.5 * math.cos(a), 0.5 * math.sin(a) - 0.25, 0.5, 0.22, a, heat=3, thickness=0.3)
        for a in (spin + i * 2 * math.pi / 3 for i in range(3))
    ]
    hub = Part("ellipse", 0, -0.25, 0.22, 0.22, colour=DARK, heat=34, thickness=0.8)
    pole = Part("box", 0, 0.65, 0.09, 0.5, colour=GREY, heat=4)
    foot = Part("ellipse", 0, 1.1, 0.55, 0.12, colour=GREY, heat=2)
    guard = Part("ellipse", 0, -0.25, 1.05, 1.05, colour=(0.75, 0.77, 0.80), heat=1, alpha=0.35)
    return [pole, foot, guard, *blades, hub], (0.0, 0.0)


def fire(turns: float) -> Look:
    tongues = []
    for i, (x, tall) in enumerate(((-0.4, 0.62), (0.38, 0.7), (0.0, 1.05))):
        flicker = 1 + 0.22 * wave(turns * (1.0 + 0.3 * i) + 0.37 * i)
        tongues.append(
            Part(
                "ellipse",
                x + 0.07 * wave(turns + i),
                0.75 - 0.75 * tall * flicker,
                0.36,
                0.75 * tall * flicker,
                colour=(0.98, 0.42 + 0.1 * i, 0.08),
                heat=170,
                thickness=0.4,
                alpha=0.9,
            )
        )
    core = Part("ellipse", 0, 0.45, 0.3, 0.42, colour=(1.0, 0.93, 0.55), heat=260, thickness=0.4)
    logs = [Part("bar", 0, 0.86, 0.95, 0.14, a, colour=WOOD, heat=70, thickness=0.5) for a in (0.22, -0.22)]
    return [*tongues, core, *logs], (0.0, 0.0)


def fountain(turns: float) -> Look:
    drops = []
    for i in range(14):
        t = (turns * 0.5 + i / 14) % 1.0
        x = (-1 if i % 2 else 1) * (0.15 + 0.75 * t) * (0.6 + 0.4 * ((i * 7) % 5) / 4)
        y = 0.5 - 3.6 * t * (1 - t) * (1 - 0.05 * (i % 3))
        drops.append(Part("ellipse", x, y, 0.1, 0.13, colour=(0.62, 0.82, 0.97), heat=-7, alpha=0.8))
    jet = Part("bar", 0, -0.1, 0.1, 0.62, colour=(0.72, 0.88, 0.98), heat=-8, alpha=0.75)
    basin = Part("ellipse", 0, 0.72, 1.25, 0.3, heat=-2, thickness=0.6)
    water = Part("ellipse", 0, 0.66, 1.05, 0.2, colour=(0.30, 0.58, 0.85), heat=-9)
    return [basin, water, jet, *drops], (0.0, 0.0)


def clock(turns: float) -> Look:
    swing = 0.42 * wave(turns / 2)
    case = Part("box", 0, 0, 0.62, 1.15, heat=1, thickness=0.5)
    glass = Part("box", 0, 0.45, 0.45, 0.58, colour=(0.20, 0.18, 0.18), heat=0)
    face = Part("ellipse", 0, -0.6, 0.42, 0.42, colour=(0.96, 0.95, 0.90), heat=5)
    hands = [
        Part("bar", 0.13 * math.sin(a), -0.6 - 0.13 * math.cos(a), 0.03, 0.17, a, colour=DARK, heat=5)
        for a in (0.9 + 0.05 * turns, 2.6)
    ]
    rod = Part(
        "bar", 0.35 * math.sin(swing), 0.0 + 0.35 * math.cos(swing), 0.035, 0.36, -swing, colour=GREY, heat=2
    )
    bob = Part(
        "ellipse",
        0.72 * math.sin(swing),
        0.72 * math.cos(swing),
        0.17,
        0.17,
        colour=(0.95, 0.78, 0.25),
        heat=3,
        thickness=0.6,
    )
    return [case, glass, face, *hands, rod, bob], (0.0, 0.0)


def drill(turns: float) -> Look:
    shake = 0.035 * wave(turns)
    body = Part("box", -0.35, -0.3, 0.72, 0.3, heat=26, thickness=0.6)
    grip = Part("box", -0.75, 0.4, 0.22, 0.6, 0.2, tint=0.7, heat=15, thickness=0.5)
    battery = Part("box", -0.62, 1.0, 0.42, 0.16, colour=DARK, heat=20, thickness=0.5)
    chuck = Part("box", 0.5, -0.3, 0.2, 0.2, colour=DARK, heat=40, thickness=0.5)
    bit = Part("bar", 1.05, -0.3, 0.48, 0.07, colour=GREY, heat=85, thickness=0.2)
    wall = Part("box", 1.75, 0.0, 0.24, 1.25, colour=(0.66, 0.58, 0.50), heat=2, thickness=0.2)
    dust = Part(
        "ellipse",
        1.42,
        0.0 + 0.3 * (turns * 0.13 % 1),
        0.16,
        0.2,
        colour=(0.78, 0.72, 0.64),
        heat=12,
        alpha=0.6,
    )
    return [wall, grip, battery, bit, chuck, body, dust], (shake, shake * 0.6)


def walker(turns: float) -> Look:
    step = 0.55 * wave(turns / 2)
    legs = [
        Part(
            "bar", 0.32 * math.sin(a), 0.62, 0.13, 0.52, -a, colour=(0.20, 0.22, 0.35), heat=8, thickness=0.5
        )
        for a in (step, -step)
    ]
    arms = [
        Part("bar", 0.3 * math.sin(a), -0.12, 0.1, 0.42, -a, tint=0.8, heat=10, thickness=0.5)
        for a in (-step, step)
    ]
    trunk = Part("bar", 0, -0.2, 0.26, 0.52, heat=12, thickness=0.7)
    head = Part("ellipse", 0, -0.95, 0.22, 0.25, colour=(0.86, 0.66, 0.52), heat=16, thickness=0.8)
    return [arms[0], *legs, trunk, head, arms[1]], (0.25 * wave(0.1 * turns), 0.08 * abs(wave(turns / 2)))


def boat(turns: float) -> Look:
    roll = 0.16 * wave(turns)
    sea = Part("box", 0, 1.0, 4.0, 0.42, colour=(0.12, 0.36, 0.62), heat=-6, thickness=0.1)
    crests = [
        Part(
            "ellipse",
            -2.4 + 1.2 * i + 0.5 * wave(turns / 2 + i * 0.3),
            0.64,
            0.5,
            0.1,
            colour=(0.45, 0.68, 0.86),
            heat=-6,
        )
        for i in range(5)
    ]
    hull = [
        Part("box", 0, 0.5, 0.95, 0.22, roll, colour=WOOD, heat=3, thickness=0.7),
        Part("ellipse", 0, 0.62, 0.8, 0.26, roll, colour=WOOD, heat=3, thickness=0.7),
    ]
    mast = Part("bar", 0.5 * math.sin(roll), -0.35, 0.045, 0.85, roll, colour=WOOD, heat=2)
    sails = [
        Part(
            "box",
            0.36 + 0.5 * math.sin(roll) * (1 - k / 5),
            0.1 - 0.24 * k,
            0.42 - 0.08 * k,
            0.13,
            roll,
            heat=5,
        )
        for k in range(5)
    ]
    return [sea, *crests, mast, *sails, *hull], (0.1 * wave(turns / 3), 0.12 * wave(turns + 0.2))


KINDS: dict[str, Kind] = {
    "ball": Kind(
        ("ball", "rubber ball", "round toy"), ("bouncing", "hopping up and down", "jumping"), ball, 1.3, 0.34
    ),
    "car": Kind(
        ("car", "automobile", "small vehicle"), ("driving", "rolling along", "going past"), car, 1.6, 0.30
    ),
    "bird": Kind(
        ("bird", "songbird", "little flyer"), ("flying", "flapping its wings", "fluttering"), bird, 2.4, 0.42
    ),
    "drum": Kind(
        ("drum", "barrel drum", "percussion"),
        ("being beaten", "sounding in rhythm", "being played"),
        drum,
        2.0,
        0.38,
    ),
    "bell": Kind(("bell", "church bell", "chime"), ("ringing", "swinging", "tolling"), bell, 0.8, 0.36),
    "train": Kind(
        ("train", "locomotive", "railway"),
        ("rattling by", "steaming along", "running on rails"),
        train,
        1.5,
        0.24,
    ),
    "fan": Kind(("fan", "ventilator", "blower"), ("spinning", "whirling", "turning"), fan, 3.0, 0.42),
    "fire": Kind(("fire", "campfire", "blaze"), ("burning", "flickering", "crackling"), fire, 2.2, 0.42),
    "fountain": Kind(
        ("fountain", "water jet", "spring"), ("splashing", "spraying", "gushing"), fountain, 1.0, 0.36
    ),
    "clock": Kind(
        ("clock", "pendulum clock", "timepiece"),
        ("ticking", "swinging its pendulum", "telling the time"),
        clock,
        2.0,
        0.42,
    ),
    "drill": Kind(
        ("drill", "power tool", "boring machine"), ("drilling", "boring a hole", "buzzing"), drill, 9.0, 0.34
    ),
    "walker": Kind(
        ("walker", "person", "pedestrian"), ("walking", "strolling", "going on foot"), walker, 1.9, 0.44
    ),
    "boat": Kind(
        ("boat", "sailing ship", "little yacht"),
        ("sailing", "rocking on the waves", "floating"),
        boat,
        0.45,
        0.42,
    ),
}
