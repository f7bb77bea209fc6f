"""Vectors by modality as attributes, ``e.image``, as type checkers and editors see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]


class ByModality:
    """Declares an attribute for each modality; the class that derives from this one answers for it."""

    if TYPE_CHECKING:

        @property
        def image(self) -> Vectors: ...

        @property
        def video(self) -> Vectors: ...

        @property
        def text(self) -> Vectors: ...

        @property
        def audio(self) -> Vectors: ...

        @property
        def depth(self) -> Vectors: ...

        @property
        def thermal(self) -> Vectors: ...

        @property
        def imu(self) -> Vectors: ...
