"""Arrays that other libraries have on a GPU: where they lie, their shape and dtype, when they are written."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bindrt import _core
from bindrt.errors import InputError

CUDA = 2  #: DLPack's number of a GPU's own memory
_DLPACK_KINDS = {0: "int", 1: "uint", 2: "float", 4: "bfloat", 5: "complex", 6: "bool"}
_CONTIGUOUS = "make it contiguous: .contiguous() in torch, cupy.ascontiguousarray(array) in CuPy"
_NOT_SAID = -1  #: the stream of an array whose library does not tell it


@dataclass(frozen=True, eq=False)
class OnDevice:
    """An array in C order in the memory of a GPU.

    Attributes:
        device: the GPU's number.
        address: of its first number.
        dtype: as NumPy calls it; ``bfloat16`` and others that NumPy lacks have a name alone.
        ready: once it has passed, the array is written; None: it is.
        owner: while it lives, so does the memory.
    """

    device: int
    address: int
    shape: tuple[int, ...]
    dtype: str
    ready: _core.gpu.Mark | None
    owner: object


@dataclass(frozen=True, eq=False)
class _Told:
    """What a library says of an array: its strides in numbers, None for C order; and the stream whose work
    writes it, None if it is written."""

    address: int
    shape: tuple[int, ...]
    strides: Sequence[int] | None
    dtype: str
    stream: int | None
    owner: object


def import_array(source: Any, device: int, name: str) -> OnDevice:
    """An object with ``__dlpack__`` or ``__cuda_array_interface__``, without a copy and without waiting.

    To be called by the thread that made the array: each thread has a current stream of its own.

    Args:
        device: the GPU on which it has to be.
        name: what to call it in errors.

    Raises:
        InputError: it is elsewhere, has gaps, is empty, was freed, or its library does not export it.
    """
    is_dlpack = hasattr(source, "__dlpack__") and hasattr(source, "__dlpack_device__")
    told = (_dlpack if is_dlpack else _interface)(source, device, name)
    if 0 in told.shape:
        problem = f"the array is empty: {list(told.shape)}"
        raise InputError(name, problem, "every axis must be at least 1 long")
    _require_c_order(told, name)
    _require_place(told.address, device, name)
    _require_whole(told, device, name)
    return OnDevice(device, told.address, told.shape, told.dtype, _ready(told.stream, device), told.owner)


def _dlpack(source: Any, device: int, name: str) -> _Told:
    kind, number = map(int, source.__dlpack_device__())
    if kind == CUDA and number != device:
        raise InputError(
            name,
            f"the array is on cuda:{number}, the encoder on cuda:{device}",
            f"copy it there, or load the model with device='cuda:{number}'",
        )
    stream = _core.gpu.import_stream(device)  # its library makes it wait for its own work
    plain = source.detach() if hasattr(source, "detach") else source
    try:
        try:
            capsule = plain.__dlpack__(stream=stream, max_version=(1, 0))
        except TypeError:  # from before DLPack 1.0
            capsule = plain.__dlpack__(stream=stream)
        held = _core.gpu.read_dlpack(capsule)
    except Exception as error:  # libraries raise what they like
        raise InputError(
            name, f"the array cannot be read: {error}", "copy it to the host, for example .cpu()"
        ) from error
    code, bits, lanes = held["dtype"]
    dtype = f"{_DLPACK_KINDS.get(code, 'unknown ')}{bits}" + (f" x {lanes}" if lanes != 1 else "")
    return _Told(held["address"], held["shape"], held["strides"], dtype, stream, capsule)


def _interface(source: Any, device: int, name: str) -> _Told:
    about = source.__cuda_array_interface__
    if about.get("mask") is not None:
        raise InputError(name, "the array has a mask", "fill in what is masked first")
    dtype = np.dtype(about["typestr"])
    if not dtype.isnative:
        raise InputError(name, f"the dtype is {dtype}, in the other byte order", "convert it on the GPU")
    strides = about.get("strides")
    if strides is not None:
        if any(step % dtype.itemsize for step in strides):
            raise InputError(name, "the array has gaps between its numbers", _CONTIGUOUS)
        strides = [step // dtype.itemsize for step in strides]
    stream = about.get("stream")
    if int(about.get("version", 0)) < 3:
        stream = _NOT_SAID
    elif stream is not None and int(stream) == 0:
        raise InputError(name, "its stream is 0, which is not defined", "1 is the default stream")
    shape = tuple(int(n) for n in about["shape"])
    return _Told(int(about["data"][0]), shape, strides, dtype.name, stream, source)


def _ready(stream: int | None, device: int) -> _core.gpu.Mark | None:
    """What has passed once the work that is on a stream now is done."""
    if stream == _NOT_SAID:
        _core.gpu.synchronize(device)
        return None
    return None if stream is None else _core.gpu.Mark(device, int(stream))


def _require_c_order(told: _Told, name: str) -> None:
    """Raises InputError unless the numbers lie one after the other; an axis of length 1 has any stride."""
    if told.strides is None:
        return
    step = 1
    for length, stride in zip(reversed(told.shape), reversed(told.strides), strict=True):
        if length != 1 and stride != step:
            found = f"shape {list(told.shape)}, strides {list(told.strides)}"
            raise InputError(name, f"the array is not in C order: {found}", _CONTIGUOUS)
        step *= length


def _require_whole(told: _Told, device: int, name: str) -> None:
    """Raises InputError if the last number is in no memory of the GPU: to read it ends all work there."""
    bits = re.search(r"\d+", told.dtype)
    last = told.address + math.prod(told.shape) * (int(bits[0]) // 8 if bits else 1) - 1
    if last >= 1 << 64 or _core.gpu.place(device, last) == "nowhere":
        problem = f"an array {list(told.shape)} of {told.dtype} is more than the memory that it names"
        raise InputError(name, problem, "keep the whole of its memory until its vector is there")


def _require_place(address: int, device: int, name: str) -> None:
    """Raises InputError unless memory is of this GPU, and of the context that libraries share there."""
    place = _core.gpu.place(device, address)
    if place == "nowhere":
        raise InputError(
            name, "its memory is none of a GPU: was it freed?", "keep the array until its vector is there"
        )
    if place == "other context":
        raise InputError(
            name,
            "the array belongs to a CUDA context of its own, whose memory no other can read",
            "share the device's primary context: in PyCUDA import pycuda.autoprimaryctx, not autoinit",
        )
    if place == "other device":
        raise InputError(
            name,
            f"the array is on another GPU than cuda:{device}, where the encoder is",
            f"copy it to cuda:{device}",
        )
