"""Which function opens each kind of store."""

from __future__ import annotations

from collections.abc import Callable

from bindrt.stores.lancedb import LanceTable
from bindrt.stores.milvus import MilvusCollection
from bindrt.stores.place import StorePlace
from bindrt.stores.postgresql import PostgresTable
from bindrt.stores.qdrant import QdrantCollection
from bindrt.stores.store import Store
from bindrt.stores.weaviate import WeaviateClass

OPENERS: dict[str, Callable[[StorePlace], Store]] = {
    "qdrant": QdrantCollection,
    "milvus": MilvusCollection,
    "postgresql": PostgresTable,
    "weaviate": WeaviateClass,
    "lancedb": LanceTable,
}


def open_store(place: StorePlace) -> Store:
    """The collection that a URL names.

    Raises:
        Error: the store's library is not installed.
    """
    return OPENERS[place.kind](place)
