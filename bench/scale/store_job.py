"""Rows into one store: ``python -m bench.scale.store_job bulk|plain URL ROWS DIM``; prints JSON."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from bindrt.stores import Records, StorePlace, load_records, open_store
from bindrt.stores.records import stable_id

SPACE = "bench"
#: Rows that are made at a time, so that only what a store holds grows.
_PART = 1024


def parts(rows: int, dim: int) -> Iterator[Records]:
    """Rows with unit vectors, some at a time."""
    rng = np.random.default_rng(0)
    for begin in range(0, rows, _PART):
        numbers = range(begin, min(begin + _PART, rows))
        vectors = rng.standard_normal((len(numbers), dim), np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield Records(
            [stable_id(number) for number in numbers],
            [f"photos/{number:06d}.jpg" for number in numbers],
            ["image"] * len(numbers),
            [{"number": number, "caption": "a dog barks at a passing car"} for number in numbers],
            vectors,
        )


def bulk(place: StorePlace, rows: int, dim: int) -> None:
    store = open_store(place)
    load_records(store, place, parts(rows, dim), dim, SPACE)
    store.close()


def plain(place: StorePlace, rows: int, dim: int) -> None:
    """A call of the store's own library for each row, into the same collection."""
    store = open_store(place)
    store.prepare(dim, SPACE)
    store.close()
    PLAIN[place.kind](place, (row for part in parts(rows, dim) for row in _rows(part)))


def _rows(records: Records) -> Iterator[dict[str, Any]]:
    for row in range(len(records)):
        yield {
            "id": records.ids[row],
            "source": records.sources[row],
            "modality": records.modalities[row],
            "metadata": records.metadata[row],
            "vector": records.vectors[row].tolist(),
        }


def _qdrant(place: StorePlace, rows: Iterator[dict[str, Any]]) -> None:
    import qdrant_client

    client = qdrant_client.QdrantClient(path=place.path)
    for row in rows:
        point = qdrant_client.models.PointStruct(id=row.pop("id"), vector=row.pop("vector"), payload=row)
        client.upsert(place.name, [point])
    client.close()


def _milvus(place: StorePlace, rows: Iterator[dict[str, Any]]) -> None:
    import pymilvus

    client = pymilvus.MilvusClient(place.path)
    for row in rows:
        client.insert(place.name, [{**row, "space": SPACE}])
    client.flush(place.name)
    client.close()


def _lancedb(place: StorePlace, rows: Iterator[dict[str, Any]]) -> None:
    import lancedb

    table = lancedb.connect(place.path).open_table(place.name)
    for row in rows:
        table.add([{**row, "metadata": json.dumps(row["metadata"])}])


def _postgresql(place: StorePlace, rows: Iterator[dict[str, Any]]) -> None:
    import psycopg

    sql = f'INSERT INTO "{place.name}" VALUES (%s, %s, %s, %s, %s)'
    url = f"postgresql://{place.host}{place.path}"
    with psycopg.connect(url, **dict(place.options)) as connection:  # type: ignore[arg-type]
        for row in rows:
            values = (row["id"], row["source"], row["modality"], json.dumps(row["metadata"]))
            connection.execute(sql, [*values, str(row["vector"])])  # type: ignore[arg-type]


PLAIN: dict[str, Callable[[StorePlace, Iterator[dict[str, Any]]], None]] = {
    "qdrant": _qdrant,
    "milvus": _milvus,
    "lancedb": _lancedb,
    "postgresql": _postgresql,
}


def memory(name: str) -> int:
    """Bytes of this process: ``VmRSS`` now, ``VmHWM`` at most."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def main(way: str, url: str, rows: str, dim: str) -> None:
    place = StorePlace.parse(url)
    open_store(place).close()  # its library is imported
    before, start = memory("VmRSS"), time.perf_counter()
    {"bulk": bulk, "plain": plain}[way](place, int(rows), int(dim))
    seconds = time.perf_counter() - start
    print(json.dumps({"rows": int(rows), "seconds": seconds, "grown_bytes": memory("VmHWM") - before}))


if __name__ == "__main__":
    main(*sys.argv[1:])
