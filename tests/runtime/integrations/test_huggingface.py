"""Hugging Face datasets with columns of vectors."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import PIL.Image
import pytest

from bindrt.integrations.huggingface import Embed, embed
from support.embedding import PHOTO

datasets = pytest.importorskip("datasets", reason="datasets is not installed (extra huggingface)")


@pytest.fixture
def pictures() -> Any:
    damaged = PHOTO.read_bytes()[:100]
    cells = [{"bytes": None, "path": str(PHOTO)}, {"bytes": damaged, "path": None}]
    rows = datasets.Dataset.from_dict({"photo": cells, "caption": ["a bell", "a car"]})
    return rows.cast_column("photo", datasets.Image())


def test_a_dataset_gets_vectors_and_errors_and_keeps_its_features(pictures: Any) -> None:
    embedder = Embed("tiny", {"image": "photo", "text": "caption"})
    found = embed(pictures, embedder, batch_size=1)
    wanted = embedder.embed({"photo": [str(PHOTO)], "caption": ["a bell"]})
    assert np.allclose(found[0]["image_embedding"], wanted["image"].vectors[0], atol=1e-5)
    assert np.allclose(found[0]["text_embedding"], wanted["text"].vectors[0], atol=1e-5)
    undecoded = found.cast_column("photo", datasets.Image(decode=False))
    assert undecoded[1]["image_embedding"] is None
    assert undecoded[1]["image_error"]
    assert found.features["photo"].decode
    assert found.features["image_embedding"].length == 96


def test_the_class_is_a_function_for_map() -> None:
    rows = datasets.Dataset.from_dict({"photo": [PIL.Image.open(io.BytesIO(PHOTO.read_bytes()))]})
    embedder = Embed("tiny", {"image": "photo"})
    found = rows.map(embedder, batched=True)
    assert found.column_names == ["photo", "image_embedding", "image_error"]
    assert len(found[0]["image_embedding"]) == 96
    assert found[0]["image_error"] is None
