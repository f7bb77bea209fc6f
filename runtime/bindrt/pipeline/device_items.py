"""Items that are on an encoder's GPU already: read there, without a visit to the host."""

from __future__ import annotations

import re
from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, NamedTuple

import numpy as np

from bindrt import _core
from bindrt.arrays import Array, is_cuda, item_name
from bindrt.bundle.manifest import EncoderInfo
from bindrt.device_arrays import import_array
from bindrt.errors import Error, InputError
from bindrt.items import ARRAYS_ONLY, Prepared
from bindrt.modalities import MODALITIES, Modality, for_encoder
from bindrt.modalities.video import Video, sampled_frames
from bindrt.notes import Notes
from bindrt.preprocess.dispatch import require_ready
from bindrt.sources.opening import decoding

_ON_THE_HOST = (str, bytes, np.ndarray, float, int, type(None))  #: classes of most sources and options
_MOST_COPIED = 64 << 20  #: bytes of an item that are copied to the host to find its error
_NUMBER = re.compile(r"(?:float|u?int)(8|16|32|64)")


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
        self._fields = {m.name: _array_fields(m) for m in declared}

    def taken(self, modality: str, item: object) -> tuple[object, Notes]:
        """The item; or, of one that is on a GPU, what the pipeline reads, and the notes of one that is ready.

        Never raises. To be called by the thread that submits it: libraries have a current stream for each.
        """
        if type(item) is Prepared:
            there = _is_there(item.array)
        elif type(item) is MODALITIES[modality].wrapper:
            there = any(_is_there(getattr(item, name)) for name in self._fields[modality])
        else:
            there = _is_there(item)
        if not there:
            return item, {}
        try:
            with decoding(item_name(item), modality):
                if isinstance(item, Prepared):
                    return self._rows(modality, item), item.notes
                if modality in self._prepared:
                    return self._lent(modality, item), {}
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

    def _lent(self, modality: str, item: Any) -> object:
        """The item with arrays that the core reads in place of those on the GPU."""
        name = item_name(item)
        if type(item) is not MODALITIES[modality].wrapper:
            return self._array(item, name, item)
        other = copy(item)  # without its checks, which it has passed
        for field in self._fields[modality]:
            given = getattr(item, field)
            if isinstance(given, (list, tuple)) and _is_there(given):
                object.__setattr__(other, field, self._frames(given, name, item))
            elif _is_there(given):
                object.__setattr__(other, field, self._array(given, name, item))
        return other

    def _frames(self, given: Sequence[Any], name: str, item: Any) -> tuple[object, ...]:
        """A video's frames one by one, of which those are lent that its views depend on."""
        if not isinstance(item, Video):
            problem = "it is a list of arrays on a GPU"
            raise InputError(name, problem, "make one array of them there: torch.stack, cupy.stack")
        frames = list(given)
        for index in sampled_frames(item, len(frames)):
            if not _is_there(frames[index]):
                problem = f"frame {index} is on the host, others are on a GPU"
                raise InputError(name, problem, "have all frames at one place")
            frames[index] = self._array(frames[index], f"{name} frame {index}", item)
        return tuple(frames)

    def _array(self, source: object, name: str, item: object) -> _core.gpu.LentArray:
        found = import_array(source, self._device, name)
        if not (number := _NUMBER.fullmatch(found.dtype)):
            raise InputError(name, f"the dtype is {found.dtype}", "convert it to whole numbers or floats")
        if found.address % (int(number[1]) // 8):  # a kernel that reads there ends all work on the GPU
            problem = f"its numbers begin at address {found.address:#x}, which {found.dtype} may not"
            raise InputError(name, problem, "copy it on the GPU: .clone() in torch, .copy() in CuPy")
        owner = (found.owner, item)
        return _core.gpu.LentArray(found.device, found.address, found.shape, found.dtype, found.ready, owner)


def copied_to_host(item: object) -> object | None:
    """The item with its arrays on the host that were lent, to tell what is wrong with it there.

    None if it has none, or more bytes than an error is worth.

    Raises:
        InputError: the GPU failed.
    """
    try:
        return _copied_to_host(item)
    except ValueError as error:
        raise InputError(item_name(item), f"it cannot be read: {error}", "start the process again") from None


def _copied_to_host(item: object) -> object | None:
    if isinstance(item, _core.gpu.LentArray):
        return item.to_host() if item.nbytes <= _MOST_COPIED else None
    if not is_dataclass(item) or isinstance(item, type):
        return None
    lent = {each.name: given for each in fields(item) if _holds_lent(given := getattr(item, each.name))}
    if not lent or sum(map(_lent_bytes, lent.values())) > _MOST_COPIED:
        return None
    other = copy(item)
    for name, given in lent.items():
        object.__setattr__(other, name, _frames_here(given) if isinstance(given, tuple) else given.to_host())
    return other


def not_prepared(item: object) -> InputError:
    """The error of an item on a GPU that the host could prepare, and the GPU cannot."""
    problem = "the array is in CUDA memory, and the GPU does not prepare such an item"
    return InputError(item_name(item), problem, "copy it to the host first, for example .cpu()")


def _holds_lent(given: object) -> bool:
    if isinstance(given, tuple):
        return any(isinstance(each, _core.gpu.LentArray) for each in given)
    return isinstance(given, _core.gpu.LentArray)


def _lent_bytes(given: Any) -> int:
    each = given if isinstance(given, tuple) else (given,)
    return sum(one.nbytes for one in each if isinstance(one, _core.gpu.LentArray))


def _frames_here(given: tuple[Any, ...]) -> list[Array]:
    """Frames, of which those that nobody looks at are as the first one that somebody does."""
    here = [each.to_host() if isinstance(each, _core.gpu.LentArray) else None for each in given]
    first = next(each for each in here if each is not None)
    return [first if each is None else each for each in here]


def _is_there(source: object) -> bool:
    """Whether an array, or one of a list's first and last, is on a GPU."""
    if type(source) in _ON_THE_HOST:
        return False
    if isinstance(source, (list, tuple)):
        return bool(source) and (is_cuda(source[0]) or is_cuda(source[-1]))
    return is_cuda(source)


def _array_fields(modality: Modality) -> tuple[str, ...]:
    """The fields of its wrapper that may hold arrays: the source, and those that go with arrays alone."""
    if modality.wrapper is None:
        return ()
    source, *others = fields(modality.wrapper)
    return (source.name, *(each.name for each in others if each.metadata.get(ARRAYS_ONLY)))


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
