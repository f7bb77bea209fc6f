"""An event seen: as a picture, as frames of a video, by a depth camera, by a thermal camera."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tiny.world.kinds import KINDS
from tiny.world.parts import Array, Canvas, Placement, paint
from tiny.world.scene import Event, Scene

VIDEO_SECONDS = 2.0
VIDEO_FPS = 12
HEIGHT, WIDTH = 224, 256

#: Colours of sky or wall above and of ground below; degrees of the ground against the air, °C.
_BACKGROUND: dict[str, tuple[tuple[float, float, float], tuple[float, float, float], float]] = {
    "field": ((0.60, 0.78, 0.95), (0.36, 0.60, 0.28), -1.0),
    "street": ((0.70, 0.72, 0.76), (0.38, 0.38, 0.40), 4.0),
    "beach": ((0.55, 0.80, 0.92), (0.86, 0.78, 0.55), 6.0),
    "room": ((0.88, 0.82, 0.72), (0.58, 0.44, 0.32), 1.0),
    "night": ((0.08, 0.09, 0.18), (0.14, 0.17, 0.16), -3.0),
    "snow": ((0.80, 0.85, 0.92), (0.93, 0.94, 0.97), -5.0),
}
_FAR = 9.0  # metres to the back
_DEPTH_CAMERA = 0.6  # it stands nearer than the eye: what it measures falls with the distance's inverse


def picture(scene: Scene, at: float = 1.0) -> npt.NDArray[np.uint8]:
    """The scene at a time in seconds: uint8 RGB ``[224, 256, 3]``."""
    canvas = _render(scene, at)
    rng = np.random.default_rng([scene.seed, int(at * 1000), 1])
    noisy = canvas.rgb + rng.normal(0, 0.02 * scene.noise, canvas.rgb.shape).astype(np.float32)
    return (noisy.clip(0, 1) * 255 + 0.5).astype(np.uint8)


def frames(scene: Scene) -> list[npt.NDArray[np.uint8]]:
    """Two seconds of it at 12 frames a second."""
    return [picture(scene, i / VIDEO_FPS) for i in range(int(VIDEO_SECONDS * VIDEO_FPS))]


def depth_map(scene: Scene, at: float = 1.0) -> npt.NDArray[np.uint16]:
    """Millimetres to the nearest surface, uint16 ``[224, 256]``; 0 where the camera saw nothing."""
    depth = _render(scene, at).depth
    rng = np.random.default_rng([scene.seed, 2])
    noisy = depth * (1 + rng.normal(0, 0.004 * scene.noise, depth.shape))
    lost = rng.random(depth.shape) < 0.004 * scene.noise
    return np.where(lost, 0, (noisy * 1000).clip(1, 65535)).astype(np.uint16)


def thermal_frame(scene: Scene, at: float = 1.0) -> npt.NDArray[np.uint8]:
    """An 8-bit thermal frame ``[224, 256]``: −10 to 60 °C, hotter is clipped."""
    heat = _render(scene, at).heat
    rng = np.random.default_rng([scene.seed, 3])
    noisy = heat + rng.normal(0, 0.5 * scene.noise, heat.shape)
    return ((noisy + 10) / 70 * 255).clip(0, 255).astype(np.uint8)


def _render(scene: Scene, at: float) -> Canvas:
    canvas = _backdrop(scene)
    for event in sorted(scene.events, key=lambda e: -e.distance):
        _draw(canvas, event, at, scene.ambient)
    return canvas


def _backdrop(scene: Scene) -> Canvas:
    above, below, warmth = _BACKGROUND[scene.background]
    rng = np.random.default_rng([scene.seed, 0])
    horizon = int(HEIGHT * rng.uniform(0.50, 0.72))
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
    down = np.clip((rows - horizon) / max(HEIGHT - horizon, 1), 0, 1)
    is_ground = rows >= horizon
    rgb = np.where(is_ground[..., None], np.array(below, np.float32), np.array(above, np.float32))
    light = np.where(is_ground, 0.80 + 0.25 * down, 0.85 + 0.15 * rows / HEIGHT) * rng.uniform(0.85, 1.1)
    rough = rng.normal(0, 0.05, (HEIGHT // 8, WIDTH // 8)).astype(np.float32).repeat(8, 0).repeat(8, 1)
    rgb = (rgb * light[..., None] + (rough * is_ground)[..., None]).clip(0, 1)
    depth = np.where(is_ground, _FAR / (1 + 3 * down), _FAR) * np.ones((1, WIDTH), np.float32)
    heat = scene.ambient + np.where(is_ground, warmth, -2.0) + 12 * rough
    full = np.ones((HEIGHT, WIDTH), np.float32)
    return Canvas(
        np.ascontiguousarray(rgb, np.float32),
        (depth * full).astype(np.float32),
        (heat * full).astype(np.float32),
    )


def _draw(canvas: Canvas, event: Event, at: float, ambient: float) -> None:
    kind = KINDS[event.kind]
    parts, (dx, dy) = kind.look(event.phase + kind.rate * event.speed * at)
    scale = HEIGHT / 2 * kind.extent * event.size * _perspective(event.distance)
    placement = Placement(
        x=WIDTH / 2 + event.x * HEIGHT + dx * scale,
        y=HEIGHT / 2 + event.y * HEIGHT + dy * scale,
        scale=scale,
        distance=_DEPTH_CAMERA * event.distance,
        colour=event.rgb,
    )
    _shadow(canvas, placement)
    for part in parts:
        paint(canvas, part, placement, ambient)


def _perspective(distance: float) -> float:
    """Farther looks smaller, gently: a far event must still be seen."""
    return float((3.0 / distance) ** 0.35)


def _shadow(canvas: Canvas, at: Placement) -> None:
    """A dark spot below the object."""
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None] - min(at.y + 1.15 * at.scale, HEIGHT - 4)
    columns = np.arange(WIDTH, dtype=np.float32)[None] - at.x
    near: Array = np.exp(-((columns / (at.scale + 1)) ** 2) - (rows / (0.16 * at.scale + 1)) ** 2)
    canvas.rgb *= (1 - 0.35 * near)[..., None]
