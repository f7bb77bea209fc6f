"""The index: exact and approximate search, files, queries of several modalities, what is refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bindrt
from bindrt.index import Index, combine
from support.indexes import DIM, SPACE, filled, unit


def embedded(space: str = SPACE, **vectors: np.ndarray) -> bindrt.Embeddings:
    return bindrt.Embeddings(vectors, space, True)


@settings(max_examples=60, deadline=None)
@given(
    count=st.integers(0, 300),
    k=st.integers(1, 40),
    block=st.integers(1, 200),
    values=st.integers(2, 5),
    seed=st.integers(0, 99),
)
def test_exact_search_is_a_sorted_comparison_with_everything(
    count: int, k: int, block: int, values: int, seed: int
) -> None:
    """Few distinct values give many ties: equal scores keep the order of adding, across blocks too."""
    rng = np.random.default_rng(seed)
    rows = np.zeros((count, DIM), np.float32)
    rows[np.arange(count), rng.integers(values, size=count)] = 1
    index = Index(SPACE, DIM)
    index.add(rows, [str(i) for i in range(count)])
    query = rng.integers(1, 9, size=DIM).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bindrt.index.search._BLOCK", block)
        hits = index.search(query, k)[0]
    scores = rows @ (query / np.linalg.norm(query))
    expected = np.argsort(-scores, kind="stable")[:k]
    assert [hit.id for hit in hits] == [str(i) for i in expected]
    assert [hit.score for hit in hits] == pytest.approx(scores[expected].tolist(), abs=1e-6)


def test_hits_carry_what_was_added() -> None:
    index = filled(40)
    hit = index.search(unit(40)[3], 1)[0][0]
    assert (hit.id, hit.modality, dict(hit.metadata)) == ("i3", "image", {"n": 3})
    assert hit.score == pytest.approx(1, abs=1e-6)
    audio = index.search(unit(40)[3], 50, modality="audio")[0]
    assert len(audio) == 20
    assert {h.modality for h in audio} == {"audio"}
    assert index.search(unit(40)[3], modality="depth") == [[]]


def test_approximate_search_finds_nearly_the_same() -> None:
    exact, graph = filled(4000), filled(4000, approximate=True)
    queries = unit(50, seed=9)
    found = [{h.id for h in hits} for hits in graph.search(queries)]
    right = [{h.id for h in hits} for hits in exact.search(queries)]
    recall = np.mean([len(f & r) / 10 for f, r in zip(found, right, strict=True)])
    assert recall > 0.9
    scores = [h.score for h in graph.search(queries[0])[0]]
    assert scores == sorted(scores, reverse=True)


def test_every_row_of_a_small_graph_is_found() -> None:
    for seed in range(20):
        index = filled(100, approximate=True, seed=seed)
        assert [hits[0].id for hits in index.search(unit(100, seed), 1)] == index.ids


@pytest.mark.parametrize("approximate", [False, True])
def test_saved_index_comes_back_and_grows(approximate: bool, tmp_path: Path) -> None:
    index = filled(200, approximate)
    path = tmp_path / "a.index"
    index.save(path)
    back = Index.load(path)
    assert repr(back) == repr(index)
    assert back.search(unit(200), 1) == index.search(unit(200), 1)
    back.add(unit(1, seed=5), ["new"], "text", [{"grün": [1, None]}])
    back.save(path)
    again = Index.load(path)
    assert len(again) == 201
    hit = again.search(unit(1, seed=5), 1)[0][0]
    assert (hit.id, dict(hit.metadata)) == ("new", {"grün": [1, None]})
    assert [p.name for p in tmp_path.iterdir()] == ["a.index"]


def test_an_empty_index(tmp_path: Path) -> None:
    for approximate in (False, True):
        index = Index(SPACE, DIM, approximate)
        assert index.search(unit(2)) == [[], []]
        index.save(tmp_path / f"{approximate}.index")
        assert len(Index.load(tmp_path / f"{approximate}.index")) == 0


def test_combined_queries_are_weighted_sums() -> None:
    a, b = unit(1, 1), unit(2, 2)
    both = embedded(image=a * 7, audio=b * 3)
    total = a[0] + b.sum(axis=0)
    assert combine(both) == pytest.approx(total / np.linalg.norm(total), abs=1e-6)
    total = 0.5 * a[0] + 2 * b[0] - b[1]
    weights: Mapping[str, Any] = {"image": 0.5, "audio": [2.0, -1.0]}
    assert combine(both, weights) == pytest.approx(total / np.linalg.norm(total), abs=1e-6)


@pytest.mark.parametrize(
    ("vectors", "weights", "error"),
    [
        ({}, None, bindrt.InputError),
        ({"image": np.empty((0, DIM), np.float32)}, None, bindrt.InputError),
        ({"image": np.full((1, DIM), np.nan, np.float32)}, None, bindrt.InputError),
        ({"image": unit(1)}, {"image": 0.0}, bindrt.InputError),
        ({"image": unit(1)}, {"audio": 1.0}, bindrt.OptionError),
        ({"image": unit(1)}, {"image": "much"}, bindrt.OptionError),
        ({"image": unit(2)}, {"image": [1.0]}, bindrt.OptionError),
        ({"image": unit(1)}, {"image": float("nan")}, bindrt.OptionError),
    ],
)
def test_queries_that_are_none(vectors: Any, weights: Any, error: type[bindrt.Error]) -> None:
    with pytest.raises(error):
        combine(embedded(**vectors), weights)


def test_other_spaces_are_refused_with_both_named() -> None:
    index = filled(4)
    for call in (
        lambda e: index.add(e, ["x"]),
        lambda e: index.search(e),
    ):
        with pytest.raises(bindrt.SpaceError, match=r"other.*test-space|test-space.*other"):
            call(embedded("other", image=unit(1)))


@pytest.mark.parametrize(
    ("vectors", "ids", "metadata"),
    [
        (unit(2), ["a"], None),
        (unit(2), "ab", None),
        (unit(2), ["a", 3], None),
        (unit(2), ["a", "b"], [{}]),
        (unit(1), ["a"], [{"x": object()}]),
        (unit(1), ["a"], [{"x": float("nan")}]),
        (unit(2, dim=DIM + 1), ["a", "b"], None),
        (np.zeros((2, DIM), int), ["a", "b"], None),
        (np.full((1, DIM), np.inf, np.float32), ["a"], None),
    ],
)
def test_what_does_not_fit_is_not_added(vectors: Any, ids: Any, metadata: Any) -> None:
    index = filled(4)
    with pytest.raises(bindrt.InputError):
        index.add(vectors, ids, "image", metadata)
    assert len(index) == 4
    assert len(index.ids) == len(index.vectors) == 4


@pytest.mark.parametrize("k", [0, -1, 1.5, True, "3"])
def test_numbers_of_results_that_are_none(k: Any) -> None:
    with pytest.raises(bindrt.OptionError):
        filled(4).search(unit(1), k)


def test_damaged_and_foreign_folders(tmp_path: Path) -> None:
    path = tmp_path / "a.index"
    filled(4).save(path)
    header = json.loads((path / "index.json").read_text())
    for change in ({"schema": 2}, {"dim": 0}, {"count": 5}, {"space": 3}, {"dim": "24"}, {"more": 1}):
        (path / "index.json").write_text(json.dumps({**header, **change}))
        with pytest.raises(bindrt.InputError, match=r"a\.index"):
            Index.load(path)
    (path / "index.json").write_text(json.dumps(header))
    whole = (path / "vectors.npy").read_bytes()
    for damaged in (whole[:-8], whole[:20], b"", np.lib.format.magic(1, 0) + b"\0"):
        (path / "vectors.npy").write_bytes(damaged)
        with pytest.raises(bindrt.InputError, match=r"a\.index"):
            Index.load(path)
    with pytest.raises(bindrt.InputError):
        Index.load(tmp_path / "none")
    (tmp_path / "folder").mkdir()
    with pytest.raises(bindrt.OptionError, match="not an index"):
        filled(4).save(tmp_path / "folder")
    assert list((tmp_path / "folder").iterdir()) == []


def test_a_graph_of_other_vectors_is_refused(tmp_path: Path) -> None:
    filled(4, approximate=True).save(tmp_path / "a.index")
    filled(6, approximate=True).save(tmp_path / "b.index")
    (tmp_path / "a.index/graph.usearch").write_bytes((tmp_path / "b.index/graph.usearch").read_bytes())
    with pytest.raises(bindrt.InputError, match="graph"):
        Index.load(tmp_path / "a.index")


def test_vectors_of_a_model(small_model: bindrt.Model) -> None:
    texts = ["a dog", "a car", "rain"]
    index = Index.of(small_model)
    index.add(small_model.embed(text=texts), texts)
    assert index.search(small_model.embed(text="a car"), 1)[0][0].id == "a car"
    index.add(small_model.embed(text=["snow", "ice"]))  # their own texts are their ids
    assert index.ids == [*texts, "snow", "ice"]
    with pytest.raises(bindrt.InputError, match="no path or text"):
        index.add(small_model.embed(image=[np.zeros((8, 8, 3), np.uint8)]))
    assert index.space == small_model.space
