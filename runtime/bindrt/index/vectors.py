"""The vectors of an index: rows of unit length, in blocks, in one of three forms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors
from bindrt.index.growing import Growing

Dtype = Literal["float32", "float16", "int8"]
#: How rows may be held, and by how much the squared length of one may differ from 1.
DTYPES: dict[Dtype, float] = {"float32": 1e-3, "float16": 4e-3, "int8": 1e-3}
#: The longest vector.
MAX_DIM = 1 << 20
#: Rows of a block: what must be copied to change one row of a mapped file.
BLOCK_ROWS = 1 << 16
#: Values that are decoded at once; as float32 they fit into a processor's cache.
_DECODED = 1 << 18
#: The same for many queries: then a larger product is worth more than the cache.
_FEW, _DECODED_FOR_MANY = 8, 1 << 22
_SIGN_AND_SHIFTED = np.int32(-(2**31) + 2**28 - 1)

Stored = npt.NDArray[Any]


class UnitRows:
    """Rows ``[N, D]`` of unit length.

    ``float16`` rounds each value; ``int8`` holds each row as whole numbers from -127 to 127, and one float32
    that gives the row unit length again.
    """

    def __init__(self, dim: int, dtype: Dtype = "float32") -> None:
        self.dim = dim
        self.dtype = dtype
        self._blocks: list[Stored] = []  # full, or of a mapped file
        self._tail = Growing((dim,), dtype)
        self._scales = Growing((), np.float32)
        self._whole: Stored | None = None  # what the blocks are slices of, if they are

    @classmethod
    def stored(cls, values: Stored, scales: Stored | None) -> UnitRows:
        """Rows as a file holds them, without a copy."""
        rows = cls(values.shape[1], cast(Dtype, str(values.dtype)))
        rows._blocks = [values[i : i + BLOCK_ROWS] for i in range(0, len(values), BLOCK_ROWS)]
        rows._whole = values if rows.dtype == "float32" else None
        if scales is not None:
            rows._scales.extend(scales)
        return rows

    def __len__(self) -> int:
        return sum(map(len, self._blocks)) + len(self._tail)

    def append(self, rows: Vectors) -> None:
        """Adds rows ``[N, D]`` of unit length."""
        for start in range(0, len(rows), BLOCK_ROWS):
            values, scales = encoded(rows[start : start + BLOCK_ROWS], self.dtype)
            self._tail.extend(values)
            if self.dtype == "int8":
                self._scales.extend(scales)
            if len(self._tail) >= BLOCK_ROWS:
                self._blocks.append(self._tail.rows())
                self._tail = Growing((self.dim,), self.dtype)
        self._whole = None

    def replace(self, numbers: npt.NDArray[np.int64], rows: Vectors) -> None:
        """Puts rows ``[N, D]`` in the place of those with these numbers."""
        values, scales = encoded(rows, self.dtype)
        if self.dtype == "int8":
            self._scales.rows()[numbers] = scales
        for i, (start, block) in enumerate(self._placed()):
            inside = (numbers >= start) & (numbers < start + len(block))
            if not inside.any():
                continue
            if not block.flags.writeable:  # mapped
                block = self._blocks[i] = block.copy()
            block[numbers[inside] - start] = values[inside]
        self._whole = None

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Drops the rows whose ``mask`` is False; a block without such a row is not copied."""
        parts = [(block, mask[start : start + len(block)]) for start, block in self._placed()]
        full = [block if part.all() else block[part] for block, part in parts[: len(self._blocks)]]
        self._blocks = [block for block in full if len(block)]
        self._tail.keep(mask[len(mask) - len(self._tail) :])
        if self.dtype == "int8":
            self._scales.keep(mask)
        self._whole = None

    def spans(self, most: int) -> Iterator[tuple[int, Stored]]:
        """The rows as they are held, up to ``most`` at once, each part with the number of its first row."""
        for start, block in self._placed():
            for first in range(0, len(block), most):
                yield start + first, block[first : first + most]

    def products(self, queries: Vectors, values: Stored, numbers: npt.NDArray[np.int64]) -> Vectors:
        """The products of queries ``[Q, D]`` with rows that are held as ``values``, float32 ``[Q, n]``."""
        if self.dtype == "float32":
            return np.asarray(queries @ values.T)
        found = np.empty((len(queries), len(values)), np.float32)
        few = len(queries) < _FEW
        step = max(1, (_DECODED if few else _DECODED_FOR_MANY) // self.dim)
        for i in range(0, len(values), step):
            found[:, i : i + step] = queries @ as_float32(values[i : i + step]).T
        return found * self._scales.rows()[numbers] if self.dtype == "int8" else found

    def decoded(self, values: Stored, numbers: slice | npt.NDArray[np.int64]) -> Vectors:
        """Rows as float32, from how they are held; those of ``float32`` without a copy."""
        rows = as_float32(values)
        return rows * self._scales.rows()[numbers, None] if self.dtype == "int8" else rows

    def take(self, numbers: npt.NDArray[np.int64]) -> Vectors:
        """Rows by their numbers, in any order, as float32 ``[len(numbers), D]``."""
        found = np.empty((len(numbers), self.dim), np.float32)
        for start, block in self._placed():
            inside = np.flatnonzero((numbers >= start) & (numbers < start + len(block)))
            if len(inside):
                found[inside] = self.decoded(block[numbers[inside] - start], numbers[inside])
        return found

    def scales(self) -> Stored | None:
        """What each row of ``int8`` is to be multiplied by, float32 ``[N]``; None for other forms."""
        return self._scales.rows() if self.dtype == "int8" else None

    def whole(self) -> Vectors:
        """All rows as float32 ``[N, D]``; those of ``float32`` in the memory where they are held."""
        if self.dtype != "float32":
            parts = [self.decoded(v, slice(n, n + len(v))) for n, v in self.spans(BLOCK_ROWS)]
            return np.concatenate(parts) if parts else np.empty((0, self.dim), np.float32)
        if self._whole is None:
            blocks = [block for _, block in self._placed()]
            self._whole = blocks[0] if len(blocks) == 1 else np.concatenate([self._tail.rows()[:0], *blocks])
            self._blocks = [self._whole[i : i + BLOCK_ROWS] for i in range(0, len(self._whole), BLOCK_ROWS)]
            self._tail = Growing((self.dim,), self.dtype)
        return self._whole

    def _placed(self) -> Iterator[tuple[int, Stored]]:
        """Each block with the number of its first row."""
        start = 0
        for block in self._blocks:
            yield start, block
            start += len(block)
        if len(self._tail):
            yield start, self._tail.rows()


def as_float32(values: Stored) -> Vectors:
    """Numbers as float32; a view of those that are.

    >>> as_float32(np.float16([1, -0.5, 0, 6e-8])).tolist()
    [1.0, -0.5, 0.0, 5.960464477539063e-08]
    """
    if values.dtype != np.float16:
        return values.astype(np.float32, copy=False)
    # NumPy converts one number after the other. Sign, exponent and fraction, moved to their places in a
    # float32, are the number times 2^-112, since the formats' exponents differ; there is no infinity here.
    moved = np.left_shift(values.view(np.int16), 13, dtype=np.int32)
    np.bitwise_and(moved, _SIGN_AND_SHIFTED, out=moved)
    return np.asarray(moved.view(np.float32) * np.float32(2.0**112))


def encoded(rows: Vectors, dtype: str) -> tuple[Stored, Stored]:
    """Rows of unit length as they are held, and by what each is to be multiplied, float32 ``[N]``.

    >>> values, scales = encoded(np.float32([[0.6, 0.8]]), "int8")
    >>> values.tolist(), (values * scales[:, None]).round(2)
    ([[95, 127]], array([[0.6, 0.8]], dtype=float32))
    """
    if dtype != "int8":
        return rows.astype(dtype, copy=False), np.ones(len(rows), np.float32)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    values = np.rint(rows * (127 / largest)).astype(np.int8)
    return values, 1 / np.linalg.norm(values.astype(np.float32), axis=1)


def not_unit(values: Stored, scales: Stored | None) -> int | None:
    """The first row that has not unit length or is not finite; None if there is none."""
    allowed = DTYPES[cast(Dtype, str(values.dtype))]
    for first in range(0, len(values), 4096):
        part = as_float32(values[first : first + 4096])
        squares = np.einsum("nd,nd->n", part, part)
        if scales is not None:
            squares = squares * np.square(scales[first : first + 4096])
        bad = ~(np.abs(squares - 1) <= allowed)  # also NaN
        if bad.any():
            return first + int(np.flatnonzero(bad)[0])
    return None
