"""``Prepared``: input that is ready, one item or a batch of them."""

from __future__ import annotations

import numpy as np
import pytest

import bindrt
from bindrt import InputError, Prepared, preprocess
from bindrt.modalities import MODALITIES
from bindrt.preprocess import prepare


@pytest.mark.parametrize("modality", ["image", "text", "depth", "thermal", "imu"])
def test_a_batch_is_not_averaged(modality: str) -> None:
    """Unless one says so; the views of a video or of a sound are one item."""
    one = np.zeros(MODALITIES[modality].view, MODALITIES[modality].dtype)
    if modality == "text":
        one[5] = 49407
    several = np.stack([one] * 4)
    with pytest.raises(InputError, match=r"4 inputs.*averaged.*Prepared\.batch"):
        prepare(modality, Prepared(several))
    assert len(Prepared.batch(several)) == 4
    assert all((prepare(modality, item).array == one).all() for item in Prepared.batch(several))
    assert prepare(modality, Prepared(several, views=True)).array.shape == several.shape
    assert prepare(modality, Prepared(several[:1])).array.shape == several[:1].shape


def test_a_batch_of_tokens_is_not_averaged_by_submit() -> None:
    ids = preprocess.text(["a ball", "a bell"])
    with bindrt.load("tiny", modalities=["text"]) as model:
        future = model.submit("text", Prepared(ids))
        with pytest.raises(InputError, match="averaged"):
            future.result(60)
        with pytest.raises(InputError, match="averaged"):
            model.embed(text=Prepared(ids))
        assert model.embed(text=Prepared.batch(ids)).text.shape == (2, model.embed_dim)
