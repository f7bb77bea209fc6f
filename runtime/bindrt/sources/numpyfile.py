"""``.npy`` and ``.npz`` files, read without pickle; every size is checked before memory is allocated."""

from __future__ import annotations

import ast
import contextlib
import copy
import io
import math
import re
from collections.abc import Callable, Iterator, Sequence
from typing import IO, TYPE_CHECKING, cast

import numpy as np

from bindrt.arrays import Array, read_only
from bindrt.errors import LimitError, SourceError
from bindrt.limits import DEFAULT_LIMITS, Limits
from bindrt.sources.formats import sniff
from bindrt.sources.opening import IF_CUT, Opened, decoding

if TYPE_CHECKING:
    import zipfile

_MAX_HEADER = 16384
#: Bytes of a file that is read at once: at each read other threads may take the interpreter's lock, and a
#: thread that wants it back waits for all of them.
_SMALL = 1 << 20
#: The header as NumPy writes it for numbers.
_USUAL_HEADER = re.compile(
    rb"\{'descr': '([<>|][biuf]\d+)', 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18}(?:, ?|(?=\))))*)\), \}\s*"
)
#: Looks at an array's shape before anything of the array is unpacked, and raises if it is refused.
CheckShape = Callable[[tuple[int, ...]], None]


def is_numpy_file(opened: Opened) -> bool:
    """Whether the file is ``.npy`` or ``.npz`` by content."""
    return sniff(opened).family in ("npy", "npz")


def npz_fields(opened: Opened) -> tuple[str, ...]:
    """Names of the arrays in a ``.npz`` file; empty for any other file."""
    if sniff(opened).family != "npz":
        return ()
    with _archive(opened) as archive:
        return tuple(n.removesuffix(".npy") for n in archive.namelist() if n.endswith(".npy"))


def read_array(
    opened: Opened, field: str, limits: Limits = DEFAULT_LIMITS, check_shape: CheckShape | None = None
) -> Array:
    """The array of a ``.npy`` file, or the array ``field`` of a ``.npz``; it is read-only.

    Args:
        check_shape: called with the shape in the header.

    Raises:
        SourceError: the file is damaged or truncated, holds objects, or has no such field.
        LimitError: the array is larger than ``limits.max_bytes``.
    """
    if sniff(opened).family == "npz":
        fields = read_fields(opened, (field,), limits, check_shape)
        if field not in fields:
            there = ", ".join(repr(n) for n in npz_fields(opened)[:8]) or "none"
            raise SourceError(
                opened.name, f"the .npz has no array {field!r}; it has {there}", f"name it {field!r}"
            )
        return fields[field]
    with _stream(opened) as stream, decoding(opened.name, ".npy array"):
        return _read_npy(stream, opened.size, opened.name, limits, check_shape)


def read_fields(
    opened: Opened,
    names: Sequence[str],
    limits: Limits = DEFAULT_LIMITS,
    check_shape: CheckShape | None = None,
) -> dict[str, Array]:
    """The arrays of a ``.npz`` file that have one of these ``names``; raises as :func:`read_array` does."""
    found: dict[str, Array] = {}
    with _archive(opened) as archive:
        members = {m.filename: m for m in archive.infolist()}
        for name in names:
            member = members.get(name + ".npy")
            if member is None:
                continue
            label = f"{opened.name} field {name!r}"
            if member.file_size > limits.max_bytes + _MAX_HEADER:
                raise _too_large(label, member.file_size, limits)
            with _unpacked(archive, member, label) as file:
                found[name] = _read_npy(file, member.file_size, label, limits, check_shape)
    return found


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> IO[bytes]:
    """The member's bytes as they are read, never more of them in memory than are asked for.

    From bzip2, ``zipfile`` unpacks all that it has read at once, which may be a gigabyte; ``bz2`` does not.
    """
    import bz2
    import zipfile

    if member.compress_type in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return archive.open(member)
    if member.compress_type != zipfile.ZIP_BZIP2:
        raise SourceError(
            name, "it is packed in a way that NumPy does not write", "save it with numpy.savez_compressed"
        )
    packed = copy.copy(member)
    packed.compress_type, packed.file_size = zipfile.ZIP_STORED, member.compress_size
    del packed.CRC  # it is that of the unpacked bytes; bzip2 has its own
    return cast("IO[bytes]", bz2.open(archive.open(packed)))


