"""How a model prepares items: within its limits, and with notes on words that it never saw."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.bundle.words import Words
from bindrt.errors import Error
from bindrt.isolation import Isolated
from bindrt.items import Prepared
from bindrt.limits import Limits
from bindrt.modalities import MODALITIES, Views
from bindrt.modalities.steps.output_rows import Reserve
from bindrt.notes import Notes
from bindrt.preprocess.dispatch import prepare_views
from bindrt.sources import open_source
from bindrt.sources.foreign import NamedBytes
from bindrt.sources.streams import is_in_tar


class Preparation:
    """Prepares the items of one model.

    Attributes:
        limits: what an item may decode to.

    Args:
        words: which words the model's text encoder knows; None without one.
        isolated: the processes that decode files; None: they are decoded here.
    """

    def __init__(self, limits: Limits, words: Words | None, isolated: Isolated | None = None) -> None:
        self.limits = limits
        self._prepare = prepare_views if isolated is None else isolated.views
        self._is_isolated = isolated is not None
        self._words = words

    def ordinary(self, modality: str) -> dict[str, Any] | None:
        """What prepares a modality's ordinary items in the pipeline; None: all are prepared by ``views``."""
        preparer = MODALITIES[modality].ordinary
        if preparer is None:
            return None
        return {"preparer": preparer, "limits": self.limits, "files": not self._is_isolated}

    def texts(self, modality: str) -> tuple[_core.Tokenizer, _core.Words | None] | None:
        """What makes ids of a modality's plain texts, and tells words that are not known."""
        tokens = MODALITIES[modality].tokens
        return None if tokens is None else (tokens.tokenizer(), self._told_words)

    @property
    def _told_words(self) -> _core.Words | None:
        return None if self._words is None else self._words.told

    def views(
        self, modality: str, item: object, reserve: Reserve | None = None, is_left: bool = False
    ) -> Views:
        """One item as the model's input; see :func:`bindrt.preprocess.dispatch.prepare_views`."""
        views = self._prepare(modality, item, self.limits, reserve, is_left)
        if self._words is None or MODALITIES[modality].tokens is None:
            return views
        return replace(views, notes=self._told(views.array, views.notes))

    def taken(self, item: Any) -> Any:
        """An item that may wait: a member of a tar is read now, before the caller goes on in the archive.

        One that cannot be read is given back as it is, and fails where it is prepared.
        """
        if type(item) is str:  # a text, or a path
            return item
        field = _source_field(type(item))
        source = item if field is None else getattr(item, field)
        if not is_in_tar(source):
            return item
        with suppress(Error):
            with open_source(source, self.limits).binary() as stream:
                held = NamedBytes(stream.read(), source.name)
            return held if field is None else replace(item, **{field: held})
        return item

    def ready_ids(self, modality: str, item: object) -> tuple[Array, Notes] | None:
        """Token ids of an item, which the core may take as they are, and its notes; None: prepare it."""
        tokens = MODALITIES[modality].tokens
        if tokens is None:
            return None
        if isinstance(item, Prepared):
            return self._ready_ids(item)
        quick = tokens.quick(item)
        return None if quick is None else (quick[0], self._told(*quick))

    def _ready_ids(self, item: Prepared) -> tuple[Array, Notes] | None:
        ids = item.array
        if type(ids) is not np.ndarray or (ids.ndim != 1 and not item.views):
            return None
        is_wrong = ids.dtype != np.int64  # preparing says what is wrong with them
        return ids, item.notes if is_wrong else self._told(ids, item.notes)

    def all_ids(self, modality: str, items: list[object]) -> tuple[Array, Array, dict[int, Notes]]:
        """Token ids ``[N, length]`` of items, how many each has, and notes by the item's number.

        An item with 0 ids must be prepared alone.
        """
        tokens = MODALITIES[modality].tokens
        assert tokens is not None
        length = MODALITIES[modality].view[-1]
        ids, counts, unknown = tokens.tokenizer().encode_all(items, length, self._told_words)
        notes: dict[int, Notes] = {i: {"unknown_words": words} for i, words in unknown.items()}
        for i in np.flatnonzero(counts == 0).tolist():
            with suppress(Error):  # preparing it alone says so
                found = self.ready_ids(modality, items[i])
                if found is not None and tokens.is_row(found[0], ids.shape[1]):
                    ids[i] = found[0]
                    counts[i] = tokens.used(ids[i : i + 1])[0]
                    notes[i] = found[1]
        return ids, counts, {i: of for i, of in notes.items() if of}

    def _told(self, ids: Array, notes: Notes) -> Notes:
        words = self._words.unknown(ids) if self._words is not None else ""
        return {**notes, "unknown_words": words} if words else notes


def _source_field(kind: type) -> str | None:
    """The field of a wrapper that holds its source, which is its first; None for any other class."""
    named: Iterable[str] = getattr(
        kind, "__dataclass_fields__", ()
    )  # what fields() reads, in a tenth of its time
    return next(iter(named), None)
