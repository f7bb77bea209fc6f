"""Daft: columns of vectors for a DataFrame, by one model in each worker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from bindrt.bundle import open_bundle
from bindrt.integrations.batches import ERROR, VECTOR, with_vectors
from bindrt.integrations.columns import ColumnEmbedder
from bindrt.integrations.libraries import tool


class Embed(ColumnEmbedder):
    """Adds ``image_embedding`` and ``image_error`` for ``image`` to a DataFrame; null where there is none.

    Example:
        embed = Embed("imagebind.bind", {"image": "path"})
        embed(daft.read_parquet("photos.parquet")).write_parquet("vectors/")
    """

    def __init__(
        self,
        bundle: str | os.PathLike[str],
        columns: Mapping[str, str],
        options: Mapping[str, Mapping[str, str]] | None = None,
        root: str | None = None,
        batch_size: int = 256,
        gpus: float = 0,
        max_concurrency: int | None = 1,
        **load: Any,
    ) -> None:
        """
        Args:
            bundle, columns, options, root: as in :class:`ColumnEmbedder`.
            batch_size: rows that are embedded together.
            gpus: of each worker.
            max_concurrency: workers, each with a model; None: as many as Daft runs.
            load: further arguments of :func:`bindrt.load`.
        """
        super().__init__(bundle, columns, options or {}, root, load)
        self.batch_size, self.gpus, self.max_concurrency = batch_size, gpus, max_concurrency

    def __call__(self, frame: Any) -> Any:
        """The DataFrame with the new columns; nothing is embedded before it is collected or written.

        Raises:
            Error: daft is not installed, or the bundle cannot be read.
        """
        daft = tool("daft", "daft")
        embed = self._function(daft, open_bundle(self.bundle).manifest.embed_dim)
        given = [daft.col(name) for name in self.columns.values()]
        return frame.select("*", embed(*given))

    def _function(self, daft: Any, dim: int) -> Any:
        types = {}
        for modality in self.columns:
            types[VECTOR.format(modality)] = daft.DataType.fixed_size_list(daft.DataType.float32(), dim)
            types[ERROR.format(modality)] = daft.DataType.string()
        embedder = self
        returned = daft.DataType.struct(types)

        class Worker:
            """What Daft makes once in each worker."""

            @daft.method.batch(return_dtype=returned, unnest=True, batch_size=embedder.batch_size)  # type: ignore[untyped-decorator]
            def embed(self, *series: Any) -> Any:
                rows = dict(zip(embedder.columns.values(), (one.to_pylist() for one in series), strict=True))
                nothing = pa.table({"row": pa.nulls(len(series[0]))})
                return with_vectors(nothing, embedder.embed(rows), ["row"]).to_struct_array()

        made = daft.cls(Worker, gpus=self.gpus, max_concurrency=self.max_concurrency)
        return made().embed
