"""Depth: a depth map to ``[1, 224, 224]`` of normalised disparity."""

from __future__ import annotations

import sys
import warnings
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from bindrt import _core
from bindrt.arrays import Array, item_name
from bindrt.errors import InputError
from bindrt.items import Source
from bindrt.limits import Limits
from bindrt.modalities.modality import Modality, Views, one_view
from bindrt.modalities.steps import constants as c
from bindrt.modalities.steps.grey_pictures import grey_view
from bindrt.modalities.steps.maps import as_native, load_map, note_beyond_cameras
from bindrt.modalities.steps.output_rows import Reserve, row_for
from bindrt.modalities.steps.picture_libraries import serve_pictures
from bindrt.notes import Notes
from bindrt.numeric import is_positive

DepthUnit = Literal["m", "mm", "sunrgbd", "disparity", "kitti", "tum"]
Missing = Literal["farthest", "nearest"]
CameraName = Literal["kinect", "kinect1", "kinect_v1", "kinect2", "kinect_v2", "realsense", "xtion"]
_UNITS = get_args(DepthUnit)


@dataclass(frozen=True, eq=False)
class Depth:
    """One depth map.

    Attributes:
        src: a path, bytes, file object or array ``[H, W]``, as :func:`bindrt.preprocess.depth` takes them.
        unit: ``"m"``, ``"mm"``, ``"sunrgbd"`` (packed counts), ``"kitti"`` (1/256 m), ``"tum"`` (1/5000 m),
            ``"disparity"`` (pixels); by default millimetres for integers, metres for floats.
        focal: the camera's focal length in pixels, of the map's own width; by default the first Kinect's.
        baseline: metres between the camera's two eyes; by default the first Kinect's.
        model_scale: what the model takes a metre for: 8 as the published statistics imply, 1 for a model
            trained on metres. It is not the scale of the map's counts, which ``counts_per_metre`` is.
        missing: what 0, negative, NaN and infinite values count as: ``"farthest"`` or ``"nearest"``.
        camera: the focal length and the baseline of a known camera, instead of the two numbers.
        counts_per_metre: how many of the map's counts are a metre, where no ``unit`` says it: 1000 for a
            RealSense whose depth scale is 0.001.
        depth_scale: the old name of ``model_scale``.
        exif: turn a picture as its EXIF orientation says.
        as_grey: take a picture of 8 bits as it is, as Weaviate's container does: the mean of its colours, of
            which 0 to 255 becomes 0 to 1. It has no unit and no camera then.

    >>> Depth(np.full((4, 4), 1500, np.uint16), camera="realsense").missing
    'farthest'
    """

    src: Source
    unit: DepthUnit | None = None
    focal: float = c.DEPTH_FOCAL
    baseline: float = c.DEPTH_BASELINE
    model_scale: float = c.DEPTH_SCALE
    missing: Missing = "farthest"
    camera: CameraName | None = None
    counts_per_metre: float | None = None
    depth_scale: float = c.DEPTH_SCALE
    exif: bool = False
    as_grey: bool = False

    def __post_init__(self) -> None:
        if self.depth_scale != c.DEPTH_SCALE:
            warnings.warn(
                "depth_scale is now called model_scale; the old name will go in two minor versions",
                DeprecationWarning,
                stacklevel=_first_outside(),
            )


def _first_outside() -> int:
    """The ``stacklevel`` of the caller's own line: the first frame that is not of bindrt.

    The number is that of a warning in ``Depth.__post_init__``.
    """
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "bindrt":
        frame, level = frame.f_back, level + 1
    return level


