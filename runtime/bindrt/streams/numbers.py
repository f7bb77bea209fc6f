"""Counts that several threads add to."""

from __future__ import annotations

import threading

_KEYS = ("delivered", "failed", "dropped", "unread", "pieces_dropped")


class Numbers:
    """What became of pieces and windows; :meth:`bindrt.streams.live.LiveStream.stats` says what each is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = dict.fromkeys(_KEYS, 0)

    def add(self, key: str, value: int = 1) -> None:
        with self._lock:
            self._numbers[key] += value

    def get(self, key: str) -> int:
        return self._numbers[key]

    def snapshot(self) -> dict[str, int]:
        with self._lock:
            return dict(self._numbers)
