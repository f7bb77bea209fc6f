"""Ids, duplicates, and items that are removed or changed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import bindrt
from bindrt.index import Index
from support.indexes import DIM, SPACE, filled, unit

NAMES = ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize(
    "given_as",
    [
        tuple,
        np.array,
        pd.Series,
        pa.array,
        iter,
        lambda names: (n for n in names),
        lambda n: dict.fromkeys(n).keys(),
    ],
    ids=["tuple", "array", "Series", "pyarrow", "iterator", "generator", "keys"],
)
def test_ids_in_any_ordered_collection(given_as: Callable[[list[str]], Any]) -> None:
    """Adding two such collections must not add their elements."""
    index = Index(SPACE, DIM)
    for start in range(2):
        index.add(unit(3, start), given_as([f"{start}/{name}" for name in NAMES]))
    assert index.ids == [f"{start}/{name}" for start in range(2) for name in NAMES]
    assert index.search(unit(3, 1)[2], 1)[0][0].id == "1/c.jpg"


def test_paths_and_whole_numbers(tmp_path: Path) -> None:
    index = Index(SPACE, DIM)
    index.add(unit(2), [Path("a/b.jpg"), Path("c.jpg")])
    index.add(unit(3, 1), np.array([7, 8, -(2**40)]))
    expected = ["a/b.jpg", "c.jpg", 7, 8, -(2**40)]
    assert index.ids == expected
    assert [type(name) for name in index.ids] == [str, str, int, int, int]
    index.save(tmp_path / "a.index")
    back = Index.load(tmp_path / "a.index")
    assert back.ids == expected
    assert back.search(unit(3, 1)[0], 1)[0][0].id == 7
    np.testing.assert_allclose(back.get(Path("a/b.jpg")).vector, unit(2)[0], atol=1e-6)
    assert 8 in back
    assert "8" not in back


def test_file_names_that_are_not_utf8(tmp_path: Path) -> None:
    name = b"caf\xe9.jpg".decode("utf-8", "surrogateescape")
    index = Index(SPACE, DIM)
    index.add(unit(1), [name], metadata=[{"file": name}])
    index.save(tmp_path / "a.index")
    back = Index.load(tmp_path / "a.index")
    assert back.ids == ["caf\\xe9.jpg"]
    assert back.get(name).metadata == {"file": name}


@pytest.mark.parametrize(
    "ids",
    [
        "ab",
        b"ab",
        Path("ab"),
        7,
        None,
        {"a", "b"},
        {"a": 1, "b": 2},
        ["a"],
        ["a", "b", "c"],
        ["a", None],
        ["a", 1.5],
        ["a", True],
        ["a", b"b"],
        [1, 2**63],
        np.array([1.0, 2.0]),
        np.array([["a"], ["b"]]),
        np.array("a"),
        pd.Series(["a", None]),
        (name for name in ["a"]),
    ],
)
def test_ids_that_do_not_fit(ids: Any) -> None:
    index = filled(4)
    with pytest.raises(bindrt.InputError, match="ids"):
        index.add(unit(2), ids)
    assert len(index) == len(index.ids) == len(index.vectors) == 4


def test_duplicate_ids_by_choice() -> None:
    index = Index(SPACE, DIM)
    index.add(unit(3), NAMES, "image")
    index.add(unit(3), NAMES, "text")  # another modality's items may have the same ids
    for ids in (["d.jpg", "b.jpg"], ["d.jpg", "d.jpg"]):
        with pytest.raises(bindrt.InputError, match="on_duplicate"):
            index.add(unit(2, 1), ids, "image")
    assert len(index) == 6
    index.add(unit(3, 1), ["d.jpg", "b.jpg", "d.jpg"], "image", on_duplicate="replace")
    assert index.ids == ["a.jpg", "c.jpg", *NAMES, "b.jpg", "d.jpg"]
    np.testing.assert_allclose(index.get("d.jpg").vector, unit(3, 1)[2], atol=1e-6)
    np.testing.assert_allclose(index.get("b.jpg", "image").vector, unit(3, 1)[1], atol=1e-6)
    np.testing.assert_allclose(index.get("b.jpg", "text").vector, unit(3)[1], atol=1e-6)
    index.add(unit(1, 2), ["d.jpg"], "image", on_duplicate="keep")
    assert index.ids.count("d.jpg") == 2
    with pytest.raises(bindrt.OptionError, match="on_duplicate"):
        index.add(unit(1), ["x"], on_duplicate="ignore")  # type: ignore[arg-type]


def test_get_names_what_is_missing_or_ambiguous() -> None:
    index = Index(SPACE, DIM)
    index.add(unit(2), ["a", "b"], "image", [{"n": 1}, {}])
    index.add(unit(1, 1), ["a"], "audio")
    entry = index.get("a", "image")
    assert (entry.id, entry.modality, entry.metadata) == ("a", "image", {"n": 1})
    with pytest.raises(bindrt.InputError, match="audio, image"):
        index.get("a")
    with pytest.raises(bindrt.InputError, match="'c': not in the index"):
        index.get("c")
    with pytest.raises(bindrt.InputError, match="as depth"):
        index.get("a", "depth")


@pytest.mark.parametrize("approximate", [False, True])
def test_removed_items_are_not_found(approximate: bool, tmp_path: Path) -> None:
    index = filled(60, approximate)
    assert index.remove("i3") == 1
    assert index.remove(["a40", "i0", "i0"]) == 2
    with pytest.raises(bindrt.InputError, match="i3"):
        index.remove(["i4", "i3"])
    with pytest.raises(bindrt.InputError, match="not in the index as audio"):
        index.remove("i4", "audio")
    gone = {"i3", "a40", "i0"}
    for current in (index, _saved(index, tmp_path / "a.index"), _saved(index, tmp_path / "a.index")):
        assert len(current) == 57
        assert not gone & set(current.ids)
        assert len(current.vectors) == len(current.modalities) == 57
        found = current.search(unit(60), 60)
        assert all(not gone & {hit.id for hit in hits} for hits in found)
        for row in (1, 29, 45, 59):
            assert found[row][0].id == ("i" if row < 30 else "a") + str(row)
        current.add(unit(1, 9), ["i3"], "image")
        assert current.search(unit(1, 9), 1)[0][0].id == "i3"
        current.remove("i3")


@pytest.mark.parametrize("approximate", [False, True])
@pytest.mark.parametrize("dtype", ["float32", "float16", "int8"])
def test_changed_items(approximate: bool, dtype: str, tmp_path: Path) -> None:
    made = filled(40, approximate, dtype=dtype)
    for index in (made, _saved(made, tmp_path / "a.index")):
        index.update(unit(2, 7), ["i5", "a30"])
        index.update(None, ["i6"], metadata=[{"new": True}])
        assert index.ids == filled(40).ids
        assert [index.search(unit(2, 7), 1)[q][0].id for q in range(2)] == ["i5", "a30"]
        assert index.get("i5").vector == pytest.approx(unit(2, 7)[0], abs=0.01)
        assert index.get("i6").metadata == {"new": True}
        assert index.get("i6").vector == pytest.approx(unit(40)[6], abs=0.01)
    before = index.vectors.copy()
    for vectors, ids, metadata in (
        (unit(2), ["i1", "none"], None),
        (unit(2), ["i1", "i1"], None),
        (unit(2), ["i1"], None),
        (None, ["i1"], [{}, {}]),
        (unit(1), ["i1"], [{"x": object()}]),
    ):
        with pytest.raises(bindrt.InputError):
            index.update(vectors, ids, metadata=metadata)
    np.testing.assert_allclose(index.vectors, before, atol=1e-6)


def _saved(index: Index, path: Path) -> Index:
    index.save(path)
    return Index.load(path)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("arus"), st.integers(0, 30), st.integers(0, 1000)), max_size=25))
def test_any_order_of_changes_is_what_a_dict_would_hold(steps: list[tuple[str, int, int]]) -> None:
    index, model = Index(SPACE, DIM), dict[int, np.ndarray]()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("bindrt.index.vectors.BLOCK_ROWS", 8)
        patch.setattr("bindrt.index.held._WORTH_COMPACTING", 3)
        for what, name, seed in steps:
            vector = unit(1, seed)
            if what == "a":
                index.add(vector, [name], on_duplicate="replace")
                model.pop(name, None)
                model[name] = vector[0]
            elif what == "r" and name in model:
                index.remove(name)
                del model[name]
            elif what == "u" and name in model:
                index.update(vector, [name])
                model[name] = vector[0]
            else:
                found = index.search(vector, 3)[0]
                scores = sorted((float(vector[0] @ row) for row in model.values()), reverse=True)[:3]
                assert [hit.score for hit in found] == pytest.approx(scores, abs=1e-6)
    assert index.ids == list(model)
    np.testing.assert_allclose(
        index.vectors, np.array(list(model.values()), np.float32).reshape(-1, DIM), atol=1e-6
    )
