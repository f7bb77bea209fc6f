"""What embedding gives, and texts grouped by their length."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from bindrt._core.gpu import DeviceArray
from bindrt.arrays import Array
from bindrt.errors import EngineError, Error
from bindrt.notes import Notes

Rows = npt.NDArray[np.float32]


#: Texts that are prepared before they are grouped by length; 2.5 MB of tokens.
TEXT_WINDOW = 4096
#: What one more engine call costs, in tokens: it must read the weights, which a token more need not. Measured
#: by ``python -m bench embed``.
CALL_TOKENS = 64


@dataclass
class Outcome:
    """Vectors ``[N, D]`` with what happened to single items; a failed row is NaN.

    Attributes:
        on_device: the same vectors in a GPU's memory, if they are wanted there.
    """

    rows: Rows
    on_device: DeviceArray | None = None
    errors: dict[int, Error] = field(default_factory=dict)
    notes: dict[int, Notes] = field(default_factory=dict)


def vector_error(modality: str, problem: str) -> EngineError:
    """What is said of an item whose vector may not be handed out."""
    return EngineError(
        modality,
        problem,
        "look at the item's numbers; `bind-export --check` knows if the bundle is damaged",
    )


def by_length(lengths: Array, most: int, call: int = CALL_TOKENS) -> Iterator[tuple[Array, int]]:
    """Texts in groups of similar length, so that few are padded, the shortest first.

    Args:
        lengths: int64 ``[N]``: tokens of each text, at least one text.
        most: texts of an engine call.
        call: see :func:`cuts`.

    Returns:
        The numbers of the texts of each engine call, and the length of its longest.
    """
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]
    start = 0
    for end in cuts(ascending, most, call):
        for at in range(start, end, most):
            until = min(at + most, end)
            yield order[at:until], int(ascending[until - 1])
        start = end


def cuts(lengths: npt.NDArray[np.int64], most: int, call: int) -> list[int]:
    """Where to cut ascending lengths so that tokens, with padding and ``call`` more a call, are fewest.

    Args:
        lengths: ``[N]``, at least one.
        most: texts of one call; a longer group takes several.

    Returns:
        The end of each group; the last is N.
    """
    ends = [*(np.flatnonzero(np.diff(lengths)) + 1).tolist(), len(lengths)]  # where another length begins
    best = [(0, 0)]  # for the texts before each start: the tokens, and the last group's start
    starts = [0, *ends[:-1]]
    for i, end in enumerate(ends):
        length = int(lengths[end - 1])
        options = (
            (best[j][0] + (end - starts[j]) * length + -(-(end - starts[j]) // most) * call, j)
            for j in range(i + 1)
        )
        best.append(min(options))
    found: list[int] = []
    at = len(ends)
    while at > 0:
        found.append(ends[at - 1])
        at = best[at][1]
    return found[::-1]
