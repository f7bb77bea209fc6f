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
        array: one view, for example ``[3, 224, 224]`` for image, ``[77]`` for text; or ``[V, ...]``.
        notes: what preprocessing found and a user should know (missing depth pixels, range used).
    """

    array: npt.NDArray[np.generic] | ArrayLike
    notes: Mapping[str, float | int | str] = field(default_factory=dict)
