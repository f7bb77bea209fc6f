"""Columns of some rows to vectors, a modality a column: what all integrations share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from bindrt.errors import ClosedError, EngineError, Error, OptionError
from bindrt.item_options import check_options
from bindrt.item_types import ModalityName
from bindrt.loading import load
from bindrt.modalities import MODALITIES
from bindrt.model import Model
from bindrt.option_checks import require_kind
from bindrt.pipeline import EmbeddingFuture
from bindrt.pipeline.options import BULK
from bindrt.tables.cells import items_of, no_column


class Embedded(NamedTuple):
    """What became of one column.

    Attributes:
        vectors: float32 ``[N, D]``; NaN in a row that has none.
        errors: why a row has none; None where it has one, or where the column has no value.
    """

    vectors: npt.NDArray[np.float32]
    errors: list[str | None]


@dataclass(eq=False)
class ColumnEmbedder:
    """Embeds columns of tables. It can be pickled: each process loads the bundle when it first embeds.

    A value that cannot be embedded costs its own row, which has an error. A missing value (None, NaN) has
    neither a vector nor an error.

    Attributes:
        bundle: as for :func:`bindrt.load`; on a cluster each machine has it at the same place.
        columns: the column of each modality that is embedded: ``{"image": "path", "text": "caption"}``.
        options: how items are read, by modality: ``{"depth": {"unit": "mm"}}``.
        root: the folder that relative paths begin at; None: that of the process.
        load: further arguments of :func:`bindrt.load`. ``pipeline`` is by default for many items:
            ``PipelineOptions(spin_us=0)``.

    >>> embedder = ColumnEmbedder("tiny", {"image": "photo", "text": "caption"})
    >>> found = embedder.embed({"photo": ["bell.jpg", "none.jpg"], "caption": ["a bell ringing", None]})
    >>> found["image"].vectors.shape, found["image"].errors[1]
    ((2, 96), "'none.jpg': there is no such file; check the path")
    """

    bundle: str | os.PathLike[str]
    columns: Mapping[str, str]
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    root: str | None = None
    load: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require_kind("columns", self.columns, Mapping)
        if not self.columns:
            raise OptionError("columns", "no column is embedded", "give for example {'image': 'path'}")
        for modality in (*self.columns, *self.options):
            if modality not in MODALITIES:
                raise OptionError(f"columns: {modality}", "not a modality", f"one of {', '.join(MODALITIES)}")
        for modality, options in self.options.items():
            check_options(options, modality, f"options of {modality}")
        self._model: Model | None = None
        self._loading = Lock()

    @property
    def model(self) -> Model:
        """The model of this process; the first use loads it.

        Raises:
            Error: as :func:`bindrt.load`, or the bundle has no such modality.
        """
        with self._loading:
            if self._model is None:
                model = load(self.bundle, **{"pipeline": BULK, **self.load})
                for modality in self.columns:
                    model.engine(cast(ModalityName, modality))
                self._model = model
            return self._model

    def embed(self, rows: Mapping[str, Iterable[object]], root: str | None = None) -> dict[str, Embedded]:
        """Embeds some rows; all of their modalities are in work together.

        Args:
            rows: the values of each column, equally many; columns that are not embedded are not looked at.
            root: the folder that relative paths begin at; None: ``self.root``.

        Returns:
            The vectors and the errors of each modality.

        Raises:
            InputError: a column is not there.
            Error: the bundle cannot be loaded, or an engine failed.
        """
        model = self.model
        root = self.root if root is None else root
        work = {m: self._submit(model, m, self._column(rows, name), root) for m, name in self.columns.items()}
        return {modality: _collect(futures, model.embed_dim) for modality, futures in work.items()}

    def close(self) -> None:
        """Frees the model; a later use loads it again."""
        with self._loading:
            if self._model is not None:
                self._model.close()
            self._model = None

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self.__post_init__()

    def _column(self, rows: Mapping[str, Iterable[object]], name: str) -> Sequence[object]:
        if name not in rows:
            raise no_column(name, rows)
        return list(rows[name])

    def _submit(
        self, model: Model, modality: str, values: Sequence[object], root: str | None
    ) -> list[EmbeddingFuture | None]:
        """The future of each value; None where there is no value."""
        found: list[EmbeddingFuture | None] = [None] * len(values)
        items, places = items_of(modality, values, root, self.options.get(modality, {}))
        futures = model.submit_many(cast(ModalityName, modality), items)
        for place, future in zip(places, futures, strict=True):
            found[place] = future
        return found


def _collect(futures: Sequence[EmbeddingFuture | None], dim: int) -> Embedded:
    vectors = np.full((len(futures), dim), np.nan, np.float32)
    errors: list[str | None] = [None] * len(futures)
    for row, future in enumerate(futures):
        if future is None:
            continue
        try:
            vectors[row] = future.result()
        except (EngineError, ClosedError):
            raise  # it is not the item's
        except Error as of_item:
            errors[row] = str(of_item)
        except Exception as raw:  # whatever it is, it is this item's, and ends no job
            errors[row] = f"{type(raw).__name__}: {raw}"
    return Embedded(vectors, errors)
