"""What makes two items equal: a hash of their contents and of everything that changes the vector."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from typing import Any

import numpy as np

from bindrt import arrays
from bindrt.errors import Error
from bindrt.items import Prepared
from bindrt.modalities import MODALITIES
from bindrt.preprocess.dispatch import wrapped
from bindrt.sources import open_source
from bindrt.sources.foreign import NamedBytes
from bindrt.sources.locations import at_home, is_uri

#: Larger items are computed each time: their bytes would be held until then.
MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class Identity:
    """
    Attributes:
        key: equal for equal items, and different for others.
        item: makes an item of the very bytes that were hashed, which nobody changes any more: a file may
            be written to, and an array's owner may use it again, while others wait for its vector.
    """

    key: bytes
    item: Callable[[], object]


class _Unequal(Exception):  # noqa: N818 - an answer
    """The item equals no other: it cannot be hashed, or is too large."""


def identify(modality: str, item: object, normalize: bool) -> Identity | None:
    """None for an item that is computed by itself: a bad one, a file object, one above ``MOST_BYTES``."""
    contents = Contents()
    contents.add("request", f"{modality} {normalize}".encode())
    try:
        if not isinstance(item, Prepared):
            item = wrapped(MODALITIES[modality], item)
        if isinstance(item, str):
            contents.plain(item)
            return Identity(contents.key(), lambda: item)
        contents.add("wrapper", type(item).__name__.encode())
        source, *rest = (f.name for f in fields(item))  # type: ignore[arg-type]
        make = contents.source(getattr(item, source))
        others = {name: contents.plain(getattr(item, name)) for name in rest}
    except (Error, _Unequal, OSError, TypeError, ValueError, RecursionError):
        return None
    kind: Any = type(item)
    return Identity(contents.key(), lambda: kind(make(), **others))


class Contents:
    """Hashes values with their kinds and lengths, so that no two lists of values look the same."""

    def __init__(self) -> None:
        self._hash = hashlib.blake2b(digest_size=32)
        self._left = MOST_BYTES

    def key(self) -> bytes:
        return self._hash.digest()

    def add(self, kind: str, data: bytes | memoryview) -> None:
        self._hash.update(f"{kind} {len(data)} ".encode())
        self._hash.update(data)

    def source(self, value: Any) -> Callable[[], object]:
        """Hash a wrapper's first field; returns a function that makes its stand-in."""
        if isinstance(value, (str, os.PathLike)):
            name = os.fsdecode(value)
            if is_uri(name):
                raise _Unequal
            data = self._read(name)
            self.add("file", data)
            return partial(NamedBytes, data, name)
        if isinstance(value, (bytes, bytearray, memoryview)):
            self._take(memoryview(value).nbytes)
            data = bytes(value)
            self.add("file", data)
            return lambda: data
        held = self._array(value) if arrays.is_array(value) else self.plain(value)
        return lambda: held

    def plain(self, value: Any) -> Any:
        """A number, text, array, or a list of them; gives it back, arrays and lists copied."""
        if value is None or isinstance(value, (bool, int, float, str)):
            self.add(type(value).__name__, repr(value).encode())  # a subclass's repr may say less than it is
            if type(value) not in (type(None), bool, int, float, str):
                raise _Unequal
            return value
        if arrays.is_array(value) or isinstance(value, np.generic):
            return self._array(value)
        if isinstance(value, Mapping):
            self.add("mapping", str(len(value)).encode())
            return {self.plain(key): self.plain(value[key]) for key in sorted(value)}
        if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray, memoryview)):
            self.add("sequence", str(len(value)).encode())
            return tuple(self.plain(each) for each in value)
        raise _Unequal

    def _array(self, value: Any) -> arrays.Array:
        array = np.asarray(value) if isinstance(value, np.generic) else arrays.to_numpy(value)
        if array.dtype.hasobject:
            raise _Unequal
        self._take(array.nbytes)
        held = np.array(array, order="C")
        self.add("array", f"{held.dtype.str} {held.shape}".encode())
        self.add("numbers", held.reshape(-1).view(np.uint8).data)
        return held

    def _read(self, name: str) -> bytes:
        if open_source(name).size > self._left:
            raise _Unequal
        with open(at_home(name), "rb") as file:
            data = file.read(self._left + 1)
        self._take(len(data))
        return data

    def _take(self, size: int) -> None:
        if size > self._left:
            raise _Unequal
        self._left -= size
