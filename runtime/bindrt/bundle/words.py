"""Which tokens a bundle's text encoder was trained on: the others have rows of zeros in its table."""

from __future__ import annotations

from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from bindrt.arrays import Array
from bindrt.bundle.bundle import Bundle
from bindrt.engines.onnx_file import external_tensors
from bindrt.errors import Error
from bindrt.modalities.steps.constants import TEXT_END, TEXT_START, VOCABULARY
from bindrt.modalities.steps.tokenizer import tokenizer

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
        unknown = self._unknown
        if unknown is None:
            return ""
        used = ids[: ids.argmax()] if ids.ndim == 1 else ids.ravel()  # what is behind the end says nothing
        # A loop: NumPy takes longer for so few.
        return words_of(tuple(n for n in used.tolist() if 0 < n < VOCABULARY and unknown[n]))

    @cached_property
    def _unknown(self) -> bytes | None:
        """For each token 1 if it is a word, or a part of one, that is not known."""
        if self.known is None:
            return None
        unknown = (~self.known).astype(np.uint8)
        unknown[[TEXT_START, TEXT_END]] = 0
        return unknown.tobytes()

    @cached_property
    def known(self) -> Array | None:
        """For each token whether it is known; None if all are, or if the bundle does not show it."""
        try:
            table = self._table()
        except (Error, OSError):  # loading the encoder says what is wrong with the bundle
            return None
        if table is None or _is_used(table[::_EVERY]).all():
            return None
        return _is_used(table)

    def _table(self) -> Array | None:
        """The bits of the token table's numbers, ``[tokens, width]``, mapped."""
        manifest = self._bundle.manifest
        for entry in manifest.engines:
            paths = [self._bundle.file(f) for f in entry.files] if entry.encoder == "text" else []
            if paths and paths[0].suffix == ".onnx":
                width = manifest.encoders["text"].width
                return _mapped(paths[0], width)
        return None


def words_of(numbers: tuple[int, ...]) -> str:
    """The words that token ids are or are parts of.

    >>> words_of((1929, 3718))
    'dog bell'
    """
    return "".join(map(_part, numbers)).replace("</w>", " ").strip()


@lru_cache(maxsize=VOCABULARY)
def _part(token: int) -> str:
    return str(tokenizer().id_to_token(token))


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
