"""Arrays of any library as read-only NumPy arrays, checks of them, and the names of items in errors."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.errors import InputError

Array = npt.NDArray[Any]

_NAMED = 200  # characters of a text in a name
_CUDA_DEVICES = (2, 13)  # DLPack's numbers: CUDA, CUDA managed; 3, pinned memory, is host memory


def is_array(src: object) -> bool:
    """Whether ``src`` is an array: NumPy's, or one that offers DLPack, ``__array__`` (TensorFlow) or
    ``__cuda_array_interface__``."""
    return isinstance(src, np.ndarray) or hasattr(src, "__dlpack__") or _offers_numpy(src) or is_cuda(src)


def _offers_numpy(src: object) -> bool:
    is_scalar = isinstance(src, np.generic)
    return not is_scalar and all(hasattr(src, name) for name in ("__array__", "shape", "dtype"))


def is_cuda(src: object) -> bool:
    """Whether ``src`` is an array in the memory of a CUDA device."""
    if isinstance(src, np.ndarray):
        return False
    try:
        # torch has the attribute on every tensor and raises AttributeError for those on the host.
        if getattr(src, "__cuda_array_interface__", None) is not None:
            return True
        device = getattr(src, "__dlpack_device__", None)
        return device is not None and int(device()[0]) in _CUDA_DEVICES
    except Exception:
        return False


def to_numpy(src: Any, name: str | None = None, lists: bool = False) -> Array:
    """``src`` as a read-only NumPy array, without a copy where its library allows it.

    Args:
        src: a NumPy array, an array in host memory with DLPack (torch, JAX, …) or ``__array__`` (TensorFlow,
            pandas, …), or a Pillow image.
        name: what to call it in errors; by default :func:`item_name`.
        lists: whether lists of numbers are arrays too.

    Raises:
        InputError: the array is on a CUDA device, or its library does not export it.

    >>> to_numpy(np.zeros((2, 3))).flags.writeable
    False
    """
    if isinstance(src, np.ndarray):
        return read_only(src.view(np.ndarray))
    label = name if name is not None else item_name(src)
    if is_cuda(src):
        raise InputError(
            label, "the array is in CUDA memory", "copy it to the host first, for example .cpu()"
        )
    if not hasattr(src, "__dlpack__"):
        return _converted(src, label, lists)
    try:
        return read_only(np.from_dlpack(src.detach() if hasattr(src, "detach") else src))
    except Exception as error:  # libraries raise what they like: a gradient, a dtype NumPy lacks, a device
        raise InputError(
            label,
            f"the array cannot be read: {error}",
            "pass a NumPy array, for example .float().cpu().numpy()",
        ) from error


def _converted(src: Any, name: str, lists: bool) -> Array:
    """An object that offers itself to NumPy, or a list of numbers, as an array."""
    is_offered = hasattr(src, "__array__") or hasattr(src, "__array_interface__")
    if not is_offered and not (lists and isinstance(src, (list, tuple))):
        raise InputError(name, f"{type(src).__name__} is not an array", "pass NumPy, or an array with DLPack")
    try:
        array = np.asarray(src)
    except Exception as error:  # rows of different lengths, tensors on a device, …
        raise InputError(name, f"it is not an array of numbers: {error}", "pass a NumPy array") from error
    if array.dtype.kind not in "biufcmM":
        raise InputError(name, f"its elements are not numbers: {array.dtype}", "pass a NumPy array")
    return read_only(array.view(np.ndarray))


def read_only(array: Array) -> Array:
    """A view of ``array`` that cannot be written through."""
    view: Array = array.view()
    view.flags.writeable = False
    return view


def shape_text(array: Any) -> str:
    """The dtype and shape of an array for messages.

    >>> shape_text(np.zeros((480, 640, 3), np.uint8))
    'uint8 [480, 640, 3]'
    """
    found = getattr(array, "dtype", "?")
    dtype = _dtype_name(found) if isinstance(found, np.dtype) else str(found).replace("torch.", "")
    try:
        shape = ", ".join(str(int(n)) for n in array.shape)
    except Exception:
        shape = "?"
    return f"{dtype} [{shape}]"


@lru_cache(maxsize=64)
def _dtype_name(dtype: np.dtype[Any]) -> str:
    """A dtype's name, which NumPy puts together anew each time; every item has a name."""
    return str(dtype)


def item_name(src: object) -> str:
    """A short name of an item for errors: its path, size, shape or type.

    >>> item_name("cat.jpg"), item_name(b"123"), item_name(np.zeros((2, 3)))
    ("'cat.jpg'", '<bytes, 3 B>', '<array float64 [2, 3]>')
    """
    if isinstance(src, str):
        return repr(src if len(src) <= _NAMED else src[:_NAMED] + "…")
    if isinstance(src, os.PathLike):
        path = os.fspath(src)
        return repr(path)
    if isinstance(src, (bytes, bytearray, memoryview)):
        try:
            return f"<bytes, {memoryview(src).nbytes} B>"
        except ValueError:
            return "<a released memoryview>"
    if is_array(src):
        return f"<array {shape_text(src)}>"
    if type(src).__module__.startswith("PIL.") and hasattr(src, "mode"):
        return f"<Pillow image {src.mode} {src.width} x {src.height}>"  # type: ignore[attr-defined]
    if hasattr(src, "read"):
        name = getattr(src, "name", None)
        return repr(name) if isinstance(name, str) else f"<{type(src).__name__}>"
    for field in ("src", "samples", "array"):
        if type(src).__module__.startswith("bindrt") and hasattr(src, field):
            return f"{type(src).__name__}({item_name(getattr(src, field))})"
    if isinstance(src, Sequence):
        return f"<{type(src).__name__} of {len(src)}>"
    return f"<{type(src).__name__}>"


def require_nonempty(array: Array, name: str) -> None:
    """Raises InputError if an axis of ``array`` is empty."""
    if array.size == 0:
        raise InputError(
            name, f"the array is empty: {shape_text(array)}", "every axis must be at least 1 long"
        )


def require_dtype(array: Array, allowed: Sequence[type[np.generic]], name: str, remedy: str) -> None:
    """Raises InputError unless ``array.dtype`` is one of ``allowed``, in any byte order."""
    if array.dtype.newbyteorder("=") not in [np.dtype(t) for t in allowed]:
        raise InputError(name, f"the dtype is {array.dtype}", remedy)


def require_finite(array: Array, name: str, what: str = "values") -> None:
    """Raises InputError if any of the ``what`` is NaN or infinite; the error says how many."""
    if array.dtype.kind not in "fc":
        return
    bad = int(array.size - np.count_nonzero(np.isfinite(array)))
    if bad:
        raise InputError(
            name, f"{bad} of {array.size} {what} are NaN or infinite", "every value must be finite"
        )
