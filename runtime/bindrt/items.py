"""What an item may be made from, and ``Prepared``: an item that is the model's input already.

The wrappers of the modalities (:class:`bindrt.Image`, …) stand in ``modalities/``, each with its modality.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Union

import numpy as np
import numpy.typing as npt

#: Arrays are NumPy, or anything with DLPack or ``__cuda_array_interface__``; hence ``Any``.
ArrayLike = Any
#: A path, the bytes of a file, a binary file object, or an array.
Source = Union[str, os.PathLike[str], bytes, bytearray, memoryview, IO[bytes], ArrayLike]

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
    """

    array: npt.NDArray[np.generic] | ArrayLike
    notes: Mapping[str, float | int | str] = field(default_factory=dict)
    views: bool = False

    @classmethod
    def batch(cls, arrays: npt.NDArray[np.generic] | ArrayLike) -> list[Prepared]:
        """One item for each array along the first axis, for example of ``[N, 3, 224, 224]``.

        >>> len(Prepared.batch(np.zeros((4, 3, 224, 224), np.float32)))
        4
        """
        return [cls(array) for array in arrays]
