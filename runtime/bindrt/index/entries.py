"""What belongs to each vector of an index: its id, its modality, its metadata, whether it is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from bindrt.index.growing import Growing
from bindrt.index.ids import Id
from bindrt.index.metadata import Metadata, from_text

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.int64]


class Coded(NamedTuple):
    """Texts of rows: the distinct ones, and which of them each row has."""

    distinct: list[str]
    numbers: npt.NDArray[np.integer[Any]]

    def all(self) -> list[str]:
        """The text of each row."""
        return [self.distinct[number] for number in self.numbers.tolist()]


class Pool:
    """Texts by number, each held once."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._numbers: dict[str, int] = {}

    def numbers(self, texts: Iterable[str]) -> list[int]:
        """The numbers of texts; those that are new are added."""
        found = []
        for text in texts:
            number = self._numbers.setdefault(text, len(self.texts))
            if number == len(self.texts):
                self.texts.append(text)
            found.append(number)
        return found

    def number(self, text: str) -> int:
        """The number of a text; -1 if it is not there."""
        return self._numbers.get(text, -1)


class Entries:
    """A table of all rows that were added. A removed row stays until :meth:`compact`, marked as gone."""

    def __init__(self) -> None:
        self.ids: list[Id] = []
        self._modalities, self._texts = Pool(), Pool()
        self._modality_of, self._text_of = Growing((), np.int32), Growing((), np.int32)
        self._here = Growing((), np.bool_)
        self._gone = 0
        self._parsed: dict[int, dict[str, Any]] = {}
        self._rows_of: dict[Id, int | list[int]] | None = None  # made when it is first asked for

    def __len__(self) -> int:
        """How many rows there are, those that are gone among them."""
        return len(self.ids)

    @property
    def gone(self) -> int:
        return self._gone

    def add(self, ids: Sequence[Id], modalities: Sequence[str], texts: Sequence[str]) -> None:
        """Adds rows; ``texts`` is their metadata as JSON."""
        every = np.arange(len(ids))
        self.add_coded(ids, Coded(list(modalities), every), Coded(list(texts), every))

    def add_coded(self, ids: Sequence[Id], modalities: Coded, texts: Coded) -> None:
        """The same, from texts that rows share."""
        first = len(self.ids)
        self.ids += ids
        self._modality_of.extend(
            np.array(self._modalities.numbers(modalities.distinct), np.int32)[modalities.numbers]
        )
        self._text_of.extend(np.array(self._texts.numbers(texts.distinct), np.int32)[texts.numbers])
        self._here.extend(np.ones(len(ids), np.bool_))
        if self._rows_of is not None:
            _note(self._rows_of, ids, first)

    def rows_of(self, name: Id, modality: str | None = None) -> list[int]:
        """The rows of an id that are there."""
        if self._rows_of is None:
            self._rows_of = _note({}, self.ids, 0)
        here, modalities = self._here.rows(), self._modality_of.rows()
        wanted = None if modality is None else self._modalities.number(modality)
        known = self._rows_of.get(name, [])
        return [
            row
            for row in (known if isinstance(known, list) else [known])
            if here[row] and (wanted is None or modalities[row] == wanted)
        ]

    def remove(self, rows: Sequence[int] | Numbers) -> None:
        self._here.rows()[rows] = False
        self._gone += len(rows)

    def compact(self) -> Mask:
        """Drops the rows that are gone; returns which rows stayed."""
        here = self._here.rows()
        self.ids = [name for name, stays in zip(self.ids, here.tolist(), strict=True) if stays]
        for column in (self._modality_of, self._text_of, self._here):
            column.keep(here)
        self._renumber()
        self._gone, self._rows_of = 0, None
        return here

    def _renumber(self) -> None:
        """Forgets metadata that no row has any more."""
        texts, self._texts, self._parsed = self.texts(), Pool(), {}
        self._text_of.rows()[:] = self._texts.numbers(texts)

    def modality(self, row: int) -> str:
        return self._modalities.texts[int(self._modality_of.rows()[row])]

    def modalities(self) -> list[str]:
        texts = self._modalities.texts
        return [texts[number] for number in self._modality_of.rows().tolist()]

    def texts(self) -> list[str]:
        """The metadata of all rows as JSON."""
        texts = self._texts.texts
        return [texts[number] for number in self._text_of.rows().tolist()]

    def metadata(self, row: int) -> dict[str, Any]:
        """The metadata of a row.

        Raises:
            InputError: a file that holds it is damaged.
        """
        return from_text(self._texts.texts[self._text_of.rows()[row]], row)

    def set_metadata(self, rows: Sequence[int], texts: Sequence[str]) -> None:
        self._text_of.rows()[rows] = self._texts.numbers(texts)
        if len(self._texts.texts) > 2 * len(self) + 1000:
            self._renumber()

    def mask(self, modality: str | None, condition: Callable[[Metadata], bool] | None) -> Mask | None:
        """Which rows may be found, bool ``[N]``; None: all."""
        mask = self._here.rows() if self._gone else None
        if modality is not None:
            right = self._modality_of.rows() == self._modalities.number(modality)
            mask = right if mask is None else mask & right
        if condition is not None:
            mask = self._fulfilling(condition, mask)
        return mask

    def _fulfilling(self, condition: Callable[[Metadata], bool], mask: Mask | None) -> Mask:
        """The rows of ``mask`` whose metadata fulfils a condition; it is asked once for equal metadata."""
        numbers = self._text_of.rows()
        used = np.unique(numbers if mask is None else numbers[mask])
        good = np.zeros(len(self._texts.texts), np.bool_)
        for number in used.tolist():
            if number not in self._parsed:
                self._parsed[number] = from_text(self._texts.texts[number], int(np.argmax(numbers == number)))
            good[number] = bool(condition(self._parsed[number]))
        right: Mask = good[numbers]
        return right if mask is None else mask & right


def _note(rows_of: dict[Id, int | list[int]], ids: Sequence[Id], first: int) -> dict[Id, int | list[int]]:
    """Adds the rows of ids, which count up from ``first``; an id with several rows has a list."""
    for row, name in enumerate(ids, first):
        known = rows_of.setdefault(name, row)
        if isinstance(known, list):
            known.append(row)
        elif known != row:
            rows_of[name] = [known, row]
    return rows_of
