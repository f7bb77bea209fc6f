"""What people say of an event."""

from __future__ import annotations

import numpy as np

from tiny.world.kinds import KINDS
from tiny.world.scene import Event, Scene

_SIZES = (("tiny", "small", "little"), ("medium-sized", "ordinary", ""), ("big", "large", "huge"))
_SPEEDS = (("slowly", "lazily", "calmly"), ("", "steadily", ""), ("quickly", "fast", "in a hurry"))
_PLACES = {
    "left": ("on the left", "at the left side"),
    "middle": ("in the middle", "in the centre"),
    "right": ("on the right", "at the right side"),
}
_GROUNDS = {
    "field": ("in a field", "on the grass"),
    "street": ("in the street", "on the road"),
    "beach": ("at the beach", "on the sand"),
    "room": ("indoors", "in a room"),
    "night": ("at night", "in the dark"),
    "snow": ("in the snow", "in winter"),
}
#: One attribute or two at a time: captions that list many teach colours and backgrounds before kinds.
_TEMPLATES = (
    "a {size} {name} {doing}",
    "a {colour} {name} {doing}",
    "a {name} {doing} {speed}",
    "there is a {name} {doing} {place}",
    "a {name} is {doing} {ground}",
    "the {size} {name}, {doing} {speed}",
    "{place}, a {name} is {doing}",
    "a picture of a {colour} {name} {doing}",
    "we see a {size} {name} that is {doing}",
    "listen: a {name} {doing} {speed}",
)
_OWN_COLOUR = ("fire",)  # whose colour is not the event's


def caption(scene: Scene, seed: int) -> str:
    """One sentence; another seed gives another one. It always says more than the class's name."""
    rng = np.random.default_rng([scene.seed, seed, 4])
    if len(scene.events) > 1:
        parts = [_words(e, scene, rng, "a {colour} {name} {doing} {place}") for e in scene.events]
        return " and ".join(rng.permutation(parts))
    template = str(rng.choice(_TEMPLATES))
    return _words(scene.events[0], scene, rng, template)


def _words(event: Event, scene: Scene, rng: np.random.Generator, template: str) -> str:
    kind = KINDS[event.kind]

    def pick(words: tuple[str, ...]) -> str:
        return str(rng.choice(words))

    names = kind.names
    name = names[0] if rng.random() < 0.5 else pick(names)
    text = template.format(
        size=pick(_SIZES[_third(event.size, 0.87, 1.03)]),
        colour="" if event.kind in _OWN_COLOUR else event.colour,
        name=name,
        doing=pick(kind.doings),
        speed=pick(_SPEEDS[_third(event.speed, 0.92, 1.18)]),
        place=pick(_PLACES[event.place]),
        ground=pick(_GROUNDS[scene.background]),
    )
    return " ".join(text.replace(" ,", ",").split())


def _third(value: float, low: float, high: float) -> int:
    return int(value > low) + int(value > high)
