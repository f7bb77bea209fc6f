"""Makes the output from segments: Parquet, npz or JSON lines; and rows from an output, to add to it."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bindrt.bundle.space import require_same_space
from bindrt.commands.indexing import index_rows
from bindrt.commands.segments import (
    Row,
    Segments,
    as_json_line,
    schema,
    table_space,
    to_table,
    vectors_of,
)
from bindrt.errors import InputError, OptionError

SUFFIXES = (".parquet", ".npz", ".jsonl")


def check_suffix(output: Path) -> None:
    if output.suffix not in SUFFIXES:
        raise OptionError(
            f"-o {output}", f"unknown suffix {output.suffix!r}", f"one of {', '.join(SUFFIXES)}"
        )


def finish(segments: Segments, dim: int, space: str) -> None:
    """Makes the output from the segments under another name, moves it into place, removes the segments."""
    output = segments.output
    beside = output.with_name(output.name + ".new")
    writers = {".parquet": write_parquet, ".npz": write_npz, ".jsonl": write_jsonl}
    with open(beside, "wb") as file:
        writers[output.suffix](file, segments, dim, space)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, output)
    segments.remove()


def write_parquet(file: object, segments: Segments, dim: int, space: str) -> None:
    with pq.ParquetWriter(file, schema(dim, space)) as writer:
        for table in segments.tables():
            writer.write_table(table)


def write_jsonl(file: object, segments: Segments, dim: int, space: str) -> None:
    for table in segments.tables():
        for row in table_rows(table):
            file.write((as_json_line(row, space) + "\n").encode())  # type: ignore[attr-defined]


def write_npz(file: object, segments: Segments, dim: int, space: str) -> None:
    """``embedding`` [N, D] (a failed row is NaN), ``source``, ``modality``, ``error`` (or ""), ``space``."""
    count = segments.rows()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[call-overload]
        with archive.open("embedding.npy", "w", force_zip64=True) as stream:
            header = {"descr": "<f4", "fortran_order": False, "shape": (count, dim)}
            np.lib.format.write_array_header_2_0(stream, header)
            for table in segments.tables(["embedding"]):
                stream.write(vectors_of(table, dim).astype("<f4").tobytes())
        for name in ("source", "modality", "error"):
            values = [v or "" for table in segments.tables([name]) for v in table.column(name).to_pylist()]
            with archive.open(f"{name}.npy", "w", force_zip64=True) as stream:
                np.lib.format.write_array(stream, np.array(values, dtype=str), allow_pickle=False)
        with archive.open("space.npy", "w") as stream:
            np.lib.format.write_array(stream, np.array(space), allow_pickle=False)


def table_rows(table: pa.Table) -> Iterator[Row]:
    dim = table.schema.field("embedding").type.list_size
    vectors = vectors_of(table, dim)
    columns = [table.column(name).to_pylist() for name in ("source", "modality", "error")]
    for i, (source, modality, error) in enumerate(zip(*columns, strict=True)):
        yield Row(source, modality, error, None if error is not None else vectors[i])


def adopt(segments: Segments, dim: int, space: str) -> None:
    """Takes the rows of a finished output as the first segment, so that ``--resume`` adds to it.

    Raises:
        SpaceError: the output's vectors are of another space.
        InputError: the output is damaged.
    """
    output = segments.output
    if not output.exists() or segments.paths():
        return
    try:
        if output.is_dir():
            rows, theirs = index_rows(output)
        elif output.suffix == ".parquet":
            require_same_space(space, table_space(output), str(output))
            segments.write_table(pq.read_table(output))
            return
        else:
            rows, theirs = (read_npz if output.suffix == ".npz" else read_jsonl)(output)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, pa.ArrowInvalid) as error:
        raise InputError(str(output), f"cannot be added to ({error})", "choose another -o") from None
    if rows:
        require_same_space(space, theirs, str(output))
        segments.write_table(to_table(rows, dim, space))


def read_npz(path: Path) -> tuple[list[Row], str]:
    with np.load(path, allow_pickle=False) as archive:
        vectors, names = archive["embedding"], [archive[n].tolist() for n in ("source", "modality", "error")]
        rows = [
            Row(s, m or None, e or None, None if e else v) for s, m, e, v in zip(*names, vectors, strict=True)
        ]
        return rows, str(archive["space"])


def read_jsonl(path: Path) -> tuple[list[Row], str]:
    rows, space = [], ""
    with open(path, encoding="utf-8") as file:
        for line in file:
            data = json.loads(line)
            vector = None if data["embedding"] is None else np.array(data["embedding"], np.float32)
            rows.append(Row(data["source"], data["modality"], data["error"], vector))
            space = data["space"]
    return rows, space
