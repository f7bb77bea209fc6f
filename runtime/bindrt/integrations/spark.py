"""Spark: a ``pandas_udf`` that embeds a column; each Python worker has a model."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bindrt.integrations.columns import ColumnEmbedder
from bindrt.integrations.libraries import tool

_KEPT: dict[str, ColumnEmbedder] = {}


def embed_udf(
    bundle: str | os.PathLike[str],
    modality: str,
    options: Mapping[str, str] | None = None,
    root: str | None = None,
    **load: Any,
) -> Any:
    """A ``pandas_udf`` of a column of paths, bytes or texts: a struct of ``embedding`` and ``error``.

    Args:
        bundle: as in :class:`ColumnEmbedder`.
        modality: of the column.
        options: how its items are read: ``{"unit": "mm"}``.
        root: the folder that relative paths begin at.
        load: further arguments of :func:`bindrt.load`.

    Raises:
        Error: pyspark is not installed.

    Example:
        frame.withColumn("found", embed_udf("imagebind.bind", "image")("path")).select("found.*")
    """
    functions = tool("pyspark.sql.functions", "spark")
    pandas = tool("pandas", "spark")
    embedder = ColumnEmbedder(
        os.fspath(bundle), {modality: "item"}, {modality: dict(options or {})}, root, load
    )

    def embed(column: Any) -> Any:
        vectors, errors = _kept(embedder).embed({"item": column})[modality]
        rows = [None if row[0] != row[0] else row for row in vectors]
        return pandas.DataFrame({"embedding": rows, "error": errors})

    embed.__annotations__ = {"column": pandas.Series, "return": pandas.DataFrame}
    return functions.pandas_udf(embed, returnType="embedding array<float>, error string")


def _kept(embedder: ColumnEmbedder) -> ColumnEmbedder:
    """The one of this process: Spark unpickles a function for each task, and the model shall stay."""
    return _KEPT.setdefault(repr(embedder), embedder)
