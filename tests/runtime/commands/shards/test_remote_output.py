"""``bind-embed -o URL``: what is in a store is whole or not there, and a run goes on as on a disk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bindrt.sources import remote
from support.embedding import PHOTO, Embed

COLUMN = ("--column", "text=caption", "--block", 2)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = pa.table({"n": range(6), "caption": [f"a bell {n}" for n in range(6)]})
    pq.write_table(rows, tmp_path / "t.parquet", row_group_size=2)
    return tmp_path / "t.parquet"


def names(url: str) -> list[str]:
    filesystem, path = fsspec.core.url_to_fs(url)
    filesystem.invalidate_cache()
    return sorted(name.rsplit("/", 1)[-1] for name in filesystem.ls(path, detail=False))


def read(url: str) -> pa.Table:
    with fsspec.open(url, "rb") as file:
        return pq.read_table(file)


def check(url: str, table: Path, embed: Embed) -> None:
    """A folder of parts, one file, going on, and what is refused."""
    done = embed(table, *COLUMN, "-o", f"{url}/vectors/")
    assert done.code == 0, done.err
    parts = names(f"{url}/vectors")
    assert len(parts) == 3
    assert all(name.startswith("part-") for name in parts)
    assert "add --resume" in embed(table, *COLUMN, "-o", f"{url}/vectors/").err
    fsspec.core.url_to_fs(url)[0].rm(f"{url}/vectors/{parts[1]}")
    done = embed(table, *COLUMN, "-o", f"{url}/vectors", "--resume", "--json")
    assert (done.summary["rows"], done.summary["kept"]) == (2, 4)
    assert names(f"{url}/vectors") == parts
    done = embed(table, "--column", "text=caption", "--block", 3, "-o", f"{url}/vectors", "--resume")
    assert "of other inputs or options" in done.err

    done = embed(table, *COLUMN, "-o", f"{url}/one.parquet")
    assert done.code == 0, done.err
    assert read(f"{url}/one.parquet")["n"].to_pylist() == list(range(6))
    assert read(f"{url}/one.parquet").schema.metadata[b"bindrt.space"]
    assert names(url) == ["one.parquet", "vectors"]
    assert "it exists" in embed(table, *COLUMN, "-o", f"{url}/one.parquet").err

    done = embed(PHOTO, "--text", "a bell", "-o", f"{url}/files.parquet")
    assert done.code == 0, done.err
    assert read(f"{url}/files.parquet")["source"].to_pylist() == [str(PHOTO), "a bell"]


def test_a_store_in_memory(store: str, table: Path, embed: Embed) -> None:
    check(store, table, embed)


@pytest.mark.deep
def test_a_server_of_s3(s3: str, table: Path, embed: Embed) -> None:
    check(s3, table, embed)


@pytest.mark.deep
def test_a_cluster_writes_to_s3(s3: str, table: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed (extra ray)")
    asked = ["tiny", str(table), *map(str, COLUMN), "-o", f"{s3}/r", "--actors", "2", "--cpus", "0.5"]
    subprocess.run(
        [sys.executable, "-m", "bindrt.ray", *asked],
        env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        check=True,
        timeout=300,
    )
    found = [read(f"{s3}/r/{name}") for name in names(f"{s3}/r")]
    assert pa.concat_tables(found)["n"].to_pylist() == list(range(6))


def test_sending_is_tried_again(
    store: str, table: Path, embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A part that was sent in half has another name; what cannot be sent at all leaves the others."""
    filesystem = type(fsspec.filesystem("memory"))
    plain, failing = filesystem.put_file, [2]

    def put_file(self: Any, local: str, path: str, **options: Any) -> None:
        if failing[0]:
            failing[0] -= 1
            self.pipe_file(path, b"half")
            raise ConnectionError("the store is busy")
        plain(self, local, path, **options)

    monkeypatch.setattr(filesystem, "put_file", put_file)
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    done = embed(table, *COLUMN, "-o", f"{store}/a")
    assert done.code == 0, done.err
    assert not failing[0]
    assert len(names(f"{store}/a")) == 3

    failing[0] = 1000
    done = embed(table, *COLUMN, "-o", f"{store}/b")
    assert done.code == 1
    assert "cannot write there: the store is busy" in done.err
    assert not [name for name in names(f"{store}/b") if name.startswith("part-")]
    failing[0] = 0
    done = embed(table, *COLUMN, "-o", f"{store}/b", "--resume")
    assert done.code == 0, done.err
    assert len(names(f"{store}/b")) == 3


@pytest.mark.parametrize(
    ("output", "said"),
    [
        ("memory://b/o.jsonl", "give a folder or .parquet there"),
        ("memory://b/o.lance", "give a folder or .parquet there"),
        ("https://example.org/o/", "https takes no files"),
        ("nowhere://b/o/", "Protocol not known"),
    ],
)
def test_what_cannot_be_written_is_told(output: str, said: str, table: Path, embed: Embed) -> None:
    done = embed(table, *COLUMN, "-o", output)
    assert done.code in (1, 2)
    assert said in done.err


def test_a_file_uri_is_a_path(table: Path, tmp_path: Path, embed: Embed) -> None:
    done = embed(table, *COLUMN, "-o", (tmp_path / "o.parquet").as_uri())
    assert done.code == 0, done.err
    assert len(pq.read_table(tmp_path / "o.parquet")) == 6
