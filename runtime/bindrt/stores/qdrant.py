"""Qdrant: points with their payload, in batches; its graph is made once all are there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bindrt.bundle.space import require_same_space
from bindrt.errors import OptionError
from bindrt.integrations.libraries import tool
from bindrt.stores.place import StorePlace
from bindrt.stores.records import Records
from bindrt.stores.store import Rejected

#: Vectors, in kB, from which on Qdrant makes a graph of a segment; its own default.
_GRAPH_FROM = 20_000


class QdrantCollection:
    """A collection: cosine similarity; the payload has source, modality, space and metadata.

    The API key is that of ``QDRANT_API_KEY``.
    """

    batch = 256

    def __init__(self, place: StorePlace) -> None:
        library = tool("qdrant_client", "qdrant")
        self._models = tool("qdrant_client.models", "qdrant")
        self._exceptions = tool("qdrant_client.http.exceptions", "qdrant")
        self._place, self._space = place, ""
        if place.is_local:
            self._client: Any = library.QdrantClient(path=place.path)
        else:
            key = os.environ.get("QDRANT_API_KEY")
            self._client = library.QdrantClient(
                url=place.url(), api_key=key, timeout=60, check_compatibility=False
            )

    def prepare(self, dim: int, space: str) -> None:
        models, name = self._models, self._place.name
        self._space = space
        if not self._client.collection_exists(name):
            self._client.create_collection(
                name,
                vectors_config=models.VectorParams(size=dim, distance=models.Distance.COSINE),
                optimizers_config=models.OptimizersConfigDiff(indexing_threshold=0),  # until finish()
            )
            return
        vectors = self._client.get_collection(name).config.params.vectors
        if getattr(vectors, "size", None) != dim:
            raise OptionError(str(self._place), "it is a collection of something else", "choose another name")
        points, _ = self._client.scroll(name, limit=1)
        if points:
            require_same_space(space, str(points[0].payload.get("space")), str(self._place))

    def put(self, records: Records) -> Mapping[str, str]:
        payloads = [
            {"source": source, "modality": modality, "space": self._space, "metadata": dict(metadata)}
            for source, modality, metadata in zip(
                records.sources, records.modalities, records.metadata, strict=True
            )
        ]
        batch = self._models.Batch(ids=list(records.ids), vectors=records.vectors.tolist(), payloads=payloads)
        try:
            self._client.upsert(self._place.name, batch, wait=True)
        except self._exceptions.UnexpectedResponse as error:
            if error.status_code in (400, 413, 422):
                raise Rejected(str(error)) from error
            raise
        except (ValueError, TypeError) as error:  # of the store in a folder
            raise Rejected(str(error)) from error
        return {}

    def finish(self) -> None:
        config = self._client.get_collection(self._place.name).config.optimizer_config
        if config.indexing_threshold == 0:
            wanted = self._models.OptimizersConfigDiff(indexing_threshold=_GRAPH_FROM)
            self._client.update_collection(self._place.name, optimizers_config=wanted)

    def is_busy(self, error: Exception) -> bool:
        if isinstance(error, self._exceptions.UnexpectedResponse):
            return error.status_code in (408, 429) or error.status_code >= 500
        return isinstance(error, (OSError, self._exceptions.ResponseHandlingException))

    def close(self) -> None:
        self._client.close()
