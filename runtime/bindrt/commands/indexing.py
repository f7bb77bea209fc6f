"""Makes an index for ``bind-search`` from rows, and rows from an index, to add to it."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pyarrow.compute as pc

from bindrt.commands.rows import Row, options_text, vectors_of
from bindrt.commands.segments import Segments
from bindrt.index import Index
from bindrt.index.vectors import Dtype
from bindrt.notes import WINDOWS
from bindrt.stores import Records

#: With so many vectors a graph is worth its memory, if usearch is installed.
APPROXIMATE_FROM = 100_000
_OF_WINDOWS = ["start", "end", "options", "notes"]


def write_index(segments: Segments, bundle: Path, path: Path) -> None:
    """Writes an index of all rows that have a vector.

    Args:
        bundle: the bundle that made them, for ``bind-search``.
    """
    index = _new(segments.space, segments.dim, segments.rows(), bundle, segments.dtype)
    for table in segments.tables(["source", "modality", "error", "embedding", *_OF_WINDOWS]):
        good = table.filter(pc.is_valid(table["embedding"]))
        for modality in sorted(set(good["modality"].to_pylist())):
            part = good.filter(pc.equal(good["modality"], modality))
            sources = part["source"].to_pylist()
            metadata = [_metadata(row) for row in part.select(_OF_WINDOWS).to_pylist()]
            index.add(vectors_of(part, segments.dim), sources, modality, metadata, on_duplicate="keep")
    index.save(path)


def index_tables(
    rows: Iterable[tuple[list[str], Records]],
    count: int,
    dim: int,
    space: str,
    dtype: str | None,
    bundle: Path,
    path: Path,
) -> None:
    """Writes an index of the rows of tables; their other columns are its metadata.

    Args:
        rows: with the id of each.
        count: how many there may be.
    """
    index = _new(space, dim, count, bundle, dtype or "float32")
    for names, records in rows:
        for modality in records.modalities[:1]:  # all have the same
            index.add(records.vectors, names, modality, records.metadata, on_duplicate="keep")
    index.save(path)


def _new(space: str, dim: int, count: int, bundle: Path, dtype: str) -> Index:
    large = count >= APPROXIMATE_FROM and importlib.util.find_spec("usearch") is not None
    return Index(space, dim, approximate=large, bundle=bundle, dtype=cast(Dtype, dtype))


def index_rows(index: Index) -> Iterator[Row]:
    """The rows of an index."""
    every = zip(index.ids, index.modalities, index.vectors, index.metadata, strict=True)
    for name, modality, vector, metadata in every:
        yield Row(str(name), modality, None, vector, **_of_window(metadata))


def _metadata(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """What an index holds of a row that is a window: its seconds, and by what a later run knows it."""
    if row["start"] is None:
        return None
    found = {"start": row["start"], "end": row["end"], "options": json.loads(row["options"] or "{}")}
    count = json.loads(row["notes"] or "{}").get(WINDOWS)
    return found if count is None else {**found, WINDOWS: count}


def _of_window(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a row that :func:`_metadata` made ``metadata`` of; none for other metadata."""
    start, end, options = (metadata.get(name) for name in ("start", "end", "options"))
    if not isinstance(start, float) or not isinstance(end, float) or not isinstance(options, dict):
        return {}
    notes = json.dumps({WINDOWS: metadata[WINDOWS]}) if WINDOWS in metadata else None
    return {"start": start, "end": end, "options": options_text(options), "notes": notes}
