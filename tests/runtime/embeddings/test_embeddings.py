"""Embeddings compared, combined, put one after the other, kept in files, and shown."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL.Image
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt.embeddings import Embeddings
from support.commands import run_command
from support.indexes import DIM, SPACE, unit


def made(space: str = SPACE) -> Embeddings:
    """Three images, of which the second failed, two texts, and no sound."""
    images = unit(3) * 2
    images[1] = np.nan
    return Embeddings(
        {"image": images, "text": unit(2, 1), "audio": np.empty((0, DIM), np.float32)},
        space,
        False,
        {("image", 1): bindrt.SourceError("b.jpg", "the file is empty")},
        {("text", 0): {"tokens_cut": 3}},
        {"image": ("a.jpg", "b.jpg", None), "text": ("a dog", "größer")},
    )


def same(a: Embeddings, b: Embeddings) -> None:
    assert list(a) == list(b)
    for modality in a:
        np.testing.assert_array_equal(a[modality], b[modality])
    assert (a.space, a.normalized, a.notes) == (b.space, b.normalized, b.notes)
    assert {place: str(e) for place, e in a.errors.items()} == {
        place: str(e) for place, e in b.errors.items()
    }
    assert [a.source(m, i) for m in a for i in range(len(a[m]))] == [
        b.source(m, i) for m in b for i in range(len(b[m]))
    ]


def test_similarity_of_modalities_embeddings_and_arrays() -> None:
    e = made()
    expected = unit(3) @ unit(2, 1).T
    expected[1] = np.nan
    others = Embeddings({"depth": unit(2, 1)}, SPACE, True)
    for b in ("text", others, others["depth"], unit(2, 1).astype(np.float64) * 1e200):
        np.testing.assert_allclose(e.similarity("image", b), expected, atol=1e-6)
    np.testing.assert_allclose(e.similarity(others, "image"), expected.T, atol=1e-6)
    np.testing.assert_allclose(e.similarity("image", unit(2, 1)[0]), expected[:, :1], atol=1e-6)


@pytest.mark.parametrize(
    ("b", "error"),
    [
        ("depth", bindrt.OptionError),
        (unit(2, dim=DIM + 1), bindrt.InputError),
        (np.zeros((2, DIM), int), bindrt.InputError),
        (np.zeros((1, 2, DIM), np.float32), bindrt.InputError),
        (["text"], bindrt.OptionError),
        (None, bindrt.OptionError),
        (made(), bindrt.InputError),
        (Embeddings({"text": unit(1)}, "other", True), bindrt.SpaceError),
    ],
)
def test_what_cannot_be_compared(b: Any, error: type[bindrt.Error]) -> None:
    with pytest.raises(error):
        made().similarity("image", b)
    with pytest.raises(error):
        made().topk(b, "image")


def test_vectors_of_fewer_views_can_be_compared() -> None:
    fewer = Embeddings({"video": unit(1, 3)}, SPACE + "+video1", True)
    assert made().similarity("text", fewer).shape == (2, 1)
    assert fewer.topk("video", made()["text"]).rows.shape == (1, 2)
    with pytest.raises(bindrt.SpaceError):
        Embeddings.concat([made(), fewer])


def test_the_nearest_items() -> None:
    e = made()
    scores = unit(2, 1) @ unit(3).T
    best = e.topk("text", "image", k=5)
    order = np.argsort(-scores[:, [0, 2]], axis=1)
    np.testing.assert_array_equal(best.rows, np.array([0, 2])[order])  # the failed one is left out
    np.testing.assert_allclose(best.scores, np.take_along_axis(scores, best.rows, axis=1), atol=1e-6)
    failed = e.topk("image", "text", k=1)
    assert failed.rows[1] == -1
    assert np.isnan(failed.scores[1]).all()
    assert np.isfinite(failed.scores[[0, 2]]).all()
    assert e.topk("text", "audio").rows.shape == (2, 0)
    with pytest.raises(bindrt.OptionError):
        e.topk("text", "image", k=0)


def test_weighted_sums_row_by_row() -> None:
    e = Embeddings({"image": unit(3) * 5, "audio": unit(3, 1), "text": unit(1, 2)}, SPACE, False)
    total = unit(3) + unit(3, 1) + unit(1, 2)
    np.testing.assert_allclose(e.combine(), total / np.linalg.norm(total, axis=1, keepdims=True), atol=1e-6)
    total = 0.5 * unit(3) + np.array([[1], [2], [-3]]) * unit(3, 1) + unit(1, 2)
    found = e.combine({"image": 0.5, "audio": [1, 2, -3]})
    np.testing.assert_allclose(found, total / np.linalg.norm(total, axis=1, keepdims=True), atol=1e-6)
    failed = Embeddings({"image": made()["image"], "text": unit(3)}, SPACE, False).combine()
    assert np.isnan(failed).all(axis=1).tolist() == [False, True, False]


@pytest.mark.parametrize(
    ("counts", "weights", "error"),
    [
        ({"image": 3, "audio": 2}, None, bindrt.InputError),
        ({}, None, bindrt.InputError),
        ({"image": 2}, {"image": 0.0}, bindrt.InputError),
        ({"image": 2}, {"audio": 1.0}, bindrt.OptionError),
        ({"image": 2}, {"image": [1.0, 2.0, 3.0]}, bindrt.OptionError),
        ({"image": 2}, {"image": "much"}, bindrt.OptionError),
    ],
)
def test_sums_that_are_none(counts: dict[str, int], weights: Any, error: type[bindrt.Error]) -> None:
    with pytest.raises(error):
        Embeddings({m: unit(n) for m, n in counts.items()}, SPACE, True).combine(weights)


def test_one_after_the_other() -> None:
    more = Embeddings({"text": unit(1, 5), "depth": unit(1, 6)}, SPACE, False, {}, {("text", 0): {"n": 1}})
    e = Embeddings.concat([made(), more, made()])
    assert {m: len(rows) for m, rows in e.items()} == {"image": 6, "text": 5, "audio": 0, "depth": 1}
    np.testing.assert_array_equal(e["text"], np.concatenate([unit(2, 1), unit(1, 5), unit(2, 1)]))
    assert set(e.errors) == {("image", 1), ("image", 4)}
    assert e.notes == {("text", 0): {"tokens_cut": 3}, ("text", 2): {"n": 1}, ("text", 3): {"tokens_cut": 3}}
    assert [e.source("text", i) for i in range(5)] == ["a dog", "größer", None, "a dog", "größer"]
    for parts, error in (
        ([made(), made("other")], bindrt.SpaceError),
        ([made(), Embeddings({}, SPACE, True)], bindrt.OptionError),
        ([], bindrt.OptionError),
        ([made(), {}], bindrt.OptionError),
    ):
        with pytest.raises(error):
            Embeddings.concat(parts)  # type: ignore[arg-type]


@pytest.mark.parametrize("suffix", ["parquet", "npz"])
def test_files_hold_all_of_it(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"e.{suffix}"
    for e in (made(), Embeddings({}, SPACE, True), Embeddings({"image": unit(2)}, SPACE, True)):
        e.save(path)
        same(Embeddings.load(path), e)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", ["parquet", "npz"])
def test_files_of_bind_embed(
    suffix: str, tmp_path: Path, small_bundle: Path, small_model: bindrt.Model
) -> None:
    picture, bad, out = tmp_path / "a.png", tmp_path / "bad.png", tmp_path / f"e.{suffix}"
    PIL.Image.new("RGB", (40, 30), "red").save(picture)
    bad.write_bytes(picture.read_bytes()[:60])
    arguments = (picture, bad, "--text", "a dog", "--on-error", "skip", "-o", out)
    done = run_command("bind-embed", small_bundle, *arguments)
    assert done.returncode in (0, 4), done.stderr
    e = Embeddings.load(out)
    assert [e.source("image", i) for i in range(2)] == [str(picture), str(bad)]
    assert e.source("text", 0) == "a dog"
    assert set(e.errors) == {("image", 1)}
    assert np.isnan(e.image[1]).all()
    expected = small_model.embed(image=picture, text="a dog")
    np.testing.assert_allclose(e.image[:1], expected.image, atol=1e-5)
    np.testing.assert_allclose(e.text, expected.text, atol=1e-5)


def damaged(path: Path) -> list[bytes]:
    whole = path.read_bytes()
    return [
        whole[:100],
        whole[: len(whole) // 2],
        b"",
        b"PAR1" + bytes(50) + b"PAR1",
        b"PK\x03\x04" + bytes(99),
    ]


@pytest.mark.parametrize("suffix", ["parquet", "npz"])
def test_damaged_files_are_errors(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"e.{suffix}"
    made().save(path)
    for data in damaged(path):
        path.write_bytes(data)
        with pytest.raises(bindrt.InputError, match=path.name):
            Embeddings.load(path)
    path.unlink()
    with pytest.raises(bindrt.InputError, match="missing"):
        Embeddings.load(path)


@pytest.mark.parametrize(
    "changes",
    [
        {"embedding": pa.array([[1.0]] * 2)},
        {"modality": pa.array([1, 2])},
        {"notes": pa.array(["[1]", None])},
        {"notes": pa.array(["[" * 5000, None])},
        {"embedding": pa.array([[np.nan] * 3, [1.0] * 3], pa.list_(pa.float32(), 3))},
        {"embedding": None},
    ],
)
def test_files_with_other_columns_are_errors(changes: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "e.parquet"
    Embeddings({"image": unit(2, dim=3)}, SPACE, True).save(path)
    table = pq.read_table(path)
    columns = {name: changes.get(name, table.column(name)) for name in table.column_names}
    found = pa.table({name: column for name, column in columns.items() if column is not None})
    pq.write_table(found.replace_schema_metadata(table.schema.metadata), path)
    with pytest.raises(bindrt.InputError, match=r"e\.parquet"):
        Embeddings.load(path)


def test_a_compressed_file_that_would_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "e.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("embedding.npy", "w") as out,
    ):
        np.lib.format.write_array_header_1_0(
            out, {"descr": "<f4", "fortran_order": False, "shape": (80_000, 1024)}
        )
        for _ in range(80):
            out.write(bytes(1000 * 4096))
    with pytest.raises(bindrt.InputError, match="bytes of memory"):
        Embeddings.load(path)


@pytest.mark.parametrize("path", ["e.csv", "e", None, 3])
def test_paths_of_no_format(path: Any) -> None:
    with pytest.raises(bindrt.OptionError, match="suffix"):
        made().save(path)
    with pytest.raises(bindrt.OptionError, match="suffix"):
        Embeddings.load(path)
    with pytest.raises(bindrt.Error, match="cannot be written"):
        made().save("/proc/e.npz")


def test_a_table_of_pandas() -> None:
    table = made().to_pandas()
    assert isinstance(table, pd.DataFrame)
    assert table["modality"].tolist() == ["image"] * 3 + ["text"] * 2
    assert table["source"].tolist()[:2] == ["a.jpg", "b.jpg"]
    assert "empty" in table["error"][1]
    assert table["notes"][3] == {"tokens_cut": 3}
    np.testing.assert_array_equal(table["vector"][4], unit(2, 1)[1])


def test_a_notebook_shows_small_pictures(tmp_path: Path) -> None:
    PIL.Image.new("RGB", (4000, 3000), "red").save(tmp_path / "<b>.png")
    PIL.Image.fromarray(np.arange(2400, dtype=np.uint16).reshape(40, 60) * 20).save(tmp_path / "d.png")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    files = [str(tmp_path / name) for name in ("<b>.png", "broken.png", "none.png")]
    e = Embeddings(
        {"image": unit(20), "depth": unit(1), "text": unit(1)},
        SPACE,
        True,
        {("image", 3): bindrt.SourceError("<script>", "bad")},
        {},
        {"image": (*files, "x"), "depth": (str(tmp_path / "d.png"),), "text": ("a <i>dog</i>",)},
    )
    shown = e._repr_html_()
    assert shown.count("data:image/jpeg;base64,") == 2
    assert len(shown) < 20_000
    assert "<b>.png" not in shown
    assert "<script>" not in shown
    assert "<i>" not in shown
    assert "8 more" in shown


def test_sources_are_what_was_given(small_model: bindrt.Model, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    PIL.Image.new("RGB", (40, 30), "red").save(path)
    cell = {"bytes": None, "path": str(path)}
    pixels = np.zeros((8, 8, 3), np.uint8)
    items = [path, str(path), path.read_bytes(), pixels, bindrt.Image(path), bindrt.Image(pixels), cell]
    e = small_model.embed(image=items, text="a dog")
    name = str(path)
    assert e.sources == {"image": (name, name, None, None, name, None, name), "text": ("a dog",)}
