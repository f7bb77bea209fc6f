"""Makes the output from segments: Parquet, npz, JSON lines or Lance."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq

from bindrt.commands.lance_files import SUFFIX as LANCE
from bindrt.commands.lance_files import check_lance, write_lance
from bindrt.commands.rows import (
    NUMBER_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    as_json_line,
    seconds,
    table_rows,
    vectors_of,
    whole_numbers,
)
from bindrt.commands.segments import Segments
from bindrt.errors import OptionError

SUFFIXES = (".parquet", ".npz", ".jsonl", LANCE)


def check_suffix(output: Path) -> None:
    if output.suffix not in SUFFIXES:
        raise OptionError(
            f"-o {output}", f"unknown suffix {output.suffix!r}", f"one of {', '.join(SUFFIXES)}"
        )
    if output.suffix == LANCE:
        check_lance(output)


def finish(segments: Segments) -> None:
    """Makes the output from the segments under another name, moves it into place, removes the segments."""
    output = segments.output
    output.parent.mkdir(parents=True, exist_ok=True)
    if output.suffix == LANCE:
        write_lance(output, segments.schema, segments.tables())
    else:
        _finish_file(output, segments)
    segments.remove()


def _finish_file(output: Path, segments: Segments) -> None:
    beside = output.with_name(output.name + ".new")
    writers = {".parquet": write_parquet, ".npz": write_npz, ".jsonl": write_jsonl}
    with open(beside, "wb") as file:
        writers[output.suffix](file, segments)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, output)


def write_parquet(file: object, segments: Segments) -> None:
    with pq.ParquetWriter(file, segments.schema) as writer:
        for table in segments.tables():
            writer.write_table(table)


def write_jsonl(file: object, segments: Segments) -> None:
    for table in segments.tables():
        for row in table_rows(table):
            file.write((as_json_line(row, segments.space) + "\n").encode())  # type: ignore[attr-defined]


def write_npz(file: object, segments: Segments) -> None:
    """``embedding`` [N, D] (a failed row is NaN), the other columns ("", -1, NaN for null), ``space``."""
    dtype = np.dtype(segments.dtype).newbyteorder("<")
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        with archive.open("embedding.npy", "w", force_zip64=True) as stream:
            header = {"descr": dtype.str, "fortran_order": False, "shape": (segments.rows(), segments.dim)}
            np.lib.format.write_array_header_2_0(stream, header)
            for table in segments.tables(["embedding"]):
                stream.write(vectors_of(table, segments.dim).astype(dtype).tobytes())
        for name, column in _other_columns(segments):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, column, allow_pickle=False)


def _other_columns(segments: Segments) -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    for name in ("source", "modality", "error", *TEXT_COLUMNS):
        texts = [v or "" for table in segments.tables([name]) for v in table.column(name).to_pylist()]
        yield name, np.array(texts, dtype=str)
    for name in NUMBER_COLUMNS:
        parts = [whole_numbers(table.column(name)) for table in segments.tables([name])]
        yield name, np.concatenate([np.empty(0, np.int64), *parts])
    for name in TIME_COLUMNS:
        times = [seconds(table.column(name)) for table in segments.tables([name])]
        yield name, np.concatenate([np.empty(0, np.float64), *times])
    yield "space", np.array(segments.space)
