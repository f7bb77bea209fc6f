"""Tables and tar shards behind URLs: a store in memory, and one that fails now and then."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bindrt.sources import remote
from support.embedding import PHOTO, Embed


def put(url: str, data: bytes) -> None:
    with fsspec.open(url, "wb") as file:
        file.write(data)


def parquet(rows: pa.Table) -> bytes:
    out = io.BytesIO()
    pq.write_table(rows, out, row_group_size=2)
    return out.getvalue()


def shard(count: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for n in range(count):
            member = tarfile.TarInfo(f"{n}.webp")
            member.size = PHOTO.stat().st_size
            archive.addfile(member, io.BytesIO(PHOTO.read_bytes()))
    return out.getvalue()


def test_a_table_names_pictures_beside_it(store: str, tmp_path: Path, embed: Embed) -> None:
    put(f"{store}/pics/a.webp", PHOTO.read_bytes())
    photos = ["pics/a.webp", f"{store}/pics/a.webp", "pics/b.webp"]
    put(f"{store}/1.parquet", parquet(pa.table({"n": [1, 2, 3], "photo": photos})))
    done = embed(f"{store}/1.parquet", "--column", "image=photo", "-o", tmp_path / "o", "--on-error", "skip")
    assert done.code == 0, done.err
    found = pa.concat_tables([pq.read_table(path) for path in sorted((tmp_path / "o").iterdir())])
    assert found["n"].to_pylist() == [1, 2, 3]
    assert found["image_embedding"].is_null().to_pylist() == [False, False, True]
    assert "there is no such file" in found["image_error"][2].as_py()


def test_every_shard_below_a_folder(store: str, tmp_path: Path, embed: Embed) -> None:
    put(f"{store}/shards/a.tar", shard(2))
    put(f"{store}/shards/b.tar", shard(3))
    done = embed(f"{store}/shards/", "--column", "image=webp", "-o", tmp_path / "o.parquet")
    assert done.code == 0, done.err
    assert pq.read_table(tmp_path / "o.parquet")["__key__"].to_pylist() == ["0", "1", "0", "1", "2"]


def test_what_fails_for_a_moment_is_tried_again(
    store: str, tmp_path: Path, embed: Embed, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(f"{store}/a.tar", shard(1))
    filesystem = type(fsspec.filesystem("memory"))
    plain, failed = filesystem._open, []

    def failing(self: Any, path: str, *args: Any, **options: Any) -> Any:
        if len(failed) < 2:
            failed.append(path)
            raise ConnectionError("the store is busy")
        return plain(self, path, *args, **options)

    monkeypatch.setattr(filesystem, "_open", failing)
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    done = embed(f"{store}/a.tar", "--column", "image=webp", "-o", tmp_path / "o")
    assert done.code == 0, done.err
    assert len(failed) == 2


class Failing(io.BytesIO):
    """A file of which every second read fails, in its middle."""

    calls = 0

    def read(self, count: int | None = -1) -> bytes:  # type: ignore[override]
        Failing.calls += 1
        if Failing.calls % 2:
            super().read(3)
            raise TimeoutError("the store is slow")
        return super().read(count)


def test_a_read_that_fails_is_tried_again_from_where_it_began(
    store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = parquet(pa.table({"n": range(1000)}))
    monkeypatch.setattr(
        type(fsspec.filesystem("memory")), "_open", lambda self, path, *args, **options: Failing(data)
    )
    monkeypatch.setattr(remote.time, "sleep", lambda seconds: None)
    with remote.open_remote(f"{store}/a.parquet") as file:
        assert pq.read_table(file)["n"].to_pylist() == list(range(1000))
    with remote.open_remote(f"{store}/a.parquet") as file:
        assert file.read() == data
        assert file.seek(-4, io.SEEK_END) == len(data) - 4
        assert file.read() == b"PAR1"
    assert Failing.calls > 4


@pytest.mark.deep
def test_a_server_of_s3(s3: str, tmp_path: Path, embed: Embed) -> None:
    put(f"{s3}/pics/a.webp", PHOTO.read_bytes())
    put(f"{s3}/a.parquet", parquet(pa.table({"n": range(5), "photo": ["pics/a.webp"] * 5})))
    put(f"{s3}/shards/a.tar", shard(2))
    done = embed(f"{s3}/a.parquet", "--column", "image=photo", "-o", tmp_path / "o.parquet")
    assert done.code == 0, done.err
    assert pq.read_table(tmp_path / "o.parquet")["image_embedding"].null_count == 0
    done = embed(f"{s3}/shards/", "--column", "image=webp", "-o", tmp_path / "s.parquet")
    assert done.code == 0, done.err
    assert pq.read_table(tmp_path / "s.parquet")["__key__"].to_pylist() == ["0", "1"]


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("memory://none/a.parquet", "there is no such file"),
        ("nowhere://a.parquet", "Protocol not known"),
        ("simplecache::memory://a.parquet", "chained URLs are not opened"),
    ],
)
def test_what_cannot_be_read_is_told(url: str, said: str, tmp_path: Path, embed: Embed) -> None:
    done = embed(url, "--column", "image=photo", "-o", tmp_path / "o")
    assert done.code == 1
    assert said in done.err
