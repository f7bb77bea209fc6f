"""Files of an index: opened with care, mapped into memory, and watched for being cut meanwhile."""

from __future__ import annotations

import io
import math
import mmap
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from bindrt.errors import InputError

#: The longest header of a ``.npy`` file that is looked at.
_MAX_NPY_HEADER = 4096


class MappedFile:
    """A regular file in memory, read when it is looked at.

    The system kills a process that reads a mapped file behind its end (SIGBUS). :meth:`require_whole` before
    reading makes an error of it, unless the file is cut just then.
    """

    def __init__(self, path: Path, name: str) -> None:
        """Raises InputError if it is missing, empty or not a regular file; ``name`` is the index's."""
        self._name = name
        require_regular(path, name)
        try:
            with open(path, "rb") as file:
                self.bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:
            raise damaged(name, f"{path.name} cannot be read ({error})") from None

    def require_whole(self) -> None:
        """Raises InputError if the file is shorter than it was."""
        if self.bytes.size() < len(self.bytes):
            raise InputError(
                self._name, "a file of it was cut while it was in use", "restore it, and load it again"
            )


def require_regular(path: Path, name: str) -> None:
    """Raises InputError if a file of the index ``name`` is missing or no file: a pipe waits for a writer."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise InputError(
            name, f"not an index ({path.name}: {error.strerror})", "give a folder that Index.save wrote"
        ) from None
    if not stat.S_ISREG(mode):
        raise damaged(name, f"{path.name} is not a regular file")


def damaged(name: str, problem: str) -> InputError:
    """The error that says what is wrong with the files of an index."""
    return InputError(name, problem, "build the index again")


def mapped_array(
    path: Path, name: str, dtype: str, shape: tuple[int, ...]
) -> tuple[npt.NDArray[Any], MappedFile]:
    """The array of a ``.npy`` file, mapped.

    Raises:
        InputError: it is damaged, or of another dtype or shape.
    """
    file = MappedFile(path, name)
    start, found = _npy_header(file, path, name)
    if found != (np.dtype(dtype), shape, False):
        raise damaged(name, f"{path.name} holds {found[0]} {list(found[1])}, not {dtype} {list(shape)}")
    if len(file.bytes) != start + np.dtype(dtype).itemsize * math.prod(shape):
        raise damaged(name, f"{path.name} has not the length of its array")
    if math.prod(shape) == 0:
        return np.empty(shape, dtype), file
    return np.frombuffer(file.bytes, dtype, offset=start).reshape(shape), file


def _npy_header(
    file: MappedFile, path: Path, name: str
) -> tuple[int, tuple[np.dtype[Any], tuple[int, ...], bool]]:
    """Where the values of a ``.npy`` file begin, and their dtype, shape and whether columns come first."""
    head = io.BytesIO(file.bytes[: _MAX_NPY_HEADER + 16])
    try:
        readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        read = readers[np.lib.format.read_magic(head)]
        shape, by_columns, dtype = read(head, max_header_size=_MAX_NPY_HEADER)
    except Exception as error:  # Python's parser of literals raises what it likes
        raise damaged(name, f"{path.name} cannot be read ({error})") from None
    return head.tell(), (dtype, shape, by_columns)
