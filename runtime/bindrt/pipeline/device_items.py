"""Items that are on an encoder's GPU already: read there, without a visit to the host."""

from __future__ import annotations

import re
from copy import copy
from dataclasses import dataclass, fields
from typing import Any, NamedTuple

import numpy as np

from bindrt import _core
from bindrt.arrays import is_cuda, item_name
from bindrt.bundle.manifest import EncoderInfo
from bindrt.device_arrays import import_array
from bindrt.errors import Error, InputError
from bindrt.items import Prepared
from bindrt.modalities import MODALITIES, Modality, for_encoder
from bindrt.notes import Notes
from bindrt.preprocess.dispatch import require_ready
from bindrt.sources.opening import decoding

_ON_THE_HOST = (str, bytes, np.ndarray)  #: classes of most sources
_NUMBERS = re.compile(r"(float|u?int)\d+")


@dataclass(frozen=True, eq=False)
class Refused:
    """Stands for an item that cannot be read; preparing it raises why."""

    error: Error


class DeviceItems:
    """Takes items on a GPU for the pipeline of an encoder that runs there.

    Args:
        device: the GPU's number.
        modalities: those of the encoder.
        prepares: whether the GPU prepares items.
    """

    def __init__(
        self, device: int, encoder: EncoderInfo, modalities: tuple[str, ...], prepares: bool
    ) -> None:
        self._device = device
        declared = [MODALITIES[m] for m in modalities]
        self._layouts = {m.name: _layout(m, tuple(encoder.view)) for m in declared}
        able = {m.name for m in declared if m.ordinary is not None}
        self._prepared = able if prepares else set()

    def taken(self, modality: str, item: object) -> tuple[object, Notes]:
        """The item; or, of one that is on a GPU, what the pipeline reads, and the notes of one that is ready.

        Never raises. To be called by the thread that submits it: libraries have a current stream for each.
        """
        field = _source_field(MODALITIES[modality], item)
        source = item if field is None else getattr(item, field)
        if type(source) in _ON_THE_HOST or not is_cuda(source):
            return item, {}
        try:
            with decoding(item_name(item), modality):
                if isinstance(item, Prepared):
                    return self._rows(modality, item), item.notes
                if modality in self._prepared:
                    return self._array(item, source, field), {}
        except Error as error:
            return Refused(error), {}
        return item, {}

    def _rows(self, modality: str, item: Prepared) -> _core.gpu.DeviceRows:
        name = item_name(item)
        declared = MODALITIES[modality]
        if declared.tokens is not None:
            raise InputError(name, "token ids are on a GPU", "pass them on the host, where they are checked")
        array = import_array(item.array, self._device, name)
        require_ready(declared, item, array.shape, array.dtype, name)
        rows = array.shape[0] if len(array.shape) > len(declared.view) else 1
        layout = self._layouts[modality]
        return _core.gpu.DeviceRows(
            array.device, array.address, rows, *layout, array.ready, (array.owner, item)
        )

    def _array(self, item: Any, source: object, field: str | None) -> object:
        """The item with an array that the core reads in place of its source."""
        name = item_name(item)
        found = import_array(source, self._device, name)
        if not _NUMBERS.fullmatch(found.dtype):
            raise InputError(name, f"the dtype is {found.dtype}", "convert it to whole numbers or floats")
        owner = (found.owner, item)
        lent = _core.gpu.LentArray(found.device, found.address, found.shape, found.dtype, found.ready, owner)
        if field is None:
            return lent
        for each in fields(item)[1:]:
            if is_cuda(getattr(item, each.name)):
                problem = f"its {each.name} are on a GPU"
                raise InputError(name, problem, "pass them on the host, where they are checked")
        other = copy(item)  # without its checks, which it has passed
        object.__setattr__(other, field, lent)
        return other


def _source_field(modality: Modality, item: Any) -> str | None:
    """The field of a wrapper that holds its source; None for an item that is its own source."""
    if type(item) is Prepared:
        return "array"
    return fields(item)[0].name if type(item) is modality.wrapper else None


class _Layout(NamedTuple):
    """A view in the encoder's input: so many parts, each of which stands there several times in a row."""

    parts: int
    copies: int
    part_bytes: int


def _layout(declared: Modality, encoder_view: tuple[int, ...]) -> _Layout:
    view = for_encoder(np.empty((1, *declared.view), declared.dtype), encoder_view)[0]
    for axis, (length, stride) in enumerate(zip(view.shape, view.strides, strict=True)):
        if stride == 0 and length > 1:  # the same numbers again and again
            parts = int(np.prod(view.shape[:axis]))
            return _Layout(parts, length, view.nbytes // (parts * length))
    return _Layout(1, 1, view.nbytes)
