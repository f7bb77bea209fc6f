"""LanceDB: rows of a table, merged by id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from bindrt.bundle.space import require_same_space
from bindrt.embeddings.files import SPACE
from bindrt.errors import OptionError
from bindrt.integrations.libraries import tool
from bindrt.stores.place import FORMS, StorePlace
from bindrt.stores.records import Records


class LanceTable:
    """A table with id, source, modality, metadata (JSON) and vector; the space is in its schema."""

    batch = 8192  # each batch is a version of the table

    def __init__(self, place: StorePlace) -> None:
        if not place.is_local:
            raise OptionError(str(place), "a folder has no host", f"give {FORMS['lancedb']}")
        self._place = place
        self._database = tool("lancedb", "lancedb").connect(place.path)
        self._table: Any = None

    def prepare(self, dim: int, space: str) -> None:
        schema = pa.schema(
            [
                pa.field("id", pa.string()),
                pa.field("source", pa.string()),
                pa.field("modality", pa.string()),
                pa.field("metadata", pa.string()),
                pa.field("vector", pa.list_(pa.float32(), dim)),
            ],
            metadata={SPACE: space.encode()},
        )
        try:
            self._table = self._database.open_table(self._place.name)
        except (ValueError, FileNotFoundError):  # it is not there
            self._table = self._database.create_table(self._place.name, schema=schema)
        there = self._table.schema
        if SPACE not in (there.metadata or {}) or there.names != schema.names:
            raise OptionError(str(self._place), "it is a table of something else", "choose another name")
        require_same_space(space, there.metadata[SPACE].decode(), str(self._place))

    def put(self, records: Records) -> Mapping[str, str]:
        schema = self._table.schema
        vectors = pa.FixedSizeListArray.from_arrays(
            pa.array(records.vectors.reshape(-1)), records.vectors.shape[1]
        )
        metadata = [json.dumps(about, ensure_ascii=False) for about in records.metadata]
        columns = [list(records.ids), list(records.sources), list(records.modalities), metadata, vectors]
        rows = pa.Table.from_arrays([pa.array(each) for each in columns], names=schema.names).cast(schema)
        merge = self._table.merge_insert("id").when_matched_update_all().when_not_matched_insert_all()
        merge.execute(rows)
        return {}

    def finish(self) -> None:
        self._table.optimize()

    def is_busy(self, error: Exception) -> bool:
        return isinstance(error, (OSError, RuntimeError))  # another writer was faster

    def close(self) -> None:
        self._table = None
