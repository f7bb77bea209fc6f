"""PostgreSQL with pgvector: rows by binary COPY, merged by id; the graph is made once all are there."""

from __future__ import annotations

import json
import struct
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import numpy as np

from bindrt.bundle.space import require_same_space
from bindrt.errors import Error, OptionError
from bindrt.integrations.libraries import tool
from bindrt.stores.place import StorePlace
from bindrt.stores.records import Records
from bindrt.stores.store import Rejected

#: Numbers of a vector that pgvector makes a graph of at most.
_MOST_IN_GRAPH = 2000
_REMARK = "bindrt.space "
_COPY_BEGINS = b"PGCOPY\n\xff\r\n\0" + struct.pack(">II", 0, 0)
_COPY_ENDS = struct.pack(">h", -1)


class PostgresTable:
    """A table with id, source, modality, metadata (jsonb) and embedding (vector).

    Its comment names the space.

    What stands behind ``?`` is for libpq, and so are its environment variables, ``PGPASSWORD`` for example.
    """

    batch = 1024

    def __init__(self, place: StorePlace) -> None:
        self._library = tool("psycopg", "pgvector")
        self._sql = tool("psycopg.sql", "pgvector")
        self._place = place
        self._connection: Any = None
        self._dim = 0

    def prepare(self, dim: int, space: str) -> None:
        self._dim = dim
        with self._transaction() as cursor:
            self._make_extension(cursor)
            name = self._name.as_string(self._connection)
            cursor.execute(
                "SELECT to_regclass(%s), obj_description(to_regclass(%s), 'pg_class')", [name, name]
            )
            there, remark = cursor.fetchone()
            if there is None:
                self._make_table(cursor, dim, space)
                return
        if not (remark or "").startswith(_REMARK):
            raise OptionError(str(self._place), "it is a table of something else", "choose another name")
        require_same_space(space, remark.removeprefix(_REMARK), str(self._place))

    def put(self, records: Records) -> Mapping[str, str]:
        try:
            with self._transaction() as cursor:
                self._copy(cursor, records)
        except (self._library.DataError, self._library.IntegrityError) as error:
            raise Rejected(str(error).splitlines()[0]) from error
        return {}

    def finish(self) -> None:
        if self._dim > _MOST_IN_GRAPH:
            return
        index = self._sql.Identifier(f"{self._place.name}_embedding"[:63])
        with self._transaction() as cursor:
            cursor.execute(
                self._sql.SQL(
                    "CREATE INDEX IF NOT EXISTS {} ON {} USING hnsw (embedding vector_cosine_ops)"
                ).format(index, self._name)
            )

    def is_busy(self, error: Exception) -> bool:
        return isinstance(error, (self._library.OperationalError, self._library.InterfaceError))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    @property
    def _name(self) -> Any:
        return self._sql.Identifier(self._place.name)

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        connection = self._connect()
        with connection.transaction(), connection.cursor() as cursor:
            yield cursor

    def _connect(self) -> Any:
        if self._connection is None or self._connection.closed:
            url = f"postgresql://{self._place.host}{quote(self._place.path)}"
            self._connection = self._library.connect(url, **dict(self._place.options))
        return self._connection

    def _make_extension(self, cursor: Any) -> None:
        cursor.execute("SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'")
        if not cursor.fetchone()[0]:
            remedy = "install pgvector there (Debian 13: apt-get install postgresql-17-pgvector)"
            raise Error(str(self._place), "the server has no extension vector", remedy)
        cursor.execute("CREATE EXTENSION IF NOT EXISTS vector")

    def _make_table(self, cursor: Any, dim: int, space: str) -> None:
        sql = self._sql
        cursor.execute(
            sql.SQL(
                "CREATE TABLE {} (id uuid PRIMARY KEY, source text, modality text NOT NULL, "
                "metadata jsonb NOT NULL, embedding vector({}) NOT NULL)"
            ).format(self._name, sql.Literal(dim))
        )
        cursor.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(self._name, sql.Literal(_REMARK + space)))

    def _copy(self, cursor: Any, records: Records) -> None:
        sql = self._sql
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE bindrt_rows (LIKE {}) ON COMMIT DROP").format(self._name)
        )
        with cursor.copy("COPY bindrt_rows FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(_COPY_BEGINS)
            for row in _binary_rows(records):
                copy.write(row)
            copy.write(_COPY_ENDS)
        columns = ("source", "modality", "metadata", "embedding")
        cursor.execute(
            sql.SQL("INSERT INTO {} SELECT * FROM bindrt_rows ON CONFLICT (id) DO UPDATE SET {}").format(
                self._name,
                sql.SQL(", ").join(sql.SQL("{0} = excluded.{0}").format(sql.Identifier(c)) for c in columns),
            )
        )


def _binary_rows(records: Records) -> Iterator[bytes]:
    """Rows as COPY takes them in binary: a number of fields, then each with its length before it."""
    columns = zip(
        records.ids, records.sources, records.modalities, records.metadata, records.vectors, strict=True
    )
    for name, source, modality, metadata, vector in columns:
        fields = (
            uuid.UUID(name).bytes,
            None if source is None else source.encode(),
            modality.encode(),
            b"\1" + json.dumps(metadata).encode(),  # the version of jsonb
            struct.pack(">hh", len(vector), 0) + vector.astype(np.dtype(">f4")).tobytes(),
        )
        yield struct.pack(">h", len(fields)) + b"".join(map(_field, fields))


def _field(value: bytes | None) -> bytes:
    return struct.pack(">i", -1) if value is None else struct.pack(">i", len(value)) + value
