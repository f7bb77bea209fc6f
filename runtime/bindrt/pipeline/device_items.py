"""Items that are on an encoder's GPU already: read there, without a visit to the host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

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


@dataclass(frozen=True, eq=False)
class Refused:
    """Stands for an item that cannot be read; preparing it raises why."""

    error: Error


class DeviceItems:
    """Takes items on a GPU for the pipeline of an encoder that runs there.

    Args:
        device: the GPU's number.
        modalities: those of the encoder.
    """

    def __init__(self, device: int, encoder: EncoderInfo, modalities: tuple[str, ...]) -> None:
        self._device = device
        self._layouts = {m: _layout(MODALITIES[m], tuple(encoder.view)) for m in modalities}

    def taken(self, modality: str, item: object) -> tuple[object, Notes]:
        """The item; or, of one that is ready and on a GPU, what the pipeline reads, and its notes.

        Never raises. To be called by the thread that submits it: libraries have a current stream for each.
        """
        if type(item) is not Prepared or type(item.array) is np.ndarray or not is_cuda(item.array):
            return item, {}
        try:
            with decoding(item_name(item), modality):
                return self._rows(modality, item), item.notes
        except Error as error:
            return Refused(error), {}

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
