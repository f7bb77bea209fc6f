"""CSV and JSON lines are read in pieces: no row is lost at a cut, and one type holds for all rows."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import fsspec
import pyarrow as pa
import pytest

import bindrt
from bindrt.tables import lines
from bindrt.tables.places import TableBlock, table_blocks


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "PIECE", 200)


def read(place: object, rows: int = 7) -> tuple[pa.Table, list[int]]:
    """All rows, and how many each block has."""
    blocks = [block for block in table_blocks([str(place)], rows) if isinstance(block, TableBlock)]
    assert [block.first for block in blocks] == [rows * n for n in range(len(blocks))]
    return pa.concat_tables([block.table for block in blocks]), [block.count for block in blocks]


def test_csv_whose_later_rows_need_wider_types(tmp_path: Path) -> None:
    values = [(n, n if n < 80 else n + 0.5, "" if n < 80 else "late", f"two\nlines {n}") for n in range(100)]
    body = "".join(f'{a},{b},{c},"{d}"\n' for a, b, c, d in values)
    (tmp_path / "t.csv").write_text("whole,mixed,late,text\n" + body)
    found, counts = read(tmp_path / "t.csv")
    assert found["whole"].to_pylist() == list(range(100))
    assert found["mixed"].to_pylist() == [float(b) for _, b, _, _ in values]
    assert found["late"].to_pylist() == [None] * 80 + ["late"] * 20
    assert found["text"].to_pylist() == [d for *_, d in values]
    assert counts == [7] * 14 + [2]


def test_json_lines_whose_later_rows_need_wider_types(tmp_path: Path) -> None:
    rows = [
        {"n": n, "x": n if n < 80 else n + 0.5, "when": "2026-01-01" if n < 80 else "soon", "a": {"b": n}}
        for n in range(100)
    ]
    rows[90]["more"] = "only here"
    (tmp_path / "t.jsonl").write_text("\n".join(map(json.dumps, rows)))  # the last line has no end
    found, counts = read(tmp_path / "t.jsonl")
    assert [row["n"] for row in found.to_pylist()] == list(range(100))
    assert found["x"].to_pylist() == [float(row["x"]) for row in rows]  # type: ignore[arg-type]
    assert found["when"].to_pylist() == [row["when"] for row in rows]
    assert found["a"].to_pylist() == [row["a"] for row in rows]
    assert found["more"].to_pylist() == [row.get("more") for row in rows]
    assert counts == [7] * 14 + [2]


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl.gz"])
def test_compressed_here_and_behind_a_url(name: str, tmp_path: Path) -> None:
    data = "a\n" + "1\n" * 300 if "csv" in name else '{"a": 1}\n' * 300
    (tmp_path / name).write_bytes(gzip.compress(data.encode()))
    fsspec.filesystem("memory").pipe(f"/lines/{name}", gzip.compress(data.encode()))
    for place in (tmp_path / name, f"memory://lines/{name}"):
        assert read(place)[0]["a"].to_pylist() == [1] * 300


@pytest.mark.parametrize(
    ("name", "data"),
    [("t.csv", 'a\n"' + "x" * 1000 + '"\n'), ("t.jsonl", '{"a": "' + "x" * 1000 + '"}\n')],
)
def test_a_line_that_is_too_long_is_told(
    name: str, data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "_LONGEST", 500)
    (tmp_path / name).write_text(data)
    with pytest.raises(bindrt.SourceError, match="the table cannot be read"):
        read(tmp_path / name)


@pytest.mark.parametrize("apart", [0, 40], ids=["in one piece", "in two"])
def test_json_whose_values_are_of_several_types(apart: int, tmp_path: Path) -> None:
    """They become texts, as a column of CSV does; one in an object makes the object a text."""
    values = [1, *[None] * apart, "a", 2.5, {"b": [1]}, True]
    deep = [{"n": 1}, *[{"n": 3}] * apart, {"n": "x"}, {}, None, {"n": 2}]
    rows = [{"n": n, "x": x, "deep": d} for n, (x, d) in enumerate(zip(values, deep, strict=True))]
    (tmp_path / "t.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    table, _ = read(tmp_path / "t.jsonl")
    found = table.to_pylist()
    assert [row["n"] for row in found] == list(range(len(rows)))
    assert [row["x"] for row in found] == ["1", *[None] * apart, "a", "2.5", '{"b": [1]}', "true"]
    assert [row["deep"] and json.loads(row["deep"]) for row in found] == deep
