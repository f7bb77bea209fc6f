"""Makes an index for ``bind-search`` from rows, and rows from an index, to add to it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pyarrow.compute as pc

from bindrt.commands.rows import Row, vectors_of
from bindrt.commands.segments import Segments
from bindrt.index import Index
from bindrt.model import Model

#: With so many vectors a graph is worth its memory, if usearch is installed.
APPROXIMATE_FROM = 100_000


def write_index(segments: Segments, model: Model, path: Path) -> None:
    """Writes an index of all rows that have a vector."""
    large = segments.rows() >= APPROXIMATE_FROM and importlib.util.find_spec("usearch") is not None
    index = Index.of(model, approximate=large)
    for table in segments.tables(["source", "modality", "error", "embedding"]):
        good = table.filter(pc.is_valid(table["embedding"]))
        for modality in sorted(set(good["modality"].to_pylist())):
            part = good.filter(pc.equal(good["modality"], modality))
            index.add(
                vectors_of(part, model.embed_dim), part["source"].to_pylist(), modality, on_duplicate="keep"
            )
    index.save(path)


def index_rows(path: Path) -> tuple[list[Row], str]:
    """The rows of an index, and their space."""
    index = Index.load(path)
    return [
        Row(str(name), modality, None, vector)
        for name, modality, vector in zip(index.ids, index.modalities, index.vectors, strict=True)
    ], index.space
