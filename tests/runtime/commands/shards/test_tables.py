"""``bind-embed --column``: columns of tables and tar shards are embedded, others carried through."""

from __future__ import annotations

import functools
import io
import json
import operator
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt.tables.places import ParquetBlock, table_blocks
from bindrt.tables.samples import SamplesBlock
from support.embedding import PHOTO, SOUND, Embed
from support.picture_rows import rows_with_pictures

N = 10
COLUMNS = ("--column", "image=photo", "--column", "text=caption")


@pytest.fixture
def rows(tmp_path: Path) -> pa.Table:
    return rows_with_pictures(tmp_path, N)


def as_json_lines(table: pa.Table, path: Path) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))


def as_arrow(table: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(path, table.schema) as writer:
        writer.write_table(table, max_chunksize=3)


def as_parquet(table: pa.Table, path: Path) -> None:
    pq.write_table(table, path, row_group_size=3)


FORMS: dict[str, Callable[[pa.Table, Path], None]] = {
    "t.parquet": as_parquet,
    "t.arrow": as_arrow,
    "t.csv": pyarrow.csv.write_csv,
    "t.jsonl": as_json_lines,
}


def found_in(folder: Path) -> pa.Table:
    return pa.concat_tables([pq.read_table(path) for path in sorted(folder.glob("*.parquet"))])


def check(found: pa.Table) -> None:
    """Every row once, in order, with its other columns, and with what became of each modality."""
    with bindrt.load("tiny") as model:
        photo = model.embed(image=PHOTO).image[0]
        captions = model.embed(text=[f"a bell {n}" for n in range(N)]).text
    assert found["number"].to_pylist() == list(range(N))
    for n, row in enumerate(found.to_pylist()):
        if n == 3:
            assert row["image_embedding"] is None
            assert "there is no such file" in row["image_error"]
        else:
            assert np.allclose(row["image_embedding"], photo, atol=1e-5)
            assert row["image_error"] is None
        assert row["text_error"] is None
        if n != 4:
            assert np.allclose(row["text_embedding"], captions[n], atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_table(form: str, rows: pa.Table, tmp_path: Path, embed: Embed) -> None:
    FORMS[form](rows, tmp_path / form)
    done = embed(tmp_path / form, *COLUMNS, "-o", tmp_path / "out", "--block", 4, "--on-error", "skip")
    assert done.code == 0, done.err
    check(found_in(tmp_path / "out"))
    assert len(list((tmp_path / "out").iterdir())) > 1
    assert "10 rows" in done.err
    assert "1 failed" in done.err


def test_one_file_of_all_parts(rows: pa.Table, tmp_path: Path, embed: Embed) -> None:
    as_parquet(rows, tmp_path / "t.parquet")
    out = tmp_path / "out.parquet"
    done = embed(tmp_path / "t.parquet", *COLUMNS, "-o", out, "--block", 4, "--on-error", "skip", "--json")
    assert done.summary["rows"] == N
    assert done.summary["failed"] == 1
    check(pq.read_table(out))
    assert pq.read_schema(out).metadata[b"bindrt.space"]
    assert not (tmp_path / "out.parquet.shards").exists()


def test_a_saved_dataset_and_its_cells(tmp_path: Path, embed: Embed) -> None:
    datasets = pytest.importorskip("datasets", reason="datasets is not installed (extra huggingface)")
    cells = [{"bytes": PHOTO.read_bytes(), "path": None}, {"bytes": None, "path": str(PHOTO)}]
    rows = datasets.Dataset.from_dict({"number": [0, 1], "photo": cells}).cast_column(
        "photo", datasets.Image()
    )
    datasets.DatasetDict({"train": rows, "test": rows}).save_to_disk(tmp_path / "saved")
    done = embed(tmp_path / "saved", "--column", "image=photo", "-o", tmp_path / "out")
    assert done.code == 0, done.err
    found = found_in(tmp_path / "out")
    assert found.column_names == ["number", "image_embedding", "image_error"]
    assert found["number"].to_pylist() == [0, 1, 0, 1]
    assert found["image_embedding"].null_count == 0


def test_cells_of_csv(tmp_path: Path, embed: Embed) -> None:
    """An empty cell is missing; a text may have two lines, and be one that elsewhere means "missing"."""
    (tmp_path / "t.csv").write_text('caption,number\n"two\nlines",1\n,2\nNA,3\n')
    done = embed(tmp_path / "t.csv", "--column", "text=caption", "-o", tmp_path / "out.parquet")
    assert done.code == 0, done.err
    found = pq.read_table(tmp_path / "out.parquet")
    assert found["caption"].to_pylist() == ["two\nlines", None, "NA"]
    assert [vector is None for vector in found["text_embedding"].to_pylist()] == [False, True, False]
    assert found["text_error"].to_pylist() == [None] * 3


def add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def test_a_member_too_large_for_memory_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large.tar"
    header = tarfile.TarInfo("a.jpg")
    header.size = 3 << 30  # which never follows
    path.write_bytes(header.tobuf())
    with pytest.raises(bindrt.LimitError, match=r"large\.tar/a\.jpg: it has more than 2147483648 bytes"):
        list(SamplesBlock(str(path)).tables(8))


@pytest.mark.parametrize("damage", ["a header", "its end"])
@pytest.mark.parametrize("way", [["--column", "image=webp"], []], ids=["samples", "files"])
def test_a_damaged_tar_loses_nothing_in_silence(
    damage: str, way: list[str], tmp_path: Path, embed: Embed
) -> None:
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        for n in range(3):
            add(archive, f"{n}.webp", PHOTO.read_bytes())
        offset = archive.getmember("2.webp").offset
    data = bytearray((tmp_path / "s.tar").read_bytes())
    data[offset + 100 : offset + 200] = b"\xff" * 100
    (tmp_path / "s.tar").write_bytes(data if damage == "a header" else data[: offset + 200])
    done = embed(tmp_path / "s.tar", *way, "-o", tmp_path / "out.parquet")
    assert done.code == 1
    assert "a header is damaged" in done.err


def test_tables_without_rows_and_with_a_name_twice(tmp_path: Path, embed: Embed) -> None:
    pq.write_table(pa.table({"photo": pa.array([], pa.string())}), tmp_path / "none.parquet")
    done = embed(tmp_path / "none.parquet", "--column", "image=photo", "-o", tmp_path / "out.parquet")
    assert done.code == 0, done.err
    assert pq.read_table(tmp_path / "out.parquet").column_names == ["image_embedding", "image_error"]
    twice = pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], names=["photo", "photo"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    done = embed(tmp_path / "twice.parquet", "--column", "image=photo", "-o", tmp_path / "o.parquet")
    assert done.code == 1
    assert "has it twice" in done.err
    assert not (tmp_path / "o.parquet.shards").exists()


def test_a_column_without_any_value_is_told(tmp_path: Path, embed: Embed) -> None:
    """In a tar shard a wrong extension looks so."""
    with tarfile.open(tmp_path / "s.tar", "w") as archive:
        add(archive, "0.webp", PHOTO.read_bytes())
    asked = (tmp_path / "s.tar", "--column", "image=wepb", "-o", tmp_path / "out.parquet")
    done = embed(*asked, "--json")
    assert done.code == 3
    assert done.summary["empty_columns"] == ["wepb"]


def test_an_output_below_the_tables_is_no_table(rows: pa.Table, tmp_path: Path, embed: Embed) -> None:
    as_parquet(rows, tmp_path / "t.parquet")
    asked = (tmp_path, *COLUMNS, "-o", tmp_path / "out", "--on-error", "skip")
    assert embed(*asked).code == 0
    done = embed(*asked, "--resume", "--json")
    assert (done.summary["rows"], done.summary["kept"]) == (0, N)


@pytest.mark.parametrize("name", ["s.tar", "s.tar.gz"])
def test_samples_of_a_tar_shard(name: str, tmp_path: Path, embed: Embed) -> None:
    with tarfile.open(tmp_path / name, "w:gz" if name.endswith("gz") else "w") as archive:
        for n in range(3):
            add(archive, f"d/{n}.webp", PHOTO.read_bytes() if n else b"no picture")
            add(archive, f"d/{n}.txt", f"a bell {n}".encode())
            if n:
                add(archive, f"d/{n}.wav", SOUND.read_bytes())
            add(archive, f"d/{n}.json", b'{"a": 1}')
    wanted = ("--column", "image=webp", "--column", "text=txt", "--column", "audio=wav")
    done = embed(tmp_path / name, *wanted, "-o", tmp_path / "out", "--on-error", "skip")
    assert done.code == 0, done.err
    found = found_in(tmp_path / "out").to_pylist()
    with bindrt.load("tiny") as model:
        vectors = model.embed(image=PHOTO, audio=SOUND, text=["a bell 0", "a bell 1", "a bell 2"])
    assert [row["__key__"] for row in found] == ["d/0", "d/1", "d/2"]
    assert [row["json"] for row in found] == ['{"a": 1}'] * 3
    assert found[0]["image_embedding"] is None
    assert found[0]["image_error"]
    assert found[0]["audio_embedding"] is None
    assert found[0]["audio_error"] is None
    for row, text in zip(found, vectors.text, strict=True):
        assert np.allclose(row["text_embedding"], text, atol=1e-5)
    for row in found[1:]:
        assert np.allclose(row["image_embedding"], vectors.image[0], atol=1e-5)
        assert np.allclose(row["audio_embedding"], vectors.audio[0], atol=1e-5)
    assert "webp" not in found[1]


def test_resume_does_only_what_is_missing(rows: pa.Table, tmp_path: Path, embed: Embed) -> None:
    as_parquet(rows, tmp_path / "t.parquet")
    asked = (tmp_path / "t.parquet", *COLUMNS, "-o", tmp_path / "out", "--block", 4, "--on-error", "skip")
    embed(*asked)
    first, second, *_ = sorted((tmp_path / "out").glob("*.parquet"))
    before = first.stat().st_mtime_ns, found_in(tmp_path / "out")
    second.unlink()
    assert "add --resume" in embed(*asked).err
    done = embed(*asked, "--resume", "--json")
    assert done.summary["rows"] + done.summary["kept"] == N
    assert done.summary["rows"] < N
    assert first.stat().st_mtime_ns == before[0]
    assert found_in(tmp_path / "out").drop_columns(["image_embedding", "text_embedding"]) == before[
        1
    ].drop_columns(["image_embedding", "text_embedding"])
    other = embed(*asked[:-3], 2, "--on-error", "skip", "--resume")
    assert other.code == 2
    assert "its parts are of" in other.err


def test_an_error_ends_the_job_unless_it_is_skipped(rows: pa.Table, tmp_path: Path, embed: Embed) -> None:
    as_parquet(rows, tmp_path / "t.parquet")
    done = embed(tmp_path / "t.parquet", *COLUMNS, "-o", tmp_path / "out")
    assert done.code == 1
    assert "none.webp" in done.err
    assert "add --on-error skip" in done.err
    assert not list((tmp_path / "out").glob("*"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["t.parquet", "-o", "out.parquet"], "of a table embed columns: --column image=NAME"),
        (["t.parquet", "--column", "image=photo"], "there is no output"),
        (["t.parquet", "--column", "photo", "-o", "out"], "it is not MODALITY=COLUMN"),
        (["t.parquet", "--column", "image=a", "--column", "image=b", "-o", "out"], "has a column already"),
        (["t.parquet", "--column", "image=picture", "-o", "out"], "the rows do not have it"),
        (["t.parquet", "--column", "image=photo", "-o", "out.npz"], "it cannot be made of shards"),
        (["t.parquet", "--column", "image=photo", "-o", "out", "--modality", "image"], "it is for files"),
        (["photo.webp", "--column", "image=photo", "-o", "out"], "it is no table"),
        (["none.parquet", "--column", "image=photo", "-o", "out"], "there is no such file"),
        (["bad.parquet", "--column", "image=photo", "-o", "out"], "the table cannot be read"),
        (["bad.tar", "--column", "image=jpg", "-o", "out"], "the shard cannot be read"),
        (["t.parquet", "--column", "image=photo", "-o", "out", "--actors", "2"], "there is no cluster"),
        (["t.parquet", "--column", "image=photo", "-o", "out", "--block", "0"], "a number from 1 on"),
    ],
)
def test_what_is_wrong_is_told(
    arguments: list[str], said: str, rows: pa.Table, tmp_path: Path, embed: Embed, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    as_parquet(rows, tmp_path / "t.parquet")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1 and no more")
    (tmp_path / "bad.tar").write_bytes(b"no archive" * 100)
    done = embed(*arguments)
    assert done.code in (1, 2)
    assert said in done.err


def test_blocks_follow_the_row_groups(tmp_path: Path) -> None:
    table = pa.table({"n": range(100)})
    pq.write_table(table, tmp_path / "small.parquet", row_group_size=3)
    pq.write_table(table, tmp_path / "large.parquet", row_group_size=90)
    for name, rows, most in (
        ("small.parquet", 10, 12),
        ("large.parquet", 10, 19),
        ("large.parquet", 1000, 100),
    ):
        blocks = list(table_blocks([str(tmp_path / name)], rows))
        assert all(isinstance(block, ParquetBlock) and block.count <= most for block in blocks)
        found = [t["n"].to_pylist() for block in blocks for t in block.tables(7)]  # type: ignore[attr-defined]
        assert functools.reduce(operator.iadd, found, []) == list(range(100))
        assert len({block.name for block in blocks}) == len(blocks)
