"""An index on disk: a folder of ``index.json``, ``vectors.npy``, ``rows.parquet`` and sometimes a graph."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from bindrt.errors import InputError, OptionError, cannot_write
from bindrt.index.graph import ProximityGraph
from bindrt.index.held import Held
from bindrt.index.mapped import MappedFile, damaged, mapped_array, require_regular
from bindrt.index.place import GRAPH, HEADER, ROWS, SCALES, VECTORS, staging_for
from bindrt.index.tables import read_rows, write_rows
from bindrt.index.vectors import BLOCK_ROWS, DTYPES, MAX_DIM, Dtype, UnitRows, not_unit

SCHEMA = 1
_MAX_HEADER_BYTES = 1 << 16


@dataclass(frozen=True)
class Header:
    """What ``index.json`` holds besides the schema version; see :class:`bindrt.index.Index`.

    ``dtype`` stands there only if it is another, ``graph`` only if there is one: the SHA-256 of its file.
    """

    space: str
    dim: int
    count: int
    approximate: bool
    bundle: str
    dtype: Dtype = "float32"
    graph: str = ""


def save(path: Path, header: Header, held: Held) -> None:
    """Writes an index beside ``path`` and puts it there in one step.

    Raises:
        OptionError: ``path`` exists and is not an index.
        Error: the system refuses to write.
    """
    with _system_errors(path), staging_for(path) as folder:
        held.require_whole()
        graph = held.graph
        _write_vectors(folder, held.rows)
        write_rows(folder / ROWS, held.entries, graph.keys() if graph is not None else None)
        written = {"schema": SCHEMA, **asdict(header)}
        if graph is not None:
            graph.save(folder / GRAPH)
            written["graph"] = _sha256(folder / GRAPH)
        for name in ("dtype", "graph"):
            if written[name] == getattr(Header, name):
                del written[name]
        (folder / HEADER).write_text(json.dumps(written, indent=1) + "\n", "utf-8")


def _write_vectors(folder: Path, rows: UnitRows) -> None:
    with open(folder / VECTORS, "wb") as file:
        shape = {"descr": np.dtype(rows.dtype).str, "fortran_order": False, "shape": (len(rows), rows.dim)}
        np.lib.format.write_array_header_1_0(file, shape)
        for _, block in rows.spans(BLOCK_ROWS):
            file.write(np.ascontiguousarray(block).data)
    scales = rows.scales()
    if scales is not None:
        np.save(folder / SCALES, scales)


def load(path: Path, verify: bool) -> tuple[Header, Held]:
    """Reads what :func:`save` wrote; vectors and graph are memory-mapped.

    Args:
        verify: whether to read all vectors and the graph once, to see that they are whole.

    Raises:
        InputError: the folder is not an index, is damaged, or is of another version.
    """
    while True:
        before = _identity(path)
        try:
            found = _load(path, verify)
        except InputError:
            if _identity(path) == before:
                raise
        else:
            if _identity(path) == before:
                return found
        # Another index has taken the place meanwhile: what was read may be of both.


def _identity(path: Path) -> tuple[int, ...]:
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_ctime_ns


def _load(path: Path, verify: bool) -> tuple[Header, Held]:
    name = str(path)
    header = _header(path)
    shape = (header.count, header.dim)
    values, file = mapped_array(path / VECTORS, name, header.dtype, shape)
    files, scales = [file], None
    if header.dtype == "int8":
        scales, file = mapped_array(path / SCALES, name, "float32", shape[:1])
        files.append(file)
    entries, keys = read_rows(path / ROWS, name, header.count)
    graph = None
    if header.approximate:
        files.append(MappedFile(path / GRAPH, str(path / GRAPH)))
        if verify and header.graph and _sha256(path / GRAPH) != header.graph:
            raise damaged(str(path / GRAPH), "it is not the graph that was saved")
        graph = ProximityGraph(header.dim, header.dtype)
        graph.load(files[-1], path / GRAPH, header.count, keys)
    if verify and (row := not_unit(values, scales)) is not None:
        raise damaged(name, f"row {row} of {VECTORS} has not unit length")
    return header, Held(UnitRows.stored(values, scales), entries, graph, files)


def _header(path: Path) -> Header:
    require_regular(path / HEADER, str(path))
    try:
        with open(path / HEADER, "rb") as file:
            data = json.loads(file.read(_MAX_HEADER_BYTES))
        if data.pop("schema") != SCHEMA:
            raise InputError(str(path), "it is of another version", "build the index again")
        header = Header(**data)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise InputError(
            str(path), f"not an index ({error})", "give a folder that Index.save wrote"
        ) from None
    texts = (header.space, header.bundle, header.dtype, header.graph)
    good = all(isinstance(text, str) for text in texts) and header.dtype in DTYPES
    good = good and type(header.dim) is int and 1 <= header.dim <= MAX_DIM
    good = good and type(header.count) is int and 0 <= header.count < 1 << 40
    if not good or not isinstance(header.approximate, bool):
        raise damaged(str(path), f"{HEADER} holds impossible values")
    return header


def _sha256(path: Path) -> str:
    with open(path, "rb", buffering=0) as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def as_path(path: object) -> Path:
    """A path that a user gave.

    Raises:
        OptionError: it is not a path.
    """
    if not isinstance(path, (str, os.PathLike)) or "\0" in os.fsdecode(path) or not os.fsdecode(path):
        raise OptionError(f"path={path!r}"[:80], "not the path of a folder", "give a str or a Path")
    return Path(os.fsdecode(path))


@contextmanager
def _system_errors(path: Path) -> Iterator[None]:
    """What the system refuses to write, as our error."""
    try:
        yield
    except OSError as error:
        raise cannot_write(path, error) from None
