"""Daft's DataFrames with columns of vectors."""

from __future__ import annotations

import numpy as np
import pytest

from bindrt.integrations.daft import Embed
from support.embedding import PHOTO

daft = pytest.importorskip("daft", reason="daft is not installed (extra daft)")


def test_a_frame_gets_vectors_and_errors() -> None:
    rows = {"n": [1, 2], "photo": [str(PHOTO), "none.jpg"], "caption": ["a bell", None]}
    embed = Embed("tiny", {"image": "photo", "text": "caption"}, batch_size=1)
    found = embed(daft.from_pydict(rows)).sort("n").to_pydict()
    assert found["n"] == [1, 2]
    assert found["photo"] == rows["photo"]
    wanted = embed.embed(rows)
    assert np.allclose(found["image_embedding"][0], wanted["image"].vectors[0], atol=1e-5)
    assert np.allclose(found["text_embedding"][0], wanted["text"].vectors[0], atol=1e-5)
    assert found["image_embedding"][1] is None
    assert found["text_embedding"][1] is None
    assert found["image_error"] == [None, "'none.jpg': there is no such file; check the path"]
    assert found["text_error"] == [None, None]
