"""How well a window's vector fits each name."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from bindrt.embeddings import Vectors
from bindrt.errors import OptionError

Score = Literal["margin", "probability"]


class Scorer:
    """Scores unit vectors by the prompts of some names and by negatives.

    ``"margin"``: the cosine with the name's nearest prompt, less that with the nearest negative if there are
    any: -2 to 2. Names do not compete. ``"probability"``: the softmax over all names and negatives of the
    text scale × cosine, as :meth:`Model.classify` has it: 0 to 1. Names compete.
    """

    def __init__(self, kind: Score, names: dict[str, Vectors], against: Vectors, scale: float) -> None:
        """
        Args:
            names: unit vectors ``[n, D]`` of each name's prompts.
            against: unit vectors ``[n, D]``, perhaps none.
            scale: what a cosine is multiplied by before the softmax.

        Raises:
            OptionError: an unknown kind of score, or a probability of one thing alone.
        """
        if kind not in get_args(Score):
            raise OptionError(f"score={kind!r}"[:80], "unknown", f"use {' or '.join(get_args(Score))}")
        if kind == "probability" and len(names) + len(against) < 2:
            raise OptionError(
                "score='probability'",
                "there is nothing to choose from",
                "add a name, or a negative to against",
            )
        self._is_margin = kind == "margin"
        self._scale = scale
        self._names = tuple(names)
        self._prompts = np.concatenate([*names.values(), against])
        lengths = [len(vectors) for vectors in names.values()]
        self._begins = np.cumsum([0, *lengths])[:-1]
        self._end = sum(lengths)

    def __call__(self, vector: Vectors) -> dict[str, float]:
        """The score of each name for a unit vector ``[D]``."""
        cosines = self._prompts @ vector
        of_names = np.maximum.reduceat(cosines[: self._end], self._begins)
        of_others = cosines[self._end :]
        if self._is_margin:
            scores = of_names - (of_others.max() if len(of_others) else 0)
        else:
            scores = self._softmax(np.concatenate([of_names, of_others]))[: len(of_names)]
        return dict(zip(self._names, scores.tolist(), strict=True))

    def _softmax(self, cosines: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        logits = self._scale * cosines.astype(np.float64)
        exponentials = np.exp(logits - logits.max())
        result: npt.NDArray[np.float64] = exponentials / exponentials.sum()
        return result
