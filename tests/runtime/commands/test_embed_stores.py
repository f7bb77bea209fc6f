"""``bind-embed --index URL``: rows go into a store, once each, whatever is run again."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt import index as bindrt_index
from bindrt.stores.lancedb import LanceTable
from support.embedding import PHOTO, SOUND, Embed
from support.stores import lancedb


@pytest.fixture
def embed(capsys: pytest.CaptureFixture[str]) -> Embed:
    return Embed(capsys)


def test_files_and_texts(tmp_path: Path, embed: Embed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with lancedb(tmp_path) as store:
        asked = (PHOTO, SOUND, "none.jpg", "--text", "a bell", "--on-error", "skip", "--index", store.url)
        done = embed(*asked, "--json")
        assert done.code == 0, done.err
        assert (done.summary["rows"], done.summary["failed"], done.summary["loaded"]) == (4, 1, 3)
        assert [failure.split(":")[0] for failure in done.summary["first_failures"]] == ["none.jpg"]
        found = store.rows()
        with bindrt.load("tiny") as model:
            wanted = model.embed(image=PHOTO, audio=SOUND, text="a bell")
        for source, modality, _, vector in found.values():
            assert np.allclose(vector, wanted[modality][0], atol=1e-5)  # type: ignore[index]
            assert source in (str(PHOTO), str(SOUND), "a bell")
        assert [path.name for path in tmp_path.iterdir()] == ["l"]
        again = embed(*asked)
        assert again.code == 0
        assert "  failed: none.jpg: " in again.err
        assert set(store.rows()) == set(found)


def test_a_store_that_fails_loses_no_rows(
    tmp_path: Path, embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    with lancedb(tmp_path) as store:
        asked = (PHOTO, "--text", "a bell", "-o", tmp_path / "o.parquet", "--index", store.url)
        with monkeypatch.context() as patch:
            patch.setattr(LanceTable, "finish", lambda self: 1 / 0)
            done = embed(*asked)
        assert done.code == 1
        assert "go on with --resume" in done.err
        done = embed(*asked, "--resume", "--json")
        assert (done.summary["rows"], done.summary["kept"], done.summary["loaded"]) == (0, 2, 2)
        assert len(store.rows()) == 2
        assert len(pq.read_table(tmp_path / "o.parquet")) == 2


def test_rows_of_tables_with_their_other_columns(tmp_path: Path, embed: Embed) -> None:
    """A row is known by its place in its table, so other blocks and a second table change no id."""
    shutil.copy(PHOTO, tmp_path / "p.webp")
    rows = pa.table({"n": range(5), "photo": ["p.webp"] * 5, "caption": ["a", None, "c", "d", "e"]})
    pq.write_table(rows, tmp_path / "t.parquet", row_group_size=2)
    pq.write_table(rows.slice(1, 2), tmp_path / "u.parquet")
    tables = tmp_path / "t.parquet", tmp_path / "u.parquet"
    columns = ("--column", "image=photo", "--column", "text=caption")
    with lancedb(tmp_path) as store:
        done = embed(*tables, *columns, "-o", tmp_path / "o.parquet", "--index", store.url, "--json")
        assert done.code == 0, done.err
        assert done.summary["loaded"] == 5 + 4 + 2 + 1
        found = store.rows()
        assert sorted((m, row["n"], source) for source, m, row, _ in found.values())[:8] == [
            *[("image", 0, "p.webp"), ("image", 1, "p.webp"), ("image", 1, "p.webp"), ("image", 2, "p.webp")],
            *[("image", 2, "p.webp"), ("image", 3, "p.webp"), ("image", 4, "p.webp"), ("text", 0, "a")],
        ]
        assert next(iter(found.values()))[2].keys() == {"n", "photo", "caption"}
        done = embed(*tables, *columns, "-o", tmp_path / "again", "--block", 1, "--index", store.url)
        assert done.code == 0, done.err
        assert set(store.rows()) == set(found)


def test_a_column_names_the_rows(tmp_path: Path, embed: Embed) -> None:
    for name, numbers in (("a", [1, 2]), ("b", [2, 3])):
        pq.write_table(
            pa.table({"n": numbers, "caption": [f"{name} {n}" for n in numbers]}),
            tmp_path / f"{name}.parquet",
        )
    with lancedb(tmp_path) as store:
        tables = tmp_path / "a.parquet", tmp_path / "b.parquet"
        asked = (*tables, "--column", "text=caption", "-o", tmp_path / "o", "--index", store.url)
        done = embed(*asked, "--id", "n")
        assert done.code == 0, done.err
        assert sorted(source or "" for source, *_ in store.rows().values()) == ["a 1", "b 2", "b 3"]
        done = embed(*asked, "--id", "number", "--resume")
        assert "--id number" in done.err


def test_tables_need_no_other_output(tmp_path: Path, embed: Embed, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their rows are kept until the store has them, and no longer."""
    monkeypatch.chdir(tmp_path)
    pq.write_table(pa.table({"n": range(3), "caption": ["a", None, "c"]}), "t.parquet")
    with lancedb(tmp_path) as store:
        asked = ("t.parquet", "--column", "text=caption", "--index", store.url)
        with monkeypatch.context() as patch:
            patch.setattr(LanceTable, "finish", lambda self: 1 / 0)
            assert "go on with --resume" in embed(*asked).err
        assert "an earlier run is there" in embed(*asked).err
        done = embed(*asked, "--resume", "--json")
        assert done.code == 0, done.err
        assert (done.summary["rows"], done.summary["kept"], done.summary["loaded"]) == (0, 3, 2)
        assert sorted(source or "" for source, *_ in store.rows().values()) == ["a", "c"]
        assert sorted(path.name for path in tmp_path.iterdir()) == ["l", "t.parquet"]


def test_an_index_of_a_table(tmp_path: Path, embed: Embed) -> None:
    rows = pa.table({"n": range(3), "caption": ["a bell", None, "a car"], "sku": ["x1", "x2", "x3"]})
    pq.write_table(rows, tmp_path / "t.parquet")
    asked = (tmp_path / "t.parquet", "--column", "text=caption")
    done = embed(*asked, "--index", tmp_path / "a.index")
    assert done.code == 0, done.err
    index = bindrt_index.Index.load(tmp_path / "a.index")
    assert sorted(index.ids) == ["a bell", "a car"]
    assert index.get("a car").metadata == {"n": 2, "caption": "a car", "sku": "x3"}
    assert "it exists" in embed(*asked, "--index", tmp_path / "a.index").err
    done = embed(*asked, "--index", tmp_path / "b.index", "-o", tmp_path / "o.parquet", "--id", "sku")
    assert done.code == 0, done.err
    assert sorted(bindrt_index.Index.load(tmp_path / "b.index").ids) == ["x1", "x3"]
    assert len(pq.read_table(tmp_path / "o.parquet")) == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.index", "b.index", "o.parquet", "t.parquet"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--index", "qdrant:things"], "does not say where the store is"),
        (["--index", "lancedb:db/things", "--prune", "--resume"], "rows of a store are not removed"),
        (["--id", "n", "-o", "folder"], "it names rows of tables in a store"),
        (["--index", "weaviate://h/things"], "begin with a capital"),
        (["--index", "here.index", "-o", "folder"], "no index is made of shards"),
    ],
)
def test_what_is_wrong_is_told(
    arguments: list[str], said: str, tmp_path: Path, embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = embed("--text", "a bell", *arguments)
    assert done.code == 2
    assert said in done.err
    assert not list(tmp_path.iterdir())
