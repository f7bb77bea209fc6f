"""MTEB: a model for ``mteb.evaluate``, of all modalities that the bundle has.

This module and the model behind it never import torch. The package ``mteb`` itself does.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from bindrt.embeddings.vectors import unit_rows
from bindrt.errors import InputError, OptionError
from bindrt.integrations.libraries import tool
from bindrt.item_types import ModalityName
from bindrt.loading import load
from bindrt.modalities import MODALITIES
from bindrt.modalities.video import Video
from bindrt.model import Model
from bindrt.sources.foreign import is_missing

Vectors = npt.NDArray[np.float32]
#: The modalities that MTEB has words for; tasks of your own may have columns of the others.
KNOWN = ("text", "image", "audio", "video")


class Encoder:
    """A bundle as MTEB takes models.

    Each column of a batch that is named as a modality is embedded: texts, pictures, sounds and videos as
    ``datasets`` has them, depth, thermal and IMU as :meth:`bindrt.Model.embed` takes them. A row of several
    modalities has the weighted sum of their unit vectors, of unit length, so that none decides by its length.

    Attributes:
        model: what embeds.
        weights: of each modality in that sum; 1 where it is not named.

    >>> encoder = Encoder("tiny")
    >>> encoder.encode([{"text": ["a bell ringing", "a car driving"]}]).shape
    (2, 96)
    """

    def __init__(
        self, bundle: str | os.PathLike[str], weights: Mapping[str, float] | None = None, **options: Any
    ) -> None:
        """
        Args:
            bundle: as for :func:`bindrt.load`.
            weights: of each modality, positive.
            options: further arguments of :func:`bindrt.load`.

        Raises:
            OptionError: a weight is not positive, or of no modality.
            Error: the bundle cannot be loaded.
        """
        self.weights = dict(weights or {})
        for modality, weight in self.weights.items():
            if modality not in MODALITIES or not weight > 0:
                problem = "it is no positive weight of a modality"
                raise OptionError(f"weights: {modality}={weight}", problem, f"name {', '.join(MODALITIES)}")
        self.model: Model = load(bundle, **options)

    def encode(self, inputs: Iterable[Mapping[str, Any]], **about: Any) -> Vectors:
        """Unit vectors ``[N, D]`` of the rows of all batches.

        Args:
            inputs: batches; each has a list of values for each modality, None where a row lacks it.
            about: what MTEB says of the task; nothing depends on it.

        Raises:
            InputError: a row has none of the bundle's modalities.
            Error: an item cannot be embedded, or an engine failed.
        """
        found = [self._batch(batch) for batch in inputs]
        return np.concatenate(found) if found else np.zeros((0, self.model.embed_dim), np.float32)

    def similarity(self, embeddings1: Any, embeddings2: Any) -> Vectors:
        """Cosines ``[N, M]``."""
        found: Vectors = _unit(embeddings1) @ _unit(embeddings2).T
        return found

    def similarity_pairwise(self, embeddings1: Any, embeddings2: Any) -> Vectors:
        """Cosines ``[N]`` of each row with the one in its place."""
        found: Vectors = np.einsum("nd,nd->n", _unit(embeddings1), _unit(embeddings2))
        return found

    @property
    def mteb_model_meta(self) -> Any:
        """Who the model is, as MTEB writes it into its results; the revision is the bundle's space.

        Raises:
            Error: mteb is not installed.
        """
        meta = tool("mteb.models.model_meta", "mteb").ModelMeta
        manifest = self.model.bundle.manifest
        about = {
            "name": f"bindrt/{self.model.bundle.path.stem}",
            "revision": self.model.space,
            "embed_dim": self.model.embed_dim,
            "n_parameters": sum(encoder.parameters for encoder in manifest.encoders.values()),
            "similarity_fn_name": "cosine",
            "modalities": [modality for modality in KNOWN if modality in self.model.modalities],
            "use_instructions": False,
        }
        if self.weights:
            about["experiment_kwargs"] = {f"weight_{name}": weight for name, weight in self.weights.items()}
        return meta.create_empty(about)

    def close(self) -> None:
        """Frees the model."""
        self.model.close()

    def _batch(self, batch: Mapping[str, Any]) -> Vectors:
        given = {modality: batch[modality] for modality in self.model.modalities if modality in batch}
        if not given:
            there = ", ".join(map(str, batch))
            raise InputError("<a batch>", "it has no modality of the bundle", f"it has {there}")
        work = [(modality, *self._submit(modality, values)) for modality, values in given.items()]
        count = len(next(iter(given.values())))
        total = np.zeros((count, self.model.embed_dim), np.float32)
        for modality, rows, futures in work:
            weight = np.float32(self.weights.get(modality, 1.0))
            for row, future in zip(rows, futures, strict=True):
                total[row] += weight * future.result()
        found = unit_rows(total)
        if (missing := np.flatnonzero(~found.any(1))).size:
            raise InputError(f"row {missing[0]} of a batch", "it has no value", "leave it out of the task")
        return found

    def _submit(self, modality: str, values: Sequence[object]) -> tuple[list[int], list[Any]]:
        """The rows that have a value, and their futures."""
        rows = [row for row, value in enumerate(values) if not is_missing(value)]
        items = [_as_item(modality, values[row]) for row in rows]
        return rows, list(self.model.submit_many(cast(ModalityName, modality), items))


def _as_item(modality: str, value: Any) -> object:
    """A value as ``embed`` takes it; only decoders of videos are nothing that it knows."""
    frames = getattr(value, "get_frames_in_range", None)
    if modality != "video" or not callable(frames):
        return value
    decoded = frames(0, len(value))  # torchcodec's: uint8 [N, 3, H, W]
    return Video(np.asarray(decoded.data).transpose(0, 2, 3, 1), fps=float(value.metadata.average_fps))


def _unit(vectors: Any) -> Vectors:
    return unit_rows(np.atleast_2d(np.asarray(vectors, np.float32)))
