"""Depth: a depth map to ``[1, 224, 224]`` of normalised disparity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.errors import InputError
from bindrt.items import Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Notes, Views, one_view
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.maps import as_native, load_map
from bindrt.modalities.steps.output_rows import Reserve, row_for
from bindrt.numeric import is_positive

DepthUnit = Literal["m", "mm", "sunrgbd", "disparity"]
Missing = Literal["farthest", "nearest"]
_UNITS = ("m", "mm", "sunrgbd", "disparity")


@dataclass(frozen=True, eq=False)
class Depth:
    """One depth map; see :func:`bindrt.preprocess.depth` for units and the camera's numbers."""

    src: Source
    unit: DepthUnit | None = None
    focal: float = c.DEPTH_FOCAL
    baseline: float = c.DEPTH_BASELINE
    depth_scale: float = c.DEPTH_SCALE
    missing: Missing = "farthest"


def prepare(item: Depth, limits: Limits, reserve: Reserve | None = None) -> Views:
    """Disparity of the effective depth, resized, cropped and normalised; notes on missing pixels."""
    values, name = load_map(item.src, "depth", limits)
    _check_options(item, name)
    unit = _unit(item, values, name)
    camera = (float(item.focal), float(item.baseline), float(item.depth_scale))
    near = item.missing == "nearest"
    out, count = _core.depth_square(as_native(values), unit, *camera, near, out=row_for(reserve))
    notes: Notes = {"unit": unit, "missing_pixels": count, "missing_share": count / values.size}
    return one_view(out, notes)


def _unit(item: Depth, values: Array, name: str) -> str:
    integers = values.dtype.kind in "iu"
    dtype = values.dtype.newbyteorder("=")
    if item.unit == "sunrgbd" and dtype not in (np.uint16, np.int32, np.uint32, np.int64):
        raise InputError(
            name, f"SUN RGB-D's counts are 16-bit integers, not {values.dtype}", "unit='m' or 'mm'?"
        )
    if item.unit is not None:
        return item.unit
    if integers and values.dtype.itemsize == 1:
        raise InputError(
            name, "8-bit values hold no depth in millimetres", "pass 16-bit counts, or name the unit"
        )
    return "mm" if integers else "m"


def _check_options(item: Depth, name: str) -> None:
    if item.unit is not None and item.unit not in _UNITS:
        raise InputError(name, f"unit is {item.unit!r}", f"it is one of {', '.join(_UNITS)}")
    if item.missing not in ("farthest", "nearest"):
        raise InputError(name, f"missing is {item.missing!r}", "it is 'farthest' or 'nearest'")
    for field in ("focal", "baseline", "depth_scale"):
        if not is_positive(getattr(item, field)):
            raise InputError(name, f"{field} is {getattr(item, field)!r}", "it is a number above 0")


DEPTH = Modality(
    name="depth",
    encoder="depth",
    view=(1, c.SIDE, c.SIDE),
    prepare=prepare,
    original=True,
    description={**c.of_core("depth", scale="depth_scale"), "resize": "bilinear, antialiased, float"},
    wrapper=Depth,
    recognizes=lambda content: "depth" in content.fields,
)
