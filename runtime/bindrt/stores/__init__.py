"""Vector stores: rows of vectors are loaded into Qdrant, Milvus, PostgreSQL, Weaviate and LanceDB, by URL.

A file a store; each imports its library when it is used. :func:`load_records` is what all have in common:
batches, tries, and errors of single rows.
"""

from __future__ import annotations

from bindrt.stores.loading import Loaded, load_records
from bindrt.stores.place import StorePlace
from bindrt.stores.records import Records
from bindrt.stores.registry import open_store
from bindrt.stores.store import Rejected, Store

__all__ = ["Loaded", "Records", "Rejected", "Store", "StorePlace", "load_records", "open_store"]
