"""``bind-embed --resume``: files that have changed, failed or gone; damaged outputs; many segments."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from bindrt.commands import embed as command
from bindrt.commands import segments as segments_module
from bindrt.commands.earlier import EarlierRows, row_key
from bindrt.commands.file_states import state_of
from bindrt.commands.outputs import finish
from bindrt.commands.rows import Row
from bindrt.commands.segment_writer import SegmentWriter
from bindrt.commands.segments import MERGE, Segments
from bindrt.index import Index
from bindrt.locks import only_writer
from support.embedding import FILM, HERE, PHOTO, SOUND, Embed, table

OTHER = HERE / "inputs/image/tiny.png"
SUFFIXES = [".parquet", ".npz", ".jsonl"]


def columns(output: Path) -> dict[str, list[Any]]:
    """The columns of an output of any format."""
    if output.suffix == ".npz":
        with np.load(output) as archive:
            return {name: archive[name].tolist() for name in archive.files if name != "space"}
    rows = (
        table(output)
        if output.suffix == ".parquet"
        else [json.loads(x) for x in output.read_text().splitlines()]
    )
    return {name: [row.get(name) for row in rows] for name in {name for row in rows for name in row}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "media"
    root.mkdir()
    shutil.copy(PHOTO, root / "a.webp")
    shutil.copy(SOUND, root / "b.wav")
    return root


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_changed_files_are_embedded_again(embed: Embed, folder: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    assert embed(folder, "-o", output).code == 0
    before = columns(output)
    assert before["size"] == [(folder / name).stat().st_size for name in ("a.webp", "b.wav")]
    assert all(len(digest) == 64 for digest in before["sha256"])
    os.utime(folder / "b.wav", ns=(1, 1))  # touched, with the same content
    shutil.copy(OTHER, folder / "a.webp")
    done = embed(folder, "-o", output, "--resume", "--json")
    assert {n: done.summary[n] for n in ("rows", "changed", "kept", "gone")} == {
        "rows": 1, "changed": 1, "kept": 1, "gone": 0,
    }  # fmt: skip
    after = columns(output)
    assert sorted(after["source"]) == [str(folder / "a.webp"), str(folder / "b.wav")]
    at = after["source"].index(str(folder / "a.webp"))
    fresh = embed(OTHER).rows[0]["embedding"]
    np.testing.assert_allclose(after["embedding"][at], fresh, atol=1e-5)
    assert embed(folder, "-o", output, "--resume", "--json").summary["rows"] == 0
    assert columns(output)["source"] == after["source"]


def test_a_kill_before_the_end_leaves_no_second_row_of_a_changed_file(
    embed: Embed, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new row is on disk, and the old one in an earlier segment: the next run must see one of them."""
    output = tmp_path / "out.parquet"
    assert embed(folder, "-o", output).code == 0
    shutil.copy(OTHER, folder / "a.webp")

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(command, "close_run", killed)
        assert embed(folder, "-o", output, "--resume").code == 130
    done = embed(folder, "-o", output, "--resume", "--json")
    assert (done.summary["rows"], done.summary["kept"]) == (0, 2)
    assert len(table(output)) == 2
    shutil.copy(PHOTO, folder / "a.webp")
    assert embed(folder, "-o", output, "--resume", "--json").summary["changed"] == 1
    assert len(table(output)) == 2


