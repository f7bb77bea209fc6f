"""Columns to vectors: what every integration does with them."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import bindrt
from bindrt.integrations import ColumnEmbedder
from bindrt.integrations.batches import columns_of, with_vectors
from bindrt.integrations.ray import Embed
from support.embedding import PHOTO, SOUND

COLUMNS = {"image": "photo", "audio": "sound", "text": "caption"}
ROWS: dict[str, list[Any]] = {
    "photo": [str(PHOTO), PHOTO.read_bytes(), "none.jpg"],
    "sound": [str(SOUND), None, b"no sound"],
    "caption": ["a bell ringing", float("nan"), "a car"],
    "number": [7, 8, 9],
}


def near(vectors: Any, wanted: Any) -> bool:
    return bool(np.abs(np.asarray(vectors) - wanted).max() < 1e-5)


def test_a_row_has_a_vector_of_each_modality_an_error_or_neither() -> None:
    found = ColumnEmbedder("tiny", COLUMNS).embed(ROWS)
    with bindrt.load("tiny") as model:
        wanted = model.embed(image=PHOTO, audio=SOUND, text=["a bell ringing", "a car"])
    assert near(found["image"].vectors[:2], wanted.image)
    assert near(found["audio"].vectors[:1], wanted.audio)
    assert near(found["text"].vectors[[0, 2]], wanted.text)
    assert found["image"].errors[:2] == [None, None]
    assert found["image"].errors[2] == "'none.jpg': there is no such file; check the path"
    assert np.isnan(found["image"].vectors[2]).all()
    assert found["audio"].errors[1] is None
    assert np.isnan(found["audio"].vectors[1]).all()
    assert "format" in str(found["audio"].errors[2])
    assert found["text"].errors == [None, None, None]
    assert np.isnan(found["text"].vectors[1]).all()


def test_what_is_pickled_has_no_model_and_embeds_the_same() -> None:
    embedder = Embed("tiny", {"image": "photo"}, root=str(PHOTO.parent), engine="onnxruntime")
    rows = {"photo": [PHOTO.name]}
    here = embedder(rows)
    packed = pickle.dumps(embedder)
    assert len(packed) < 2000
    there = pickle.loads(packed)
    assert there.model is not embedder.model
    assert near(there(rows)["image_embedding"], here["image_embedding"])


@pytest.mark.parametrize(
    ("columns", "options", "said"),
    [
        ({}, {}, "no column is embedded"),
        ({"smell": "x"}, {}, "not a modality"),
        ({"depth": "x"}, {"depth": {"unit": "feet"}}, "unit is 'feet'"),
    ],
)
def test_what_cannot_be_asked_for(columns: Any, options: Any, said: str) -> None:
    with pytest.raises(bindrt.OptionError, match=said):
        ColumnEmbedder("tiny", columns, options)


def test_a_column_that_is_not_there_and_a_modality_that_the_bundle_lacks() -> None:
    with pytest.raises(bindrt.InputError, match="the rows do not have it; they have photo, sound"):
        ColumnEmbedder("tiny", {"image": "picture"}).embed(ROWS)
    with pytest.raises(bindrt.Error, match="depth"):
        ColumnEmbedder("tiny", {"depth": "photo"}, load={"modalities": ["text"]}).embed(ROWS)


def test_every_form_of_a_batch_comes_back_in_its_form() -> None:
    embed = Embed("tiny", {"image": "photo", "text": "caption"})
    rows = {"photo": [b"no picture", PHOTO.read_bytes()], "caption": ["a bell", "a car"], "number": [7, 8]}
    as_dict = embed({name: np.array(values, object) for name, values in rows.items()})
    as_pandas, as_arrow = embed(pd.DataFrame(rows)), embed(pa.table(rows))
    new = ["image_embedding", "image_error", "text_embedding", "text_error"]
    for found in (list(as_dict), list(as_pandas.columns), as_arrow.column_names):
        assert found == ["caption", "number", *new]  # the bytes are left out
    assert as_dict["image_embedding"].shape == (2, 96)
    assert np.isnan(as_dict["image_embedding"][0]).all()
    assert as_arrow["image_embedding"][0].as_py() is None
    assert as_pandas["image_embedding"][0] is None
    assert "picture" in as_dict["image_error"][0] or "format" in as_dict["image_error"][0]
    assert as_dict["image_error"][0] == as_pandas["image_error"][0] == as_arrow["image_error"][0].as_py()
    assert near(as_arrow["image_embedding"][1].as_py(), as_dict["image_embedding"][1])
    assert near(as_pandas["image_embedding"][1], as_dict["image_embedding"][1])
    assert as_arrow.schema.field("image_embedding").type == pa.list_(pa.float32(), 96)


def test_bytes_stay_where_they_are_wanted() -> None:
    embed = Embed("tiny", {"image": "photo"}, keep=("photo",))
    assert list(embed({"photo": [PHOTO.read_bytes()]})) == ["photo", "image_embedding", "image_error"]


def test_names_that_are_taken_are_told() -> None:
    with pytest.raises(bindrt.InputError, match="'text_error': the rows have it already; rename it"):
        with_vectors({"text_error": [1]}, ColumnEmbedder("tiny", {"text": "t"}).embed({"t": ["a"]}))
    with pytest.raises(bindrt.InputError, match="a list has no columns"):
        columns_of(["a.jpg"])
