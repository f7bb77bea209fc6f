"""Any item of any modality to the model's input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bindrt import arrays
from bindrt.errors import InputError, OptionError
from bindrt.items import Audio, Depth, Image, Imu, Prepared, Thermal, Video
from bindrt.limits import DEFAULT_LIMITS, Limits, require_limits
from bindrt.modalities import MODALITIES, Modality
from bindrt.modalities import audio as _audio
from bindrt.modalities import depth as _depth
from bindrt.modalities import image as _image
from bindrt.modalities import imu as _imu
from bindrt.modalities import text as _text
from bindrt.modalities import thermal as _thermal
from bindrt.modalities import video as _video
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.sources import is_file_source

_WRAPPERS: dict[str, type[Any]] = {
    "image": Image,
    "video": Video,
    "audio": Audio,
    "depth": Depth,
    "thermal": Thermal,
    "imu": Imu,
}
_PREPARERS: dict[str, Callable[..., Prepared]] = {
    "image": _image.prepare,
    "video": _video.prepare,
    "audio": _audio.prepare,
    "text": _text.prepare,
    "depth": _depth.prepare,
    "thermal": _thermal.prepare,
    "imu": _imu.prepare,
}
_BARE = {  # arrays whose meaning is not plain, and what makes it so
    "video": ("bare frames have no rate", "pass bindrt.Video(frames, fps=...)"),
    "audio": ("a bare waveform has no rate", "pass bindrt.Audio(waveform, rate=...)"),
    "imu": ("bare samples have no times", "pass bindrt.Imu(samples, rate=...) or timestamps=..."),
}
_TEXT_WORDS = 49408


def prepare(modality: str, item: Any, limits: Limits = DEFAULT_LIMITS) -> Prepared:
    """One item as the model's input.

    Args:
        modality: ``image``, ``video``, ``text``, ``audio``, ``depth``, ``thermal`` or ``imu``.
        item: a path, bytes, a file object, a wrapper of :mod:`bindrt.items`, an array whose meaning
            is plain, for text a ``str``; or :class:`bindrt.Prepared`, which is checked and passed on.
        limits: what an item may decode to.

    Returns:
        :class:`bindrt.Prepared` whose ``array`` is one view, ``MODALITIES[modality].view``, or
        ``[views, ...]`` for video and audio; and ``notes`` on what was found.

    Raises:
        OptionError: no such modality.
        InputError: the item is of another kind, shape, dtype or range, or cannot be decoded.
    """
    require_limits(limits)
    if not isinstance(modality, str) or modality not in MODALITIES:
        raise OptionError(repr(modality), "no such modality", f"one of {', '.join(MODALITIES)}")
    if isinstance(item, Prepared):
        return check_prepared(modality, item)
    with_name = _PREPARERS[modality]
    if modality == "text":
        return with_name(item, limits)
    return with_name(wrapped(modality, item), limits)


def prepare_distinct(
    modality: str, item: object, limits: Limits = DEFAULT_LIMITS
) -> tuple[Prepared, arrays.Array | None]:
    """As :func:`prepare`, with equal views of a video or a recording once; and their weights ``[V]`` in the
    mean, None if all count alike. A short recording's clips, for example, are all the same."""
    if modality == "audio" and not isinstance(item, Prepared):
        return _once(prepare(modality, item, limits))
    if modality != "video" or isinstance(item, Prepared):
        return prepare(modality, item, limits), None
    views = _video.distinct_views(wrapped(modality, item), limits)
    return Prepared(views.array), views.weights


def prepare_into(
    modality: str, item: object, limits: Limits, reserve: Reserve
) -> tuple[Prepared, arrays.Array | None]:
    """As :func:`prepare_distinct`, in rows of a batch where that can be; of any modality but text.

    Returns:
        The item, whose array is in the reserved rows, or is still to be copied there; and the weights.
    """
    wrapper = wrapped(modality, item)
    if modality == "video":
        views = _video.distinct_views(wrapper, limits, reserve)
        return Prepared(views.array), views.weights
    if modality == "audio":
        clips, weights = _audio.distinct_views(wrapper, limits, reserve)
        return Prepared(clips), weights
    return _PREPARERS[modality](wrapper, limits, reserve), None


def _once(prepared: Prepared) -> tuple[Prepared, arrays.Array | None]:
    views = np.asarray(prepared.array)
    first = [next(j for j in range(i + 1) if np.array_equal(views[j], views[i])) for i in range(len(views))]
    kept, weights = np.unique(first, return_counts=True)
    if len(kept) == len(views):
        return prepared, None
    return Prepared(views[kept], prepared.notes), weights.astype(np.float32)


def wrapped(modality: str, item: Any) -> Any:
    """The item in its modality's wrapper."""
    wrapper = _WRAPPERS[modality]
    if isinstance(item, wrapper):
        return item
    name = arrays.item_name(item)
    for other, kind in _WRAPPERS.items():
        if isinstance(item, kind):
            raise InputError(
                name, f"this is an item of {other}, not of {modality}", f"pass it as {other}=..."
            )
    bare = arrays.is_array(item) or isinstance(item, (list, tuple))
    if bare and modality in _BARE:
        raise InputError(name, *_BARE[modality])
    if not is_file_source(item) and not arrays.is_array(item):
        raise InputError(
            name,
            f"{type(item).__name__} is no item of {modality}",
            f"pass a path, bytes, a file object or bindrt.{wrapper.__name__}(...)",
        )
    return wrapper(item)


def check_prepared(modality: str, item: Prepared) -> Prepared:
    """The item with a NumPy array, after checking shape, dtype, finite values and token numbers."""
    expected = MODALITIES[modality]
    name = arrays.item_name(item)
    array = arrays.to_numpy(item.array, name)
    if not _fits(array.shape, expected):
        view = ", ".join(map(str, expected.view))
        raise InputError(
            name, f"the shape is {list(array.shape)}", f"{modality} takes [{view}] or [views, {view}]"
        )
    if array.dtype != np.dtype(expected.dtype):
        dtype = np.dtype(expected.dtype).name
        raise InputError(
            name, f"the dtype is {array.dtype}", f"{modality} takes {dtype}: .astype(numpy.{dtype})"
        )
    arrays.require_finite(array, name)
    if modality == "text":
        _check_tokens(array, name)
    return Prepared(array, item.notes)


def _fits(shape: tuple[int, ...], expected: Modality) -> bool:
    return shape == expected.view or (shape[1:] == expected.view and shape[0] > 0)


def _check_tokens(tokens: arrays.Array, name: str) -> None:
    if tokens.min() < 0 or tokens.max() >= _TEXT_WORDS:
        raise InputError(name, "a token is outside the vocabulary", f"tokens are 0 to {_TEXT_WORDS - 1}")
    if not (tokens == _TEXT_WORDS - 1).any(axis=-1).all():
        raise InputError(name, "the end token is missing", f"a text ends with token {_TEXT_WORDS - 1}")
