"""An index for other programs: FAISS, LanceDB, Qdrant. Their libraries are imported when used."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from bindrt.errors import OptionError
from bindrt.index.search import Index

#: Items that are handed over at once.
_BATCH = 1024


def to_faiss(index: Index) -> Any:
    """A FAISS index whose ids are row numbers: ``index.ids[number]`` is the item's id.

    Returns:
        ``faiss.IndexFlatIP``: exact, by cosine similarity. It is the start for FAISS' other kinds.

    Raises:
        OptionError: faiss is not installed.

    >>> index = Index(space="example", dim=2)
    >>> index.add(np.float32([[3, 4], [0, 1]]), ids=["a", "b"])
    >>> scores, numbers = to_faiss(index).search(np.float32([[0, 2]]), 1)
    >>> index.ids[numbers[0, 0]]
    'b'
    """
    faiss = _library("faiss", "faiss-cpu")
    found = faiss.IndexFlatIP(index.dim)
    for _, rows in _batches(index):
        found.add(rows)
    return found


def to_lancedb(index: Index, database: Any, table: str, mode: str = "create") -> Any:
    """A LanceDB table with the columns ``id``, ``modality``, ``metadata`` (JSON) and ``vector``.

    Args:
        database: what ``lancedb.connect(…)`` returns, or what it takes: a folder or a URL.
        table: the table's name.
        mode: ``create``, an error if it exists, or ``overwrite``.

    Returns:
        The table. ``bindrt.space`` in its schema's metadata is the vectors' space.

    Raises:
        OptionError: lancedb is not installed.

    >>> index = Index(space="example", dim=2)
    >>> index.add(np.float32([[3, 4], [0, 1]]), ids=["a", "b"])
    >>> table = to_lancedb(index, "lance", "things", mode="overwrite")
    >>> table.search([0.0, 2.0]).distance_type("cosine").limit(1).to_list()[0]["id"]
    'b'
    """
    if not hasattr(database, "create_table"):
        database = _library("lancedb", "lancedb").connect(database)
    ids = pa.int64() if all(isinstance(name, int) for name in index.ids) and len(index) else pa.string()
    schema = pa.schema(
        [
            pa.field("id", ids),
            pa.field("modality", pa.string()),
            pa.field("metadata", pa.string()),
            pa.field("vector", pa.list_(pa.float32(), index.dim)),
        ],
        metadata={"bindrt.space": index.space},
    )

    def batches() -> Iterator[pa.RecordBatch]:
        names, modalities, metadata = index.ids, index.modalities, index.metadata
        for start, rows in _batches(index):
            part = slice(start, start + len(rows))
            yield pa.record_batch(
                [
                    pa.array([name if ids == pa.int64() else str(name) for name in names[part]], ids),
                    pa.array(modalities[part], pa.string()),
                    pa.array(
                        [json.dumps(about, ensure_ascii=False) for about in metadata[part]], pa.string()
                    ),
                    pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), index.dim),
                ],
                schema=schema,
            )

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    return database.create_table(table, reader, mode=mode)


def to_qdrant(index: Index, client: Any, collection: str) -> None:
    """A new Qdrant collection with cosine similarity.

    The points are numbered from 0. Their payload has ``id``, ``modality``, ``space`` and ``metadata``.

    Args:
        client: a ``qdrant_client.QdrantClient``.
        collection: its name; it must not exist.

    Raises:
        OptionError: qdrant-client is not installed.

    >>> from qdrant_client import QdrantClient
    >>> index, client = Index(space="example", dim=2), QdrantClient(":memory:")
    >>> index.add(np.float32([[3, 4], [0, 1]]), ids=["a", "b"])
    >>> to_qdrant(index, client, "things")
    >>> client.query_points("things", query=[0.0, 2.0], limit=1).points[0].payload["id"]
    'b'
    """
    models = _library("qdrant_client.models", "qdrant-client")
    client.create_collection(
        collection, vectors_config=models.VectorParams(size=index.dim, distance=models.Distance.COSINE)
    )
    names, modalities, metadata = index.ids, index.modalities, index.metadata
    for start, rows in _batches(index):
        points = [
            models.PointStruct(
                id=row,
                vector=vector,
                payload={
                    "id": names[row],
                    "modality": modalities[row],
                    "space": index.space,
                    "metadata": metadata[row],
                },
            )
            for row, vector in enumerate(rows.tolist(), start)
        ]
        client.upsert(collection, points)


def _batches(index: Index) -> Iterator[tuple[int, Any]]:
    """The vectors in parts, float32 ``[n, D]``, each with the number of its first row."""
    vectors = index.vectors
    for start in range(0, len(vectors), _BATCH):
        yield start, np.ascontiguousarray(vectors[start : start + _BATCH])


def _library(module: str, package: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError:
        raise OptionError(
            f"export to {package}", f"{package} is not installed", f"pip install {package}"
        ) from None