@contextlib.contextmanager
def _stream(opened: Opened) -> Iterator[IO[bytes]]:
    """The file's bytes; a small file is in memory."""
    with opened.binary() as stream:
        is_small = opened.path is not None and opened.size <= _SMALL
        yield io.BytesIO(stream.read(_SMALL)) if is_small else stream


@contextlib.contextmanager
def _archive(opened: Opened) -> Iterator[zipfile.ZipFile]:
    """The zip archive of a ``.npz``. Its directory is at its end, so a truncated file cannot be opened."""
    import zipfile

    with contextlib.ExitStack() as stack:
        stack.enter_context(decoding(opened.name, ".npz archive", IF_CUT))
        stream = stack.enter_context(_stream(opened))
        yield stack.enter_context(zipfile.ZipFile(stream))


def _read_npy(
    stream: IO[bytes], size: int, name: str, limits: Limits, check_shape: CheckShape | None
) -> Array:
    """Reads the magic bytes, the version, the header's length, the header (a Python literal), the data."""
    magic = stream.read(8)
    if magic[:6] != b"\x93NUMPY" or len(magic) < 8:
        raise SourceError(name, "this is not a .npy array")
    width = 2 if magic[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > _MAX_HEADER:
        raise SourceError(
            name, f"the .npy header is {length} bytes long", "save a plain array with numpy.save"
        )
    header = stream.read(length)
    dtype, fortran, shape = _parse_header(header, name)
    count = math.prod(shape)
    wanted = count * dtype.itemsize
    if check_shape is not None:
        check_shape(shape)
    if wanted > limits.max_bytes:
        raise _too_large(name, wanted, limits)
    held = size - 8 - width - length
    if wanted > held:
        raise SourceError(name, f"truncated: the header promises {wanted} bytes, the file has {max(held, 0)}")
    data = stream.read(wanted)
    if len(data) != wanted:
        raise SourceError(name, f"truncated: {len(data)} of {wanted} bytes")
    array = np.frombuffer(data, dtype, count)
    return read_only(array.reshape(shape, order="F" if fortran else "C"))


def _parse_header(header: bytes, name: str) -> tuple[np.dtype[np.generic], bool, tuple[int, ...]]:
    if (usual := _USUAL_HEADER.fullmatch(header)) is not None and usual[3].count(b",") <= 32:
        with contextlib.suppress(TypeError):  # such as i3
            shape = tuple(int(n) for n in usual[3].replace(b" ", b"").split(b",") if n)
            return np.dtype(usual[1].decode()), usual[2] == b"True", shape
    try:
        fields = ast.literal_eval(header.decode("latin-1").strip())
        dtype, shape = np.dtype(fields["descr"]), tuple(fields["shape"])
        good = all(type(n) is int and n >= 0 for n in shape) and len(shape) <= 32
        fortran = bool(fields["fortran_order"])
    except (ValueError, SyntaxError, TypeError, KeyError, MemoryError, RecursionError) as error:
        raise SourceError(name, "the .npy header is damaged", "save it with numpy.save") from error
    if not good:
        raise SourceError(name, "the .npy header names no valid shape", "save it with numpy.save")
    if dtype.kind not in "biuf":
        raise SourceError(name, f"the array's dtype is {dtype}", "save an array of numbers")
    return dtype, fortran, shape


def _too_large(name: str, size: int, limits: Limits) -> LimitError:
    return LimitError(
        name, f"{size} bytes are more than the limit of {limits.max_bytes}", "raise Limits.max_bytes"
    )
