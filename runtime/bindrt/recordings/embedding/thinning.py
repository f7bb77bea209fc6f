"""One picture in each hop; the others need not be decoded."""

from __future__ import annotations

_EARLY = 1e-3  # seconds by which a picture may come before its hop has passed: cameras jitter


class OneInHop:
    """Which pictures of a topic are taken: the first of each hop.

    Args:
        hop: seconds.

    >>> hops = OneInHop(1.0)
    >>> hops.taken(5.0)
    >>> [hops.is_due(time) for time in (5.5, 6.0, 7.2)]
    [False, True, True]
    """

    def __init__(self, hop: float) -> None:
        self._hop = hop
        self._due: float | None = None

    def is_due(self, time: float) -> bool:
        """Whether the picture of that time is to be taken. A clock that goes back begins anew."""
        return self._due is None or time >= self._due - _EARLY or self._went_back(time)

    def taken(self, time: float) -> None:
        """The picture of that time was taken."""
        late = self._due is None or self._went_back(time) or time >= self._due + self._hop
        self._due = (time if late or self._due is None else self._due) + self._hop

    def _went_back(self, time: float) -> bool:
        return self._due is not None and time < self._due - 2 * self._hop
