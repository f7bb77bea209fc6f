"""Any item of any modality to the views that its encoder takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import PIL.Image

from bindrt import arrays
from bindrt.errors import InputError, OptionError
from bindrt.items import Prepared
from bindrt.limits import DEFAULT_LIMITS, Limits, require_limits
from bindrt.modalities import MODALITIES, Modality, Views
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.sources import is_file_source
from bindrt.sources.foreign import as_sound, as_source
from bindrt.sources.opening import decoding


def prepare_views(
    modality: str,
    item: Any,
    limits: Limits = DEFAULT_LIMITS,
    reserve: Reserve | None = None,
    is_left: bool = False,
) -> Views:
    """One item as the model's input, each different view once.

    Args:
        modality: a name in :data:`bindrt.modalities.MODALITIES`: ``image``, ``video``, ``text``, ``audio``,
            ``depth``, ``thermal`` or ``imu``.
        item: a path, bytes, a file object, a wrapper (:class:`bindrt.Image`, …), an array whose meaning is
            plain, for text a ``str``; or :class:`bindrt.Prepared`, which is checked and passed on.
        limits: what an item may decode to.
        reserve: gives rows of a batch to write to. The views' array may be those rows, or one of its own.
        is_left: csrc/prepare has left the item already.

    Raises:
        OptionError: there is no such modality.
        InputError: the item is of another kind, shape, dtype or range, or cannot be decoded. Whatever else a
            source or a library raises comes out as one, so that one item never ends a job.
    """
    require_limits(limits)
    declared = declaration(modality)
    if not is_left and (ordinary := prepare_ordinary(declared, item, limits, reserve)) is not None:
        return ordinary
    with decoding(arrays.item_name(item), modality):
        if isinstance(item, Prepared):
            return _ready(declared, item)
        whole = wrapped(declared, item)
        if _stands_for_another(whole, item):  # which may be an ordinary item, where this one was not
            ordinary = prepare_ordinary(declared, whole, limits, reserve)
            if ordinary is not None:
                return ordinary
        return declared.prepare(whole, limits, reserve)


def prepare_ordinary(
    modality: Modality, item: object, limits: Limits, reserve: Reserve | None = None
) -> Views | None:
    """What csrc/prepare makes of an item, without the interpreter's lock; None: it is left to Python.

    Both ways give the same numbers and the same notes.
    """
    preparer = modality.ordinary
    found = None if preparer is None else preparer.prepare(item, limits, reserve)
    if found is None:
        return None
    return Views(*found)


def _stands_for_another(whole: Any, item: object) -> bool:
    """Whether a wrapped item's source is neither the item nor that item's source: a cell's, for example."""
    return (
        whole is not item and not isinstance(whole, str) and getattr(whole, fields(whole)[0].name) is not item
    )


def declaration(modality: str) -> Modality:
    """The declaration of a modality.

    Raises:
        OptionError: there is no such modality.
    """
    if not isinstance(modality, str) or modality not in MODALITIES:
        raise OptionError(repr(modality), "no such modality", f"one of {', '.join(MODALITIES)}")
    return MODALITIES[modality]


def describe(modality: str) -> dict[str, object]:
    """The preprocessing constants of a modality, as JSON can hold them; a fresh copy.

    Raises:
        OptionError: there is no such modality.

    >>> bindrt.preprocess.describe("text")["length"]
    77
    """
    return dict(declaration(modality).description)


def descriptions(held: Iterable[str]) -> dict[str, dict[str, object]]:
    """The descriptions that the space of a bundle's vectors is made from, by modality.

    Args:
        held: the modalities of the bundle. Those of ImageBind are described whether held or not.
    """
    also = set(held)
    return {name: describe(name) for name, m in MODALITIES.items() if m.original or name in also}


def modality_of(item: object) -> Modality | None:
    """The modality whose wrapper an item is; None for any other item."""
    wrappers = ((m, m.wrapper) for m in MODALITIES.values())
    return next((m for m, wrapper in wrappers if wrapper is not None and isinstance(item, wrapper)), None)


def wrapped(modality: Modality, item: Any) -> Any:
    """The item in its modality's wrapper, if that has one.

    Raises:
        InputError: the item is of another modality, or cannot be an item of this one.
    """
    wrapper = modality.wrapper
    if wrapper is None:
        return item if isinstance(item, str) else as_source(item)
    if isinstance(item, wrapper):
        return _with_plain_source(item)
    name = arrays.item_name(item)
    if (other := modality_of(item)) is not None:
        raise InputError(
            name, f"this is an item of {other.name}, not of {modality.name}", f"pass it as {other.name}=..."
        )
    if (sound := as_sound(item)) is not None and "rate" in {f.name for f in fields(wrapper)}:
        return wrapper(sound[0], rate=sound[1])
    item = as_source(item)
    is_bare = arrays.is_array(item) or isinstance(item, (list, tuple))
    if is_bare and modality.bare_array is not None:
        raise InputError(name, *modality.bare_array)
    is_picture = isinstance(item, PIL.Image.Image) and modality.bare_array is None
    if not (is_picture or is_file_source(item) or arrays.is_array(item)):
        raise InputError(
            name,
            f"{type(item).__name__} is not an item of {modality.name}",
            f"pass a path, bytes, a file object or bindrt.{wrapper.__name__}(...)",
        )
    return wrapper(item)


def _with_plain_source(item: Any) -> Any:
    """A wrapper whose source is a path, bytes, a file object, or an array."""
    source = fields(item)[0].name
    given = getattr(item, source)
    if (sound := as_sound(given)) is not None and hasattr(item, "rate"):
        return replace(item, **{source: sound[0], "rate": sound[1]})
    plain = as_source(given)
    return item if plain is given else replace(item, **{source: plain})


def _ready(modality: Modality, item: Prepared) -> Views:
    """Input that is handed in ready, after a check of its shape, dtype, finite values and token numbers."""
    name = arrays.item_name(item)
    array = arrays.to_numpy(item.array, name)
    require_ready(modality, item, array.shape, str(array.dtype), name)
    arrays.require_finite(array, name)
    modality.check_ready(array, name)
    return Views(modality.with_view_axis(array), notes=item.notes)


def require_ready(modality: Modality, item: Prepared, shape: tuple[int, ...], dtype: str, name: str) -> None:
    """Raises InputError unless an array of this shape and dtype is a modality's input, wherever it is."""
    if shape != modality.view and (shape[1:] != modality.view or shape[0] == 0):
        view = ", ".join(map(str, modality.view))
        raise InputError(
            name, f"the shape is {list(shape)}", f"{modality.name} takes [{view}] or [views, {view}]"
        )
    wanted = np.dtype(modality.dtype).name
    if dtype != wanted:
        raise InputError(
            name, f"the dtype is {dtype}", f"{modality.name} takes {wanted}: .astype(numpy.{wanted})"
        )
    if modality.views == 1 and not item.views and len(shape) > len(modality.view) and shape[0] > 1:
        raise InputError(
            name,
            f"it holds {shape[0]} inputs, and their vectors would be averaged into one",
            "pass bindrt.Prepared.batch(array), a list of items; or views=True if you mean that",
        )