def prepare(item: Depth, limits: Limits, reserve: Reserve | None = None) -> Views:
    """Disparity of the effective depth, resized, cropped and normalised; notes on missing pixels."""
    if item.as_grey:
        _require_no_unit(item)
        if (view := grey_view(item.src, "depth", limits, item.exif, reserve)) is not None:
            return view
    loaded = load_map(item.src, "depth", limits, item.exif)
    values, name = loaded.values, loaded.name
    _check_options(item, name)
    camera = _camera(item, name)
    unit = _unit(item, values, name)
    frame, kernel_unit = as_native(values), unit
    if counts := item.counts_per_metre or c.METRE_COUNTS.get(unit):
        frame, kernel_unit = frame / float(counts), "m"
    near = item.missing == "nearest"
    out, count = _core.depth_square(frame, kernel_unit, *camera, near, out=row_for(reserve))
    notes: Notes = {
        "unit": unit,
        "missing_pixels": count,
        "missing_share": count / values.size,
        **note_beyond_cameras(values),
        **loaded.notes,
    }
    return one_view(out, notes)


def _require_no_unit(item: Depth) -> None:
    if item.unit is not None or item.counts_per_metre is not None or item.camera is not None:
        raise InputError(
            item_name(item.src), "both as_grey and a unit or a camera", "pass as_grey alone: it has no unit"
        )


def _camera(item: Depth, name: str) -> tuple[float, float, float]:
    """Focal length, baseline and the model's scale."""
    numbers = {"focal": item.focal, "baseline": item.baseline}
    if item.camera is not None:
        if numbers != {"focal": c.DEPTH_FOCAL, "baseline": c.DEPTH_BASELINE}:
            raise InputError(name, "both a camera and its numbers", "pass camera, or focal and baseline")
        numbers = c.CAMERAS[item.camera]
    old = item.depth_scale != c.DEPTH_SCALE
    if old and item.model_scale != c.DEPTH_SCALE:
        raise InputError(name, "both model_scale and its old name, depth_scale", "pass model_scale")
    scale = item.depth_scale if old else item.model_scale
    least, most = c.MODEL_SCALES
    if not least <= scale <= most:
        counts = 1 / scale if scale < least else scale
        raise InputError(
            name,
            f"{'depth_scale' if old else 'model_scale'} is {scale:g}: it is the "
            f"model's scale, {least:g} to {most:g}, not that of the map's counts",
            f"counts_per_metre={counts:g}, if that is what a metre is in this map",
        )
    return float(numbers["focal"]), float(numbers["baseline"]), float(scale)


def _unit(item: Depth, values: Array, name: str) -> str:
    integers = values.dtype.kind in "iu"
    dtype = values.dtype.newbyteorder("=")
    if item.counts_per_metre is not None:
        if item.unit is not None:
            raise InputError(name, "both a unit and counts_per_metre", "pass one of them")
        return f"1/{item.counts_per_metre:g} m"
    if item.unit == "sunrgbd" and dtype not in (np.uint16, np.int32, np.uint32, np.int64):
        raise InputError(
            name, f"SUN RGB-D's counts are 16-bit integers, not {values.dtype}", "unit='m' or 'mm'?"
        )
    if item.unit in c.METRE_COUNTS and (not integers or values.dtype.itemsize == 1):
        raise InputError(
            name,
            f"counts of unit {item.unit!r} are integers of 16 bits, not {values.dtype}",
            "unit='m' or 'mm'?",
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
    if item.camera is not None and item.camera not in [*c.CAMERAS]:  # a list compares, where a dict must hash
        raise InputError(
            name,
            f"camera is {item.camera!r}"[:80],
            f"it is one of {', '.join(c.CAMERAS)}; for another pass focal, in pixels of the map's own width, "
            "and baseline, in metres",
        )
    for field in ("focal", "baseline", "model_scale", "depth_scale", "counts_per_metre"):
        value = getattr(item, field)
        if not is_positive(value) and not (field == "counts_per_metre" and value is None):
            raise InputError(name, f"{field} is {value!r}", "it is a number above 0")


DEPTH = Modality(
    name="depth",
    encoder="depth",
    view=(1, c.SIDE, c.SIDE),
    prepare=prepare,
    original=True,
    description={**c.of_core("depth", scale="depth_scale"), "resize": "bilinear, antialiased, float"},
    wrapper=Depth,
    recognizes=lambda content: "depth" in content.fields,
    libraries=serve_pictures,
)
