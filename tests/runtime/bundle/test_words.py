"""Words that a model was never trained on say nothing, and are told."""

from __future__ import annotations

import numpy as np
import pytest

from bindrt.arrays import Array
from bindrt.bundle import open_bundle
from bindrt.bundle.words import Words
from bindrt.modalities.steps.constants import VOCABULARY
from bindrt.preprocess import text


@pytest.mark.parametrize(
    ("caption", "unknown"),
    [("a bell ringing", ""), ("a zebra and a bell", "zebra"), ("Helicopter, xyzzy!", "helicopter xyzzy !")],
)
def test_unknown_words_of_bind_tiny(caption: str, unknown: str) -> None:
    assert Words(open_bundle("tiny")).unknown(text(caption)[0]) == unknown


class Full(Words):
    """A model that was trained on every token."""

    def _table(self) -> Array | None:
        return np.ones((VOCABULARY, 4), np.uint32)


def test_a_table_without_gaps() -> None:
    assert Full(open_bundle("tiny")).unknown(text("a zebra, a helicopter and xyzzy")[0]) == ""
