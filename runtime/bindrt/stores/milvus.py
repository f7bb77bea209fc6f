"""Milvus: rows of a collection, in batches.

Its import of files would be another way, but it adds rows and never replaces them, so a load that is repeated
would double them.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from bindrt.bundle.space import require_same_space
from bindrt.errors import OptionError
from bindrt.integrations.libraries import tool
from bindrt.stores.place import FORMS, StorePlace
from bindrt.stores.records import Records
from bindrt.stores.store import Rejected

#: Codes of errors that are the rows': arguments, dimensions, parameters, data that does not fit.
_REFUSALS = {5, 6, *range(1100, 1200), 1804}
_LONGEST = 65535  # bytes of a text


class MilvusCollection:
    """A collection with id, source, modality, space, metadata (JSON) and vector; cosine similarity.

    The token is that of ``MILVUS_TOKEN``.
    """

    batch = 512

    def __init__(self, place: StorePlace) -> None:
        self._library = tool("pymilvus", "milvus")
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)  # what it logs, it also raises
        self._place, self._space = place, ""
        self._where = place.path if place.is_local else place.url()
        if place.is_local and not place.path.endswith(".db"):
            raise OptionError(str(place), "a file of Milvus Lite ends in .db", f"give {FORMS['milvus']}")
        self._client: Any = None

    def prepare(self, dim: int, space: str) -> None:
        name, self._space = self._place.name, space
        if self._client is None:
            token = os.environ.get("MILVUS_TOKEN", "")
            self._client = self._library.MilvusClient(self._where, token=token)
        if not self._client.has_collection(name):
            index = self._client.prepare_index_params()
            index.add_index("vector", index_type="AUTOINDEX", metric_type="COSINE")
            self._client.create_collection(name, schema=self._schema(dim), index_params=index)
            return
        fields = {field["name"]: field for field in self._client.describe_collection(name)["fields"]}
        ours = {"id", "source", "modality", "space", "metadata", "vector"}
        if not ours <= set(fields) or int(fields["vector"]["params"]["dim"]) != dim:
            raise OptionError(str(self._place), "it is a collection of something else", "choose another name")
        self._client.load_collection(name)
        for row in self._client.query(name, filter="", limit=1, output_fields=["space"]):
            require_same_space(space, str(row["space"]), str(self._place))

    def put(self, records: Records) -> Mapping[str, str]:
        columns = zip(
            records.ids, records.sources, records.modalities, records.metadata, records.vectors, strict=True
        )
        rows = [
            {
                "id": name,
                "source": source,
                "modality": modality,
                "space": self._space,
                "metadata": dict(metadata),
                "vector": vector,
            }
            for name, source, modality, metadata, vector in columns
        ]
        try:
            self._client.upsert(self._place.name, rows)
        except self._library.exceptions.MilvusException as error:
            kinds = self._library.exceptions
            if isinstance(error, (kinds.ParamError, kinds.DataNotMatchException)) or error.code in _REFUSALS:
                raise Rejected(error.message) from error
            raise
        return {}

    def finish(self) -> None:
        self._client.flush(self._place.name)

    def is_busy(self, error: Exception) -> bool:
        return isinstance(error, (OSError, self._library.exceptions.MilvusException))

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _schema(self, dim: int) -> Any:
        kinds = self._library.DataType
        schema = self._client.create_schema(auto_id=False, enable_dynamic_field=False)
        schema.add_field("id", kinds.VARCHAR, max_length=36, is_primary=True)
        schema.add_field("source", kinds.VARCHAR, max_length=_LONGEST, nullable=True)
        schema.add_field("modality", kinds.VARCHAR, max_length=64)
        schema.add_field("space", kinds.VARCHAR, max_length=256)
        schema.add_field("metadata", kinds.JSON)
        schema.add_field("vector", kinds.FLOAT_VECTOR, dim=dim)
        return schema
