"""Every key of a note has a sentence for users."""

from __future__ import annotations

import numpy as np
import pytest

import bindrt
from bindrt.notes import NOTES
from bindrt.preprocess import prepare
from support.golden import HERE

ITEMS = {
    "depth": bindrt.Depth(np.ones((8, 8), np.float32)),
    "thermal": np.ones((8, 8), np.uint8),
    "image": np.ones((8, 8, 3), np.uint8),
    "audio": bindrt.Audio(np.zeros(160_000, np.float32), rate=16_000),
    "video": HERE / "inputs/video/short_1s2.mp4",
    "imu": bindrt.Imu(np.ones((6, 2000)), rate=400),
    "text": "a very long text " * 40,
}


@pytest.mark.parametrize("modality", ITEMS)
def test_every_key_has_a_sentence(modality: str) -> None:
    assert set(prepare(modality, ITEMS[modality]).notes) <= set(NOTES)


def test_sentences() -> None:
    for key, sentence in NOTES.items():
        assert key.isidentifier()
        assert key == key.lower()
        assert sentence.endswith(".")
