"""Which tokens a bundle's text encoder was trained on: the others have rows of zeros in its table."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import numpy as np

from bindrt import _core
from bindrt.arrays import Array
from bindrt.bundle.bundle import Bundle
from bindrt.engines.onnx_file import external_tensors
from bindrt.errors import Error
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START, VOCABULARY
from bindrt.modalities.steps.tokenizer import texts_of_tokens

_EVERY = 97  # so many rows apart the table is looked at; in a table without gaps no more is read
_BITS: dict[int, type[np.generic]] = {4: np.uint32, 2: np.uint16}  # by bytes of a float of the table


class Words:
    """The words that a bundle's text encoder knows; its table is looked at when first asked."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle

    def unknown(self, ids: Array) -> str:
        """The words among token ids that the encoder never saw, in their order; empty if it knows all.

        Such words say nothing: two of them give the same vector.
        """
        if self.told is None:
            return ""
        # What is behind the end says nothing.
        return self.told.unknown(ids[: ids.argmax()] if ids.ndim == 1 else ids.ravel())

    @cached_property
    def told(self) -> _core.Words | None:
        """What tells them, from ids; None if the encoder knows all, or if the bundle does not show it."""
        try:
            table = self._table()
        except (Error, OSError):  # loading the encoder says what is wrong with the bundle
            return None
        if table is None or _is_used(table[::_EVERY]).all():
            return None
        known = _is_used(table)
        known[[TEXT_START, TEXT_END]] = True
        return _core.Words(known, texts_of_tokens())

    def _table(self) -> Array | None:
        """The bits of the token table's numbers, ``[tokens, width]``, mapped."""
        manifest = self._bundle.manifest
        for entry in manifest.engines:
            paths = [self._bundle.file(f) for f in entry.files] if entry.encoder == "text" else []
            if paths and paths[0].suffix == ".onnx":
                width = manifest.encoders["text"].width
                return _mapped(paths[0], width)
        return None


def _mapped(graph: Path, width: int) -> Array | None:
    """The one tensor of a graph that has as many bytes as the token table."""
    for tensor in external_tensors(graph):
        size = (tensor.length or 0) // (VOCABULARY * width)
        if size in _BITS and tensor.length == VOCABULARY * width * size:
            path = graph.with_name(tensor.location)
            return np.memmap(path, _BITS[size], "r", tensor.offset, (VOCABULARY, width))
    return None


def _is_used(table: Array) -> Array:
    """Which rows are not all zeros. A zero's sign is the top bit, and may be set."""
    return np.asarray((table << 1).any(axis=1))
