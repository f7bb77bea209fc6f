"""Hits that are windows of recordings: neighbours become one place, with its beginning and end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bindrt.index.ids import Id
from bindrt.index.results import Hit

_TOUCHING = 1e-6  # seconds between two windows that touch


def span_of(hit: Hit) -> tuple[float, float] | None:
    """The seconds of a window; None for a hit that is of a whole item.

    >>> span_of(Hit("talk.wav", 0.5, "audio", {"start": 2.0, "end": 4.0}))
    (2.0, 4.0)
    """
    start, end = hit.metadata.get("start"), hit.metadata.get("end")
    is_window = all(isinstance(x, (int, float)) and not isinstance(x, bool) for x in (start, end))
    return (float(start), float(end)) if is_window else None  # type: ignore[arg-type]


def places(hits: Iterable[Hit], k: int) -> list[Hit]:
    """The best ``k`` places: windows of one recording that overlap or touch are one.

    Hits are taken one after the other, the best first, until a further one would begin place ``k + 1``. So a
    place reaches as far as its windows are among the best.

    Args:
        hits: the best first.

    Returns:
        The best first. A place has the score of its best window; its metadata has ``start`` and ``end`` of
        all its windows.

    >>> found = [("a.wav", 0.9, 2.0), ("a.wav", 0.8, 7.0), ("a.wav", 0.7, 3.0), ("a.wav", 0.6, 20.0)]
    >>> hits = [Hit(name, score, "audio", {"start": s, "end": s + 2}) for name, score, s in found]
    >>> [(hit.score, span_of(hit)) for hit in places(hits, 2)]
    [(0.9, (2.0, 5.0)), (0.8, (7.0, 9.0))]
    """
    found: list[Hit] = []
    for hit in hits:
        near = [place for place in found if _are_one(place, hit)]
        if not near and len(found) == k:
            break
        found = [place for place in found if place not in near]
        found.append(_joined([*near, hit]))
    return sorted(found, key=lambda hit: -hit.score)


def _are_one(a: Hit, b: Hit) -> bool:
    first, second = span_of(a), span_of(b)
    if first is None or second is None or _source(a) != _source(b):
        return False
    return first[0] <= second[1] + _TOUCHING and second[0] <= first[1] + _TOUCHING


def _source(hit: Hit) -> tuple[Id, str]:
    return hit.id, hit.modality


def _joined(hits: list[Hit]) -> Hit:
    """One hit for all windows of a place."""
    best = max(hits, key=lambda hit: hit.score)
    spans = [span for hit in hits if (span := span_of(hit)) is not None]
    if len(spans) < 2:
        return best
    start, end = min(s for s, _ in spans), max(e for _, e in spans)
    return replace(best, metadata={**best.metadata, "start": start, "end": end})
