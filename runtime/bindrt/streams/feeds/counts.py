"""What became of the pieces of a signal: counts for the whole stream, notes for the windows they touch."""

from __future__ import annotations

from bindrt.notes import Notes

#: What each count says. Those that touch a window stand in its notes under the same key.
COUNTS: dict[str, str] = {
    "windows": "windows that were complete",
    "windows_lost": "windows that could not be completed: a gap or a restart lies in them",
    "gaps": "times that something is missing",
    "gap_seconds": "seconds that are missing",
    "duplicates": "pieces or samples that came twice, and were taken once",
    "reordered": "pieces or samples that came out of order, and were put right",
    "late": "pieces or samples that came too late to be used",
    "jumps_back": "times that the clock went back by more than the bound",
    "restarts": "times that the clock began anew, before the stream's first time",
    "jitter": "pieces whose time is off by more than 1 ms",
    "not_finite": "values that were NaN, infinite or beyond any sensor, and count as 0",
}


_MOST = 10_000  # incidents that are kept: a sensor that gives nothing else ends no window


class Counts(dict[str, float]):
    """The counts of one feed, by the keys of :data:`COUNTS`."""

    def __init__(self) -> None:
        super().__init__(dict.fromkeys(COUNTS, 0))

    def add(self, key: str, value: float = 1) -> None:
        self[key] += value


class Incidents:
    """What happened at which place of a signal, until no window can reach it any more.

    Args:
        counts: every incident is counted there.
    """

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._at: list[tuple[float, str, float]] = []

    def add(self, place: float, key: str, value: float = 1) -> None:
        """Count it, and note it on the windows that hold ``place``."""
        self.count(key, value)
        self.note(place, key, value)

    def count(self, key: str, value: float = 1) -> None:
        self._counts.add(key, value)

    def note(self, place: float, key: str, value: float = 1) -> None:
        if len(self._at) >= _MOST:
            del self._at[: _MOST // 2]
        self._at.append((place, key, value))

    def within(self, start: float, end: float) -> Notes:
        """The notes of the window from ``start`` to before ``end``."""
        notes: dict[str, float | int | str] = {}
        for place, key, value in self._at:
            if start <= place < end:
                notes[key] = round(float(notes.get(key, 0)) + value, 6)
        return notes

    def forget_before(self, place: float) -> None:
        if self._at and self._at[0][0] < place:
            self._at = [each for each in self._at if each[0] >= place]

    def clear(self) -> None:
        self._at = []