def test_failed_inputs_are_tried_again_if_that_is_wanted(embed: Embed, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    inputs = (folder / "a.webp", "missing.webp", tmp_path / "later.webp")
    assert embed(*inputs, "-o", output, "--on-error", "skip").code == 0
    shutil.copy(PHOTO, tmp_path / "later.webp")
    done = embed(*inputs, "-o", output, "--on-error", "skip", "--resume", "--json")
    assert done.summary["rows"] == 0
    done = embed(*inputs, "-o", output, "--on-error", "skip", "--resume", "--retry-failed", "--json")
    assert (done.summary["retried"], done.summary["failed"]) == (2, 1)
    rows = {row["source"]: row["error"] is None for row in table(output)}
    assert rows == {str(inputs[0]): True, "missing.webp": False, str(inputs[2]): True}


def test_rows_of_files_that_are_gone_are_told_and_pruned(embed: Embed, folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.parquet"
    (tmp_path / "other").mkdir()
    shutil.copy(PHOTO, tmp_path / "other/c.webp")
    assert embed(folder, tmp_path / "other", "--text", "a", "-o", output, "--index", tmp_path / "i").code == 0
    (folder / "a.webp").unlink()
    (tmp_path / "other/c.webp").unlink()
    done = embed(folder, "-o", output, "--index", tmp_path / "i", "--resume")
    assert "1 of files that are gone (see --prune)" in done.err
    assert len(table(output)) == 4
    done = embed(folder, "-o", output, "--index", tmp_path / "i", "--resume", "--prune", "--json")
    assert done.summary["pruned"] == 1
    sources = [row["source"] for row in table(output)]
    assert sources == [str(folder / "b.wav"), str(tmp_path / "other/c.webp"), "a"]  # of the folder alone
    assert sorted(Index.load(tmp_path / "i").ids) == sorted(sources)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_float16_is_kept_by_resume(embed: Embed, folder: Path, tmp_path: Path, suffix: str) -> None:
    output = tmp_path / f"out{suffix}"
    assert embed(folder / "a.webp", "-o", output, "--dtype", "float16").code == 0
    assert embed(folder, "-o", output, "--resume").code == 0
    full = [row["embedding"] for row in embed(folder).rows]
    np.testing.assert_allclose(columns(output)["embedding"], full, atol=1e-3)
    if suffix == ".parquet":
        assert str(pq.read_schema(output).field("embedding").type.value_type) == "halffloat"
    if suffix == ".npz":
        assert np.load(output)["embedding"].dtype == np.float16
    if suffix != ".jsonl":
        refused = embed(folder, "-o", output, "--resume", "--dtype", "float32")
        assert refused.code == 2
        assert "--dtype float32" in refused.err


DEEP = b'{"source": ' + b"[" * 100_000
ROW = {"source": "a", "modality": "text", "error": None, "space": "SPACE", "embedding": "VECTOR"}
DAMAGED = {
    "deep.jsonl": DEEP,
    "list.jsonl": b"[1, 2]\n",
    "number.jsonl": b"1\n",
    "nan.jsonl": {**ROW, "embedding": [float("nan")] * 96},
    "short.jsonl": {**ROW, "embedding": [1.0]},
    "text.jsonl": {**ROW, "embedding": "abc"},
    "nested.jsonl": {**ROW, "embedding": [[1.0] * 96]},
    "source.jsonl": {**ROW, "source": None, "embedding": [0.1] * 96},
    "both.jsonl": {**ROW, "error": "bad", "embedding": [0.1] * 96},
    "modality.jsonl": {**ROW, "modality": None, "embedding": [0.1] * 96},
    "neither.jsonl": {**ROW, "embedding": None},
    "huge.jsonl": {**ROW, "embedding": [10**400] * 96},
    "size.jsonl": {**ROW, "embedding": [0.1] * 96, "size": "big"},
    "utf8.jsonl": b"\xff\xfe\n",
    "cut.npz": b"PK\x03\x04" + bytes(40),
    "cut.parquet": b"PAR1" + bytes(40) + b"PAR1",
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_outputs_are_named_and_nothing_is_left(embed: Embed, tmp_path: Path, name: str) -> None:
    import bindrt

    content = DAMAGED[name]
    if isinstance(content, dict):
        content = (json.dumps({**content, "space": bindrt.load("tiny").space}) + "\n").encode()
    (tmp_path / name).write_bytes(content)
    done = embed("--text", "a", "-o", tmp_path / name, "--resume")
    assert done.code == 1, done.err
    assert name in done.err
    assert (tmp_path / name).read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_an_output_with_other_columns_is_named(embed: Embed, tmp_path: Path) -> None:
    import pyarrow as pa

    output = tmp_path / "out.parquet"
    assert embed("--text", "a", "-o", output).code == 0
    whole = pq.read_table(output)
    for damaged in (
        whole.select(["source", "embedding"]),
        whole.set_column(3, "embedding", pa.array([[1.0]])),
    ):
        pq.write_table(damaged.replace_schema_metadata(whole.schema.metadata), output)
        done = embed("--text", "b", "-o", output, "--resume")
        assert done.code == 1, done.err
        assert "out.parquet: cannot be added to" in done.err


def test_a_second_writer_is_refused_before_any_work(embed: Embed, tmp_path: Path) -> None:
    output, index = tmp_path / "out.parquet", tmp_path / "all.index"
    with only_writer(output, "bind-embed", "-o"), only_writer(index, "bind-embed", "--index"):
        for arguments in (("-o", output), ("-o", output, "--resume"), ("--index", index),
                          ("-o", tmp_path / "free.npz", "--index", index)):  # fmt: skip
            done = embed("--text", "a", *arguments)
            assert done.code == 1
            assert f"another bind-embed is writing it (process {os.getpid()})" in done.err
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".out.parquet.lock").write_text("1")  # a killed run's
    assert embed("--text", "a", "-o", output).code == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.parquet"]


def test_an_output_that_is_a_link_is_written_where_it_points(embed: Embed, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out.parquet").symlink_to(tmp_path / "real/out.parquet")
    assert embed("--text", "a", "-o", tmp_path / "out.parquet").code == 0
    assert (tmp_path / "out.parquet").is_symlink()
    assert len(table(tmp_path / "real/out.parquet")) == 1


def test_what_cannot_be_is_refused(embed: Embed, tmp_path: Path) -> None:
    for arguments, message in (
        (("--prune", "-o", "a.npz"), "--prune: there is no earlier run"),
        (("--retry-failed",), "--retry-failed: there is no earlier run"),
        (("--dtype", "float16"), "--dtype: it is for the vectors in a file; add -o OUT"),
        (("-o", "a.npz", "--index", "a.npz"), "it is the same place as -o"),
    ):
        done = embed("--text", "a", *arguments)
        assert done.code == 2
        assert message in done.err


DIM, SPACE = 4, "imagebind-4-float-test"


def some(count: int, first: int = 0) -> list[Row]:
    return [Row(f"{i}", "text", None, np.full(DIM, i, np.float32)) for i in range(first, first + count)]


def test_many_segments_become_few(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "LARGE", 40)
    segments = Segments(tmp_path / "out.parquet", DIM, SPACE, resume=False)
    writer = SegmentWriter(segments)
    for row in some(300):
        writer.add(row)
        writer.flush()
    assert len(segments.paths()) < 300 / 40 + MERGE
    assert [row["source"] for t in segments.tables() for row in t.to_pylist()] == [f"{i}" for i in range(300)]
    finish(segments)
    assert len(table(tmp_path / "out.parquet")) == 300


@pytest.mark.parametrize("left", range(MERGE))
def test_a_kill_while_segments_are_merged_neither_loses_nor_doubles_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, left: int
) -> None:
    """After ``left`` of the merged segments are removed."""
    segments = Segments(tmp_path / "out.parquet", DIM, SPACE, resume=False)
    for i in range(MERGE):
        segments.write([Row(f"{i}", "text", None, np.ones(DIM, np.float32), replaces=0 if i == 3 else None)])
    removed: list[Path] = []
    unlink = Path.unlink

    def killed(path: Path, missing_ok: bool = False) -> None:
        if len(removed) == left:
            raise KeyboardInterrupt
        removed.append(path)
        unlink(path, missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed)
        if left < MERGE - 1:
            with pytest.raises(KeyboardInterrupt):
                segments.merge()
        else:
            segments.merge()
    again = Segments(tmp_path / "out.parquet", DIM, SPACE, resume=True)
    assert len(again.paths()) == 1
    assert again.dropped == {0}
    again.write(some(1, MERGE))
    rows = [row["source"] for t in again.tables() for row in t.to_pylist()]
    assert rows == [f"{i}" for i in range(1, MERGE + 1)]


def test_a_damaged_segment_is_named(embed: Embed, tmp_path: Path) -> None:
    segments = Segments(tmp_path / "out.parquet", DIM, SPACE, resume=False)
    segments.write(some(1))
    (path,) = segments.paths()
    path.write_bytes(b"PAR1")
    done = embed("--text", "a", "-o", tmp_path / "out.parquet", "--resume")
    assert done.code == 1
    assert path.name in done.err
    assert "not a readable Parquet file" in done.err


def test_inputs_that_are_given_twice_have_two_rows(tmp_path: Path) -> None:
    segments = Segments(tmp_path / "out.parquet", DIM, SPACE, resume=False)
    segments.write([Row("a", "text", None, np.ones(DIM, np.float32))] * 3)
    earlier = EarlierRows(segments)
    assert [earlier.take(row_key(True, "a", None)) for _ in range(4)] == [0, 1, 2, None]
    assert earlier.take(row_key(False, "a", None)) is None


def test_strange_segments_are_named_and_left_alone(embed: Embed, tmp_path: Path) -> None:
    """Such as those of a version that named them by their order: they would look like rests of a merge."""
    assert embed("--text", "a", "-o", tmp_path / "whole.parquet").code == 0
    parts = tmp_path / "out.parquet.parts"
    parts.mkdir()
    for number in range(3):
        shutil.copy(tmp_path / "whole.parquet", parts / f"{number:012d}.parquet")
    done = embed("--text", "b", "-o", tmp_path / "out.parquet", "--resume")
    assert done.code == 1
    assert "it is not a segment of this version" in done.err
    assert len(list(parts.iterdir())) == 3


def test_hashing_stops_when_it_is_told(tmp_path: Path) -> None:
    path = tmp_path / "long"
    path.write_bytes(bytes(10))
    state, stop = state_of(str(path)), Event()
    assert state is not None
    assert state.hashed(str(path), stop).sha256 == hashlib.sha256(bytes(10)).hexdigest()
    stop.set()
    assert state.hashed(str(path), stop).sha256 is None


def test_an_index_holds_the_type_that_was_asked_for(embed: Embed, folder: Path, tmp_path: Path) -> None:
    index = tmp_path / "all.index"
    assert embed(folder / "a.webp", "--index", index, "--dtype", "float16").code == 0
    assert Index.load(index).dtype == "float16"
    assert embed(folder, "--index", index, "--resume").code == 0
    assert (Index.load(index).dtype, len(Index.load(index))) == ("float16", 2)
    small = Index(Index.load(index).space, 96, dtype="int8")
    small.save(index)
    done = embed(folder, "--index", index, "--resume")
    assert done.code == 1
    assert "its vectors are int8" in done.err


def test_the_number_of_views_is_that_of_the_whole_output(embed: Embed, tmp_path: Path) -> None:
    index = tmp_path / "all.index"
    assert embed(FILM, "--views", "5", "--index", index).code == 0
    assert Index.load(index).space.endswith("+video5")
    (tmp_path / "list.jsonl").write_text(json.dumps({"source": str(FILM), "views": 5}))
    done = embed("--manifest", tmp_path / "list.jsonl")
    assert done.code == 1
    assert "one output has one number of views; give --views for all" in done.err


def test_a_file_by_its_uri_has_a_state(embed: Embed, folder: Path, tmp_path: Path) -> None:
    place, output = (folder / "a.webp").as_uri(), tmp_path / "out.parquet"
    assert embed(place, "-o", output).code == 0
    shutil.copy(OTHER, folder / "a.webp")
    assert embed(place, "-o", output, "--resume", "--json").summary["changed"] == 1
    (folder / "a.webp").unlink()
    assert (
        embed("--text", "a", "--manifest", empty(tmp_path), "-o", output, "--resume", "--json").summary[
            "gone"
        ]
        == 1
    )


def empty(folder: Path) -> Path:
    path = folder / "none.jsonl"
    path.write_text("")
    return path
