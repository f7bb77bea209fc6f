"""``Cut``: a window of one source, prepared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bindrt.errors import Error
from bindrt.items import Prepared
from bindrt.modalities.modality import Views
from bindrt.notes import Notes

#: Blocks of samples, or frames, that are decoded ahead of their preparation.
DECODED = 8


@dataclass(frozen=True, eq=False)
class Cut:
    """One window of one source.

    Attributes:
        number: its number in the schedule.
        start, end: seconds from the beginning of the source.
        item: the model's input; None if it could not be made.
        notes: what a user should know.
        error: why there is no input.
    """

    number: int
    start: float
    end: float
    item: Prepared | None
    notes: Notes = field(default_factory=dict)
    error: Error | None = None

    def noted(self, more: Notes) -> Cut:
        """The same with more notes."""
        return replace(self, notes={**self.notes, **more}) if more else self


@dataclass
class Losses:
    """Where damage lies in a recording: how much was lost, and between which seconds."""

    key: str
    _met: int = 0
    _at: list[tuple[float, float, int]] = field(default_factory=list)

    def met(self, so_far: int, start: float, end: float) -> None:
        """So much was lost so far; what is new lies between ``start`` and ``end``."""
        if so_far > self._met:
            self._at.append((start, end, so_far - self._met))
            self._met = so_far

    def within(self, start: float, end: float) -> Notes:
        """The note of a window; windows come in order."""
        self._at = [each for each in self._at if each[1] > start]
        lost = sum(count for low, high, count in self._at if low < end and high > start)
        return {self.key: lost} if lost else {}


def cut_of(number: int, start: float, end: float, views: Views) -> Cut:
    """The window whose input is ``views``. Views that count alike are given once."""
    array = views.array if views.weights is None else views.all()
    return Cut(number, start, end, Prepared(array, views=True), views.notes)
