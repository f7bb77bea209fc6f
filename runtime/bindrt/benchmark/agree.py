"""Whether two sides compute the same: the vectors of each modality's first item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np


def differences(
    ours: Mapping[str, Sequence[float]], theirs: Mapping[str, Sequence[float]]
) -> dict[str, float]:
    """The largest difference of a coordinate of unit vectors, by modality."""
    return {m: float(np.abs(np.asarray(ours[m]) - np.asarray(theirs[m])).max()) for m in ours}
