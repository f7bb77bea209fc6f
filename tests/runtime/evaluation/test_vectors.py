"""Vectors are kept for the model and the files that they are of, and damaged ones are made again."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

import bindrt
from bindrt.evaluation.entries import Entry, text
from bindrt.evaluation.vectors import VectorStore
from support.datasets.scenes import scenes, write_picture


def test_nothing_is_embedded_twice(model: bindrt.Model, tmp_path: Path) -> None:
    cache, paths = tmp_path / "cache", [tmp_path / f"{n}.jpg" for n in range(3)]
    for path, (scene, _) in zip(paths, scenes(3, 1), strict=True):
        write_picture(path, scene)
    entries = [Entry(path.name, "image", str(path)) for path in paths]
    first = VectorStore(model, cache)
    vectors = first(entries)
    assert first.embedded == 3
    np.testing.assert_allclose(vectors, model.embed(image=list(map(str, paths))).image, atol=1e-6)
    again = VectorStore(model, cache)
    np.testing.assert_array_equal(again(entries), vectors)
    assert again.embedded == 0
    os.utime(paths[1], ns=(1, 1))  # another file, as far as one can see
    again(entries)
    assert again.embedded == 3


def test_damaged_files_are_made_again(model: bindrt.Model, tmp_path: Path) -> None:
    entries = [text("a bell"), text("a car")]
    vectors = VectorStore(model, tmp_path)(entries)
    (kept,) = tmp_path.iterdir()
    for damaged in (b"", kept.read_bytes()[:100], b"\0" * 300):
        kept.write_bytes(damaged)
        store = VectorStore(model, tmp_path)
        np.testing.assert_array_equal(store(entries), vectors)
        assert store.embedded == 2


def test_parts_in_their_order(model: bindrt.Model) -> None:
    entries = [text(f"a car and {n} bells") for n in range(300)]  # more than one part
    seen: list[int] = []
    store = VectorStore(model, None, told=seen.append)
    np.testing.assert_allclose(store(entries), model.embed(text=[e.source for e in entries]).text, atol=1e-5)
    assert seen == [256, 44]
    assert store([]).shape == (0, model.embed_dim)


def test_labels(model: bindrt.Model, tmp_path: Path) -> None:
    templates = ("{}", "a {} ringing")
    expected = model.zero_shot(["bell", "car"], templates).vectors
    for _ in range(2):
        np.testing.assert_array_equal(
            VectorStore(model, tmp_path).labels(["bell", "car"], templates), expected
        )
    assert len(list(tmp_path.iterdir())) == 1
