"""LanceDB embeds by bindrt when rows are added, and when they are searched for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import bindrt
from support.embedding import PHOTO, SOUND

lancedb = pytest.importorskip("lancedb", reason="lancedb is not installed (extra lancedb)")


def test_a_table_embeds_what_is_added_and_what_is_searched_for(tmp_path: Path) -> None:
    from lancedb.embeddings import get_registry
    from lancedb.pydantic import LanceModel, Vector

    from bindrt.integrations.lancedb import Embed  # noqa: F401 - registers

    embed = get_registry().get("bindrt").create(modality="image")

    class Photo(LanceModel):  # type: ignore[misc,unused-ignore]
        path: str = embed.SourceField()
        vector: Vector(embed.ndims()) = embed.VectorField()  # type: ignore[valid-type,unused-ignore]

    table = lancedb.connect(tmp_path).create_table("photos", schema=Photo)
    table.add([{"path": str(PHOTO)}])
    with bindrt.load("tiny") as model:
        wanted = model.embed(image=PHOTO, text="a photo")
    row = table.search("a photo").limit(1).to_list()[0]
    assert row["path"] == str(PHOTO)
    assert np.allclose(row["vector"], wanted.image[0], atol=1e-5)
    assert np.isclose(row["_distance"], ((wanted.image[0] - wanted.text[0]) ** 2).sum(), atol=1e-4)


def test_a_bad_item_has_no_vector_and_a_bad_query_is_an_error() -> None:
    from bindrt.integrations.lancedb import Embed

    embed = Embed.create(modality="audio", query="audio")
    found = embed.compute_source_embeddings([str(SOUND), "none.wav"])
    assert len(found[0]) == 96
    assert found[1] is None
    assert embed.errors == [None, "'none.wav': there is no such file; check the path"]
    with pytest.raises(bindrt.Error, match="no such file"):
        embed.compute_query_embeddings("none.wav")
