"""Loads rows that ``bind-embed`` has made into a vector store."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from bindrt.commands.segments import Segments
from bindrt.commands.shards.part_rows import COLUMNS, PartRows, of_files
from bindrt.commands.summary import Summary
from bindrt.stores import Records, StorePlace, load_records, open_store


def rows_beside(place: StorePlace) -> Path:
    """Where rows are kept until a store has them, if there is no other output."""
    return Path(f"{place.kind}-{place.name}")


def store_segments(place: StorePlace, segments: Segments, summary: Summary, skip: bool) -> None:
    """Loads the rows of files and texts.

    Raises:
        Error: as :func:`bindrt.stores.load_records`.
    """
    parts = (of_files(table) for table in segments.tables(COLUMNS))
    _load(place, parts, segments.dim, segments.space, summary, skip)


def store_parts(
    place: StorePlace, rows: PartRows, dim: int, space: str, summary: Summary, skip: bool
) -> None:
    """Loads the rows of parts.

    Raises:
        OptionError: a part has no column that names rows.
        Error: as :func:`bindrt.stores.load_records`.
    """
    _load(place, rows.records(), dim, space, summary, skip)


def _load(
    place: StorePlace, parts: Iterable[Records], dim: int, space: str, summary: Summary, skip: bool
) -> None:
    store = open_store(place)
    try:
        found = load_records(store, place, parts, dim, space, skip)
    finally:
        store.close()
    summary.store, summary.loaded, summary.refused = str(place), found.rows, found.refused
