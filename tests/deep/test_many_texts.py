"""A million random texts have the tokens of ``tokenizers``."""

from __future__ import annotations

import random

import numpy as np
import pytest

from bindrt import preprocess
from support.texts import plain_text, random_text, tokens_of

TEXTS = 1_000_000
AT_ONCE = 10_000


@pytest.mark.deep
def test_tokens() -> None:
    rng = random.Random(0)
    for _ in range(TEXTS // AT_ONCE):
        texts = [rng.choice((random_text, plain_text))(rng) for _ in range(AT_ONCE)]
        expected = np.array([tokens_of(text) for text in texts])
        wrong = np.flatnonzero((preprocess.text(texts) != expected).any(axis=1))
        assert not len(wrong), repr(texts[wrong[0]])
