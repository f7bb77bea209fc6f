"""Several live streams on one clock: one vector from the newest windows of all."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import replace
from functools import partial

from bindrt.errors import OptionError
from bindrt.streams.arrivals import LiveWindow
from bindrt.streams.channel import Channel
from bindrt.streams.fusion import Fusion, JointWindow
from bindrt.streams.live import LiveStream

_MOST = 8  # joint windows that may wait to be read


class Joined:
    """Joint vectors; :meth:`bindrt.Model.join` makes it. The results of its parts go to it alone."""

    def __init__(self, parts: Mapping[str, LiveStream], weights: Mapping[str, float], max_age: float) -> None:
        if not parts or not all(isinstance(stream, LiveStream) for stream in parts.values()):
            raise OptionError("join", "no live streams", 'give them by name: join({"audio": s, "imu": t})')
        self._fusion = Fusion(parts, weights, max_age)
        self._parts = dict(parts)
        self._results: Channel[JointWindow] = Channel(_MOST)
        self._lock = threading.Lock()  # joint windows come in order
        self._unread = 0
        for name, stream in self._parts.items():
            stream.listen(partial(self._take, name), self._end_if_closed)

    def __iter__(self) -> Iterator[JointWindow]:
        """The joint windows as they come, until all parts are closed."""
        while (window := self._results.get()) is not None:
            yield window

    async def __aiter__(self) -> AsyncIterator[JointWindow]:
        """As :meth:`__iter__`, for asyncio."""
        while (window := await self._results.aget()) is not None:
            yield window

    def stats(self) -> dict[str, int]:
        """What became of the parts' windows so far.

        ``joined``; ``incomplete``: another part was missing or too old; ``failed``; and joint windows that
        were ``unread``: pushed out by newer ones.
        """
        return {**self._fusion.stats(), "unread": self._unread}

    def close(self, drain: bool = False) -> None:
        """Close all parts; see :meth:`LiveStream.close`."""
        for stream in self._parts.values():
            stream.close(drain)

    def __enter__(self) -> Joined:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self.close(drain=kind is None)

    def _take(self, name: str, window: LiveWindow) -> None:
        with self._lock:
            joint = self._fusion.add(name, window)
            if joint is not None:
                dropped = sum(stream.dropped for stream in self._parts.values())
                self._unread += self._results.put(replace(joint, dropped=dropped))

    def _end_if_closed(self) -> None:
        if all(stream.closed for stream in self._parts.values()):
            self._results.end()
