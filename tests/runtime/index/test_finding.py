"""Searching among some items only, by score, for pairs, and with vectors held in less memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import bindrt
from bindrt.index import Index
from bindrt.index.vectors import as_float32
from support.indexes import DIM, SPACE, filled, unit


def with_years(count: int = 100) -> Index:
    index = Index(SPACE, DIM)
    years = [{"year": 2000 + n % 10, "city": ["Bonn", "Ulm", "Köln"][n % 3]} for n in range(count)]
    index.add(unit(count), range(count), "image", years)
    index.add(unit(3, 1), [1000, 1001, 1002], "image", [{"year": "unknown"}, {"city": None}, None])
    return index


@pytest.mark.parametrize(
    ("where", "right"),
    [
        ({"year": 2003}, lambda n: n % 10 == 3),
        ({"year": {">=": 2005, "<": 2008}}, lambda n: 5 <= n % 10 < 8),
        ({"year": {"!=": 2003}, "city": "Ulm"}, lambda n: n % 10 != 3 and n % 3 == 1),
        ({"city": ["Bonn", "Köln"]}, lambda n: n % 3 != 1),
        ({}, lambda n: True),
        (lambda m: m.get("year") == 2001 and m["city"] == "Ulm", lambda n: n % 10 == 1 and n % 3 == 1),
    ],
)
def test_conditions_on_metadata(where: Any, right: Callable[[int], bool]) -> None:
    found = with_years().search(unit(1, 3), 1000, where=where)[0]
    assert {hit.id for hit in found if int(hit.id) < 1000} == {n for n in range(100) if right(n)}
    assert all(where == {} or int(hit.id) < 1000 for hit in found)


@pytest.mark.parametrize("where", ["year", 7, {"year": {"about": 2003}}, [("year", 2003)]])
def test_conditions_that_are_none(where: Any) -> None:
    with pytest.raises(bindrt.OptionError, match="where"):
        with_years().search(unit(1), where=where)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 2), max_size=120), st.integers(1, 50), st.integers(1, 30))
def test_a_search_of_one_modality_is_exact(kinds: list[int], block: int, k: int) -> None:
    """Whether its rows lie together, are few, or lie scattered."""
    rows, names = unit(len(kinds), 4), ["image", "audio", "text"]
    index = Index(SPACE, DIM)
    for i, kind in enumerate(kinds):
        index.add(rows[i : i + 1], [i], names[kind])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bindrt.index.search._BLOCK", block)
        found = [hit.id for hit in index.search(unit(1, 5), k, modality="audio")[0]]
    wanted = np.flatnonzero(np.array(kinds) == 1)
    scores = rows[wanted] @ unit(1, 5)[0]
    assert found == wanted[np.argsort(-scores, kind="stable")][:k].tolist()


@pytest.mark.parametrize("approximate", [False, True])
def test_a_least_score(approximate: bool) -> None:
    index = filled(200, approximate)
    scores = unit(200) @ unit(1, 8)[0]
    names = np.array(index.ids)
    found = index.search(unit(1, 8), k=None, min_score=0.3)[0]
    assert {hit.id for hit in found} == set(names[scores >= 0.3])
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    few = index.search(unit(1, 8), k=2, min_score=0.3)[0]
    assert [hit.id for hit in few] == [hit.id for hit in found[:2]]
    assert index.search(unit(1), k=None, min_score=1.0)[0][0].id == "i0"
    for k, least in ((None, None), (3, 2.0), (3, float("nan")), (3, "much"), (3, True)):
        with pytest.raises(bindrt.OptionError):
            index.search(unit(1), k, min_score=least)  # type: ignore[arg-type]


def test_pairs_are_all_near_items() -> None:
    rows = unit(50)
    rows[[10, 40]] = rows[3]
    rows[20] = -rows[21]
    index = Index(SPACE, DIM)
    index.add(rows[:30], range(30), "image", [{"half": n % 2} for n in range(30)])
    index.add(rows[30:], range(30, 50), "audio")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bindrt.index.exact._PAIRED", 7)
        found = index.pairs(0.4)
    scores = np.triu(rows @ rows.T, 1)
    expected = {(a, b) for a, b in zip(*np.nonzero(scores >= 0.4), strict=True)}
    assert {(pair.first, pair.second) for pair in found} == expected
    assert [(p.first, p.second) for p in found[:3]] == [(3, 10), (3, 40), (10, 40)]
    assert found[1].modalities == ("image", "audio")
    assert found[0].score == pytest.approx(1, abs=1e-6)
    assert index.pairs(0.4, most=2) == found[:2]
    assert [(p.first, p.second) for p in index.pairs(0.99, modality="image")] == [(3, 10)]
    assert index.pairs(0.99, where={"half": 0}) == []
    index.remove(40)
    assert [(p.first, p.second) for p in index.pairs(0.99)] == [(3, 10)]
    with pytest.raises(bindrt.OptionError):
        index.pairs(None)  # type: ignore[arg-type]


@pytest.mark.parametrize(("dtype", "error"), [("float16", 5e-4), ("int8", 0.01)])
def test_less_memory_changes_scores_little(dtype: Any, error: float) -> None:
    rows, queries = unit(3000, dim=256), unit(20, 1, dim=256)
    queries = queries * 0.3 + rows[:20]
    index = Index(SPACE, 256, dtype=dtype)
    index.add(rows[:1000], range(1000))
    index.add(rows[1000:], range(1000, 3000))
    right = (queries / np.linalg.norm(queries, axis=1, keepdims=True)) @ rows.T
    worst = max(
        abs(hit.score - right[q, int(hit.id)])
        for q, hits in enumerate(index.search(queries, 50))
        for hit in hits
    )
    assert 1e-6 < worst < error
    assert [hits[0].id for hits in index.search(queries, 1)] == list(range(20))
    assert np.linalg.norm(index.vectors, axis=1) == pytest.approx(1, abs=1e-3)
    assert index.get(7).vector == pytest.approx(rows[7], abs=error)


@pytest.mark.parametrize("dtype", ["float16", "int8"])
@pytest.mark.parametrize("approximate", [False, True])
def test_less_memory_on_disk(dtype: str, approximate: bool, tmp_path: Any) -> None:
    index = filled(100, approximate, dtype=dtype)
    index.save(tmp_path / "a.index")
    back = Index.load(tmp_path / "a.index")
    assert repr(back) == repr(index)
    assert dtype in repr(back)
    assert back.search(unit(5, 2), 10) == index.search(unit(5, 2), 10)
    size = (tmp_path / "a.index/vectors.npy").stat().st_size
    assert size == 128 + 100 * DIM * (2 if dtype == "float16" else 1)


def test_options_of_an_index_that_are_none() -> None:
    for options in ({"dtype": "float64"}, {"dim": 0}, {"dim": "24"}, {"space": ""}, {"approximate": "no"}):
        with pytest.raises(bindrt.OptionError):
            Index(**{"space": SPACE, "dim": DIM, **options})  # type: ignore[arg-type]
    for model in ("tiny", None, bindrt.Model):
        with pytest.raises(bindrt.OptionError, match=r"bindrt\.load"):
            Index.of(model)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "query",
    [
        "a car",
        b"a car",
        None,
        7,
        ["a car"],
        {"text": "a car"},
        [[1.0, 2.0], [3.0]],
        np.zeros((32, 32, 3), np.uint8),
        np.zeros(DIM, np.float32),
        np.zeros(DIM + 1, np.float32),
        torch.zeros(2, 2),
    ],
)
def test_queries_that_are_no_vectors(query: Any) -> None:
    with pytest.raises(bindrt.InputError, match=r"the query.*;"):
        filled(4).search(query)


def test_vectors_of_other_libraries_and_lists() -> None:
    index = filled(10)
    expected = index.search(unit(1), 3)
    for query in (unit(1).tolist(), unit(1)[0].tolist(), torch.from_numpy(unit(1)), list(unit(1))):
        assert [hit.id for hit in index.search(query, 3)[0]] == [hit.id for hit in expected[0]]
    assert index.search(unit(1), np.int64(3)) == expected  # type: ignore[arg-type]


def test_size_does_not_matter_but_zero_has_no_direction() -> None:
    """1e300 squared is beyond float64, and 1e300 itself beyond float32."""
    index = filled(10)
    huge = unit(4, 3).astype(np.float64) * np.array([[1e300], [1e-300], [1e30], [1e-30]])
    index.add(huge, ["e300", "e-300", "e30", "e-30"])
    index.add(huge[2:].astype(np.float32), ["f30", "f-30"])
    found = index.search(unit(4, 3), 1)
    assert [hits[0].id for hits in found] == ["e300", "e-300", "e30", "e-30"]
    assert [hits[0].score for hits in found] == pytest.approx([1] * 4, abs=1e-6)
    assert index.search(huge, 1)[0][0].id == "e300"
    assert index.get("f-30").vector == pytest.approx(unit(4, 3)[3], abs=1e-6)
    with pytest.raises(bindrt.InputError, match="row 1: it is zero"):
        index.add(unit(2) * np.float32([[1], [0]]), ["a", "b"])
    assert len(index) == 16


def test_every_float16_is_read_as_numpy_reads_it() -> None:
    bits = np.arange(1 << 16, dtype=np.uint16)
    values = bits[(bits & 0x7C00) != 0x7C00].view(np.float16)  # without infinity and NaN
    np.testing.assert_array_equal(as_float32(values), values.astype(np.float32))
