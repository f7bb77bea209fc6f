"""What of a sample goes to a live stream, and which stream that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np

from bindrt.arrays import Array
from bindrt.limits import Limits
from bindrt.modalities.depth import Depth
from bindrt.modalities.steps.maps import load_map
from bindrt.modalities.thermal import Thermal
from bindrt.recordings.messages.picture_topics import decoded_image
from bindrt.recordings.sample import Sample
from bindrt.streams.feeds.layouts import rgb_of


class LivePiece(NamedTuple):
    """A piece of a live stream.

    Attributes:
        options: those of ``Model.live``.
        args: what is pushed.
        kind: what else must stay the same for the stream to go on.
    """

    options: Mapping[str, Any]
    args: Mapping[str, Any]
    kind: object = None


def live_piece(sample: Sample, limits: Limits) -> LivePiece:
    """The piece of a sample; a picture is decoded for it.

    Raises:
        InputError: its data are not what its message says.
    """
    return _MAKERS[sample.modality](sample, limits)


def _sound(sample: Sample, _: Limits) -> LivePiece:
    sound = sample.data
    options = {"rate": sound.rate, "channels": len(sound.src)}
    return LivePiece(options, {"data": sound.src, "time": sample.time}, sound.src.dtype)


def _motion(sample: Sample, _: Limits) -> LivePiece:
    found = {name: getattr(sample.data, name) for name in ("acc", "gyro")}
    rows = {name: values[:, None] for name, values in found.items() if values is not None}
    times = np.array([sample.time])
    if len(rows) == 2:
        return LivePiece({}, {"samples": np.concatenate([rows["acc"], rows["gyro"]]), "times": times})
    return LivePiece({}, {**rows, "times": times})


def _frame(sample: Sample, limits: Limits) -> LivePiece:
    frame = _pixels(sample.data.src, limits)
    return LivePiece({"layout": "RGB"}, {"data": frame, "time": sample.time}, frame.shape)


def _picture(sample: Sample, limits: Limits) -> LivePiece:
    frame = _pixels(sample.data.src, limits)
    return LivePiece({"layout": "RGB"}, {"data": frame, "time": sample.time})


def _pixels(source: Any, limits: Limits) -> Array:
    """RGB of a frame's pixels or of its file."""
    pixels: Any = decoded_image(source, limits).src if isinstance(source, bytes) else source
    return rgb_of(pixels, "RGB" if pixels.ndim == 3 else "L")


def _map(sample: Sample, limits: Limits) -> LivePiece:
    """A depth map or a thermal frame, with what its wrapper says of it."""
    item: Depth | Thermal = sample.data
    told = {field.name: getattr(item, field.name) for field in fields(item) if field.name != "src"}
    usual = {field.name: field.default for field in fields(item)}
    options = {name: value for name, value in told.items() if value != usual[name]}
    values: Any = item.src
    if isinstance(values, bytes):
        values = load_map(values, "depth" if sample.modality == "depth" else "thermal", limits).values
    return LivePiece(options, {"data": values, "time": sample.time})


_MAKERS: Mapping[str, Callable[[Sample, Limits], LivePiece]] = {
    "audio": _sound,
    "imu": _motion,
    "video": _frame,
    "image": _picture,
    "depth": _map,
    "thermal": _map,
}
