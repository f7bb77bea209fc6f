"""Rows through segments into every format and back, whatever their text."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bindrt.commands.adopting import adopt
from bindrt.commands.outputs import finish
from bindrt.commands.rows import Row
from bindrt.commands.segment_writer import SegmentWriter
from bindrt.commands.segments import Segments
from bindrt.text import clean

DIM, SPACE = 3, "imagebind-3-float-test"
#: Any text but NUL, which NumPy's fixed-width strings drop at the end.
TEXT = st.text(st.characters(exclude_characters="\0"), max_size=20)
VECTOR = st.lists(st.floats(-1, 1, width=32), min_size=DIM, max_size=DIM)


@st.composite
def row(draw: st.DrawFn) -> Row:
    error = draw(st.none() | TEXT.filter(bool))
    vector = None if error is not None else np.array(draw(VECTOR), np.float32)
    return Row(draw(TEXT), draw(st.sampled_from(["image", "text", "imu"])), error, vector)


def rows_of(segments: Segments) -> list[tuple[str, str, str | None, list[float] | None]]:
    return [
        (r["source"], r["modality"], r["error"], r["embedding"])
        for table in segments.tables()
        for r in table.to_pylist()
    ]


@pytest.mark.parametrize("suffix", [".parquet", ".npz", ".jsonl"])
@settings(max_examples=25, deadline=None)
@given(batches=st.lists(st.lists(row(), max_size=5), max_size=4))
def test_rows_come_back_as_they_went_in(suffix: str, batches: list[list[Row]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / f"out{suffix}"
        first = Segments(output, DIM, SPACE, resume=False)
        for batch in batches:
            first.write(batch)
        expected = rows_of(first)
        assert [e[0] for e in expected] == [clean(r.source) for batch in batches for r in batch]
        finish(first)
        again = Segments(output, DIM, SPACE, resume=True)
        adopt(again)
        assert rows_of(again) == expected


def some(*names: str) -> list[Row]:
    return [Row(name, "text", None, np.ones(DIM, np.float32)) for name in names]


def test_a_segment_that_an_interrupt_left_open_is_written_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C just after the segment is in its place: what comes then goes into the same one."""
    segments = Segments(tmp_path / "out.parquet", DIM, SPACE, resume=False)
    segments.write(some("before"))
    writer = SegmentWriter(segments)
    for row in some("a", "b"):
        writer.add(row)
    replace = os.replace

    def interrupted(*args: Any) -> None:
        replace(*args)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt):
            writer.flush()
    writer.add(*some("c"))
    writer.flush()
    writer.flush()
    writer.add(*some("d"))
    writer.flush()
    assert [name for name, *_ in rows_of(segments)] == ["before", "a", "b", "c", "d"]


@pytest.mark.parametrize("removed", range(4))
def test_a_kill_while_segments_are_removed_loses_no_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, removed: int
) -> None:
    output = tmp_path / "out.parquet"
    segments = Segments(output, DIM, SPACE, resume=False)
    for name in "abc":
        segments.write(some(name))

    def killed(folder: Path, *_: Any, **__: Any) -> None:
        for path in sorted(Path(folder).iterdir())[:removed]:
            path.unlink()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            finish(segments)
    again = Segments(output, DIM, SPACE, resume=True)
    adopt(again)
    again.write(some("d"))
    finish(again)
    last = Segments(output, DIM, SPACE, resume=True)
    adopt(last)
    assert sorted(name for name, *_ in rows_of(last)) == ["a", "b", "c", "d"]
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".old"] == []
