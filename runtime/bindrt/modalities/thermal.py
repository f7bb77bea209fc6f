"""Thermal: a frame to ``[1, 224, 224]``, 0 to 1."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from bindrt import _core
from bindrt.arrays import Array, item_name
from bindrt.errors import InputError
from bindrt.items import Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Views, one_view
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.grey_pictures import grey_view
from bindrt.modalities.steps.maps import Map, as_native, load_map, note_beyond_cameras
from bindrt.modalities.steps.output_rows import Reserve, row_for
from bindrt.modalities.steps.picture_libraries import serve_pictures
from bindrt.numeric import is_number
from bindrt.sources.flir import ZERO_CELSIUS

ThermalUnit = Literal["celsius", "kelvin", "decikelvin", "centikelvin"]


@dataclass(frozen=True, eq=False)
class Thermal:
    """One thermal frame.

    Attributes:
        src: a path, bytes, file object or array ``[H, W]``, as :func:`bindrt.preprocess.thermal` takes them.
        low, high: the range that becomes 0 to 1: in the frame's own units, or in °C if its unit is known.
        percentiles: take the range from these percentiles of the frame instead, as ``(1, 99)``.
        unit: what the frame's values are: ``"celsius"``, ``"kelvin"``, ``"decikelvin"`` (tenths of a kelvin)
            or ``"centikelvin"`` (hundredths); the range is in °C then. None: counts of any kind. A
            radiometric JPEG of FLIR's says it itself.
        exif: turn a picture as its EXIF orientation says.
        as_grey: take a picture of 8 bits as it is, as Weaviate's container does: the mean of its colours, of
            which 0 to 255 becomes 0 to 1. It has no unit and no range then.

    >>> Thermal(np.full((4, 4), 29315, np.uint16), low=0, high=40, unit="centikelvin").high
    40
    """

    src: Source
    low: float | None = None
    high: float | None = None
    percentiles: tuple[float, float] | None = None
    unit: ThermalUnit | None = None
    exif: bool = False
    as_grey: bool = False


def prepare(item: Thermal, limits: Limits, reserve: Reserve | None = None) -> Views:
    """8-bit frames as they are; others stretched from a range; the range used is in the notes."""
    if item.as_grey:
        _require_no_range(item)
        if (view := grey_view(item.src, "thermal", limits, item.exif, reserve)) is not None:
            return view
    loaded = load_map(item.src, "thermal", limits, item.exif)
    name = loaded.name
    notes: dict[str, float | int | str]
    frame = _celsius(as_native(loaded.values), item.unit, loaded)
    plain = item.low is None and item.high is None and item.percentiles is None
    if plain and frame.dtype == np.uint8:
        notes = {"low": 0.0, "high": 255.0, **loaded.notes}
        return one_view(_core.thermal_square(frame, out=row_for(reserve)), notes)
    if bad := _core.count_not_finite(frame):
        raise InputError(
            name, f"{bad} of {frame.size} pixels are NaN or infinite", "every value must be finite"
        )
    low, high = _range(item, frame, name)
    notes = {"low": low, "high": high, **note_beyond_cameras(frame), **loaded.notes}
    if loaded.celsius or item.unit is not None:
        notes["unit"] = item.unit or "celsius"
    if item.unit is None and frame.dtype.kind in "iu" and (coldest := int(frame.min())) > high:
        least, most = c.CENTIKELVIN
        if least <= coldest and int(frame.max()) <= most:
            notes["perhaps_centikelvin"] = coldest
    return one_view(_core.thermal_square(frame, low, high, out=row_for(reserve)), notes)


def _require_no_range(item: Thermal) -> None:
    if any(each is not None for each in (item.low, item.high, item.percentiles, item.unit)):
        raise InputError(
            item_name(item.src), "both as_grey and a range or a unit", "pass as_grey alone: it has no range"
        )


def _celsius(frame: Array, unit: ThermalUnit | None, loaded: Map) -> Array:
    """The frame in °C if its unit is known, else as it is."""
    if unit is not None and unit not in get_args(ThermalUnit):
        raise InputError(loaded.name, f"unit is {unit!r}", f"it is one of {', '.join(get_args(ThermalUnit))}")
    if loaded.celsius and unit not in (None, "celsius"):
        raise InputError(loaded.name, f"unit is {unit!r}, the file itself says °C", "leave unit out")
    if unit is None or unit == "celsius":
        return frame
    return frame / c.KELVIN_COUNTS[unit] - ZERO_CELSIUS


def _range(item: Thermal, values: Array, name: str) -> tuple[float, float]:
    """Explicit, or from percentiles of the frame."""
    if item.percentiles is not None:
        if item.low is not None or item.high is not None:
            raise InputError(name, "both a range and percentiles", "pass low and high, or percentiles")
        return _stretch(item.percentiles, values, name)
    if item.low is None and item.high is None:
        raise InputError(
            name,
            f"{values.dtype} counts need a range",
            "pass low and high in the frame's units, or percentiles=(1, 99)",
        )
    if not (is_number(item.low) and is_number(item.high)):
        raise InputError(name, f"low is {item.low!r}, high is {item.high!r}", "both are numbers")
    low, high = float(item.low), float(item.high)
    if not low < high:
        raise InputError(name, f"low {low:g} is not below high {high:g}", "low is the colder end")
    return _bounded(low, high, name)


def _stretch(percentiles: Any, values: Array, name: str) -> tuple[float, float]:
    pair = tuple(percentiles) if isinstance(percentiles, (tuple, list)) else ()
    if len(pair) != 2 or not all(is_number(p) for p in pair) or not 0 <= pair[0] < pair[1] <= 100:
        raise InputError(
            name, f"percentiles are {percentiles!r}", "two increasing numbers of 0 to 100: (1, 99)"
        )
    low, high = _core.map_percentiles(values, float(pair[0]), float(pair[1]))
    if not low < high:
        raise InputError(name, f"the frame is flat: both percentiles are {low:g}", "pass low and high")
    return _bounded(low, high, name)


def _bounded(low: float, high: float, name: str) -> tuple[float, float]:
    if not math.isfinite(high - low):
        raise InputError(name, f"the range {low:g} to {high:g} is too wide", "pass a narrower one")
    return low, high


THERMAL = Modality(
    name="thermal",
    encoder="thermal",
    view=(1, c.SIDE, c.SIDE),
    prepare=prepare,
    original=True,
    description={**c.of_core("thermal"), "resize": "bicubic, antialiased", "crop": "centre"},
    wrapper=Thermal,
    recognizes=lambda content: "thermal" in content.fields,
    libraries=serve_pictures,
)
