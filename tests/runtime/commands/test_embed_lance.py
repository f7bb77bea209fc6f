"""``bind-embed -o NAME.lance``: a data set that LanceDB opens, with the rows that Parquet has."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from support.embedding import PHOTO, Embed

lancedb = pytest.importorskip("lancedb", reason="lancedb is not installed (extra lancedb)")


@pytest.fixture
def embed(capsys: pytest.CaptureFixture[str]) -> Embed:
    return Embed(capsys)


def rows(path: Path) -> pa.Table:
    return lancedb.connect(path.parent).open_table(path.stem).to_arrow()


@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_the_same_rows_as_in_parquet(dtype: str, tmp_path: Path, embed: Embed) -> None:
    asked = (PHOTO, "none.jpg", "--text", "a bell", "--on-error", "skip", "--dtype", dtype)
    for name in ("o.parquet", "o.lance"):
        done = embed(*asked, "-o", tmp_path / name)
        assert done.code == 0, done.err
    found, wanted = rows(tmp_path / "o.lance"), pq.read_table(tmp_path / "o.parquet")
    assert found.schema.metadata == wanted.schema.metadata
    assert found.equals(wanted)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.lance", "o.parquet"]


def test_resume_adds_to_it(tmp_path: Path, embed: Embed) -> None:
    out = tmp_path / "o.lance"
    embed("--text", "a bell", "-o", out)
    assert "add --resume" in embed("--text", "a car", "-o", out).err
    done = embed("--text", "a bell", "--text", "a car", "-o", out, "--resume", "--json")
    assert done.code == 0, done.err
    assert (done.summary["rows"], done.summary["kept"]) == (1, 1)
    assert rows(out)["source"].to_pylist() == ["a bell", "a car"]
    assert [path.name for path in tmp_path.iterdir()] == ["o.lance"]


def test_one_of_the_parts_of_tables(tmp_path: Path, embed: Embed) -> None:
    pq.write_table(pa.table({"n": range(5), "caption": list("abcde")}), tmp_path / "t.parquet")
    out = tmp_path / "o.lance"
    done = embed(tmp_path / "t.parquet", "--column", "text=caption", "-o", out, "--block", 2)
    assert done.code == 0, done.err
    assert rows(out)["n"].to_pylist() == list(range(5))
    assert rows(out)["text_embedding"].null_count == 0
    assert rows(out).schema.metadata[b"bindrt.space"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["o.lance", "t.parquet"]


def test_what_is_wrong_is_told(tmp_path: Path, embed: Embed) -> None:
    assert "takes letters" in embed("--text", "a", "-o", tmp_path / "my rows.lance").err
    (tmp_path / "bad.lance").mkdir()
    done = embed("--text", "a", "-o", tmp_path / "bad.lance", "--resume")
    assert done.code in (1, 2)
    assert "bad.lance: cannot be added to" in done.err
