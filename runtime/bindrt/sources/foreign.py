"""Objects of other libraries as what the sources take: a path, bytes, a file object, an array."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from bindrt.arrays import item_name
from bindrt.columns import is_cell
from bindrt.errors import InputError
from bindrt.sources.opening import decoding

_PLAIN = (str, bytes, bytearray, memoryview, np.ndarray)


class NamedBytes(io.BytesIO):
    """A file's bytes, under its name."""

    def __init__(self, data: bytes, name: str) -> None:
        super().__init__(data)
        self.name = name


def as_source(src: Any) -> Any:
    """What an object stands for: a cell of ``datasets``, a scalar of pyarrow, a path of another file system.

    Anything else is given back as it is.

    Raises:
        InputError: a missing value, or a cell without a file.

    >>> as_source({"bytes": None, "path": "cat.jpg"})
    'cat.jpg'
    """
    if isinstance(src, _PLAIN) or (isinstance(src, os.PathLike) and not hasattr(src, "fs")):
        return src
    if callable(getattr(src, "as_py", None)):  # pyarrow
        return as_source(src.as_py())
    if is_missing(src):
        raise InputError(item_name(src), "the value is missing", "leave the row out")
    if is_cell(src):
        return _of_cell(src)
    if callable(getattr(src, "open", None)) and not hasattr(src, "read"):
        with decoding(item_name(src), "file"):
            if hasattr(src, "is_file"):  # as pathlib: zipfile.Path, importlib.resources, UPath
                return src.open("rb")
            if hasattr(src, "fs"):  # fsspec.open
                return src.open()
    return src


def is_missing(src: object) -> bool:
    """Whether a value is what columns hold where there is none: None, NaN, pandas' NA and NaT."""
    return (
        src is None or type(src).__name__ in ("NAType", "NaTType") or (isinstance(src, float) and src != src)
    )


def as_sound(item: Any) -> tuple[Any, Any] | None:
    """The samples and the rate of a decoded sound of ``datasets``; None for anything else."""
    if isinstance(item, Mapping) and {"array", "sampling_rate"} <= set(item):
        return item["array"], item["sampling_rate"]
    if callable(getattr(item, "get_all_samples", None)):  # torchcodec's decoder
        with decoding(item_name(item), "sound"):
            samples = item.get_all_samples()
            return samples.data, samples.sample_rate
    return None


def _of_cell(cell: Mapping[str, Any]) -> Any:
    data, path = cell.get("bytes"), cell.get("path")
    if data is None and path is None:
        raise InputError("<a cell>", "it has neither bytes nor a path", "leave the row out")
    if data is None:
        return path
    return data if path is None else NamedBytes(data, os.fsdecode(path))
