"""Messages between a model and a process that decodes for it.

What the process sends is JSON and the bytes of arrays, never a pickle: it has read bytes of strangers, and
what it says must not be able to run code. Requests are pickles, since the model is trusted.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np

from bindrt import errors
from bindrt.arrays import Array
from bindrt.errors import Error
from bindrt.modalities import MODALITIES, Views

_LENGTH = struct.Struct("<Q")
_MOST_HEADER = 16 << 20
_TYPES = ("float32", "int64")  # of all views and indices


def frame(data: bytes) -> bytes:
    """A message with its length before it."""
    return _LENGTH.pack(len(data)) + data


def read_frame(read: Callable[[int], bytes]) -> bytes:
    """A message; ``read(n)`` returns ``n`` bytes or raises EOFError."""
    return read(_LENGTH.unpack(read(_LENGTH.size))[0])


def reply_of(views: Views) -> list[bytes]:
    """What is sent for an item that could be prepared: a header, then the bytes of its arrays."""
    arrays = [views.array] if views.index is None else [views.array, views.index]
    header = {
        "arrays": [{"shape": a.shape, "dtype": a.dtype.name} for a in arrays],
        "notes": dict(views.notes),
    }
    return [frame(json.dumps(header).encode()), *(np.ascontiguousarray(a).tobytes() for a in arrays)]


def reply_of_modality(found: str | None) -> list[bytes]:
    """What is sent for a file whose modality was asked; None: it is of none."""
    return [frame(json.dumps({"modality": found}).encode())]


def reply_of_error(error: Error) -> list[bytes]:
    """What is sent for an item that could not be prepared."""
    said = [error.item, error.problem, error.remedy]
    return [frame(json.dumps({"error": type(error).__name__, "said": said}).encode())]


def read_reply(read: Callable[[int], bytes]) -> Views:
    """The views of a reply.

    Raises:
        Error: the one that the item caused.
        ValueError: this is not a reply.
    """
    header = _header(read)
    arrays = [_read_array(described, read) for described in header["arrays"]]
    return Views(arrays[0], arrays[1] if len(arrays) > 1 else None, header["notes"])


def read_modality(read: Callable[[int], bytes]) -> str | None:
    """The modality in a reply; raises as :func:`read_reply` does."""
    found = _header(read)["modality"]
    if found is not None and found not in MODALITIES:
        raise ValueError("not a reply")
    return found  # type: ignore[no-any-return]


def _header(read: Callable[[int], bytes]) -> dict[str, Any]:
    """The header of a reply that is not an error."""
    length = _LENGTH.unpack(read(_LENGTH.size))[0]
    if length > _MOST_HEADER:
        raise ValueError("not a reply")
    header = json.loads(read(length))
    if "error" in header:
        kind = getattr(errors, str(header["error"]), None)
        if not (isinstance(kind, type) and issubclass(kind, Error)):
            raise ValueError("not a reply")
        raise kind(*map(str, header["said"]))
    return dict(header)


def _read_array(described: dict[str, Any], read: Callable[[int], bytes]) -> Array:
    dtype = described["dtype"]
    if dtype not in _TYPES:
        raise ValueError("not a reply")
    shape = [int(n) for n in described["shape"]]
    count = int(np.prod(shape, dtype=np.int64))
    data = read(count * np.dtype(dtype).itemsize)
    return np.frombuffer(bytearray(data), dtype).reshape(shape)
