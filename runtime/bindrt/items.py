"""What an item may be made from, and ``Prepared``: an item that is the model's input already.

The wrappers of the modalities (:class:`bindrt.Image`, …) stand in ``modalities/``, each with its modality.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, Union

import numpy.typing as npt
import PIL.Image

from bindrt.notes import Notes


class SupportsDLPack(Protocol):
    """An array of torch, JAX, CuPy and others."""

    def __dlpack__(self, *args: Any, **kwargs: Any) -> Any: ...


class SupportsNumpy(Protocol):
    """An array of TensorFlow, pandas and others."""

    def __array__(self, *args: Any, **kwargs: Any) -> Any: ...


class SupportsCuda(Protocol):
    """An array in the memory of a CUDA device, of PyCUDA or Numba for example."""

    @property
    def __cuda_array_interface__(self) -> Any: ...


class Readable(Protocol):
    """A binary file object."""

    def read(self, size: int = ..., /) -> bytes | None: ...


class Socket(Protocol):
    """A socket, which is read until the other side closes it."""

    def makefile(self, mode: Any = ..., *args: Any, **kwargs: Any) -> Any: ...


class OtherPath(Protocol):
    """A path of another file system: ``zipfile.Path``, ``UPath``, ``fsspec.open``."""

    def open(self, *args: Any, **kwargs: Any) -> Any: ...


#: An array: NumPy, or anything with DLPack, ``__array__`` or ``__cuda_array_interface__``.
ArrayLike = Union[npt.NDArray[Any], SupportsDLPack, SupportsNumpy, SupportsCuda]
#: A file: its path or URL, its bytes, a binary file object, or a cell of Hugging Face ``datasets``.
File = Union[
    str, os.PathLike[str], bytes, bytearray, memoryview, Readable, Socket, OtherPath, Mapping[str, Any]
]
#: A file, an array, or a Pillow image.
Source = Union[File, ArrayLike, PIL.Image.Image]

#: In the metadata of a wrapper's field: it is for arrays only. No command has it as an option.
ARRAYS_ONLY = "arrays_only"


@dataclass(frozen=True, eq=False)
class Prepared:
    """The model's own input, ready: no decoding or preprocessing is done.

    Attributes:
        array: one view, for example ``[3, 224, 224]`` for image, ``[77]`` for text; for video and audio also
            ``[V, ...]``, views of one item. Several items are several of these: see :meth:`batch`.
        notes: what preprocessing found and a user should know (missing depth pixels, range used).
        views: the array is ``[V, ...]``, and the vectors of its views shall be averaged also where a modality
            has one view an item. Without it such an array is an error: it is more often a batch.

    >>> ready = Prepared(bindrt.preprocess.image("bell.jpg"))
    >>> bool(np.allclose(model.embed(image=ready).image, model.embed(image="bell.jpg").image))
    True
    """

    array: ArrayLike
    notes: Notes = field(default_factory=dict)
    views: bool = False

    @classmethod
    def batch(cls, arrays: npt.NDArray[Any]) -> list[Prepared]:
        """One item for each array along the first axis, for example of ``[N, 3, 224, 224]``.

        >>> len(Prepared.batch(np.zeros((4, 3, 224, 224), np.float32)))
        4
        """
        return [cls(array) for array in arrays]
