"""Hugging Face datasets: a function for ``Dataset.map``, and columns of vectors for a dataset."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from bindrt.bundle import open_bundle
from bindrt.integrations.batches import ERROR, VECTOR, columns_of
from bindrt.integrations.columns import ColumnEmbedder
from bindrt.integrations.libraries import tool


class Embed(ColumnEmbedder):
    """A function for ``map(…, batched=True)``: the new columns of a batch.

    With ``num_proc`` each process loads the bundle; with ``with_rank=True`` on the GPU of its rank, where
    ``load`` has ``device="cuda"``.

    >>> import datasets
    >>> found = datasets.Dataset.from_dict({"caption": ["a bell"]}).map(
    ...     Embed("tiny", {"text": "caption"}), batched=True)
    >>> found.column_names
    ['caption', 'text_embedding', 'text_error']
    """

    def __init__(
        self,
        bundle: str | os.PathLike[str],
        columns: Mapping[str, str],
        options: Mapping[str, Mapping[str, str]] | None = None,
        root: str | None = None,
        **load: Any,
    ) -> None:
        """
        Args:
            bundle, columns, options, root: as in :class:`ColumnEmbedder`.
            load: further arguments of :func:`bindrt.load`.
        """
        super().__init__(bundle, columns, options or {}, root, load)

    def __call__(self, batch: Mapping[str, Any], rank: int | None = None) -> dict[str, Any]:
        """``image_embedding`` (None where there is none) and ``image_error`` for ``image``."""
        if rank is not None and self.load.get("device") == "cuda" and self._model is None:
            self.load = {**self.load, "device": f"cuda:{rank}"}
        new: dict[str, Any] = {}
        rows = columns_of({name: batch[name] for name in self.columns.values() if name in batch})
        for modality, (vectors, errors) in self.embed(rows).items():
            new[VECTOR.format(modality)] = [None if row[0] != row[0] else row for row in vectors]
            new[ERROR.format(modality)] = errors
        return new

    def features(self, of: Any) -> Any:
        """The features of a dataset with the new columns, for ``map(features=…)``.

        Without them the first batch decides: one without any error makes a column that can hold none.
        """
        datasets = tool("datasets", "huggingface")
        new = of.copy()
        dim = open_bundle(self.bundle).manifest.embed_dim
        for modality in self.columns:
            new[VECTOR.format(modality)] = datasets.List(datasets.Value("float32"), length=dim)
            new[ERROR.format(modality)] = datasets.Value("string")
        return new


def embed(dataset: Any, embedder: Embed, batch_size: int = 256, num_proc: int | None = None) -> Any:
    """A dataset with columns of vectors. Its files are decoded by bindrt, not by ``datasets``.

    Args:
        dataset: a ``datasets.Dataset``.
        batch_size: rows that are embedded together.
        num_proc: processes, each with a model; None: this one.

    Raises:
        Error: the bundle cannot be read, or an engine failed.

    >>> import datasets
    >>> pictures = datasets.Dataset.from_dict({"photo": ["bell.jpg"]})
    >>> pictures = pictures.cast_column("photo", datasets.Image())
    >>> len(embed(pictures, Embed("tiny", {"image": "photo"}))[0]["image_embedding"])
    96
    """
    features = dataset.features
    for name in embedder.columns.values():
        if getattr(features.get(name), "decode", False):
            undecoded = type(features[name])(decode=False)
            dataset = dataset.cast_column(name, undecoded)
    found = dataset.map(
        embedder,
        batched=True,
        batch_size=batch_size,
        num_proc=num_proc,
        features=embedder.features(dataset.features),
    )
    return found.cast(embedder.features(features))
