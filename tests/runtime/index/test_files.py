"""The files of an index: damaged, cut while in use, written by two at once or by one that is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import bindrt
from bindrt.index import Index
from support.indexes import DIM, SPACE, filled, unit

TEXTS = pa.schema({name: pa.string() for name in ("id", "modality", "metadata")})
LOADING = """
import bindrt, resource, sys
from bindrt.index import Index
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    print(len(Index.load(sys.argv[1])))
except bindrt.InputError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    filled(40).save(tmp_path / "a.index")
    return tmp_path / "a.index"


def header_with(**changes: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        header = json.loads((path / "index.json").read_text())
        (path / "index.json").write_text(json.dumps({**header, **changes}))

    return change


def bytes_of(name: str, data: bytes) -> Callable[[Path], None]:
    return lambda path: (path / name).write_bytes(data) and None


def npy_header(text: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        head = text.encode()
        data = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head
        (path / "vectors.npy").write_bytes(data + bytes(40 * DIM * 4))

    return change


def row_of(value: float) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        rows = np.load(path / "vectors.npy")
        rows[7] *= value
        np.save(path / "vectors.npy", rows)

    return change


def columns(**changes: Any) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        table = pq.read_table(path / "rows.parquet")
        found = {**{name: table.column(name) for name in table.column_names}, **changes}
        pq.write_table(pa.table({k: v for k, v in found.items() if v is not None}), path / "rows.parquet")

    return change


def pipe(name: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        (path / name).unlink()
        os.mkfifo(path / name)

    return change


@pytest.mark.parametrize(
    "damage",
    [
        header_with(dim=2**70),
        header_with(count=-1),
        header_with(count=41),
        header_with(count=True),
        header_with(dtype="float64"),
        header_with(dtype="float16"),
        header_with(dtype=["float32"]),
        header_with(bundle=None),
        header_with(schema=[1]),
        header_with(approximate=True),
        bytes_of("index.json", b"[" * 50_000),
        bytes_of("index.json", b"[]"),
        bytes_of("index.json", b"\xff\xfe"),
        npy_header("{'descr': '<f4', 'shape': (" + "(" * 300),
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (40, 24"),
        npy_header("{'descr': '|O', 'fortran_order': False, 'shape': (40, 24), }\n"),
        npy_header("{'descr': '<f4', 'fortran_order': True, 'shape': (40, 24), }\n"),
        npy_header("{'descr': '<f4', 'fortran_order': False, 'shape': (41, 24), }\n"),
        npy_header("\x00" * 100),
        row_of(float("nan")),
        row_of(float("inf")),
        row_of(1e30),
        row_of(1.01),
        row_of(0),
        bytes_of("rows.parquet", b"PAR1" + bytes(100) + b"PAR1"),
        bytes_of("rows.parquet", b""),
        columns(id=pa.array(range(40))),
        columns(id=pa.array([None] * 40, pa.string())),
        columns(id=pa.array([["a"]] * 40)),
        columns(id=pa.array([b"\xff"] * 40, pa.binary())),
        columns(modality=None),
        columns(metadata=pa.array([{"n": 1}] * 40)),
        columns(number=pa.array(["1"] * 40)),
        pipe("index.json"),
        pipe("vectors.npy"),
        pipe("rows.parquet"),
    ],
)
def test_damaged_files_are_errors_that_name_the_index(path: Path, damage: Callable[[Path], None]) -> None:
    damage(path)
    with pytest.raises(bindrt.InputError, match=r"a\.index"):
        Index.load(path)


@pytest.mark.parametrize("text", ["[" * 3000, "{", "[1]", "3", '"a"', "NaN"])
def test_damaged_metadata_is_an_error_where_it_is_used(path: Path, text: str) -> None:
    columns(metadata=pa.array([text] * 40))(path)
    index = Index.load(path)
    for use in (lambda: index.search(unit(1)), lambda: index.get("i3"), lambda: index.metadata):
        with pytest.raises(bindrt.InputError, match="metadata of row"):
            use()
    with pytest.raises(bindrt.InputError, match="metadata of row"):
        index.search(unit(1), where={"n": 1})


def test_without_verifying_a_search_still_refuses_impossible_scores(path: Path) -> None:
    row_of(1e30)(path)
    index = Index.load(path, verify=False)
    for use in (lambda: index.search(unit(1)), lambda: index.pairs(0.5)):
        with pytest.raises(bindrt.InputError, match=r"row \d+ of the index: it has not unit length"):
            use()
    with pytest.raises(bindrt.OptionError, match="verify"):
        Index.load(path, verify="no")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", [None, 3, b"", "", "a\0b"])
def test_paths_that_are_none(name: Any) -> None:
    with pytest.raises(bindrt.OptionError, match="path"):
        Index.load(name)
    with pytest.raises(bindrt.OptionError, match="path"):
        filled(2).save(name)


def test_what_the_system_refuses_to_write() -> None:
    with pytest.raises(bindrt.Error, match="cannot be written"):
        filled(2).save("/proc/a.index")


@pytest.mark.parametrize("column", ["id", "metadata"])
def test_little_parquet_takes_little_memory(column: str, tmp_path: Path) -> None:
    """30 000 texts of 20 kB that are all the same, in a small file: 600 MB if each is held."""
    count, path = 30_000, tmp_path / "a.index"
    index = Index(SPACE, 1)
    index.add(np.ones((count, 1), np.float32), np.arange(count), on_duplicate="keep")
    index.save(path)
    kinds = ({}, {"compression": "zstd"}, {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"})
    for options in kinds:
        with pq.ParquetWriter(path / "rows.parquet", TEXTS, **options) as out:
            for _ in range(3):
                part = {name: pa.array([""] * (count // 3)) for name in TEXTS.names}
                part[column] = pa.array([json.dumps({"x": "x" * 20_000})] * (count // 3))
                out.write_table(pa.table(part))
        assert (path / "rows.parquet").stat().st_size < 200_000
        done = subprocess.run(
            [sys.executable, "-c", LOADING, str(path)], capture_output=True, text=True, check=True
        )
        said, kilobytes = done.stdout.splitlines()
        assert said == str(count) if not options else "rows.parquet" in said
        assert int(kilobytes) < 250_000


@pytest.mark.parametrize("name", ["vectors.npy", "graph.usearch"])
def test_a_file_that_is_cut_while_in_use(name: str, tmp_path: Path) -> None:
    """Reading behind the end of a mapped file would end the process with SIGBUS."""
    filled(2000, approximate=True).save(tmp_path / "a.index")
    index = Index.load(tmp_path / "a.index")
    os.truncate(tmp_path / "a.index" / name, 4096)
    for use in (
        lambda: index.search(unit(1)),
        lambda: index.search(unit(1), modality="image"),
        lambda: index.get("i3"),
        lambda: index.vectors,
        lambda: index.pairs(0.9),
        lambda: index.remove("i3"),
        lambda: index.update(unit(1), ["i3"]),
        lambda: index.add(unit(1), ["new"]),
        lambda: index.save(tmp_path / "b.index"),
    ):
        with pytest.raises(bindrt.InputError, match="was cut"):
            use()


def test_a_graph_that_is_not_the_one_that_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "a.index"
    filled(50, approximate=True).save(path)
    graph = path / "graph.usearch"
    whole = graph.read_bytes()
    for damaged in (whole[:-100], whole[:10], b"", whole[:3000] + b"\xff" * 8 + whole[3008:]):
        graph.write_bytes(damaged)
        with pytest.raises(bindrt.InputError, match=r"graph\.usearch"):
            Index.load(path)
    graph.unlink()
    os.mkfifo(graph)
    with pytest.raises(bindrt.InputError, match=r"graph\.usearch"):
        Index.load(path)


def test_an_index_is_used_while_another_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.index"
    filled(100, approximate=True).save(path)
    index = Index.load(path)
    filled(10, approximate=True, seed=5).save(path)
    index.add(unit(1, 9), ["new"])
    assert len(index) == 101
    assert [hits[0].id for hits in index.search(unit(100), 1)] == filled(100).ids


def test_two_that_save_to_one_place_wait_for_each_other(tmp_path: Path) -> None:
    path, failed = tmp_path / "a.index", []

    def save(size: int) -> None:
        try:
            for _ in range(5):
                filled(size).save(path)
                assert len(Index.load(path)) in (10, 20, 30)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=save, args=(size,)) for size in (10, 20, 30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [p.name for p in tmp_path.iterdir()] == ["a.index"]


def test_a_killed_save_leaves_a_whole_index_and_the_next_one_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.index"
    filled(10).save(path)
    program = (
        "import sys; from support.indexes import filled\n"
        "index = filled(3000); print('ready', flush=True)\n"
        "while True: index.save(sys.argv[1])\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    sizes = set()
    for seed in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, env=environment
        ) as saver:
            assert saver.stdout is not None
            saver.stdout.readline()
            threading.Event().wait(random.Random(seed).uniform(0.02, 0.2))
            saver.send_signal(signal.SIGKILL)
        sizes.add(len(Index.load(path)))
    assert sizes <= {10, 3000}
    (tmp_path / "a.index.new.4711").mkdir()  # what an earlier version left
    (tmp_path / "a.index.new.4711/index.json").write_text("{}")
    filled(20).save(path)
    assert len(Index.load(path)) == 20
    assert [p.name for p in tmp_path.iterdir()] == ["a.index"]


def test_a_folder_of_something_else_is_not_cleared(tmp_path: Path) -> None:
    (tmp_path / ".a.index.new").mkdir()
    (tmp_path / ".a.index.new/diary.txt").write_text("mine")
    with pytest.raises(bindrt.OptionError, match="something else"):
        filled(2).save(tmp_path / "a.index")
    assert (tmp_path / ".a.index.new/diary.txt").read_text() == "mine"


def test_a_link_to_an_index_stays_a_link(path: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("a.index")
    filled(6).save(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert len(Index.load(path)) == 6
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.index", "link"]
