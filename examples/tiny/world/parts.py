"""Shaded solids in a picture: what colour, depth and heat each of them covers.

Coordinates are of the object: x to the right, y downwards, 1 is the object's half height.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
LIGHT = np.array([-0.45, -0.65, 0.61], np.float32)  # towards the light, unit length


@dataclass(frozen=True)
class Part:
    """One solid of an object.

    Attributes:
        shape: ``ellipse`` (an ellipsoid), ``box`` (with bevelled edges) or ``bar`` (a capsule).
        x, y, rx, ry: centre and half sizes.
        angle: rotation in radians, clockwise as seen.
        tint: multiplies the object's colour, unless ``colour`` is given.
        colour: its own, RGB 0..1.
        heat: degrees above the surroundings, °C.
        thickness: how far its middle bulges towards the viewer.
        alpha: 1 is solid.
    """

    shape: Literal["ellipse", "box", "bar"]
    x: float
    y: float
    rx: float
    ry: float
    angle: float = 0.0
    tint: float = 1.0
    colour: tuple[float, float, float] | None = None
    heat: float = 0.0
    thickness: float = 0.3
    alpha: float = 1.0


@dataclass
class Canvas:
    """What has been painted: colour, metres to the nearest surface, temperature."""

    rgb: Array  # [H, W, 3], 0..1
    depth: Array  # [H, W], metres
    heat: Array  # [H, W], °C


@dataclass(frozen=True)
class Placement:
    """Where an object stands: its centre and half height in pixels, its distance, its colour."""

    x: float
    y: float
    scale: float
    distance: float
    colour: tuple[float, float, float]


def paint(canvas: Canvas, part: Part, at: Placement, ambient: float) -> None:
    """Paints one part over what is there, only inside its bounding box."""
    height, width = canvas.depth.shape
    cx, cy = at.x + part.x * at.scale, at.y + part.y * at.scale
    rx, ry = max(part.rx * at.scale, 0.5), max(part.ry * at.scale, 0.5)
    cos, sin = math.cos(part.angle), math.sin(part.angle)
    reach_x = abs(rx * cos) + abs(ry * sin) + 2
    reach_y = abs(rx * sin) + abs(ry * cos) + 2
    x0, x1 = max(int(cx - reach_x), 0), min(int(cx + reach_x) + 1, width)
    y0, y1 = max(int(cy - reach_y), 0), min(int(cy + reach_y) + 1, height)
    if x0 >= x1 or y0 >= y1:
        return
    dx = np.arange(x0, x1, dtype=np.float32)[None] + 0.5 - cx
    dy = np.arange(y0, y1, dtype=np.float32)[:, None] + 0.5 - cy
    u, v = (dx * cos + dy * sin) / rx, (dy * cos - dx * sin) / ry
    cover, nu, nv, bulge = _PROFILES[part.shape](u, v, rx, ry)
    cover *= part.alpha
    nz = np.sqrt(np.maximum(1 - nu * nu - nv * nv, 0.0))
    lit = (nu * cos - nv * sin) * LIGHT[0] + (nu * sin + nv * cos) * LIGHT[1] + nz * LIGHT[2]
    shade = 0.42 + 0.58 * np.maximum(lit, 0.0)
    gloss = 0.25 * np.maximum(lit, 0.0) ** 12
    colour = np.array(part.colour or at.colour, np.float32) * (1.0 if part.colour else part.tint)
    box = (slice(y0, y1), slice(x0, x1))
    painted = np.clip(colour * shade[..., None] + gloss[..., None], 0, 1)
    canvas.rgb[box] += cover[..., None] * (painted - canvas.rgb[box])
    solid = cover > 0.5
    near = at.distance - 0.35 * part.thickness * bulge * at.distance * 0.3
    canvas.depth[box] = np.where(solid, near, canvas.depth[box])
    warm = ambient + part.heat * (0.75 + 0.25 * bulge)
    canvas.heat[box] += cover * (warm - canvas.heat[box])


def _ellipse(u: Array, v: Array, rx: float, ry: float) -> tuple[Array, Array, Array, Array]:
    r = np.sqrt(u * u + v * v)
    cover = np.clip((1 - r) * min(rx, ry) + 0.5, 0, 1)
    inside = np.minimum(r, 1) / np.maximum(r, 1e-6)
    nu, nv = u * inside, v * inside
    return cover, nu, nv, np.sqrt(np.maximum(1 - r * r, 0))


def _box(u: Array, v: Array, rx: float, ry: float) -> tuple[Array, Array, Array, Array]:
    edge_u, edge_v = (1 - np.abs(u)) * rx, (1 - np.abs(v)) * ry
    cover = np.clip(np.minimum(edge_u, edge_v) + 0.5, 0, 1)
    bevel = max(0.16 * min(rx, ry), 1.0)
    nu = np.sign(u) * 0.6 * np.clip(1 - edge_u / bevel, 0, 1) * np.ones_like(v)
    nv = np.sign(v) * 0.6 * np.clip(1 - edge_v / bevel, 0, 1) * np.ones_like(u)
    return cover, nu, nv, np.clip(np.minimum(edge_u, edge_v) / bevel, 0, 1)


def _bar(u: Array, v: Array, rx: float, ry: float) -> tuple[Array, Array, Array, Array]:
    """A capsule along its longer half size."""
    if ry > rx:
        cover, nv, nu, bulge = _bar(v, u, ry, rx)
        return cover, nu, nv, bulge
    along = np.maximum(np.abs(u) * rx - (rx - ry), 0) / ry
    r = np.sqrt(along * along + v * v)
    cover = np.clip((1 - r) * ry + 0.5, 0, 1)
    inside = np.minimum(r, 1) / np.maximum(r, 1e-6)
    return cover, np.sign(u) * along * inside, v * inside, np.sqrt(np.maximum(1 - r * r, 0))


_PROFILES = {"ellipse": _ellipse, "box": _box, "bar": _bar}
