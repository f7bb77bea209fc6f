"""Makes an index for ``bind-search`` from rows, and rows from an index, to add to it."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pyarrow.compute as pc

from bindrt.commands.rows import Row, vectors_of
from bindrt.commands.segments import Segments
from bindrt.index import Index
from bindrt.index.vectors import Dtype

#: With so many vectors a graph is worth its memory, if usearch is installed.
APPROXIMATE_FROM = 100_000


def write_index(segments: Segments, bundle: Path, path: Path) -> None:
    """Writes an index of all rows that have a vector.

    Args:
        bundle: the bundle that made them, for ``bind-search``.
    """
    large = segments.rows() >= APPROXIMATE_FROM and importlib.util.find_spec("usearch") is not None
    dtype = cast(Dtype, segments.dtype)
    index = Index(segments.space, segments.dim, approximate=large, bundle=bundle, dtype=dtype)
    for table in segments.tables(["source", "modality", "error", "embedding"]):
        good = table.filter(pc.is_valid(table["embedding"]))
        for modality in sorted(set(good["modality"].to_pylist())):
            part = good.filter(pc.equal(good["modality"], modality))
            sources = part["source"].to_pylist()
            index.add(vectors_of(part, segments.dim), sources, modality, on_duplicate="keep")
    index.save(path)


def index_rows(index: Index) -> Iterator[Row]:
    """The rows of an index."""
    for name, modality, vector in zip(index.ids, index.modalities, index.vectors, strict=True):
        yield Row(str(name), modality, None, vector)
